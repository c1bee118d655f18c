"""A lock that saves work and nothing else: without it, or with a broken one, all is well too."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

_LOCK, _BUSY = "lock", "busy"
#: Seconds to wait for another process that fetches the same, while it makes no headway.
_IDLE = 15.0
_LOOK_EVERY = 0.2
#: Seconds to wait for another process that does something short.
_BRIEF = 2.0


@contextlib.contextmanager
def locked(state: Path) -> Iterator[None]:
    """Let one process fetch and the others wait, where locks work; all end well without.

    A process that makes no headway is not waited for.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(state / _LOCK)
    try:
        _acquire(lock.acquire, state, Timeout)
    except (OSError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release(force=True)


@contextlib.contextmanager
def briefly_locked(state: Path) -> Iterator[None]:
    """Let one process at a time do something short.

    By a name that only one can make: file systems whose locks do nothing keep to that, too.
    """
    path = state / _BUSY
    end = time.monotonic() + _BRIEF
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            try:
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
                break
            except FileExistsError:
                time.sleep(_BRIEF / 200)
    try:
        yield
    finally:
        # One of another process is of one that was killed: nobody else takes that long.
        with contextlib.suppress(OSError):
            path.unlink()


def wait_for_others(state: Path) -> None:
    """Wait for whoever does something short, or clean up after them if they were killed."""
    if (state / _BUSY).exists():
        with briefly_locked(state):
            pass


def is_locked(state: Path) -> bool:
    """Whether another process fetches into a folder, as far as locks tell."""
    from filelock import FileLock, Timeout

    lock = FileLock(state / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except (OSError, NotImplementedError):
        return False
    lock.release(force=True)
    return False


def _acquire(acquire: Callable[..., object], state: Path, timeout: type[Exception]) -> None:
    seen, since = -1, time.monotonic()
    while True:
        try:
            acquire(timeout=_LOOK_EVERY)
            return
        except timeout:
            size = _size_of(state)
            if size != seen:
                seen, since = size, time.monotonic()
            elif time.monotonic() - since > _IDLE:
                return


def _size_of(state: Path) -> int:
    size = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(state):
            with contextlib.suppress(OSError):
                size += entry.stat().st_size
    return size
