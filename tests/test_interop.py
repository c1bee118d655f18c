"""Handing models to sparsezoo: here without it; with it in tests/legacy."""

import sys
from types import SimpleNamespace

import pytest

from zooselect import LocalFileError, UsageError
from zooselect.interop import sparsezoo_model


@pytest.fixture
def sparsezoo(monkeypatch):
    """A stand-in that tells what it was asked for."""
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    monkeypatch.delenv("NM_DISABLE_ANALYTICS", raising=False)
    monkeypatch.setitem(sys.modules, "sparsezoo", SimpleNamespace(Model=lambda path: ("M", path)))


@pytest.mark.parametrize("version", [(3, 12, 0), (3, 13, 1), (4, 0, 0)])
def test_newer_pythons_are_told_why(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(UsageError, match=r"onnx < 1\.15") as caught:
        sparsezoo_model("zoo:a-b-c")
    assert "3.10 or 3.11" in caught.value.hint


@pytest.mark.parametrize("module", [None, SimpleNamespace()])
def test_without_sparsezoo(monkeypatch, module):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    monkeypatch.setitem(sys.modules, "sparsezoo", module)
    with pytest.raises(UsageError, match="sparsezoo cannot be used") as caught:
        sparsezoo_model("zoo:a-b-c")
    assert "zooselect[sparsezoo]" in caught.value.hint


def test_a_folder_that_looks_like_a_stub(sparsezoo, tmp_path, monkeypatch):
    (tmp_path / "resnet-50-finetuned").mkdir()
    monkeypatch.chdir(tmp_path)
    folder = (tmp_path / "resnet-50-finetuned").relative_to(tmp_path)
    assert sparsezoo_model(folder) == ("M", str(tmp_path / "resnet-50-finetuned"))


def test_no_folder(sparsezoo, tmp_path):
    with pytest.raises(LocalFileError, match="is no folder of a model"):
        sparsezoo_model(tmp_path / "nothing")


def test_the_vendor_is_not_told_of_the_import(sparsezoo, tmp_path):
    import os

    sparsezoo_model(tmp_path)
    assert os.environ.pop("NM_DISABLE_ANALYTICS") == "1"
