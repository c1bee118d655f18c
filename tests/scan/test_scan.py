"""Scans of folders, with all that can be wrong in them."""

import codecs
import os

import pytest

from zooselect import Catalog
from zooselect.scan import scan as module
from zooselect.scan.scan import scan

STUB = "zoo:resnet_v1-50-imagenet-pruned95"
CATALOG = Catalog.embedded()


def scanned(folder):
    return scan([str(folder)], CATALOG)


def shown(result):
    return [(os.path.basename(one.file), one.at.line, one.status) for one in result.findings]


def test_files_in_order_with_places_and_hints(tmp_path):
    (tmp_path / "b.py").write_text(f'x = "{STUB}"\n\ny = "zoo:resnet_v1_50-imagenet-pruned95"\n')
    (tmp_path / "a.md").write_text("zoo:mobilenet_v2-1.0-imagenet-base, zoo:a-b-c\n")
    (tmp_path / "none.txt").write_text("nothing here\n")
    result = scanned(tmp_path)
    assert shown(result) == [
        ("a.md", 1, "ambiguous"), ("a.md", 1, "unknown"), ("b.py", 1, "known"),
        ("b.py", 3, "misspelt"),
    ]  # fmt: skip
    assert result.counts == {"known": 1, "ambiguous": 1, "misspelt": 1, "unknown": 1}
    assert (result.files, result.binary, result.notes) == (3, 0, ())
    hints = [one.hint for one in result.findings]
    assert hints[0].startswith("may mean any of zoo:cv/")
    assert hints[1:] == [None, None, f"did you mean {STUB}?"]


def test_an_unverified_model_is_told(tmp_path):
    low = next(record for record in CATALOG if record.confidence == "low")
    (tmp_path / "a").write_text(low.stub)
    assert [one.hint for one in scanned(tmp_path).findings] == ["may never have been published"]


@pytest.mark.parametrize(
    "content",
    [
        STUB.encode("utf-16"),
        codecs.BOM_UTF16_BE + STUB.encode("utf-16-be"),
        STUB.encode("utf-8-sig"),
        b"caf\xe9 " + STUB.encode() + b"\r\n",
        STUB.encode() + b" " * 9000 + b"\0",
    ],
)
def test_encodings(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    result = scanned(tmp_path)
    assert shown(result) == [("a", 1, "known")]
    assert bool(result.notes) == (b"\xe9" in content)


def test_binary_files_are_counted_and_not_read(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"\0\1" + STUB.encode())
    result = scanned(tmp_path)
    assert (result.files, result.binary, result.findings) == (0, 1, ())


def test_huge_texts_are_noted_and_huge_binaries_are_binary(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 2**20)
    (tmp_path / "big.txt").write_bytes(STUB.encode() + b" " * 2**20)
    (tmp_path / "big.bin").write_bytes(b"\0" * (2**20 + 1))
    (tmp_path / "just.txt").write_bytes(STUB.encode().ljust(2**20))
    result = scanned(tmp_path)
    assert shown(result) == [("just.txt", 1, "known")]
    assert result.binary == 1
    assert result.notes == ((str(tmp_path / "big.txt"), "larger than 1 MiB, not read"),)


def test_what_changes_meanwhile_is_noted(tmp_path, monkeypatch):
    for name in ("gone", "good", "pipe", "shut"):
        (tmp_path / name).write_text(STUB)
    real = os.open

    def opened(path, *arguments, **options):
        if str(path).endswith("gone"):
            os.unlink(path)
        if str(path).endswith("pipe"):
            os.unlink(path)
            os.mkfifo(path)
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied")
        return real(path, *arguments, **options)

    monkeypatch.setattr(os, "open", opened)
    result = scanned(tmp_path)
    assert shown(result) == [("good", 1, "known")]
    assert [(os.path.basename(path), reason) for path, reason in result.notes] == [
        ("gone", "No such file or directory"),
        ("pipe", "not a regular file"),
        ("shut", "Permission denied"),
    ]
