"""From the records in a mirror's folders to its `catalog.json`.

The records are the truth, one a model, each replaced whole; the catalog is made from them.
No lock is held: a writer that changed a record compiles after it, and again until no record
has changed since its own catalog took its place. So the last catalog written has every
record written before it, whoever wrote what.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.catalog.file import CATALOG
from zooselect.catalog.parse import SCHEMA, parse_record
from zooselect.errors import LocalFileError, StubError
from zooselect.files import write_whole
from zooselect.mirror.store import MODELS, MirrorModel, parse_model
from zooselect.names import TEMPORARY
from zooselect.stub import Stub

RECORD = "record.json"

_CONTENT = re.compile(r"[0-9a-f]{12}")
_DEEPEST = 7  # parts of a v1 stub


class Place(NamedTuple):
    """A model's folder: what a stub's path leads to.

    Attributes:
        path: its POSIX path relative to the mirror, `models/<stub path>`.
        record: content of its `record.json`; None when there is none.
        contents: names of the folders in it that hold files of one version of the model.
    """

    path: str
    record: bytes | None
    contents: tuple[str, ...]


def places(root: Path) -> Iterator[Place]:
    """Yield the model folders of a mirror; links are not followed.

    Raises:
        LocalFileError: a folder or record that cannot be read.
    """
    try:
        yield from _places(root, ())
    except OSError as error:
        if isinstance(error, LocalFileError):
            raise
        raise LocalFileError(
            f"cannot read {error.filename or root}: {error.strerror}", hint="check its rights"
        ) from error


def read_place(root: Path, path: str) -> Place:
    """Return one model folder as it is now, also when there is none.

    Raises:
        OSError: it cannot be read.
    """
    try:
        names = sorted(entry.name for entry in os.scandir(root / path) if _is_folder(entry))
        contents = tuple(name for name in names if _CONTENT.fullmatch(name))
        record = _read(root / path / RECORD)
    except (FileNotFoundError, NotADirectoryError):
        return Place(path, None, ())
    return Place(path, record, contents)


def parse_place(place: Place) -> tuple[dict[str, Any], MirrorModel] | str | None:
    """Return a place's record with its model, why it is unusable, or None: no model there."""
    if place.record is None:
        return None
    try:
        document = json.loads(place.record)
        problems: list[str] = []
        model = parse_model(document)
        parse_record(document, problems)
    except (ValueError, RecursionError) as error:
        return " ".join(str(error).split()) or type(error).__name__
    if problems:
        return problems[0]
    if f"{MODELS}/{Stub.parse(model.record.stub).path}" != place.path:
        return f"the record of another model, {model.record.stub}"
    home, _, content = model.folder.rpartition("/")
    if home != place.path or not _CONTENT.fullmatch(content):
        return f"`folder` is not in {place.path}"
    return document, model


def compile_catalog(root: Path) -> tuple[tuple[str, str], ...]:
    """Write the catalog of all models; return the records it leaves out, as (path, reason).

    Raises:
        LocalFileError: the mirror cannot be read or written.
    """
    seen = _records(root)
    while True:
        models, unusable = [], []
        for path, content in seen.items():
            parsed = parse_place(Place(path, content, ()))
            if isinstance(parsed, str):
                unusable.append((f"{path}/{RECORD}", parsed))
            elif parsed is not None:
                models.append(parsed[0])
        models.sort(key=lambda model: str(model["stub"]))
        if not _is_current(root, models):
            write_whole(root / CATALOG, catalog_bytes(models))
        now = _records(root)
        if now == seen:
            return tuple(unusable)
        seen = now


def catalog_bytes(models: list[dict[str, Any]], compiled: str | None = None) -> bytes:
    """Return the content of a catalog file; compiled now, if not given."""
    compiled = compiled or datetime.now(timezone.utc).isoformat(timespec="seconds")
    document = {"schema": SCHEMA, "compiled": compiled, "models": models}
    return (json.dumps(document, indent=1) + "\n").encode()


def record_bytes(record: Mapping[str, Any]) -> bytes:
    """Return the content of a record file."""
    return (json.dumps(record, indent=1) + "\n").encode()


def _is_current(root: Path, models: list[dict[str, Any]]) -> bool:
    try:
        document = json.loads((root / CATALOG).read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return False
    return document.get("models") == models and isinstance(document.get("compiled"), str)


def _records(root: Path) -> dict[str, bytes]:
    return {place.path: place.record for place in places(root) if place.record is not None}


def _places(root: Path, parts: tuple[str, ...]) -> Iterator[Place]:
    path = "/".join((MODELS, *parts))
    if _is_stub("/".join(parts)):
        yield read_place(root, path)
    elif len(parts) < _DEEPEST:
        try:
            with os.scandir(root / path) as entries:
                names = sorted(entry.name for entry in entries if _is_folder(entry))
        except FileNotFoundError:
            return  # removed since its parent was listed
        for name in names:
            yield from _places(root, (*parts, name))


def _is_stub(path: str) -> bool:
    try:
        return not Stub.parse(path).parameters
    except StubError:
        return False


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False) and not entry.name.startswith(TEMPORARY)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
