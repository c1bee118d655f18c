"""Copies a model's files to a private folder of the mirror, and checks the copies there.

What was checked is what will be published: the sources may change at any time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from zooselect.archive import BLOCK, BrokenFileError, Member, archive_members
from zooselect.mirror.content import check_content
from zooselect.mirror.roles import (
    DEPLOYED_MODEL,
    DEPLOYMENT,
    DEPLOYMENT_ARCHIVE,
    MODEL,
    MODEL_ARCHIVE,
    ONNX_TYPE,
    is_onnx,
    role_of,
)  # fmt: skip
from zooselect.mirror.store import MirrorFile
from zooselect.names import TEMPORARY, collisions


@contextlib.contextmanager
def private_folder(root: Path) -> Iterator[Path]:
    """Make a folder in a mirror that no reader looks into; it is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Stage:
    """A model's files on their way into a mirror.

    Attributes:
        folder: where the copies are; it is renamed to publish them.
        files: the good ones, by name.
        broken: why the others are not, by name.
        notes: what was made up for.
    """

    def __init__(self, private: Path) -> None:
        # The private folder itself is closed to others; what is inside gets usual rights.
        self.folder = private / "files"
        self.folder.mkdir()
        self.files: dict[str, MirrorFile] = {}
        self.broken: dict[str, str] = {}
        self.notes: list[str] = []

    def take(self, sources: Mapping[str, Path]) -> None:
        """Copy and check a model's files, and make up for what whole ones can give.

        Raises:
            UsageError: the `onnx` package is missing.
            OSError: the mirror cannot be written.
        """
        wanted = dict(sources)
        for one, other in collisions(wanted):
            self.broken[other] = f"collides with {one}"
            del wanted[other]
        # Weights beside a network come before it, and it says which they are.
        for name in sorted(wanted, key=is_onnx):
            self._take_file(name, wanted[name])
        self._make_up()
        for name in list(self.broken):
            if name in self.files:
                self.notes.append(f"{name}: {self.broken.pop(name)}; a good copy stands in for it")

    def _take_file(self, name: str, source: Path) -> None:
        try:
            file = source.open("rb")
        except OSError as error:
            self.broken[name] = f"cannot be read: {error.strerror}"
            return
        with file:
            self._write(name, file)
        try:
            for needed in check_content(self.folder / name, name):
                self._take_beside(name, needed, source.parent / needed)
        except BrokenFileError as error:
            self._drop(name, str(error))

    def _take_beside(self, name: str, needed: str, source: Path) -> None:
        sibling = _beside(name, needed)
        if sibling not in self.files and source.is_file() and not source.is_symlink():
            self._take_file(sibling, source)
        if sibling not in self.files:
            raise BrokenFileError(f"its external data {needed!a} is missing")

    def _write(self, name: str, content: IO[bytes] | Member) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
        with path.open("wb") as copy:
            while block := content.read(BLOCK):
                copy.write(block)
                sha256.update(block)
                md5.update(block)
                size += len(block)
                if size % (256 * BLOCK) == 0:
                    os.utime(self.folder)  # still at work: what looks left over is removed
            copy.flush()
            os.fsync(copy.fileno())
        role = role_of(name)
        self.files[name] = MirrorFile(
            name, role.type if role else ONNX_TYPE, size, sha256.hexdigest(), md5.hexdigest()
        )

    def _make_up(self) -> None:
        """Fill in what must stand loose from the archives that hold it."""
        if MODEL not in self.files and MODEL_ARCHIVE in self.files:
            self._unpack(MODEL_ARCHIVE, "")
        cut = any(name.startswith(DEPLOYMENT + "/") for name in self.broken)
        if DEPLOYMENT_ARCHIVE in self.files and (cut or DEPLOYED_MODEL not in self.files):
            self._unpack(DEPLOYMENT_ARCHIVE, DEPLOYMENT + "/")
        if MODEL not in self.files and DEPLOYED_MODEL in self.files:
            self._take_file(MODEL, self.folder / DEPLOYED_MODEL)
            self.notes.append(f"{MODEL}: taken from {DEPLOYED_MODEL}")

    def _unpack(self, archive: str, prefix: str) -> None:
        """Write the files of an archive that are not there yet, flat, as the old clients do."""
        added: list[str] = []
        try:
            for member, content in archive_members(self.folder / archive):
                name = prefix + member.rpartition("/")[2]
                if name not in self.files and not collisions([*self.files, name]):
                    self._write(name, content)
                    added.append(name)
            # Nobody needs the empty ones, and the old clients cannot fetch them.
            for name in [name for name in added if not self.files[name].size]:
                self._forget(name)
                added.remove(name)
            for name in added:
                for needed in check_content(self.folder / name, name):
                    if _beside(name, needed) not in self.files:
                        raise BrokenFileError(f"its external data {needed!a} is missing")
        except BrokenFileError as error:
            for name in added:
                self._drop(name, str(error))
            self._drop(archive, f"holds a broken file: {error}")
        else:
            self.notes += (f"{name}: taken from {archive}" for name in sorted(added))

    def _drop(self, name: str, reason: str) -> None:
        self.broken[name] = reason
        self._forget(name)

    def _forget(self, name: str) -> None:
        del self.files[name]
        (self.folder / name).unlink()


def _beside(name: str, other: str) -> str:
    return f"{name.rpartition('/')[0]}/{other}".lstrip("/")
