"""Which files a model is made of: found by name in folders, nothing read yet."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from zooselect.errors import LocalFileError, UsageError
from zooselect.mirror.roles import FOLDERS, MODEL, is_onnx, role_of
from zooselect.names import safe_name


class Gathered(NamedTuple):
    """The files found for a model.

    Attributes:
        sources: where each file is, by its v2 name.
        notes: what was left out, and why.
    """

    sources: dict[str, Path]
    notes: tuple[str, ...] = ()


def gather(paths: Iterable[Path]) -> Gathered:
    """Find the files of a model in files and folders a person named.

    A folder called `deployment`, `training` or `onnx` is that part of a model; any other
    is a model folder.

    Raises:
        UsageError: a file that no model has, or two files for one place.
        LocalFileError: a path that is missing or cannot be listed.
    """
    sources: dict[str, Path] = {}
    notes: list[str] = []
    for path in paths:
        if path.is_dir():
            part = path.resolve().name
            found = gather_folder(path, part + "/" if part in FOLDERS else "")
            notes += found.notes
        elif path.exists():
            role = role_of(path.name)
            if role is None:
                raise UsageError(
                    f"{path.name}: no model has a file of this name",
                    hint=f"name it {MODEL}"
                    if is_onnx(path.name)
                    else "put it in a folder `deployment` or `training` and name the folder",
                )
            found = Gathered({role.name: path})
        else:
            raise LocalFileError(
                f"cannot read {path}: no such file or folder", hint="check the path"
            )
        for name, source in found.sources.items():
            if name in sources:
                raise UsageError(
                    f"two files for {name}: {sources[name]} and {source}", hint="name one of them"
                )
            sources[name] = source
    return Gathered(sources, tuple(notes))


def gather_folder(folder: Path, prefix: str = "") -> Gathered:
    """Find the files of a model in a folder of the old layout; links are not followed.

    Raises:
        LocalFileError: the folder cannot be listed.
    """
    sources: dict[str, Path] = {}
    notes: list[str] = []
    for name, path in _files(folder, prefix, notes):
        role = role_of(name)
        try:
            if role is None:
                # What an archive was unpacked to is told once, by its folder.
                top, slash, _ = name.partition("/")
                notes.append(f"{top}{slash}: not a file of a model")
                continue
            if role.name in sources:
                notes.append(f"{name}: there is a {role.name} already")
                continue
            sources[safe_name(role.name)] = path
        except ValueError as error:
            notes.append(f"{name!a}: {error}")
    return Gathered(sources, tuple(dict.fromkeys(notes)))


def _files(folder: Path, prefix: str, notes: list[str]) -> list[tuple[str, Path]]:
    """All plain files below a folder with their names, in the order of names."""
    found = []
    try:
        with os.scandir(folder) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
        for entry in listed:
            name = prefix + entry.name
            if entry.is_symlink():
                notes.append(f"{name!a}: a link")
            elif entry.is_dir():
                found += _files(Path(entry.path), name + "/", notes)
            elif entry.is_file():
                found.append((name, Path(entry.path)))
            else:
                notes.append(f"{name!a}: not a plain file")
    except OSError as error:
        raise LocalFileError(
            f"cannot read {folder}: {error.strerror}", hint="check its path and rights"
        ) from error
    return found
