"""Catalogs in files."""

import hashlib
import os

import pytest

from zooselect import Catalog, IntegrityError, LocalFileError

STUB = "zoo:a-b-c-base"


def test_provenance(catalog_file):
    path = catalog_file([{"stub": STUB}, {"stub": "bad"}, {"stub": "zoo:d-e-f", "domain": 5}])
    catalog = Catalog.from_file(path)
    provenance = catalog.provenance
    assert (provenance.source, provenance.location) == ("file", str(path))
    assert provenance.digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert provenance.compiled == "2026-01-02"
    assert provenance.from_cache is False
    assert [name for name, _ in provenance.skipped] == ["bad"]
    assert provenance.repaired == (("zoo:d-e-f", "field `domain` is unreadable: 5"),)
    told = provenance.to_dict()
    assert told["skipped"] == [{"record": "bad", "reason": provenance.skipped[0][1]}]
    assert told["repaired"][0]["record"] == "zoo:d-e-f"
    assert len(catalog) == 2
    assert repr(catalog) == f"<Catalog of 2 models from {path}>"


def test_any_kind_of_path(catalog_file):
    path = catalog_file([{"stub": STUB}], name="spaces and \u00e9.json")
    for one in (path, str(path), os.path.relpath(path)):
        assert [record.stub for record in Catalog.from_file(one)] == [STUB]


def test_an_empty_list_of_models_is_a_catalog(catalog_file):
    assert len(Catalog.from_file(catalog_file([]))) == 0


@pytest.mark.parametrize("name", ["missing.json", ".", "a\0b", "missing/deeper.json"])
def test_unreadable(tmp_path, name):
    with pytest.raises(LocalFileError, match=r"^cannot read catalog ") as caught:
        Catalog.from_file(f"{tmp_path}/{name}")
    assert isinstance(caught.value, OSError)
    assert caught.value.message.isprintable()
    assert caught.value.hint


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_forbidden(catalog_file):
    path = catalog_file([{"stub": STUB}])
    path.chmod(0)
    with pytest.raises(LocalFileError, match="Permission denied"):
        Catalog.from_file(path)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"schema": 1, "models": [1, 2]}', b"PK\x03\x04\xff"]
)
def test_no_catalog(catalog_file, content):
    path = catalog_file(content=content)
    with pytest.raises(IntegrityError) as caught:
        Catalog.from_file(path)
    assert str(path) in caught.value.message
