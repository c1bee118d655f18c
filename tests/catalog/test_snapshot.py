"""The embedded catalog: what was compiled, from what, and that it can be compiled again."""

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from zooselect import Catalog, Stub
from zooselect.catalog.catalog import linked
from zooselect.catalog.data import DATA_FOLDER, read_data
from zooselect.catalog.parse import optimization_of, parse_models
from zooselect.task import TASKS, task_of

DATA = Path(DATA_FOLDER)
SCRIPT = Path(__file__).resolve().parents[2] / "catalog-source" / "compile.py"
INDEX = json.loads(read_data("catalog/index.json"))
SHARDS = INDEX["shards"]


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("compile_catalog", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def source(script):
    return json.loads(script.SOURCE_MODELS.read_text("utf-8"))


def embedded():
    return Catalog.embedded()


def test_data_is_what_the_sources_compile_to(script):
    compiled = {name: text.encode() for name, text in script.compiled_files().items()}
    found = {
        path.relative_to(DATA).as_posix(): path.read_bytes()
        for path in DATA.rglob("*.json")
    }  # fmt: skip
    assert found.keys() == compiled.keys()
    assert [name for name in compiled if compiled[name] != found[name]] == []


@pytest.mark.parametrize("seed", ["1", "2"])
def test_compiling_does_not_depend_on_the_process(script, seed, tmp_path):
    """A copy of the script and its sources writes the same bytes elsewhere."""
    (tmp_path / "catalog-source").mkdir()
    for path in (SCRIPT, script.SOURCE_MODELS, script.SOURCE_SIZES):
        (tmp_path / "catalog-source" / path.name).write_bytes(path.read_bytes())
    subprocess.run(
        [sys.executable, tmp_path / "catalog-source" / SCRIPT.name],
        env={**os.environ, "PYTHONHASHSEED": seed},
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    for name in script.compiled_files():
        assert (tmp_path / "zooselect" / "data" / name).read_bytes() == read_data(name), name


def test_the_order_of_the_source_does_not_matter(script, source, tmp_path, monkeypatch):
    expected = script.compiled_files()
    turned = tmp_path / "turned.json"
    turned.write_text(json.dumps({**source, "models": source["models"][::-1]}), "utf-8")
    monkeypatch.setattr(script, "SOURCE_MODELS", turned)
    assert script.compiled_files() == expected


def test_counts():
    assert INDEX["schema"] == 1
    assert INDEX["models"] == len(embedded()) == len(embedded().models) == 430
    assert INDEX["confidence"] == {"high": 299, "medium": 76, "low": 55}
    assert INDEX["optimization"] == {
        "base": 129, "quantized": 21, "pruned": 120, "pruned_quantized": 156, "other": 4,
    }  # fmt: skip
    assert Counter(record.confidence for record in embedded()) == INDEX["confidence"]
    assert Counter(record.optimization for record in embedded()) == INDEX["optimization"]


@pytest.mark.parametrize("shard", SHARDS, ids=lambda shard: shard["file"])
def test_the_parser_has_nothing_to_complain_of(shard):
    items = json.loads(read_data("catalog/" + shard["file"]))
    parsed = parse_models(items)
    assert parsed.skipped == ()
    assert parsed.repaired == ()
    assert len(parsed.records) == len(items) == shard["models"]
    assert parsed.records == embedded().at(shard["domain"], shard["sub_domain"])
    assert [record.to_dict() for record in parsed.records] == items
    assert [item["stub"] for item in items] == sorted(item["stub"] for item in items)


def test_every_task_has_its_shard():
    places = {(shard["domain"], shard["sub_domain"]) for shard in SHARDS}
    assert places == {(task.domain, task.sub_domain) for task in TASKS}
    assert set(embedded().places) == places
    for record in embedded():
        assert task_of(record.domain, record.sub_domain) is not None


def test_models_under_two_names():
    groups = linked(embedded())
    assert len(groups) == 396
    assert Counter(map(len, groups)) == {1: 362, 2: 34}
    stubs = [record.stub for group in groups for record in group]
    assert len(set(stubs)) == len(stubs) == 430
    for group in groups:
        if len(group) == 2:
            assert [Stub.parse(record.stub).version for record in group] == [1, 2]


def test_records_agree_with_their_stubs():
    for record in embedded():
        stub = Stub.parse(record.stub)
        assert str(stub) == record.stub
        assert record.optimization == optimization_of(record.sparse_tag), record.stub
        if stub.version == 1:
            for name in (
                "domain", "sub_domain", "architecture", "sub_architecture", "framework", "repo",
                "source_dataset", "training_scheme", "sparse_tag",
            ):  # fmt: skip
                assert getattr(record, name) == getattr(stub, name), (record.stub, name)


def test_provenance(source):
    provenance = embedded().provenance
    content = json.dumps(
        {
            "compiled": source["compiled"],
            "models": sorted(source["models"], key=lambda model: model["stub"]),
        },
        sort_keys=True,
        separators=(",", ":"),
    )
    assert provenance.source == "snapshot"
    assert provenance.digest == "sha256:" + hashlib.sha256(content.encode()).hexdigest()
    assert provenance.compiled == source["compiled"]
    assert (provenance.skipped, provenance.repaired) == ((), ())
    assert not Path(provenance.location).is_absolute()


def test_the_source_file_is_a_catalog_of_its_own(script):
    catalog = Catalog.from_file(script.SOURCE_MODELS)
    assert sorted(catalog.models, key=lambda one: one.stub) == sorted(
        embedded().models, key=lambda one: one.stub
    )
    assert (catalog.provenance.skipped, catalog.provenance.repaired) == ((), ())


def test_asking_one_task_loads_one_task(monkeypatch):
    from zooselect.catalog import snapshot

    read = []
    monkeypatch.setattr(snapshot, "read_data", lambda name: read.append(name) or read_data(name))
    catalog = snapshot.embedded_catalog.__wrapped__()
    assert catalog.at("cv", "segmentation")
    assert read == ["catalog/index.json", "catalog/cv-segmentation.json"]
    assert catalog.at("cv", "segmentation") is catalog.at("cv", "segmentation")
    assert len(read) == 2
