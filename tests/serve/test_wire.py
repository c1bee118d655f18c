"""Rows of the old protocol: complete ones only."""

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from tests.serve.zoos import BASE, model, query, url_of, zoo_of
from zooselect.mirror.store import parse_model
from zooselect.serve.wire import (
    benchmark_rows,
    file_rows,
    filtered,
    model_row,
    rest_model,
    training_rows,
)

ROW = {"batch_size": 64, "cores": 24, "device": "c6i", "units": "items/second", "value": 100.5,
       "engine": "deepsparse", "scenario": "sync"}  # fmt: skip
RESULT = {"metric": "top1_accuracy", "value": 76.1, "units": "%", "dataset": "imagenet"}


def of(**facts):
    return parse_model(model(BASE + "base-none", **facts)[0])


def test_benchmark_rows():
    assert benchmark_rows(of(throughput=[ROW])) == [
        {
            "batchSize": 64, "deviceInfo": "c6i", "numCores": 24, "recordedUnits": "items/second",
            "recordedValue": 100.5, "runtime": "deepsparse", "scenario": "sync",
            "numStreams": None, "benchmarkResultId": f"{of().model_id}-0",
        }
    ]  # fmt: skip
    assert benchmark_rows(of()) == benchmark_rows(of(throughput={})) == []


def test_incomplete_benchmark_rows_are_left_out():
    for key in ("batch_size", "cores", "device", "units", "value"):
        missing = {name: value for name, value in ROW.items() if name != key}
        bad = [None, [], {}, True, math.nan, math.inf, 10**400]
        bad += ["64"] if key in ("batch_size", "cores", "value") else [1]
        bad += [1.5, 2**31] if key in ("batch_size", "cores") else []
        rows = [missing, *({**ROW, key: value} for value in bad), ROW]
        assert len(benchmark_rows(of(throughput=[*rows, None, "x", []]))) == 1


def test_odd_optional_parts_of_a_benchmark_row():
    rows = benchmark_rows(of(throughput=[{**ROW, "engine": {}, "scenario": 5}]))
    assert (rows[0]["runtime"], rows[0]["scenario"]) == (None, None)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)


@given(
    st.lists(st.dictionaries(st.sampled_from(sorted(ROW)), values, max_size=2), max_size=3),
    st.lists(st.dictionaries(st.sampled_from(sorted(RESULT)), values, max_size=2), max_size=3),
)
def test_no_row_can_make_its_model_unusable(tmp_path_factory, throughput, results):
    folder = tmp_path_factory.mktemp("zoo")
    throughput = [{**ROW, **odd} for odd in ({}, *throughput)]
    results = [{**RESULT, **odd} for odd in results]
    zoo = zoo_of(folder, model(BASE + "base-none", throughput=throughput, results=results))
    status, answer = query(
        zoo,
        "{ models { benchmarkResults { batchSize deviceInfo numCores recordedUnits recordedValue"
        " runtime scenario numStreams } trainingResults { datasetName datasetType recordedUnits"
        " recordedValue recordedFormat } } }",
    )
    assert status == 200, answer
    for row in answer["data"]["models"][0]["benchmarkResults"]:
        assert type(row["batchSize"]) is type(row["numCores"]) is int
        assert type(row["deviceInfo"]) is type(row["recordedUnits"]) is str
        assert math.isfinite(row["recordedValue"])
    for row in answer["data"]["models"][0]["trainingResults"]:
        assert type(row["datasetName"]) is type(row["recordedUnits"]) is str
        assert math.isfinite(row["recordedValue"])
    json.dumps(rest_model(zoo, zoo.models[0], url_of), allow_nan=False)


def test_training_rows():
    results = [
        {"metric": "top1_accuracy", "value": 76.1, "units": "%", "dataset": "imagenet"},
        {"metric": "f1", "value": 88, "dataset": "squad"},
        {"metric": "top1_accuracy", "value": 7, "dataset": "imagenet", "suspect": "a typo"},
        {"metric": "top1_accuracy", "value": 7},
        {"metric": "top1_accuracy", "value": None, "dataset": "imagenet"},
    ]
    rows = training_rows(of(results=results))
    assert [(row["recordedUnits"], row["recordedValue"]) for row in rows] == [
        ("top1 accuracy", 76.1),
        ("f1", 88),
    ]
    assert {row["datasetType"] for row in rows} == {"downstream"}


def test_file_rows():
    two = {row["displayName"]: row for row in file_rows(of(), url_of, version_2=True)}
    assert two["deployment/config.json"]["fileType"] == "deployment"
    assert two["deployment/config.json"]["downloadUrl"].endswith("/files/deployment/config.json")
    assert "training/LICENSE" in two
    assert "LICENSE" not in two
    one = {row["displayName"]: row for row in file_rows(of(), url_of, version_2=False)}
    assert "original.md" in one
    assert not {"LICENSE", "config.json", "deployment/config.json"} & set(one)
    assert all(row["fileSize"] > 0 for row in (*one.values(), *two.values()))


def test_model_row(tmp_path):
    zoo = zoo_of(tmp_path, model(BASE + "base-none", compressed_size_bytes=5))
    row = model_row(zoo, zoo.models[0], url_of)
    assert row["stub"] == "zoo:resnet_v1-50-imagenet-base"
    assert (row["repoName"], row["repoNamespace"]) == ("resnet_v1-50-imagenet-base", "neuralmagic")
    assert row["modelOnnxSizeCompressedBytes"] == 5
    assert row["modelCardDownloadUrl"].endswith("/files/model.md")
    assert row["files"](None, displayName="nothing") == []


def test_filtered():
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
    assert filtered(rows, {}) == filtered(rows, {"a": None}) == rows
    assert filtered(rows, {"a": 2, "b": "x"}) == rows[1:]
    assert filtered(rows, {"a": 2, "b": "y"}) == []


def test_rest_model(tmp_path):
    zoo = zoo_of(tmp_path, model(BASE + "pruned90-none-vnni", throughput=[ROW]))
    row = rest_model(zoo, zoo.models[0], url_of)
    assert (row["sparse_name"], row["sparse_category"], row["sparse_target"]) == (
        "pruned90", "none", "vnni",
    )  # fmt: skip
    names = {file["display_name"] for file in row["files"]}
    assert {"model.onnx", "original.md", "weights.pth"} <= names
    assert row["results"][0]["result_category"] == "benchmark"
    assert row["results"][0]["recorded_units"] == "items/second"
