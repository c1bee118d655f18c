"""Where models are: in the cache, under their stubs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zooselect.downloads.manifest import STATE, Manifest, read_manifest
from zooselect.names import TEMPORARY
from zooselect.stub import Stub

MODELS = "models"

#: A v1 stub has seven parts; nothing of a model's is looked for deeper.
_DEEPEST = 7


class Model(NamedTuple):
    """A whole model on this disk.

    Attributes:
        folder: where it is.
        manifest: what it holds.
    """

    folder: Path
    manifest: Manifest


def folder_of(root: Path, stub: Stub) -> Path:
    """Return where a model is in a cache: below `models`, by the parts of its stub.

    A stub's parts are letters, digits, `_`, `.` and `-`; those that would mean another
    folder are not taken as they are.
    """
    pieces = [f"_{piece}" if _is_taken(piece) else piece for piece in stub.path.split("/")]
    return root / MODELS / Path(*pieces)


def _is_taken(piece: str) -> bool:
    # With underscores before it too: else what is renamed would meet another stub's folder.
    bare = piece.lstrip("_")
    return not bare.strip(".") or bare.lower().startswith(TEMPORARY)


def find_model(root: Path, stub: Stub) -> Model | None:
    """Return a whole model of a cache by any of its names."""
    folder = folder_of(root, stub)
    manifest = read_manifest(folder)
    name = stub.canonical
    # Where letter case does not count, it may be another model's folder.
    if manifest is not None and name in (manifest.stub, *manifest.names):
        return Model(folder, manifest)
    return next((model for model in models(root) if name in model.manifest.names), None)


def models(root: Path) -> Iterator[Model]:
    """Yield the whole models of a cache, in the order of their folders."""
    for folder in folders(root):
        manifest = read_manifest(folder)
        if manifest is not None:
            yield Model(folder, manifest)


def folders(root: Path) -> Iterator[Path]:
    """Yield the folders of a cache that hold something of a model, whole or not."""

    def below(folder: Path, depth: int) -> Iterator[Path]:
        try:
            names = sorted(
                entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)
            )
        except OSError:
            return
        if STATE in names:
            yield folder
        elif depth < _DEEPEST:
            for name in names:
                yield from below(folder / name, depth + 1)

    yield from below(root / MODELS, 0)
