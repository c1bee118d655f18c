from __future__ import annotations

import pytest

from zooselect.catalog.dense_size import DenseSize
from zooselect.errors import NoCandidateError
from zooselect.selection.question import Question
from zooselect.selection.scope import DatasetUse, scope_of
from zooselect.task import Task

from .catalogs import parsed, plain

IC = Task.parse("image_classification")
QA = Task.parse("question_answering")
TABLE = {("foo", None): DenseSize(10.0, "published"), ("foo", "a"): DenseSize(5.0, "computed")}


def scope(models, task=IC, **options):
    return scope_of(parsed(models), Question(task, **options), TABLE)


def kept(models, task=IC, **options):
    return [one.record.stub for one in scope(models, task, **options).candidates]


def refused(models, task=IC, **options):
    with pytest.raises(NoCandidateError) as caught:
        scope(models, task, **options)
    return caught.value


def stubs(*models):
    return [one["stub"] for one in models]


MINE = plain("base-none")
VOC = plain("base-none", dataset="voc")
OTHER_TASK = plain("base-none", task="question_answering", dataset="imagenet")


# Data sets


def test_without_a_data_set_the_default_is_transferred_from():
    assert kept([VOC, MINE, OTHER_TASK]) == stubs(MINE)
    assert scope([VOC, MINE]).dataset == DatasetUse(None, "imagenet", transfer=True)


def test_the_user_s_own_data_is_transferred_to():
    assert kept([VOC, MINE], dataset="my_cats") == stubs(MINE)
    assert scope([MINE], dataset="my_cats").dataset == DatasetUse("my_cats", "imagenet", True)


def test_a_data_set_on_record_is_used():
    assert kept([VOC, MINE], dataset="voc") == stubs(VOC)
    assert scope([VOC, MINE], dataset="voc").dataset == DatasetUse("voc", "voc", transfer=False)
    assert scope([MINE], dataset="imagenet").dataset.transfer is False


def test_a_data_set_of_another_task_is_not_on_record():
    foreign = plain("base-none", task="question_answering", dataset="voc")
    assert scope([MINE, foreign], dataset="voc").dataset == DatasetUse("voc", "imagenet", True)


def test_a_data_set_only_on_excluded_records_is_still_on_record():
    low = plain("base-none", dataset="voc", confidence="low")
    assert "voc" in refused([MINE, low], dataset="voc").message


@pytest.mark.parametrize(
    "upstream",
    [
        "wikipedia_bookcorpus",
        "coco",
        "llama2_pretrain",
        "mistral_pretrain",
        "mpt_pretrain",
        "codellama_pretrain",
    ],
)
def test_the_upstream_part_is_no_part_of_the_data_set(upstream):
    model = plain("base-none", task="question_answering", dataset=f"squad_{upstream}")
    assert kept([model], QA) == stubs(model)
    assert scope([model], QA, dataset="squad").dataset == DatasetUse("squad", "squad", False)
    whole = scope([model], QA, dataset=f"squad_{upstream}").dataset
    assert whole == DatasetUse(f"squad_{upstream}", "squad", transfer=True)


def test_a_data_set_that_is_an_upstream_one_keeps_its_name():
    od = Task.parse("object_detection")
    model = plain("base-none", task="object_detection", dataset="coco")
    assert scope([model], od, dataset="coco").dataset == DatasetUse("coco", "coco", False)


def test_text_generation_takes_any_data_set():
    task = Task.parse("text_generation")
    models = [
        plain("base-none", task="text_generation", dataset=name)
        for name in ("gsm8k", "opt_pretrain", "dolly")
    ]
    assert kept(models, task) == stubs(*models)
    assert scope(models, task, dataset="mine").dataset == DatasetUse("mine", None, transfer=True)
    assert kept(models, task, dataset="dolly") == stubs(models[2])
    assert scope(models, task, dataset="dolly").dataset == DatasetUse("dolly", "dolly", False)


# Filters


