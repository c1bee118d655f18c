import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zooselect import __version__
from zooselect.errors import UsageError
from zooselect.level import ONE_SHOT, TRAINING_AWARE
from zooselect.plan.layers import parse_layers
from zooselect.plan.plan import plan_for
from zooselect.plan.recipe import FORMATS
from zooselect.plan.sparseml import PATTERN

from .engine_schema import llm_compressor_modifiers, sparseml_modifiers

LAYERS = parse_layers(
    [
        "conv1.weight 8 3 3 3",
        "bn1.weight 8",
        "b.conv.weight 8 8 3 3",
        "c.weight 9 8",
        "fc.weight 2 9",
    ]
)
MODES = (ONE_SHOT, TRAINING_AWARE)
PRUNING = "MagnitudePruningModifier"


@given(st.sampled_from(MODES), st.floats(0, 1, exclude_min=True), st.sampled_from([None, LAYERS]))
def test_every_sparseml_recipe_fits_the_engine(mode, level, layers):
    plan = plan_for(mode, "image_classification", level, layers)
    found = dict(sparseml_modifiers(plan.recipe()))
    assert (PRUNING in found) == (plan.sparsity is not None)
    if plan.sparsity is not None:
        assert found[PRUNING]["final_sparsity"] == plan.sparsity
    assert found["QuantizationModifier"]["scheme"]["weights"]["num_bits"] == 8


@given(st.floats(0, 1, exclude_min=True), st.sampled_from([None, LAYERS]))
def test_every_llm_compressor_recipe_fits_the_engine(level, layers):
    plan = plan_for(ONE_SHOT, "text_generation", level, layers)
    found = dict(llm_compressor_modifiers(plan.recipe("llm-compressor")))
    assert ("SparseGPTModifier" in found) == (plan.sparsity is not None)
    if plan.sparsity is not None:
        assert found["SparseGPTModifier"]["sparsity"] == plan.sparsity
        assert isinstance(found["SparseGPTModifier"]["targets"], list)
    assert found["QuantizationModifier"]["scheme"] == "W8A8"


@pytest.mark.parametrize("mode", MODES)
def test_level_zero_has_no_recipe(mode):
    plan = plan_for(mode, "ic", 0.0)
    assert plan.recipe() is None
    assert plan.recipe("plan-json") is not None


def test_named_layers_are_written_out():
    found = dict(sparseml_modifiers(plan_for(ONE_SHOT, "ic", 0.5, LAYERS).recipe()))
    assert found[PRUNING]["params"] == ["b.conv.weight", "c.weight"]
    assert found["QuantizationModifier"]["ignore"][:2] == ["conv1", "fc"]
    llm = dict(llm_compressor_modifiers(plan_for(ONE_SHOT, "qa", 0.5, LAYERS).recipe(FORMATS[1])))
    targets = llm["SparseGPTModifier"]["targets"]
    assert [re.match(one.removeprefix("re:"), "b.conv") is not None for one in targets] == [
        True,
        False,
    ]
    assert not any(re.match(one.removeprefix("re:"), "bxconv") for one in targets)


def test_a_head_whose_name_begins_another_is_quantized_rather_than_both_left_out():
    layers = parse_layers(["fc1.weight 8 8", "fc2.weight 8 8", "fc.weight 2 8"])
    found = dict(sparseml_modifiers(plan_for(ONE_SHOT, "ic", 0.5, layers).recipe()))
    assert found[PRUNING]["params"] == ["fc1.weight", "fc2.weight"]
    assert "fc" not in found["QuantizationModifier"]["ignore"]


def test_the_whole_models_sparsity_is_what_the_layers_get():
    plan = plan_for(ONE_SHOT, "ic", 0.3, LAYERS, "model")
    found = dict(sparseml_modifiers(plan.recipe()))
    assert found[PRUNING]["final_sparsity"] == plan.layer_sparsity > plan.sparsity


def test_training_aware_goes_through_a_whole_schedule():
    found = dict(sparseml_modifiers(plan_for(TRAINING_AWARE, "ic", 0.5).recipe()))
    pruning, quantization = found[PRUNING], found["QuantizationModifier"]
    epochs = found["EpochRangeModifier"]["end_epoch"]
    assert pruning["start_epoch"] < pruning["end_epoch"] <= quantization["start_epoch"]
    assert quantization["start_epoch"] < quantization["freeze_bn_stats_epoch"] < epochs
    assert pruning["init_sparsity"] < pruning["final_sparsity"] == 0.7


