"""Verified files put in their places, under their own names."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from zooselect.downloads.fetch import Fetched
from zooselect.downloads.manifest import STATE, Kept, Manifest, Origin
from zooselect.downloads.part import discard, forget_note, private_path
from zooselect.downloads.plan import Plan, hashed, refuse_foreign
from zooselect.downloads.unpack import unpack
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.names import collisions

_BROKEN = "the server's copy is broken, or hostile"

#: A file's private path, its size and digests, and the name it was fetched as.
Staged = dict[str, tuple[Path, Origin, str]]


def staged_files(folder: Path, todo: Plan, done: Mapping[str, Fetched]) -> Staged:
    """Return what is to be put into the folder, all of it verified and under private names.

    Raises:
        IntegrityError: an archive that is broken, or hostile.
        LocalFileError: the file system refused, or a file of the user's is in the way.
    """
    found: Staged = {}
    made: list[Path] = []
    try:
        _stage(folder, todo, done, found, made)
    except BaseException:
        for path in made:
            discard(path)
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
            with twin.open("rb+") as file:
                os.fsync(file.fileno())
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


def remove_gone(folder: Path, before: Manifest, names: Iterable[str]) -> None:
    """Remove files that are of a model no more, if they are still what they were.

    Raises:
        OSError: the file system refused.
    """
    for name in names:
        if before.files[name].stands(folder):
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
