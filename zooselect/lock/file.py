"""The lock file on disk: read whole, and replaced whole by one process at a time."""

from __future__ import annotations

import codecs
import contextlib
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from zooselect.errors import LocalFileError
from zooselect.files import write_whole
from zooselect.lock.lock import Lock
from zooselect.lock.parse import LARGEST, from_toml
from zooselect.lock.write import to_toml
from zooselect.settings import Settings

_DEFAULT = "zooselect.lock"

#: How often a change is worked out again when others have changed the file meanwhile.
_ROUNDS = 50
#: Seconds to wait for another process to write.
_WAIT = 10.0

T = TypeVar("T")


def path_of(given: str | None, settings: Settings) -> str:
    """Return the path of the lock file: the one given, else the environment's or the usual."""
    return given or settings.lock_file or _DEFAULT


def read(path: str) -> Lock:
    """Return what a lock file pins.

    Raises:
        LocalFileError: no such file, or unreadable.
        IntegrityError: it is no lock file.
    """
    content = _content(path)
    if content is None:
        raise LocalFileError(f"no lock file {path}", hint="`zooselect lock add TASK` makes one")
    return from_toml(content, path)


def edit(
    path: str, cache: Path, change: Callable[[Lock | None], tuple[Lock, T]]
) -> tuple[Lock, bool, T]:
    """Change a lock file; other processes may do so at the same time.

    Args:
        path: of the file.
        cache: folder of the cache, where processes wait for each other.
        change: returns the new lock and what it tells of the change, from the old lock or
            None. Called again where another process has changed the file meanwhile.

    Returns:
        The lock, whether the file was written, and what `change` told.

    Raises:
        LocalFileError: the file system refused; the file is as it was.
        IntegrityError: the file is no lock file; it is as it was.
    """
    for _ in range(_ROUNDS):
        before = _content(path)
        lock, told = change(None if before is None else from_toml(before, path))
        after = to_toml(lock)
        if before is not None and _said(after) == _said(before):
            return lock, False, told
        with _alone(path, cache):
            if _content(path) == before:
                write_whole(path, after)
                return lock, True, told
    raise LocalFileError(f"{path} is changed again and again by another process", hint="try again")


def _said(content: bytes) -> list[bytes]:
    """The lines of a lock file that say something: what is said already is not written again."""
    lines = (line.strip() for line in content.removeprefix(codecs.BOM_UTF8).splitlines())
    return [line for line in lines if line and not line.startswith(b"#")]


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise LocalFileError(
            f"cannot read lock file {ascii(path)[1:-1]}: {reason}", hint="name another with --file"
        ) from error


@contextlib.contextmanager
def _alone(path: str, cache: Path) -> Iterator[None]:
    """Keep other processes of this machine from writing, where locks work.

    Without, the last to write wins, with a whole file. The locks stand in the cache: nothing
    is left beside a file that is under version control.
    """
    from filelock import FileLock, Timeout

    name = sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:16]
    held = None
    with contextlib.suppress(OSError, NotImplementedError, Timeout):
        folder = cache / "locks"
        folder.mkdir(0o700, parents=True, exist_ok=True)
        held = FileLock(folder / f"{name}.lock")
        held.acquire(timeout=_WAIT)
    try:
        yield
    finally:
        if held is not None:
            with contextlib.suppress(OSError):
                held.release(force=True)
