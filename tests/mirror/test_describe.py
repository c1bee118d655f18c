"""A model's record: what the embedded catalog has, else what its names say."""

import json

import pytest

from tests.mirror.samples import V1, V2
from zooselect import Catalog, IntegrityError, LocalFileError, StubError, UsageError
from zooselect.catalog.parse import parse_record
from zooselect.mirror.describe import (
    describe,
    model_path,
    parse_names,
    read_results,
    stub_of_id,
    with_files,
)  # fmt: skip
from zooselect.mirror.store import MirrorFile, is_id
from zooselect.stub import Stub

EMBEDDED = Catalog.embedded()
BOTH = next(one for one in EMBEDDED if one.to_dict().get("stub_v2") and "/" in one.stub)
PAIR = next(one for one in EMBEDDED if "/" in one.stub and one.to_dict().get("probable_alias"))
IDENTIFIED = next(one for one in EMBEDDED if one.to_dict().get("model_id"))


@pytest.mark.parametrize("record", EMBEDDED.models, ids=lambda one: one.stub)
def test_any_known_model(record):
    names = parse_names(record.stub)
    described = describe(names, {})
    problems = []
    parsed = parse_record(described, problems)
    assert problems == []
    assert record.stub in names.all
    assert (parsed.domain, parsed.sub_domain) == (record.domain, record.sub_domain)
    assert parsed.optimization == record.optimization
    assert is_id(described["model_id"])
    if names.main.canonical == record.stub:
        kept = {key: value for key, value in record.to_dict().items() if key != "model_id"}
        assert kept.items() <= described.items()


@pytest.mark.parametrize("record", [BOTH, PAIR])
def test_both_names_lead_to_one_model(record):
    names = parse_names(record.stub)
    (other,) = set(names.all) - {record.stub}
    assert parse_names(other) == names == parse_names(record.stub, other)
    described = describe(names, {})
    assert described == describe(parse_names(other), {})
    assert list(described)[:3] == ["stub", "stub_v1", "stub_v2"]
    assert (described["stub_v1"], described["stub_v2"]) == names.all == (record.stub, other)
    assert "derived_fields" not in described


def test_an_alias_given_is_the_one_that_counts():
    names = parse_names(PAIR.stub, V2)
    described = describe(names, {})
    assert described["stub_v2"] == V2
    assert "probable_alias" not in described
    assert parse_record(described, []).aliases == (V2,)


@pytest.mark.parametrize(
    ("stub", "alias", "says"),
    [
        (V1, None, {"domain": "cv", "sub_domain": "classification", "task": "classification",
                    "architecture": "labnet_v1", "sub_architecture": "18", "framework": "pytorch",
                    "repo": "lab", "source_dataset": "imagenet",
                    "sparse_tag": "pruned90_quant-none",
                    "optimization": "pruned_quantized", "sparsity_percent": 90, "stub_v1": V1}),
        (V2, V1, {"stub": V1, "stub_v1": V1, "stub_v2": V2, "sparse_tag": "pruned90_quant-none"}),
        (V2, None, {"stub": V2, "stub_v2": V2, "optimization": "pruned_quantized",
                    "domain": "cv", "sub_domain": "classification",
                    "derived_fields": ["domain", "sub_domain"]}),
        ("zoo:mybert-sst2-base", None, {"domain": "nlp", "sub_domain": "sentiment_analysis",
                                        "optimization": "base"}),
        ("zoo:yolov5-s-coco-pruned50_extra", None, {"sub_domain": "detection"}),
        ("zoo:net-own-pruned_quant", None, {"optimization": "pruned_quantized"}),
        ("zoo:cv/x/net/pytorch/r/data-scheme/pruned_conservative-none", None,
         {"training_scheme": "scheme", "optimization": "pruned"}),
    ],
)  # fmt: skip
def test_unknown_models(stub, alias, says):
    described = describe(parse_names(stub, alias), {})
    assert says.items() <= described.items()
    if "own" in stub:
        assert "domain" not in described
        assert "sparsity_percent" not in described


