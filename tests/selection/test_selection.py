from __future__ import annotations

import json
import math

import pytest

import zooselect
from zooselect.catalog.catalog import Catalog
from zooselect.level import SPARSE_TRANSFER
from zooselect.record import ModelRecord

from .catalogs import EDGES, SIZES, answer, catalog_of, plain
from .reference import TASKS, reference_resolve

LEVELS = tuple(step / 10 for step in range(11))


@pytest.fixture(scope="module")
def embedded():
    """The embedded catalog as the reference takes it."""
    return [dict(record.raw) for record in Catalog.embedded()]


# The embedded catalog


@pytest.mark.parametrize(
    ("task", "level", "stub"),
    [
        (
            "image-classification",
            0.5,
            "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet-augmented/"
            "pruned_quant-aggressive",
        ),
        (
            "question_answering",
            0.0,
            "zoo:nlp/question_answering/bert-large/pytorch/huggingface/squad/base-none",
        ),
        (
            "question_answering",
            0.5,
            "zoo:nlp/question_answering/obert-base/pytorch/huggingface/squad/pruned90_quant-none",
        ),
        (
            "object_detection",
            0.9,
            "zoo:cv/detection/yolov5-n/pytorch/ultralytics/coco/pruned40_quant-none",
        ),
        (
            "text_generation",
            0.5,
            "zoo:nlg/text_generation/opt-1.3b/pytorch/huggingface/opt_pretrain/"
            "pruned50_quantW8A8-none",
        ),
    ],
)
def test_known_answers(task, level, stub):
    selection = zooselect.resolve(task, level)
    assert selection.stub == stub
    assert selection.exact
    assert zooselect.resolve(task, level, strict=True).stub == stub


def test_a_known_fallback():
    """There is no INT8-only yolov5-x6."""
    selection = zooselect.resolve("object_detection", 0.1)
    stub = "zoo:cv/detection/yolov5-x6/pytorch/ultralytics/coco/pruned75_quant-none"
    assert selection.stub == stub
    assert not selection.exact
    assert selection.fallback is not None
    assert (selection.fallback.wanted, selection.fallback.got) == ("quantized", "pruned_quantized")
    assert any("wanted quantized, got pruned_quantized" in note for note in selection.notes)
    with pytest.raises(zooselect.NoCandidateError) as caught:
        zooselect.resolve("object_detection", 0.1, strict=True)
    assert caught.value.exit_code == 3
    assert "--strict" in caught.value.message
    assert stub in caught.value.message
    assert [one for one, _ in caught.value.nearest] == [stub]


def test_a_known_fallback_downwards():
    selection = zooselect.resolve("sentiment_analysis", 0.0)
    assert selection.fallback is not None
    assert (selection.fallback.wanted, selection.fallback.got) == ("base", "base")
    assert "largest below" in selection.fallback.reason
    assert selection.dense_millions < selection.size_classes[0]["smallest_millions"]
    assert any("largest below" in note for note in selection.notes)
    assert "largest below" in " ".join(selection.explain().split())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"all_sizes": True},
        {"strict": True},
        {"include_unverified": True},
        {"target": "vnni"},
        {"target": "4block", "all_sizes": True},
        {"framework": "pytorch", "dataset": "my_own"},
    ],
    ids=str,
)
def test_the_embedded_catalog_against_the_reference(embedded, task, options):
    for level in sorted({*LEVELS, *EDGES}):
        wanted = reference_resolve(embedded, SIZES, task, level, **options)
        try:
            selection = zooselect.resolve(task, level, **options)
        except zooselect.NoCandidateError:
            assert wanted is None, level
            continue
        assert wanted is not None, level
        assert selection.stub == wanted["stub"], level
        assert selection.exact == wanted["exact"], level
        assert selection.dense_millions == wanted["picked_millions"], level
        assert selection.dataset.used == wanted["dataset_used"], level
        json.dumps(selection.to_dict(), allow_nan=False)


def test_every_data_set_and_network_of_the_embedded_catalog(embedded):
    for task, (domain, sub_domain, _, _) in TASKS.items():
        of_task = Catalog.embedded().at(domain, sub_domain)
        questions = [
            *({"dataset": name} for name in sorted({one.dataset for one in of_task})),
            *({"architecture": name} for name in sorted({one.network for one in of_task})),
            *({"architecture": name} for name in sorted({one.architecture for one in of_task})),
        ]
        for options in questions:
            for level in (0.0, 0.1, 0.3, 0.5, 1.0):
                wanted = reference_resolve(embedded, SIZES, task, level, **options)
                try:
                    stub = zooselect.resolve(task, level, **options).stub
                except zooselect.NoCandidateError:
                    stub = None
                assert stub == (wanted and wanted["stub"]), (task, options, level)


# The answer


BASE = plain("base-none", millions=20, recipe_types=["original", "transfer_learn", "transfer"])
SPARSE = plain("pruned80_quant-none", millions=20, quality=75.5)
SMALL = plain("pruned80_quant-none", "bar", millions=5, results=None)
MODELS = [BASE, SPARSE, SMALL]


