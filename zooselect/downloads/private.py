"""Private files of processes: whose they are, and when they are nobody's any more."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterable, Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path

#: What is noted of a part stands beside it under its name and this.
NOTE = ".json"

#: Seconds without a byte after which the file of a process that cannot be looked up, on another
#: host perhaps, counts as abandoned. One that is alive after all fails, and begins again.
_ABANDONED = 900.0

#: Stands where else the owner does.
_LEFT = "left"

#: Private files that threads of this process are at work on.
_ours: set[Path] = set()


def private_path(folder: Path, name: str, kind: str) -> Path:
    """Return a path nobody else uses, which tells what it is for and who uses it.

    Args:
        folder: where.
        name: of the file it is to become.
        kind: `part` for what may be gone on with, `tmp` for what may not.
    """
    owner = f"{_host()}.{os.getpid()}.{secrets.token_hex(4)}"
    path = folder / f"{key_of(name)}.{owner}.{kind}"
    _ours.add(path)
    return path


def key_of(name: str) -> str:
    """Return what the private names of a file begin with."""
    return sha256(name.encode()).hexdigest()[:16]


def note_of(path: Path) -> Path:
    """Return where the note of a part is."""
    return path.with_name(path.name + NOTE)


def release(path: Path) -> None:
    """Leave a part to whoever comes next, on another machine too: its name tells so."""
    _ours.discard(path)
    left = path.with_name(f"{path.name.partition('.')[0]}.{_LEFT}.0.{secrets.token_hex(4)}.part")
    with contextlib.suppress(OSError):
        if path.exists() and note_of(path).exists():
            # A kill on the way leaves the one or the other with its note.
            shutil.copyfile(note_of(path), note_of(left))
            os.replace(path, left)
            note_of(path).unlink()


def forget_note(path: Path) -> None:
    """Remove what is noted of a part that has got its own name."""
    _ours.discard(path)
    with contextlib.suppress(OSError):
        note_of(path).unlink()


def discard(path: Path) -> None:
    """Remove a private file."""
    with contextlib.suppress(OSError):
        path.unlink()
    forget_note(path)


def is_dead(path: Path) -> bool:
    """Whether the process a private file belongs to is known to be gone."""
    pieces = path.name.split(".")
    if pieces[1:2] == [_LEFT]:
        return True
    if len(pieces) < 4 or pieces[1] != _host() or not pieces[2].isdigit():
        return False
    pid = int(pieces[2])
    if pid == os.getpid():
        return path not in _ours
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


def is_abandoned(path: Path) -> bool:
    """Whether nobody will go on with a private file, as far as can be told."""
    if is_dead(path):
        return True
    try:
        return path not in _ours and time.time() - path.stat().st_mtime > _ABANDONED
    except OSError:
        return True


def in_use(folder: Path) -> bool:
    """Whether a process may be at work on private files in a folder."""
    return any(not is_abandoned(path) for path in _private(folder))


def sweep(folder: Path, *, keep: Iterable[str] = ()) -> None:
    """Remove the private files that nobody will go on with, and notes that lost their part.

    Args:
        folder: where.
        keep: names of files that somebody will go on with: what is noted of them stays.
    """
    kept = {key_of(name) for name in keep}
    for path in _private(folder):
        stays = path.name.partition(".")[0] in kept and note_of(path).exists()
        if not stays and is_abandoned(path):
            discard(path)
    for note in folder.glob(f"*.part{NOTE}"):
        if not note.with_suffix("").exists():
            with contextlib.suppress(OSError):
                note.unlink()


def reclaimable(folder: Path) -> int:
    """Return the bytes of private files of processes that are gone."""
    size = 0
    for path in _private(folder):
        with contextlib.suppress(OSError):
            size += path.stat().st_size if is_dead(path) else 0
    return size


def _private(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.part")
    yield from folder.glob("*.tmp")


@cache
def _host() -> str:
    """What tells this machine's processes from others', in other containers on it too."""
    try:
        space = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        space = 0  # no such thing here
    return sha256(f"{socket.gethostname()} {space}".encode()).hexdigest()[:8]
