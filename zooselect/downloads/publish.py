"""Verified files put in their places, under their own names."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from zooselect.downloads.fetch import Fetched
from zooselect.downloads.manifest import STATE, Kept, Origin
from zooselect.downloads.plan import Plan, hashed, refuse_foreign
from zooselect.downloads.private import discard, forget_note, private_path
from zooselect.downloads.unpack import unpack
from zooselect.errors import IntegrityError
from zooselect.files import local_errors
from zooselect.names import collisions

_BROKEN = "the server's copy is broken, or hostile"

#: A file's private path, its size and digests, and the name it was fetched as.
Staged = dict[str, tuple[Path, Origin, str]]


def staged_files(folder: Path, todo: Plan, done: Mapping[str, Fetched], location: str) -> Staged:
    """Return what is to be put into the folder, all of it verified and under private names.

    Args:
        folder: the model's.
        todo: what was to be done.
        done: what was fetched.
        location: where it came from, for messages.

    Raises:
        IntegrityError: an archive that is broken, or hostile.
        LocalFileError: the file system refused, or a file of the user's is in the way.
    """
    found: Staged = {}
    made: list[Path] = []
    try:
        _stage(folder, todo, done, found, made)
    except BaseException as error:
        for path in made:
            discard(path)
        if isinstance(error, IntegrityError):
            # Gone on with, a broken archive would be as broken the next time.
            for one in todo.fetch:
                if one.unpack_to is not None:
                    discard(done[one.file.name].path)
            error.message = f"{location}: {error.message}"
        raise
    return found


def _stage(
    folder: Path, todo: Plan, done: Mapping[str, Fetched], found: Staged, made: list[Path]
) -> None:
    state = folder / STATE
    loose = [one for one in todo.fetch if one.unpack_to is None]
    for one in loose:
        fetched = done[one.file.name]
        found[one.file.name] = (fetched.path, fetched.origin, one.file.name)
    listed = {*found, *todo.copies, *todo.keep}
    archives = [(one.file.name, one.unpack_to) for one in todo.fetch if one.unpack_to is not None]
    for called, unpack_to in archives:
        for file in unpack(done[called].path, called, unpack_to, state):
            made.append(file.path)
            if file.name in listed:
                raise IntegrityError(
                    f"{called} holds {file.name!a}, which is there or listed itself", hint=_BROKEN
                )
            found[file.name] = (file.path, Origin(file.size, file.sha256), called)
    for name, same in todo.copies.items():
        path, origin, _ = found[same]
        twin = private_path(state, name, "tmp")
        made.append(twin)
        with local_errors(folder):
            shutil.copyfile(path, twin)
            with twin.open("rb+") as copied:
                os.fsync(copied.fileno())
        found[name] = (twin, origin, name)
    for first, second in collisions([*found, *todo.keep]):
        raise IntegrityError(
            f"files that collide, {first!a} and {second!a}, one of them from an archive",
            hint=_BROKEN,
        )
    for name, (_, origin, _) in found.items():
        if not _is_content(folder / name, origin):
            refuse_foreign(folder, name)
    for called, _ in archives:
        discard(done[called].path)


def _is_content(path: Path, origin: Origin) -> bool:
    try:
        return path.stat().st_size == origin.size and hashed(path).sha256 == origin.sha256
    except OSError:
        return False


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


def remove_gone(folder: Path, name: str) -> None:
    """Remove a file that is of a model no more, and the folders that are empty then.

    Raises:
        OSError: the file system refused.
    """
    (folder / name).unlink()
    with contextlib.suppress(OSError):
        for parent in Path(name).parents[:-1]:
            (folder / parent).rmdir()


def sync_folder(path: Path) -> None:
    """Bring a folder's names to disk, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