def test_the_whole_answer():
    found = answer(MODELS, "ic", 0.1)
    reason = "no quantized model in the size class 20 M"
    assert found.to_dict() == {
        "schema": 1,
        "policy": 1,
        "mode": "sparse-transfer",
        "task": "image_classification",
        "optim_level": 0.1,
        "band": {
            "lower": 0.0,
            "upper": 0.25,
            "lower_inclusive": False,
            "upper_inclusive": False,
            "tier": "largest",
            "optimization": "quantized",
        },
        "stub": SPARSE["stub"],
        "model": SPARSE,
        "exact": False,
        "fallback": {"wanted": "quantized", "got": "pruned_quantized", "reason": reason},
        "dataset": {"requested": None, "used": "imagenet", "transfer": True},
        "filters": {},
        "size_classes": [
            {"tiers": ["largest", "medium"], "largest_millions": 20, "smallest_millions": 20},
            {"tiers": ["smallest"], "largest_millions": 5, "smallest_millions": 5},
        ],
        "why": "alone on its rung (pruned_quantized, 20 M)",
        "alternatives": [
            {"stub": BASE["stub"], "why_not": "optimization base, not pruned_quantized"}
        ],
        "neighbours": {"lower": BASE["stub"], "higher": SPARSE["stub"]},
        "excluded": [],
        "recipe_stub": None,
        "notes": [f"fallback: wanted quantized, got pruned_quantized: {reason}"],
        "provenance": {
            "source": "file",
            "location": "some.json",
            "compiled": "2026-01-31",
            "fetched_at": None,
            "age_seconds": None,
            "digest": "sha256:0",
            "from_cache": False,
            "stale": False,
            "instead_of": None,
            "skipped": [],
            "repaired": [],
        },
    }


def test_the_attributes():
    found = answer(MODELS, "ic", 0.5)
    assert isinstance(found.model, ModelRecord)
    assert found.mode == SPARSE_TRANSFER
    assert found.stub == str(found) == SPARSE["stub"]
    assert found.exact
    assert found.fallback is None
    assert found.dense_millions == 20
    assert found.dense_basis == "record"
    assert found.quality == 75.5
    assert found.notes == ()
    assert answer(MODELS, "ic", 1).quality is None


def test_it_prints_well():
    found = answer(MODELS, "ic", 0.1)
    assert repr(found).startswith(
        "<Selection image_classification, sparse-transfer, optim level 0.1"
    )
    assert SPARSE["stub"] in repr(found)
    assert "fallback" in repr(found)
    assert SPARSE["stub"] in found._repr_html_()
    assert "<Selection" not in found._repr_html_()


def test_the_printed_level_is_the_level():
    """Just below an edge the level must not read as the edge."""
    found = answer(MODELS, "ic", math.nextafter(0.25, 0))
    assert "optim level 0.24999999999999997\n" in repr(found)


@pytest.mark.parametrize(
    ("recipes", "wanted"),
    [
        (None, None),
        (["original"], None),
        (["original", "transfer_learn"], "transfer_learn"),
        (["transfer", "transfer_learn"], "transfer_learn"),
        (["transfer-text", "transfer"], "transfer"),
        (["transfer_token", "transfer_text"], "transfer_text"),
    ],
)
def test_recipe_stub(recipes, wanted):
    model = plain(recipe_types=recipes)
    found = answer([model], "ic", 0.0).recipe_stub
    assert found == (wanted and f"{model['stub']}?recipe={wanted}")


def test_notes():
    base = plain("base-none", millions=None, onnx_size_bytes=8_000_000, confidence="low")
    found = answer([base], "ic", 0.0, dataset="my_cats", include_unverified=True)
    assert found.notes == (
        "no model on record is for 'my_cats': transfer to it from imagenet",
        "dense size 2 M is estimated from a base model's file",
        "unverified: this model may never have been published",
    )


def test_the_model_the_other_modes_start_from():
    models = [
        *MODELS,
        plain("base-none", "bar", millions=5),
        plain("pruned_quant-x", "baz", millions=1),
    ]
    found = answer(models, "ic", 0.9, mode="one-shot")
    # Three classes: 20, 5 and 1 M. The medium one's base model, whatever the level.
    assert found.stub == models[3]["stub"]
    assert found.to_dict()["plan"]["sparsity"] == pytest.approx(0.40 + 0.6 / 0.7 * 0.40)
    assert found.neighbours == {"lower": None, "higher": None}
    assert any(found.stub in note for note in found.notes)


@pytest.mark.parametrize("level", [0, 0.5, 1, True, math.nan, -0.0])
def test_levels_of_other_types(level):
    if level is True or level != level:  # noqa: PLR0124 - NaN is what differs from itself
        with pytest.raises(zooselect.UsageError):
            answer(MODELS, "ic", level)
    else:
        found = answer(MODELS, "ic", level)
        assert isinstance(found.optim_level, float)
        assert math.copysign(1, found.optim_level) == 1


def test_an_empty_catalog():
    with pytest.raises(zooselect.NoCandidateError, match="no image_classification models"):
        zooselect.resolve("ic", catalog=catalog_of([]))
