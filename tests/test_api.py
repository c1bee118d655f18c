"""The Python API: what the command line answers, as values."""

from itertools import pairwise
from pathlib import Path

import pytest

import zooselect
from zooselect import (
    Catalog,
    Filters,
    IntegrityError,
    LocalFileError,
    NoCandidateError,
    Selection,
    UsageError,
    levels,
    resolve,
    search,
)
from zooselect.record import ModelRecord

RESNET = "zoo:cv/classification/resnet_v1-50/pytorch/sparseml/imagenet"


@pytest.mark.parametrize(
    ("task", "level", "stub"),
    [
        ("image-classification", 0.5, RESNET + "-augmented/pruned_quant-aggressive"),
        (
            "question_answering", 0.0,
            "zoo:nlp/question_answering/bert-large/pytorch/huggingface/squad/base-none",
        ),
        (
            "question_answering", 0.5,
            "zoo:nlp/question_answering/obert-base/pytorch/huggingface/squad/pruned90_quant-none",
        ),
        (
            "object_detection", 0.9,
            "zoo:cv/detection/yolov5-n/pytorch/ultralytics/coco/pruned40_quant-none",
        ),
        (
            "text_generation", 0.5,
            "zoo:nlg/text_generation/opt-1.3b/pytorch/huggingface/opt_pretrain/"
            "pruned50_quantW8A8-none",
        ),
    ],
)  # fmt: skip
def test_the_shipped_catalog(task, level, stub):
    selection = resolve(task, level)
    assert (selection.stub, selection.exact, selection.fallback) == (stub, True, None)
    assert str(selection) == stub
    assert selection.model.stub == stub
    assert selection.optim_level == level
    assert selection.mode == "sparse-transfer"
    assert selection.plan is None


def test_a_disclosed_fallback_and_strict():
    selection = resolve("od", 0.1)
    stub = "zoo:cv/detection/yolov5-x6/pytorch/ultralytics/coco/pruned75_quant-none"
    assert (selection.stub, selection.exact) == (stub, False)
    assert selection.fallback.wanted == "quantized"
    assert selection.fallback.got == "pruned_quantized"
    assert "no quantized model in the size class" in selection.fallback.reason
    assert any(note.startswith("fallback: wanted quantized") for note in selection.notes)
    with pytest.raises(NoCandidateError, match="--strict forbids") as caught:
        resolve("od", 0.1, strict=True)
    assert [near for near, _ in caught.value.nearest] == [stub]
    assert caught.value.hint


def test_base_falls_back_downwards_and_says_so():
    selection = resolve("sentiment_analysis", 0.0)
    assert selection.model.optimization == "base"
    assert selection.fallback[:2] == ("base", "base")
    assert "largest below" in selection.fallback.reason
    assert selection.dense_millions < selection.size_classes[0]["smallest_millions"]


def test_level_defaults_to_a_half():
    assert resolve("ic") == resolve("ic", 0.5)
    assert resolve("ic").band.tier == "medium"


def test_json_has_every_key_of_the_contract():
    answer = resolve("qa", 0.5, dataset="mine").to_dict()
    assert answer["schema"] == answer["policy"] == 1
    assert set(answer) >= {
        "schema", "policy", "mode", "task", "optim_level", "band", "stub", "model", "exact",
        "fallback", "dataset", "size_classes", "alternatives", "neighbours", "excluded",
        "recipe_stub", "provenance",
    }  # fmt: skip
    assert "plan" not in answer
    assert answer["model"]["stub"] == answer["stub"]
    assert answer["dataset"] == {"requested": "mine", "used": "squad", "transfer": True}
    assert set(answer["neighbours"]) == {"lower", "higher"}
    assert answer["provenance"]["source"] == "snapshot"
    assert answer["provenance"]["digest"].startswith("sha256:")
    assert answer["provenance"]["from_cache"] is False
    assert {tier for one in answer["size_classes"] for tier in one["tiers"]} == {
        "largest",
        "medium",
        "smallest",
    }
    assert all(set(one) == {"stub", "why_not"} for one in answer["alternatives"])
    assert all(set(one) == {"stub", "reason"} for one in answer["excluded"])


def test_the_users_data_set():
    own = resolve("text_classification", 0.5, dataset="qqp")
    assert own.dataset.to_dict() == {"requested": "qqp", "used": "qqp", "transfer": False}
    assert own.model.dataset == "qqp"
    other = resolve("text_classification", 0.5, dataset="my_tickets")
    assert other.dataset.used == "mnli"
    assert any("my_tickets" in note for note in other.notes)
    assert resolve("text_classification", 0.5).notes == ()


@pytest.mark.parametrize(
    ("name", "value", "test"),
    [
        ("architecture", "resnet_v1", lambda model: model.architecture == "resnet_v1"),
        ("architecture", "mobilenet_v1-1.0", lambda model: model.network == "mobilenet_v1-1.0"),
        ("framework", "keras", lambda model: model.framework == "keras"),
        ("repo", "torchvision", lambda model: model.repo == "torchvision"),
    ],
)
def test_filters(name, value, test):
    selection = resolve("ic", 0.0, **{name: value})
    assert test(selection.model)
    assert selection.filters == {name: value}
    assert selection.filtered > 0
    with pytest.raises(NoCandidateError, match=f"has {name} 'nothing'"):
        resolve("ic", **{name: "nothing"})


def test_target_puts_models_made_for_it_first():
    assert resolve("ic", 0.5, target="vnni").stub.endswith("-vnni")
    assert not resolve("ic", 0.5).stub.endswith("-vnni")