def test_ids():
    stated = IDENTIFIED.to_dict()["model_id"]
    known = stated["value"] if isinstance(stated, dict) else stated
    assert describe(parse_names(IDENTIFIED.stub), {})["model_id"] == known
    assert stub_of_id(known) in (IDENTIFIED.stub, *IDENTIFIED.aliases)
    assert stub_of_id("nobody") is None
    # Made from the name: the same on every machine and for ever.
    made = "051509b8-0e56-5aa4-8c5b-3a67377f309a"
    assert describe(parse_names(V1), {})["model_id"] == made
    assert describe(parse_names(V2, V1), {})["model_id"] == made


@pytest.mark.parametrize(
    ("stub", "alias", "error"),
    [
        ("zoo:x", None, StubError),
        (V1, "zoo:x y", StubError),
        (V1 + "?recipe=x", None, UsageError),
        (V1, V1, UsageError),
        (V2, "zoo:other-imagenet-base", UsageError),
        ("zoo:../../x/pytorch/r/d/t", None, UsageError),
        ("zoo:../x/y/pytorch/r/d/..", None, UsageError),
        ("zoo:con/x/y/pytorch/r/d/t", None, UsageError),
        ("zoo:a/b./y/pytorch/r/d/t", None, UsageError),
        ("zoo:a-b-" + "c" * 300, None, UsageError),
    ],
)
def test_names_that_cannot_be(stub, alias, error):
    with pytest.raises(error):
        parse_names(stub, alias)


def test_a_folder_for_each_stub():
    assert model_path(Stub.parse(V1)) == "models/" + V1.removeprefix("zoo:")
    assert model_path(Stub.parse(V2)) == "models/" + V2.removeprefix("zoo:")


def test_sizes_come_from_the_files():
    def file(name, kind, size):
        return MirrorFile(name, kind, size, "0" * 64, "0" * 32)

    files = (
        file("deployment/model.onnx", "deployment", 7),
        file("model.onnx", "onnx", 100),
        file("model.onnx.tar.gz", "onnx_gz", 20),
        file("model.onnx_data", "onnx", 1000),
        file("onnx/model.11.onnx", "onnx", 5),
    )
    whole = with_files({"stub": V1, "compressed_size_bytes": 1, "size_notes": "MB"}, "f", files)
    assert (whole["onnx_size_bytes"], whole["compressed_size_bytes"]) == (1100, 20)
    assert "size_notes" not in whole
    rough = with_files({"compressed_size_bytes": 1, "size_notes": "MB"}, "f", files[:2])
    assert (rough["compressed_size_bytes"], rough["size_notes"]) == (1, "MB")


def test_results(tmp_path):
    path = tmp_path / "results.json"
    given = {"results": [{"metric": "top1_accuracy", "value": 1}], "throughput": [{"value": 2}]}
    path.write_text(
        json.dumps({**given, "parameters_millions": 0.5, "stub": "zoo:x", "folder": "/"})
    )
    assert read_results(path) == {**given, "parameters_millions": 0.5}
    assert describe(parse_names(BOTH.stub), given)["results"] == given["results"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"{", b"\xff", b'{"results": {}}', b'{"results": [{"metric": 1}]}',
     b'{"results": [7]}', b'{"throughput": {}}', b'{"throughput": [1]}', b"[" * 100_000,
     b'{"results": [{"metric": "a", "value": NaN}]}',
        b'{"throughput": [{"value": Infinity}]}', b'{"parameters_millions": -1}'],
)  # fmt: skip
def test_unusable_results(tmp_path, content):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(IntegrityError):
        read_results(path)


def test_results_that_cannot_be_read(tmp_path):
    with pytest.raises(LocalFileError):
        read_results(tmp_path / "absent")