def test_settings_reach_the_recipe():
    plan = plan_for(TRAINING_AWARE, "ic", 0.5)
    found = dict(sparseml_modifiers(plan.recipe(settings={"num_epochs": 10, "qat_epochs": "2"})))
    assert found["EpochRangeModifier"]["end_epoch"] == 10.0
    assert found[PRUNING]["end_epoch"] == 4.0


@pytest.mark.parametrize(
    ("mode", "level", "format", "settings", "words"),
    [
        (TRAINING_AWARE, 0.5, "llm-compressor", {}, "no training-aware recipe that works"),
        (ONE_SHOT, 0.5, "llm-compressor", {}, "vision task"),
        (ONE_SHOT, 0.5, "onnx", {}, "unknown recipe format"),
        (ONE_SHOT, 0.5, "plan-json", {"num_epochs": 1}, "no variables"),
        (ONE_SHOT, 0.5, "sparseml", {"num_epochs": 1}, "no variable 'num_epochs'"),
        (TRAINING_AWARE, 0.1, "sparseml", {"init_sparsity": 0.1}, "no variable 'init_sparsity'"),
        (TRAINING_AWARE, 0.5, "sparseml", {"qat_epochs": 30}, "runs backwards"),
        (TRAINING_AWARE, 0.5, "sparseml", {"pruning_start_epoch": 19}, "runs backwards"),
        (TRAINING_AWARE, 0.5, "sparseml", {"init_sparsity": 0.7}, "not below the final"),
        (TRAINING_AWARE, 0.5, "sparseml", {"sparsity": 0.9}, "no variable 'sparsity'"),
    ],
)
def test_what_a_format_cannot_express(mode, level, format, settings, words):
    with pytest.raises(UsageError, match=words):
        plan_for(mode, "image_classification", level).recipe(format, settings)


@pytest.mark.parametrize("format", FORMATS)
def test_same_bytes_and_a_telling_header(format):
    plan = plan_for(ONE_SHOT, "text_generation", 0.5)
    text = plan.recipe(format)
    assert text == plan_for(ONE_SHOT, "text_generation", 0.5).recipe(format)
    for word in ("text_generation", "0.5", __version__, "one-shot"):
        assert word in text
    assert "policy" in text
    if format == "plan-json":
        assert json.loads(text)["sparsity"] == plan.sparsity
    else:
        assert text.startswith(f"# {format} recipe")


# Names as the libraries write them: (parameter, whether it should be pruned).
NAMES = {
    "torchvision ResNet": {
        "conv1.weight": False, "bn1.weight": False, "layer1.0.conv1.weight": True,
        "layer1.0.bn1.weight": False, "layer1.0.downsample.0.weight": True,
        "layer1.0.downsample.1.weight": False, "fc.weight": False, "layer1.0.conv1.bias": False,
    },
    "SparseML ResNet": {
        "input.conv.weight": False, "input.bn.weight": False, "sections.0.0.conv1.weight": True,
        "sections.0.0.identity.conv.weight": True, "sections.0.0.identity.bn.weight": False,
        "classifier.fc.weight": False,
    },
    "Ultralytics YOLO": {
        "model.0.conv.weight": False, "model.0.bn.weight": False, "model.1.conv.weight": True,
        "model.2.cv1.conv.weight": True, "model.2.cv1.bn.weight": False,
        "model.24.m.0.weight": False,
    },
    "Hugging Face BERT": {
        "bert.embeddings.word_embeddings.weight": False,
        "bert.encoder.layer.0.attention.self.query.weight": True,
        "bert.encoder.layer.0.attention.output.dense.weight": True,
        "bert.encoder.layer.0.attention.output.LayerNorm.weight": False,
        "qa_outputs.weight": False, "classifier.weight": False,
    },
    "torchvision MobileNet, whose norms have no telling name": {
        "features.0.0.weight": False, "features.1.conv.0.0.weight": False,
        "features.1.conv.0.1.weight": False, "classifier.1.weight": False,
    },
    "Hugging Face OPT": {
        "model.decoder.embed_tokens.weight": False,
        "model.decoder.layers.0.self_attn.q_proj.weight": True,
        "model.decoder.layers.0.fc1.weight": True,
        "model.decoder.layers.0.final_layer_norm.weight": False, "lm_head.weight": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("library", NAMES)
def test_the_pattern_leaves_norms_stems_and_heads_alone(library):
    pattern = re.compile(PATTERN)
    taken = {name: pattern.match(name) is not None for name in NAMES[library]}
    assert taken == NAMES[library]