@pytest.mark.parametrize(
    ("mode", "level", "sparsity", "quantized"),
    [
        ("one-shot", 0.0, None, False),
        ("one-shot", 0.2, None, True),
        ("one_shot", 1.0, 0.80, True),
        ("training-aware", 0.3, 0.60, True),
        ("Training-Aware", 1.0, 0.95, True),
    ],
)
def test_plans(mode, level, sparsity, quantized):
    selection = resolve("ic", level, mode)
    plan = selection.to_dict()["plan"]
    assert plan["sparsity"] == sparsity
    assert plan["sparsity_structure"] == (sparsity and "unstructured")
    int8 = {"scheme": "INT8", "weights": "int8", "activations": "int8"}
    assert plan["quantization"] == (int8 if quantized else None)
    assert {"recipe_format", "recipe"} <= set(plan)
    band = selection.to_dict()["band"]
    assert (band["tier"], band["optimization"]) == (None, None)


def test_levels_is_the_whole_axis():
    axis = levels("qa")
    assert [str(one.band) for one in axis] == [
        "0", "(0, 0.25)", "[0.25, 0.5)", "[0.5, 0.75)", "[0.75, 1]",
    ]  # fmt: skip
    assert [one.selection.stub for one in axis] == [
        resolve("qa", level).stub for level in (0, 0.1, 0.3, 0.6, 0.9)
    ]
    # What one band's neighbours are said to give is what they give.
    for left, right in pairwise(axis):
        assert left.selection.neighbours["higher"] == right.selection.stub
        assert right.selection.neighbours["lower"] == left.selection.stub
    assert axis[0].selection.neighbours["lower"] is None
    assert axis[-1].selection.neighbours["higher"] is None


def test_levels_without_an_answer_say_why():
    axis = levels("sentiment_analysis", strict=True)
    assert axis[0].selection is None
    assert "--strict forbids" in axis[0].reason
    assert axis[4].selection is not None
    assert axis[4].reason is None
    with pytest.raises(NoCandidateError):
        levels("ic", architecture="nothing")


def test_search():
    found = search("ic", Filters(optimizations=("quantized",)))
    assert {one.record.optimization for one in found} == {"quantized"}
    assert found == search("ic", Filters(optimizations=("quantized",)), catalog=Catalog.embedded())
    assert len(search()) == 396


@pytest.mark.parametrize(
    "ask",
    [
        lambda catalog: resolve("ic", catalog=catalog),
        lambda catalog: levels("ic", catalog=catalog)[3].selection,
    ],
)
def test_catalogs_by_path_object_or_environment(ask, small_catalog, monkeypatch):
    expected = RESNET + "/pruned95_quant-none"
    opened = Catalog.from_file(small_catalog)
    for catalog in (small_catalog, str(small_catalog), opened):
        selection = ask(catalog)
        assert selection.stub == expected
        assert selection.provenance.source == "file"
        assert selection.provenance.location == str(small_catalog)
        assert selection.provenance.compiled == "2026-01-02"
    monkeypatch.setenv("ZOOSELECT_CATALOG", str(small_catalog))
    assert ask(None).stub == expected
    assert ask(Catalog.embedded()).provenance.source == "snapshot"


@pytest.mark.parametrize("ask", [resolve, levels, search])
def test_catalogs_that_cannot_be_used(ask, tmp_path, catalog_file):
    with pytest.raises(LocalFileError):
        ask("ic", catalog=tmp_path / "missing.json")
    with pytest.raises(IntegrityError):
        ask("ic", catalog=catalog_file(content=b"{"))


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("nope",), {}),
        (("ic", 1.5), {}),
        (("ic", float("nan")), {}),
        (("ic", True), {}),
        (("ic", "0.5"), {}),
        (("ic", 0.5, "dense"), {}),
        ((None,), {}),
        # The question is judged before a catalog is opened.
        (("nope",), {"catalog": Path("missing.json")}),
    ],
)
def test_wrong_questions(arguments, options):
    with pytest.raises(UsageError) as caught:
        resolve(*arguments, **options)
    assert caught.value.hint
    assert isinstance(caught.value, ValueError)


def test_selections_print_well():
    selection = resolve("od", 0.1)
    lines = repr(selection).splitlines()
    assert lines[0] == "<Selection object_detection, sparse-transfer, optim level 0.1"
    assert lines[1].strip() == selection.stub
    assert "fallback: wanted quantized" in repr(selection)
    assert repr(selection).endswith(">")
    planned = resolve("ic", 1.0, "one-shot")
    assert "one-shot 1.0: prune 80.00 % unstructured, INT8" in repr(planned)


def test_notebooks_get_escaped_html():
    html = resolve("ic", 0.5, dataset="<b>&")._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>&" not in html
    assert RESNET + "-augmented/pruned_quant-aggressive" in html


def test_what_an_answer_is_made_of():
    selection = zooselect.resolve("ic")
    assert isinstance(selection, Selection)
    assert isinstance(selection.model, ModelRecord)
    assert selection.quality == 76.1
    assert selection.dense_millions == 25.56
    with pytest.raises(AttributeError):
        selection.model = None


def test_explanation():
    text = resolve("ic", 0.5, framework="pytorch").explain()
    for label in ("band", "filters", "size classes", "pick", "why", "not picked", "catalog"):
        assert any(line.startswith(label + " ") for line in text.splitlines()), label
    for line in text.splitlines():
        assert len(line) <= 80 or len(line.split()) <= 3, line
    assert "[0.5, 0.75): medium size, pruned_quantized" in text
