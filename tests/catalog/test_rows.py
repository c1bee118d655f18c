"""Rows of an API: what is taken from them, and which are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.net.loopback import ROW, STUB
from zooselect import Catalog
from zooselect.catalog.asked import Asked
from zooselect.catalog.parse import parse_models
from zooselect.catalog.rows import item_of
from zooselect.stub import Stub

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
        (row(sparseTag="pruned80_quant-none"), V2),
        (row(subArchitecture=None), V2),
        (row(subArchitecture="101"), V2),
        (row(sourceDataset="cifar10"), V2),
        # Nor does the dataset's upstream part, which v1 stubs leave out.
        (row(stub=None, repoName=V2[4:].replace("-imagenet-", "-imagenet_coco-")), STUB),
        (row(sparseTag="pruned_quant-none"), STUB.replace("95", "")),
    ],
)
def test_its_name(given, stub):
    record = record_of(given)
    assert record.stub == stub
    assert record.architecture == "resnet_v1"
    assert (record.domain, record.sub_domain) == ("cv", "classification")


def test_a_second_data_set_has_no_place_in_a_v1_stub():
    name = "resnet_v1-50-imagenet-augmented-pruned95_quantized"
    given = row(stub=None, repoName=name)
    assert record_of(given).stub == "zoo:" + name
    named = record_of({**given, "trainingScheme": "augmented"})
    assert named.stub == STUB.replace("imagenet/", "imagenet-augmented/")
    assert named.aliases == ("zoo:" + name,)


@pytest.mark.parametrize(
    "other", ["mobilenet_v1-1.0-imagenet-pruned95_quantized", V2[4:].replace("95", "80"), V2[4:-10]]
)
def test_the_v2_name_of_another_model_is_none_of_this(other):
    assert record_of(row(stub=STUB)).aliases == (V2,)
    assert record_of(row(stub=STUB, repoName=other)).aliases == ()


def test_all_pairs_of_names_on_record_fit():
    """A server of any model on record, of what its v1 stub states, is taken at its word."""
    pairs = 0
    for record in Catalog.embedded():
        names = [Stub.parse(name) for name in (record.stub, *record.aliases)]
        for v1 in (name for name in names if name.version == 1):
            for v2 in (name for name in names if name.version == 2):
                given = {
                    "repoName": v2.path, "domain": v1.domain, "task": v1.sub_domain,
                    "architecture": v1.architecture, "subArchitecture": v1.sub_architecture,
                    "framework": v1.framework, "repo": v1.repo,
                    "sourceDataset": v1.source_dataset, "trainingScheme": v1.training_scheme,
                    "sparseTag": v1.sparse_tag,
                }  # fmt: skip
                assert item_of(given, Asked())["stub"] == v1.canonical
                told = {"stub": v1.canonical, "repoName": v2.path}
                assert item_of(told, Asked())["stub_v2"] == v2.canonical
                pairs += 1
    assert pairs > 50


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


def test_numbers_as_texts():
    """Of scalars that JSON has no number for; old clients made numbers of them."""
    record = record_of(
        row(
            modelOnnxSizeCompressedBytes="123",
            trainingResults=[{"recordedUnits": "top1 accuracy", "recordedValue": "76.125"}],
            files=[{"displayName": "model.onnx", "fileSize": "5"}],
        )
    )
    assert record.quality("top1_accuracy") == 76.125
    assert (record.compressed_size_bytes, record.onnx_size_bytes) == (123, 5)


@pytest.mark.parametrize("text", ["", "high", "nan", "1e999", "5 MB", "1_0", "-1", "٣", "9" * 400])
def test_texts_that_are_no_numbers(text):
    item = item_of(row(modelOnnxSizeCompressedBytes=text), IC)
    assert item["compressed_size_bytes"] == text
    assert len(parse_models([item]).repaired) == 1


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
