"""Is a file what its name says? The old clients kept error pages, cut and empty files as models.

Every check raises `BrokenFileError`, whose text says what is wrong, and reads no more memory than a
block, but for ONNX files, which the `onnx` package reads whole.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from zooselect.archive import BLOCK, BrokenFileError, archive_members
from zooselect.errors import UsageError
from zooselect.mirror.roles import (
    DEPLOYMENT_ARCHIVE,
    MODEL,
    MODEL_ARCHIVE,
    is_archive,
    is_onnx,
)  # fmt: skip
from zooselect.names import safe_name
from zooselect.onnx_graph import tensors_of

_HEAD = 1024  # bytes that tell an error page
_LARGEST_TEXT = 256 << 20  # a larger JSON file is not read whole to be checked
_PAGE = re.compile(rb"\s*(<!doctype\s+html|<html|<\?xml[^>]*>\s*<error|<error>)", re.IGNORECASE)
_ERROR_KEYS = {"error", "errors", "message", "detail", "details", "code", "status", "title"}
_TEXTS = (".md", ".yaml", ".yml", ".json")
_WEIGHTS = (
    ".bin", ".pth", ".pt", ".ckpt", ".h5", ".npz", ".npy", ".safetensors", ".pb", ".pkl", ".zip",
)  # fmt: skip


def check_content(path: Path, name: str) -> tuple[str, ...]:
    """Check a file that is to be called `name`; return what must stand beside it.

    Those are the files an ONNX network keeps its weights in, relative to its own folder.

    Raises:
        BrokenFileError: empty, an error page, cut short, corrupt, or of another kind.
        UsageError: the `onnx` package is missing.
        OSError: it cannot be read.
    """
    head = check_head(path, name)
    check_network_head(path, name)
    if is_onnx(name):
        return _check_onnx(path)
    if is_archive(name):
        _check_archive(path, name)
    elif name.endswith(_TEXTS):
        _check_text(path, name)
    elif head[:4] == b"PK\3\4":
        _check_zip(path)
    elif name.endswith(_WEIGHTS) and _is_note(path, head):
        raise BrokenFileError("a short text where weights should be: an error page?")
    return ()


def check_head(path: Path, name: str) -> bytes:
    """Refuse a file that is to be called `name` for what it begins with, or return that.

    Raises:
        BrokenFileError: empty, an error page or message.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise BrokenFileError("an empty file")
    if _PAGE.match(head):
        raise BrokenFileError("an error page, not a model's file")
    if len(head) < _HEAD and len(head) < _HEAD and _is_error(_json(head.decode("latin-1"))):
        raise BrokenFileError("an error message, not a model's file")
    return head


def check_network_head(path: Path, name: str) -> None:
    """Refuse a text for an ONNX network, if `name` says that it is one.

    Raises:
        BrokenFileError: a text.
        OSError: it cannot be read.
    """
    if not is_onnx(name):
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.lstrip()[:1] in (b"{", b"<") or _is_note(path, head):
        raise BrokenFileError("a text, not an ONNX network: an error page?")


def _is_error(document: Any) -> bool:
    return isinstance(document, dict) and bool(document) and set(document) <= _ERROR_KEYS


def _check_onnx(path: Path) -> tuple[str, ...]:
    try:
        import onnx
        from onnx.external_data_helper import uses_external_data
    except ImportError as error:
        raise UsageError(
            "checking ONNX files needs the onnx package", hint="pip install 'zooselect[onnx]'"
        ) from error
    try:
        model = onnx.load(os.fspath(path), load_external_data=False)
    except OSError:
        raise
    except Exception as error:  # protobuf's own errors; which ones depends on its version
        raise BrokenFileError("not an ONNX network, or cut short") from error
    if not (model.graph.node and model.graph.output and model.opset_import):
        raise BrokenFileError("not a whole ONNX network")
    found: dict[str, None] = {}
    for tensor in tensors_of(model.graph):
        if uses_external_data(tensor):
            entry = {one.key: one.value for one in tensor.external_data}
            try:
                found[safe_name(entry.get("location"))] = None
            except ValueError as error:
                raise BrokenFileError(f"its external data has an unsafe name: {error}") from error
    return tuple(found)


def _check_archive(path: Path, name: str) -> None:
    members = []
    for member, content in archive_members(path):
        members.append(member)
        while content.read(BLOCK):
            pass
    if not members:
        raise BrokenFileError("an archive without files")
    flat = [member.rpartition("/")[2] for member in members]
    if (name == MODEL_ARCHIVE and MODEL not in members) or (
        name == DEPLOYMENT_ARCHIVE and MODEL not in flat
    ):
        raise BrokenFileError(f"an archive without {MODEL}")


def _check_text(path: Path, name: str) -> None:
    if path.stat().st_size > _LARGEST_TEXT:
        return
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFileError("not UTF-8 text") from error
    if "\0" in text:
        raise BrokenFileError("a text with NUL characters")
    document = _json(text)
    if _is_error(document):
        raise BrokenFileError("an error message, not a model's file")
    if name.endswith(".json") and document is _NO_JSON:
        raise BrokenFileError("not JSON, or cut short")
    # Every recipe names the modifiers it applies; no error message does.
    if name.startswith("recipe") and "odifier" not in text:
        raise BrokenFileError("a recipe without modifiers")


_NO_JSON: Any = object()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _NO_JSON


def _check_zip(path: Path) -> None:
    # PyTorch checkpoints are zip files: their directory stands at the end, so a cut one
    # has none.
    try:
        with zipfile.ZipFile(path) as archive:
            bad = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BrokenFileError(f"a cut or corrupt checkpoint ({error})") from error
    if bad is not None:
        raise BrokenFileError("a corrupt checkpoint")


def _is_note(path: Path, head: bytes) -> bool:
    """Whether a file is one short line or two of plain text."""
    return path.stat().st_size < _HEAD and all(
        char in b"\t\n\r" or 32 <= char < 127 for char in head
    )
