"""Moving a damaged folder out of the way, and finding what was moved there."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

#: Between the name of a folder and the random part of where it was moved.
MARK = ".corrupt-"


def identity(path: Path) -> tuple[int, int] | None:
    """Tell this file from another that takes its name later; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def move_aside(folder: Path, database: str, seen: tuple[int, int] | None) -> bool:
    """Rename a folder in one step, if the damage that was seen is still the one in it.

    Several processes may see the same damage. The first moves it and starts anew; what it
    started must not be moved away by the second.

    Args:
        folder: what is damaged.
        database: the name in it of the file with the damage.
        seen: identity of that file when the damage was seen.

    Returns:
        Whether the damage is out of the way, whoever moved it.
    """
    if identity(folder / database) != seen:
        return True
    aside = folder.with_name(f"{folder.name}{MARK}{secrets.token_hex(4)}")
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    if identity(aside / database) != seen:
        # Another process was faster, between the look and the move. This fails, and may, when
        # there is yet another folder by now.
        with contextlib.suppress(OSError):
            os.rename(aside, folder)
    return True
