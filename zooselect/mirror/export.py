"""Copies a mirror to where many read it: a folder of a web host, or an object store.

Content stands under names made from it and is put in place whole, so a file that is there
with the right size is the right file: an export that was cut short goes on where it ended,
and one of a changed mirror copies what is new. The catalog comes last. Old content stays,
for those who read the catalog before.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from zooselect.catalog.file import CATALOG
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.mirror.compile import RECORD, catalog_bytes, compile_catalog, record_bytes
from zooselect.mirror.describe import model_path
from zooselect.mirror.publish import is_intact
from zooselect.mirror.store import Mirror
from zooselect.names import TEMPORARY
from zooselect.object_store import filesystem, is_url, protocols, reason_of
from zooselect.stub import Stub

#: Stores without folders: to make one would make a bucket of a mistyped name.
_BUCKETS = {"s3", "s3a", "gs", "gcs", "abfs", "az", "oss"}


class Exported(NamedTuple):
    """What an export came to.

    Attributes:
        models: how many stand in the destination's catalog.
        copied, size: how many files were copied, and their bytes.
        present: how many were there already.
    """

    models: int
    copied: int
    size: int
    present: int


class Destination(Protocol):
    """Where a mirror can be exported to. Paths are relative POSIX paths."""

    def size_of(self, path: str) -> int | None:
        """Return the bytes of a file; None where there is none."""

    def copy(self, source: Path, path: str) -> None:
        """Put a local file there, whole or not at all."""

    def write(self, content: bytes, path: str) -> None:
        """Put a small file there, whole or not at all; nothing is done if it is there."""


def destination(place: str) -> Destination:
    """Return the destination of a folder's path or an fsspec URL such as `s3://bucket/zoo`.

    Raises:
        UsageError: a URL, and fsspec or what it needs for this kind is missing.
    """
    if not is_url(place):
        return _Folder(Path(place))
    return _Remote(*filesystem(place))


def export(mirror: Mirror, target: Destination) -> Exported:
    """Copy all models of a mirror, then its catalog.

    Raises:
        IntegrityError: a file of the mirror is not what it was; it was not copied, and the
            destination's catalog stays as it was.
        LocalFileError: the mirror cannot be read, or the destination not written.
    """
    compile_catalog(mirror.root)
    (models, _, compiled), copied, size, present = mirror.read(), 0, 0, 0
    for model in models:
        for file in model.files:
            path, source = f"{model.folder}/{file.name}", mirror.file_path(model, file.name)
            with _errors(path):
                if target.size_of(path) == file.size:
                    present += 1
                    continue
                if not is_intact(source, file):
                    raise IntegrityError(f"{path} has changed", hint="`mirror verify` tells more")
                target.copy(source, path)
            copied, size = copied + 1, size + file.size
        path = f"{model_path(Stub.parse(model.record.stub))}/{RECORD}"
        with _errors(path):
            target.write(record_bytes(model.record.raw), path)
    with _errors(CATALOG):
        records = [dict(model.record.raw) for model in models]
        target.write(catalog_bytes(records, compiled), CATALOG)
    return Exported(len(models), copied, size, present)


@contextlib.contextmanager
def _errors(path: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except Exception as error:  # object stores raise errors of their own
        raise LocalFileError(
            f"cannot export {path}: {reason_of(error)}",
            hint="run it again: what was copied is not copied twice",
        ) from error


class _Folder:
    """A folder on this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size_of(self, path: str) -> int | None:
        try:
            return (self._root / path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            return None

    def copy(self, source: Path, path: str) -> None:
        self._put(path, lambda temporary: shutil.copyfile(source, temporary))

    def write(self, content: bytes, path: str) -> None:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            if (self._root / path).read_bytes() == content:
                return
        self._put(path, lambda temporary: temporary.write_bytes(content))

    def _put(self, path: str, fill: Callable[[Path], object]) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(TEMPORARY + secrets.token_hex(8))
        try:
            fill(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


class _Remote:
    """What fsspec reaches. Object stores show an object only when it is whole."""

    def __init__(self, files: Any, root: str) -> None:
        self._files = files
        self._root = root

    def size_of(self, path: str) -> int | None:
        try:
            size = self._files.info(f"{self._root}/{path}")["size"]
        except FileNotFoundError:
            return None
        return size if isinstance(size, int) else None

    def copy(self, source: Path, path: str) -> None:
        self._ready(path)
        self._files.put_file(str(source), f"{self._root}/{path}")

    def write(self, content: bytes, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._files.cat_file(f"{self._root}/{path}") == content:
                return
        self._ready(path)
        self._files.pipe_file(f"{self._root}/{path}", content)

    def _ready(self, path: str) -> None:
        if not _BUCKETS.isdisjoint(protocols(self._files)):
            return
        # What cannot make folders may need none; else the file itself tells what is wrong.
        with contextlib.suppress(OSError, NotImplementedError):
            self._files.makedirs(f"{self._root}/{path}".rpartition("/")[0], exist_ok=True)