PLAIN, SUB, BAR = plain(), plain(architecture="foo", sub="a"), plain(architecture="bar")
V2 = plain("base", architecture="foo", version=2)
KERAS = plain(framework="keras", repo="keras.io")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, [PLAIN, SUB, BAR, V2, KERAS]),
        ({"architecture": "foo"}, [PLAIN, SUB, V2, KERAS]),
        ({"architecture": "foo-a"}, [SUB]),
        ({"architecture": "bar"}, [BAR]),
        ({"framework": "pytorch"}, [PLAIN, SUB, BAR]),
        ({"framework": "keras"}, [KERAS]),
        ({"repo": "sparseml"}, [PLAIN, SUB, BAR]),
        ({"repo": "keras.io"}, [KERAS]),
        ({"architecture": "foo", "framework": "pytorch", "repo": "sparseml"}, [PLAIN, SUB]),
    ],
)
def test_filters_go_by_equality(options, wanted):
    models = [PLAIN, SUB, BAR, V2, KERAS]
    assert kept(models, **options) == stubs(*wanted)
    assert scope(models, **options).filtered == len(models) - len(wanted)


@pytest.mark.parametrize(
    "options",
    [
        {"architecture": "a"},
        {"architecture": "fo"},
        {"architecture": "FOO"},
        {"architecture": "foo-"},
        {"framework": "torch"},
        {"framework": "none named"},
        {"framework": ""},
        {"repo": "sparse"},
        {"repo": "none named"},
    ],
)
def test_a_filter_that_leaves_nothing_is_named(options):
    ((name, value),) = options.items()
    error = refused([PLAIN, SUB, BAR, V2, KERAS], **options)
    assert name in error.message
    assert repr(value) in error.message
    assert error.hint.startswith(f"{name} there: ")
    assert 1 <= len(error.nearest) <= 3
    for stub, why in error.nearest:
        assert stub in stubs(PLAIN, SUB, BAR, V2, KERAS)
        assert name in why


def test_of_two_filters_the_one_that_left_nothing_is_named():
    error = refused([PLAIN, KERAS], framework="keras", repo="sparseml")
    assert "repo 'sparseml'" in error.message
    assert "framework" not in error.message
    assert error.nearest == ((KERAS["stub"], "repo is keras.io"),)


# What may not be picked


def test_low_confidence_stays_out_unless_asked_for():
    low = plain(architecture="bar", confidence="low")
    assert kept([PLAIN, low]) == stubs(PLAIN)
    ((stub, reason),) = scope([PLAIN, low]).excluded
    assert stub == low["stub"]
    assert reason.startswith("unverified")
    assert kept([PLAIN, low], include_unverified=True) == stubs(PLAIN, low)
    assert scope([PLAIN, low], include_unverified=True).excluded == ()


@pytest.mark.parametrize("confidence", ["high", "medium", None])
def test_any_other_confidence_stays_in(confidence):
    model = plain(confidence=confidence)
    assert kept([model]) == stubs(model)


def test_other_is_never_picked():
    other = plain("arch-moderate", "bar", optimization="other", confidence="high")
    for options in ({}, {"include_unverified": True}, {"all_sizes": True}):
        ((stub, reason),) = scope([PLAIN, other], **options).excluded
        assert stub == other["stub"]
        assert reason.startswith("other optimization: arch-moderate")


def test_an_unknown_size_is_unranked():
    unknown = plain(architecture="bar", sub="b", millions=None)
    ((stub, reason),) = scope([PLAIN, unknown]).excluded
    assert stub == unknown["stub"]
    assert reason == "unranked: dense size of bar-b is not known"


def test_what_is_excluded_is_sorted():
    models = [plain(architecture=name, confidence="low") for name in ("d", "b", "c")]
    excluded = scope([PLAIN, *models]).excluded
    assert [stub for stub, _ in excluded] == sorted(stubs(*models))


# Dense sizes


def sizes(models, **options):
    return {one.record.stub: one.size for one in scope(models, **options).candidates}


def test_the_table_comes_before_the_record_s_own_figure():
    model = plain(architecture="foo", millions=99)
    assert sizes([model])[model["stub"]] == (10.0, "published")


