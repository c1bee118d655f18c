"""Moving a damaged folder out of the way, and removing what was moved there."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from zooselect.errors import LocalFileError

#: Folders of answers, of whatever schema, and where damaged ones are moved.
_NAME = re.compile(r"answers-[0-9]+(\.corrupt-[0-9a-f]{8})?")


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
    aside = folder.with_name(f"{folder.name}.corrupt-{os.urandom(4).hex()}")
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


def left_overs(folder: Path) -> list[Path]:
    """List what was moved aside, and folders of other schemas, beside a folder of answers.

    Raises:
        LocalFileError: the cache could not be listed.
    """
    try:
        names = sorted(os.listdir(folder.parent))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _refused("list", folder.parent, error) from error
    return [folder.with_name(one) for one in names if one != folder.name and _NAME.fullmatch(one)]


def size_of(path: Path) -> int:
    """Bytes of the files under a path; what cannot be looked at counts as nothing."""
    if not path.is_dir() or path.is_symlink():
        with contextlib.suppress(OSError):
            return os.lstat(path).st_size
        return 0
    return sum(
        size_of(Path(at, name))
        for at, folders, names in os.walk(path)
        for name in (*names, *(one for one in folders if os.path.islink(os.path.join(at, one))))
    )


def discard(path: Path) -> None:
    """Remove a left-over; a link goes, and not what it leads to.

    Raises:
        LocalFileError: it could not be removed, or not all of it.
    """
    import shutil

    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except FileNotFoundError:
        pass  # another process is at it, too
    except OSError as error:
        raise _refused("remove", path, error) from error


def _refused(what: str, path: Path, error: OSError) -> LocalFileError:
    return LocalFileError(
        f"cannot {what} {path}: {error.strerror or error}", hint="is it read-only, or not yours?"
    )
