import math

import pytest

from zooselect.errors import UsageError
from zooselect.level import ONE_SHOT, TRAINING_AWARE
from zooselect.plan.layers import Layer, Layers
from zooselect.plan.plan import plan_for

LAYERS = Layers((Layer("a.weight", (80,)),), ((Layer("fc.weight", (20,)), "last layer"),))


@pytest.mark.parametrize(
    ("mode", "level", "sparsity"),
    [
        (ONE_SHOT, 0.0, None),
        (ONE_SHOT, 5e-324, None),
        (ONE_SHOT, math.nextafter(0.3, 0), None),
        (ONE_SHOT, 0.3, 0.40),
        (ONE_SHOT, 0.5, 0.40 + (0.5 - 0.3) / 0.7 * 0.40),
        (ONE_SHOT, 1.0, 0.80),
        (TRAINING_AWARE, 0.3, 0.60),
        (TRAINING_AWARE, 0.5, 0.70),
        (TRAINING_AWARE, 0.77, 0.60 + (0.77 - 0.3) / 0.7 * 0.35),
        (TRAINING_AWARE, 1.0, 0.95),
    ],
)
def test_the_policies(mode, level, sparsity):
    plan = plan_for(mode, "image_classification", level)
    assert plan.sparsity == sparsity
    assert (plan.quantization is None) == (level == 0.0)
    assert plan.sparsity_structure == (None if sparsity is None else "unstructured")


def test_sparsity_never_falls_as_the_level_rises():
    sparsities = [plan_for(ONE_SHOT, "t", 0.3 + step / 1000).sparsity for step in range(701)]
    assert sparsities == sorted(sparsities)


def test_scope_of_the_layers_leaves_the_model_less_sparse():
    plan = plan_for(ONE_SHOT, "t", 0.3, LAYERS)
    assert (plan.layer_sparsity, plan.model_sparsity) == (0.40, pytest.approx(0.32))
    assert plan.notes == ("40.00 % of 1 layers, 32.00 % of the model; left dense: fc",)


def test_scope_of_the_model_prunes_the_layers_harder():
    plan = plan_for(ONE_SHOT, "t", 0.3, LAYERS, "model")
    assert (plan.layer_sparsity, plan.model_sparsity) == (pytest.approx(0.5), pytest.approx(0.4))
    assert plan.to_dict()["sparsity"] == 0.40


@pytest.mark.parametrize(
    ("layers", "level", "scope", "words"),
    [
        (None, 0.5, "model", "needs the shapes"),
        (LAYERS, 1.0, "model", "cannot be zero"),
        (LAYERS, 0.5, "weights", "unknown sparsity scope"),
    ],
)
def test_scopes_that_cannot_be(layers, level, scope, words):
    with pytest.raises(UsageError, match=words):
        plan_for(ONE_SHOT, "t", level, layers, scope)


def test_each_part_says_its_rule():
    rules = plan_for(TRAINING_AWARE, "t", 0.5).to_dict()["rules"]
    assert rules["sparsity"] == (
        "training-aware policy 1, band [0.3, 1]: 0.60 + (level - 0.3) / 0.7 * 0.35"
    )
    assert rules["quantization"].endswith("INT8, weights and activations")
    assert plan_for(ONE_SHOT, "t", 0.0).to_dict()["rules"]["sparsity"].endswith("none")


def test_in_words():
    assert str(plan_for(ONE_SHOT, "t", 0.0)).endswith("no change, the input model is the baseline")
    assert str(plan_for(ONE_SHOT, "t", 0.1)) == "one-shot 0.1: INT8 weights and activations"
    assert "prune 51.43 % unstructured" in str(plan_for(ONE_SHOT, "t", 0.5))