def test_the_record_s_own_figure_comes_before_an_estimate():
    model = plain("pruned80-none", "bar", millions=99)
    base = plain(architecture="bar", millions=None, onnx_size_bytes=4_000_000)
    assert sizes([base, model])[model["stub"]] == (99.0, "record")
    assert sizes([base, model])[base["stub"]] == (1.0, "estimate")


def test_an_estimate_is_four_bytes_a_parameter():
    model = plain("pruned80-none", "bar", millions=None)
    base = plain(
        architecture="bar", millions=None, onnx_size_bytes=6_000_000, compressed_size_bytes=8
    )
    assert sizes([model, base])[model["stub"]] == (1.5, "estimate")


def test_a_compressed_size_is_taken_if_that_is_all_there_is():
    model = plain("pruned80-none", "bar", millions=None)
    packed = plain("base", "bar", millions=None, compressed_size_bytes=4_000_000)
    whole = plain("base-none", "bar", millions=None, onnx_size_bytes=8_000_000)
    assert sizes([model, packed])[model["stub"]] == (1.0, "estimate")
    assert packed["stub"] < whole["stub"]
    assert sizes([model, packed, whole])[model["stub"]] == (2.0, "estimate")


def test_of_several_base_records_the_first_stub_s_is_taken():
    model = plain("pruned80-none", "bar", millions=None)
    first = plain("base-a", "bar", millions=None, onnx_size_bytes=4_000_000)
    second = plain("base-b", "bar", millions=None, onnx_size_bytes=40_000_000)
    for models in ([model, first, second], [second, first, model]):
        assert sizes(models)[model["stub"]] == (1.0, "estimate")


@pytest.mark.parametrize(
    "no_base",
    [
        plain("pruned80-none", "bar", "b", millions=None, onnx_size_bytes=4_000_000),
        plain("base-none", "bar", millions=None, onnx_size_bytes=4_000_000),
        plain("base-none", "bar", "c", millions=None, onnx_size_bytes=4_000_000),
        plain("base-none", "bar", "b", millions=5),
        plain("base-none", "bar", "b", dataset="voc", onnx_size_bytes=4_000_000),
        plain("base-none", "bar", "b", task="segmentation", onnx_size_bytes=4_000_000),
    ],
    ids=["not base", "no sub", "other sub", "no file", "other data set", "other task"],
)
def test_what_gives_no_estimate(no_base):
    model = plain("pruned80-none-x", "bar", "b", millions=None)
    assert model["stub"] not in sizes([PLAIN, no_base, model])
    assert model["stub"] in dict(scope([PLAIN, no_base, model]).excluded)


def test_a_size_rests_on_no_filter():
    model = plain("pruned80-none", "bar", millions=None)
    base = plain(
        architecture="bar", framework="keras", millions=None, confidence="low",
        onnx_size_bytes=4_000_000,
    )  # fmt: skip
    assert sizes([model, base], framework="pytorch") == {model["stub"]: (1.0, "estimate")}


# Nothing left


def test_no_models_of_the_task():
    error = refused([OTHER_TASK])
    assert error.message == "the catalog has no image_classification models"
    assert error.hint
    assert refused([]).message == error.message


def test_no_models_of_the_data_set():
    error = refused([VOC], dataset="my_cats")
    assert error.message == "the catalog has no image_classification models for imagenet"
    assert "voc" in error.hint


def test_all_unverified():
    low = [plain(architecture=name, confidence="low") for name in ("d", "b", "c", "a")]
    error = refused(low)
    assert "none of the 4 image_classification models in scope can be picked" in error.message
    assert "--include-unverified" in error.hint
    assert [stub for stub, _ in error.nearest] == sorted(stubs(*low))[:3]
    assert error.nearest[0][0] in error.message


def test_all_other_or_unranked():
    models = [
        plain("arch-moderate", optimization="other"),
        plain(architecture="bar", millions=None),
    ]
    error = refused(models)
    assert "--include-unverified" not in error.hint
    assert dict(error.nearest).keys() == set(stubs(*models))


def test_including_unverified_is_no_advice_where_it_would_not_help():
    error = refused([plain("arch-moderate", optimization="other", confidence="low")])
    assert "--include-unverified" not in error.hint
