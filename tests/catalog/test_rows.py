"""Rows of an API: what is taken from them, and which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.net.loopback import ROW, STUB
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import parse_models
from zooselect.catalog.rows import item_of

IC = Asked("cv", "classification")
V2 = "zoo:resnet_v1-50-imagenet-pruned95_quantized"
NAMED = Asked(name=V2.removeprefix("zoo:"))


def record_of(row, asked=IC):
    """The record that a row comes to; nothing in it may be unreadable."""
    parsed = parse_models([item_of(row, asked)])
    assert parsed[1:] == ((), ())
    return parsed.records[0]


def row(*without, **parts):
    return {key: value for key, value in {**ROW, **parts}.items() if key not in without}


@pytest.mark.parametrize("asked", [IC, NAMED, Asked()])
def test_a_whole_row_gets_its_v1_stub(asked):
    record = record_of(row(), asked)
    assert (record.stub, record.aliases) == (STUB, (V2,))
    assert (record.domain, record.sub_domain, record.dataset) == (
        "cv",
        "classification",
        "imagenet",
    )
    assert (record.sparsity_percent, record.confidence) == (95, None)
    assert record.raw["model_id"] == "m1"


@pytest.mark.parametrize(
    ("given", "stub"),
    [
        (row(trainingScheme="augmented"), STUB.replace("imagenet/", "imagenet-augmented/")),
        (row(subArchitecture=None, stub=None, repoName=None), STUB.replace("-50", "")),
        (row(stub=STUB, repoName=None), STUB),
        (row(stub=STUB.removeprefix("zoo:"), architecture="another"), STUB),
        # Which of two models it is cannot be told without the scheme.
        (row("trainingScheme"), V2),
        (row("subArchitecture"), V2),
        (row(sourceDataset=None), V2),
        ({"modelId": "m1", "stub": V2}, V2),
        ({"repoName": V2.removeprefix("zoo:")}, V2),
        # What a row states of another model does not count.
        (row(architecture="mobilenet_v1"), V2),
        (row(sparseTag="base-none"), V2),
    ],
)
def test_its_name(given, stub):
    record = record_of(given)
    assert record.stub == stub
    assert record.architecture == "resnet_v1"
    assert (record.domain, record.sub_domain) == ("cv", "classification")


@pytest.mark.parametrize(
    ("given", "asked", "why"),
    [
        (None, IC, "not an object"),
        ([], IC, "not an object"),
        ({}, IC, "no usable stub: None"),
        ({"stub": "zoo:garbage"}, IC, "no usable stub: 'zoo:garbage'"),
        ({"stub": V2 + "?recipe=x"}, IC, "no usable stub"),
        ({"stub": "x" * 999}, IC, "no usable stub: 'xxx.*\\.\\.\\.$"),
        (row(task="detection"), IC, "of another task, 'cv'/'detection'"),
        (row(stub="zoo:nlp/a/b/c/d/e/base-none"), IC, "of another task"),
        (row(), Asked(name="other-imagenet-base"), "not the name that was asked for"),
    ],
)
def test_rows_that_are_refused(given, asked, why):
    with pytest.raises(ValueError, match=why):
        item_of(given, asked)


def test_rows_that_are_nested_deep():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deep"):
        item_of(row(more=deep), IC)


@pytest.mark.parametrize("framework", ["", "a/b", 5, ["pytorch"]])
def test_a_part_that_is_none_leaves_the_v2_name(framework):
    parsed = parse_models([item_of(row(framework=framework), IC)])
    assert [one.stub for one in parsed.records] == [V2]
    assert "`framework` is unreadable" in parsed.repaired[0][1]


@pytest.mark.parametrize(
    ("units", "metric"),
    [
        ("top1 accuracy", "top1_accuracy"), ("Top1_Accuracy", "top1_accuracy"),
        ("accuracy", "top1_accuracy"), ("top5 accuracy", "top5 accuracy"), ("mAP", "mAP"),
    ],
)  # fmt: skip
def test_metrics(units, metric):
    results = [{"recordedUnits": units, "recordedValue": 0.75, "datasetName": "imagenet"}]
    (result,) = record_of(row(trainingResults=results)).results
    assert (result.metric, result.percent, result.dataset) == (metric, 75.0, "imagenet")


def test_a_bad_result_does_not_lose_the_others():
    results = [None, {"recordedUnits": 5}, {"recordedUnits": "accuracy", "recordedValue": 70}, []]
    parsed = parse_models([item_of(row(trainingResults=results), IC)])
    assert [one.value for one in parsed.records[0].results] == [70]
    assert len(parsed.repaired) == 3


def test_files():
    files = [
        {"displayName": "model.onnx", "fileSize": 100},
        {"displayName": "model.onnx.tar.gz", "fileSize": 60},
        {"displayName": "recipe_transfer.md"}, {"displayName": "recipe.md"}, {"displayName": 5},
        None, {},
    ]  # fmt: skip
    record = record_of(row(files=files))
    assert (record.onnx_size_bytes, record.compressed_size_bytes) == (100, 60)
    assert record.recipe_types == ("transfer",)
    record = record_of(row(files=files, modelOnnxSizeCompressedBytes=55))
    assert record.compressed_size_bytes == 55


def test_throughput_is_kept_for_show():
    rows = [{"recordedValue": 5.5, "deviceInfo": "c6a", "batchSize": None}, None]
    assert record_of(row(benchmarkResults=rows)).raw["throughput"] == [
        {"value": 5.5, "device": "c6a"}
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(V2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
ROWS = st.dictionaries(
    st.sampled_from([*ROW, "files", "trainingResults", "benchmarkResults"]),
    JSON
    | st.lists(
        st.dictionaries(
            st.sampled_from(["displayName", "fileSize", "recordedUnits", "recordedValue"]), JSON
        ),
        max_size=3,
    ),
)


@given(
    JSON | ROWS | ROWS.map(lambda found: {**ROW, **found}), st.sampled_from([IC, NAMED, Asked()])
)
def test_any_row_is_an_item_or_a_value_error(given_row, asked):
    try:
        item = item_of(given_row, asked)
    except ValueError:
        return
    (record,) = parse_models([item]).records
    assert record.stub == item["stub"]
    if asked is IC:
        assert (record.domain, record.sub_domain) == IC[:2]
