"""Error pages, cut, empty and corrupt files are told from good ones."""

import io
import json
import sys
import tarfile
import zipfile

import pytest

from tests.mirror.samples import RECIPE, archive, network, network_with_data
from zooselect.archive import BrokenFileError, archive_members
from zooselect.errors import UsageError
from zooselect.mirror.content import check_content

PAGE = b"\n<!DOCTYPE html>\n<html><body><h1>503 Service Unavailable</h1></body></html>"
S3_ERROR = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'
NOTE = b"Service Unavailable"
JSON_ERROR = b'{"detail": "Not found."}'
GOOD_ARCHIVE = archive({"model.onnx": network(), "model.onnx_data": b"weights" * 1000})


def linked_archive(kind):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("model.onnx")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    return packed.getvalue()


def corrupted(content, position):
    return content[:position] + bytes([content[position] ^ 0x55]) + content[position + 1 :]


def checkpoint():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}q\x00." * 100)
    return packed.getvalue()


NAMES = ["model.onnx", "model.onnx.tar.gz", "deployment.tar.gz", "recipe.md", "model.md",
         "training/model.pth", "deployment/config.json", "sample-inputs.tar.gz",
         "metrics.yaml"]  # fmt: skip
BROKEN = [
    *((name, content) for name in NAMES for content in (b"", PAGE, S3_ERROR)),
    *((name, content) for name in NAMES if name not in ("model.md", "metrics.yaml")
      for content in (NOTE, JSON_ERROR)),
    ("model.md", JSON_ERROR),
    ("recipe.md", b"Not found"),
    ("recipe.md", b"\xff\xfe\x00"),
    ("model.md", b"a\0b"),
    ("deployment/tokenizer.json", b'{"a": [1, 2'),
    *(("model.onnx", network()[:size]) for size in (1, 18, 100, len(network()) // 2,
                                                    len(network()) - 1)),
    ("model.onnx", network()[:-4]),  # the opsets stand behind the graph
    ("model.onnx", b"\0" * 5000),
    ("model.onnx", network() + b"\xff\xff"),
    ("model.onnx", network_with_data("../../secret")[0]),
    ("model.onnx", network_with_data("/etc/passwd")[0]),
    *(("model.onnx.tar.gz", GOOD_ARCHIVE[:size]) for size in (1, 17, len(GOOD_ARCHIVE) // 2,
                                                              len(GOOD_ARCHIVE) - 1)),
    ("model.onnx.tar.gz", corrupted(GOOD_ARCHIVE, len(GOOD_ARCHIVE) // 2)),
    ("model.onnx.tar.gz", corrupted(GOOD_ARCHIVE, len(GOOD_ARCHIVE) - 6)),  # its checksum
    ("model.onnx.tar.gz", archive({"other.onnx": network()})),
    ("model.onnx.tar.gz", archive({"folder/model.onnx": network()})),
    ("model.onnx.tar.gz", archive({})),
    ("deployment.tar.gz", archive({"config.json": b"{}"})),
    ("sample-inputs.tar.gz", archive({"../../x": b"x"})),
    ("sample-inputs.tar.gz", archive({"/tmp/x": b"x"})),
    ("sample-inputs.tar.gz", archive({"a\\..\\x": b"x"})),
    *(("model.onnx.tar.gz", linked_archive(kind)) for kind in (
        tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)),
    ("training/model.pth", checkpoint()[:-30]),
    ("training/model.pth", corrupted(checkpoint(), 60)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_broken_content(tmp_path, name, content):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(BrokenFileError, match=r"."):
        check_content(path, name)


@pytest.mark.parametrize(
    ("name", "content", "needs"),
    [
        ("model.onnx", network(), ()),
        ("deployment/model.onnx", network_with_data("w.bin")[0], ("w.bin",)),
        ("model.onnx.tar.gz", GOOD_ARCHIVE, ()),
        ("model.onnx.tar.gz", archive({"./model.onnx": network()}), ()),
        ("deployment.tar.gz", archive({"deployment/model.onnx": network()}), ()),
        ("sample-inputs.tar.gz", archive({"sample-inputs/inp-0.npz": b"x"}), ()),
        ("recipe.md", RECIPE.encode(), ()),
        ("model.md", b"<div align=center>A model</div>", ()),
        ("deployment/config.json", b'{"message": 1, "layers": 2}', ()),
        ("training/merges.txt", b"a b\n", ()),
        ("training/labels.txt", b"caf\xe9\n", ()),
        ("training/LICENSE", b"Do what you like.", ()),
        ("training/.gitattributes", b"*.bin filter=lfs\n", ()),
        ("training/model.pth", checkpoint(), ()),
        ("training/model.pth", b"\x80\x02}q\x00.", ()),
        ("training/model.npz", bytes(range(256)) * 20, ()),
    ],
)
def test_good_content(tmp_path, name, content, needs):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert check_content(path, name) == needs


def test_an_archive_with_trailing_blocks_is_read_to_its_checksum(tmp_path):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(GOOD_ARCHIVE[:-8] + b"\0" * 8)
    with pytest.raises(BrokenFileError, match="cut or corrupt"):
        for _ in archive_members(path):
            pass


def test_an_archive_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr("zooselect.archive._SMALLEST_CAP", 1000)
    path = tmp_path / "x.tar.gz"
    path.write_bytes(archive({"model.onnx": b"\0" * 5_000_000}))
    with pytest.raises(BrokenFileError, match="more than any model"):
        check_content(path, "model.onnx.tar.gz")
    path.write_bytes(archive({f"{number}": b"x" for number in range(30)}))
    monkeypatch.setattr("zooselect.archive._MEMBERS", 20)
    with pytest.raises(BrokenFileError, match="more than any model"):
        check_content(path, "sample-inputs.tar.gz")


def test_without_the_onnx_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    path = tmp_path / "model.onnx"
    path.write_bytes(network())
    with pytest.raises(UsageError, match="needs the onnx package") as caught:
        check_content(path, "model.onnx")
    assert caught.value.hint == "pip install 'zooselect[onnx]'"
    path.write_bytes(json.dumps({"error": "x"}).encode())
    with pytest.raises(BrokenFileError, match="error"):
        check_content(path, "model.onnx")
