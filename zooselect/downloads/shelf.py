"""The models in a cache: listed, measured, removed, and read to the last byte."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from zooselect.downloads.folder import MODELS, Model, folders, models
from zooselect.downloads.lock import is_locked
from zooselect.downloads.manifest import (
    MANIFEST,
    STATE,
    Kept,
    read_manifest,
    remove_manifest,
)  # fmt: skip
from zooselect.downloads.plan import hashed
from zooselect.downloads.private import in_use
from zooselect.errors import LocalFileError
from zooselect.files import file_error, local_errors
from zooselect.stub import PREFIX


class Stored(NamedTuple):
    """A whole model in a cache.

    Attributes:
        model: it.
        used_at: when it was last asked for, in seconds since the epoch.
    """

    model: Model
    used_at: float


def stored(root: Path) -> list[Stored]:
    """Return the whole models of a cache, in the order of their folders."""
    return [Stored(model, _used_at(model)) for model in models(root)]


def touch(model: Model) -> None:
    """Note that a model was asked for, where that can be noted."""
    with contextlib.suppress(OSError):
        os.utime(model.folder / STATE / MANIFEST)


def unfinished(root: Path) -> list[Path]:
    """Return the folders of a cache that hold something of a model, and no whole one."""
    return [folder for folder in folders(root) if read_manifest(folder) is None]


def busy(folder: Path) -> bool:
    """Whether a process may be at work on a model's folder."""
    return in_use(folder / STATE) or is_locked(folder / STATE)


def size_below(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    size = 0
    for here, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(here, name)).st_size
    return size


def to_prune(
    found: Iterable[Stored], now: float, older_than: float | None, max_size: int | None
) -> list[Stored]:
    """Return the models to remove: those not used for long, then the least recently used.

    Args:
        found: what is there.
        now: seconds since the epoch.
        older_than: seconds; models used before that go. None for no limit.
        max_size: bytes that may stay; None for no limit.
    """
    by_use = sorted(found, key=lambda one: (one.used_at, one.model.folder))
    gone = [one for one in by_use if older_than is not None and now - one.used_at > older_than]
    left = [one for one in by_use if one not in gone]
    if max_size is not None:
        size = sum(one.model.manifest.size for one in left)
        for one in left:
            if size <= max_size:
                break
            gone.append(one)
            size -= one.model.manifest.size
    return gone


class Damage(NamedTuple):
    """A model of a cache that is not what was put there.

    Attributes:
        folder: where it is.
        stub: its name; of a model whose manifest is damaged, what its folder says.
        files: what of it is missing or changed; empty where the manifest itself is.
        parts: of `PARTS`, what was whole of it; none where nobody knows.
        keeper: source and location of who it was fetched from; None where nobody knows.
    """

    folder: Path
    stub: str
    files: tuple[str, ...]
    parts: tuple[str, ...]
    keeper: tuple[str, str] | None = None


def damaged(root: Path) -> list[Damage]:
    """Return the models of a cache that are damaged; all files are read."""
    found = []
    for folder in folders(root):
        manifest = read_manifest(folder)
        if manifest is not None:
            files = tuple(name for name, file in manifest.files.items() if _changed(folder, file))
            if files:
                keeper = (manifest.source, manifest.location)
                found.append(Damage(folder, manifest.stub, files, manifest.parts, keeper))
        elif (folder / STATE / MANIFEST).exists():
            name = folder.relative_to(root / MODELS).as_posix()
            found.append(Damage(folder, PREFIX + name, (), ()))
    return found


def _changed(folder: Path, file: Kept) -> bool:
    try:
        origin = hashed(folder / file.name)
    except OSError:
        return True
    return (origin.size, origin.sha256) != (file.size, file.sha256)


def distrust(found: Damage) -> None:
    """Have damaged files looked at again by whoever asks for the model, even if they look as ever.

    Raises:
        LocalFileError: the file system refused.
    """
    for name in found.files:
        with local_errors(found.folder), contextlib.suppress(FileNotFoundError):
            os.utime(found.folder / name)


def remove_model(root: Path, folder: Path) -> None:
    """Remove a model's folder from a cache, and the folders above that are empty then.

    Raises:
        LocalFileError: the file system refused; the model is none any more, or untouched.
    """
    shelf = root / MODELS
    if shelf not in folder.parents:
        raise LocalFileError(f"{folder} is not in the cache", hint="remove it by hand")
    remove_manifest(folder)  # from now on it is no model, however far the rest comes
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise file_error(f"cannot remove {folder}", error) from error
    parent = folder.parent
    while parent != shelf:
        try:
            parent.rmdir()
        except OSError:
            return
        parent = parent.parent


def _used_at(model: Model) -> float:
    try:
        return os.stat(model.folder / STATE / MANIFEST).st_mtime
    except OSError:
        return 0.0
