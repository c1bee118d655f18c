"""Verified files put in their places, under their own names."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from zooselect.downloads.fetch import Fetched
from zooselect.downloads.manifest import STATE, Kept, Origin
from zooselect.downloads.part import discard, forget_note, private_path
from zooselect.downloads.plan import Plan
from zooselect.downloads.unpack import unpack
from zooselect.errors import IntegrityError, LocalFileError

#: A file's private path, its size and digests, and the name it was fetched as.
Staged = dict[str, tuple[Path, Origin, str]]


def staged_files(folder: Path, todo: Plan, done: Mapping[str, Fetched]) -> Staged:
    """Return what is to be put into the folder, all of it verified and under private names.

    Raises:
        IntegrityError: an archive that is broken, or hostile.
        LocalFileError: the file system refused.
    """
    state = folder / STATE
    found: Staged = {}
    for one in todo.fetch:
        fetched = done[one.file.name]
        if one.unpack_to is None:
            found[one.file.name] = (fetched.path, fetched.origin, one.file.name)
            continue
        for file in unpack(fetched.path, one.file.name, one.unpack_to, state):
            origin = Origin(file.size, file.sha256)
            found[file.name] = (file.path, origin, one.file.name)
        discard(fetched.path)
    for name, same in todo.copies.items():
        path, origin, _ = found[same]
        twin = private_path(state, name, "tmp")
        with local_errors(folder):
            shutil.copyfile(path, twin)
        found[name] = (twin, origin, name)
    return found


def publish(folder: Path, name: str, path: Path, origin: Origin, source: str) -> Kept:
    """Give a verified file its own name, at once.

    Raises:
        IntegrityError: a link leads out of the model's folder.
        OSError: the file system refused.
    """
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    inside = os.path.join(os.path.realpath(folder), *name.split("/")[:-1])
    if os.path.realpath(target.parent) != inside:
        raise IntegrityError(
            f"{target.parent} is a link that leads elsewhere", hint="remove it, and try again"
        )
    stamp = os.stat(path).st_mtime_ns
    os.replace(path, target)
    forget_note(path)
    return Kept(name, origin.size, origin.sha256, stamp, source, origin.md5)


@contextlib.contextmanager
def local_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses in a folder into an error that names it."""
    try:
        yield
    except OSError as error:
        if isinstance(error, LocalFileError):
            raise
        raise LocalFileError(
            f"cannot write in {folder}: {error.strerror or error}", hint="check its rights"
        ) from error


def sync_folder(path: Path) -> None:
    """Bring a folder's names to disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
