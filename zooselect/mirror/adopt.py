"""Takes over what the old clients left in their cache: whole models, and no broken file.

They kept models as `<cache>/<namespace>/<name>/` and, before version 1.6, as
`<cache>/<model id>/`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from zooselect.errors import (
    IntegrityError,
    LocalFileError,
    NotFoundError,
    StubError,
    UsageError,
)  # fmt: skip
from zooselect.files import local_errors
from zooselect.mirror.compile import compile_catalog, read_place
from zooselect.mirror.describe import Names, model_path, parse_names, stub_of_id
from zooselect.mirror.gather import gather_folder
from zooselect.mirror.publish import publish, sweep
from zooselect.mirror.roles import FOLDERS, role_of
from zooselect.mirror.store import Mirror, MirrorModel
from zooselect.names import TEMPORARY
from zooselect.stub import PREFIX, Stub

# An id would also pass for a v2 stub of five parts.
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Adopted(NamedTuple):
    """A model that was taken over.

    Attributes:
        folder: where it was found.
        model: as it stands in the mirror.
        notes: what was left out or made up for.
    """

    folder: Path
    model: MirrorModel
    notes: tuple[str, ...]


class Skipped(NamedTuple):
    """A folder that was not taken over.

    Attributes:
        folder: where it is.
        stub: the model it holds, where that is known.
        reason: why not.
        present: whether the mirror has the model already.
    """

    folder: Path
    stub: str | None
    reason: str
    present: bool = False


class Adoption(NamedTuple):
    """What became of each folder of a cache."""

    adopted: tuple[Adopted, ...]
    skipped: tuple[Skipped, ...]


def adopt(mirror: Mirror, cache: Path) -> Adoption:
    """Copy every whole model of an old client's cache into a mirror; the cache stays as it is.

    Raises:
        NotFoundError: no folder of a model in the cache.
        UsageError: the `onnx` package is missing.
        LocalFileError: the cache cannot be read or the mirror not written; what was
            adopted before stays.
    """
    sweep(mirror.root)
    taken = {name: model.record.stub for model in mirror.models() for name in model.names}
    outcomes: list[Adopted | Skipped] = []
    try:
        for folder in _model_folders(cache):
            outcome = _adopt_folder(mirror, folder, taken)
            outcomes.append(outcome)
            if isinstance(outcome, Adopted):
                stub = outcome.model.record.stub
                taken |= dict.fromkeys(outcome.model.names, stub)
    finally:
        compile_catalog(mirror.root)
    if not outcomes:
        raise NotFoundError(
            f"no folder of a model in {cache}",
            hint="the old clients' cache is ~/.cache/sparsezoo, or $SPARSEZOO_MODELS_PATH",
        )
    return Adoption(
        tuple(one for one in outcomes if isinstance(one, Adopted)),
        tuple(one for one in outcomes if isinstance(one, Skipped)),
    )


def _adopt_folder(mirror: Mirror, folder: Path, taken: dict[str, str]) -> Adopted | Skipped:
    names = _names(folder.name)
    if names is None:
        return Skipped(
            folder, None, "its name is no v2 stub and no model id on record: `mirror add` it"
        )
    stub = names.main.canonical
    present = next((taken[name] for name in names.all if name in taken), None)
    if present is not None:
        return Skipped(folder, stub, f"in the mirror already as {present}", present=True)
    with local_errors(mirror.root):
        if read_place(mirror.root, model_path(names.main)).record is not None:
            return Skipped(folder, stub, "in the mirror already", present=True)
    try:
        gathered = gather_folder(folder)
    except LocalFileError as error:
        return Skipped(folder, stub, error.message)
    try:
        model, notes = publish(mirror.root, names, gathered.sources, {})
    except IntegrityError as error:
        return Skipped(folder, stub, error.message)
    return Adopted(folder, model, (*gathered.notes, *notes))


def _names(name: str) -> Names | None:
    """The names of the model in a folder of this name; None where they cannot be told."""
    stub = stub_of_id(name.lower()) if _ID.fullmatch(name) else PREFIX + name
    try:
        if stub is None or (not _ID.fullmatch(name) and Stub.parse(stub).version != 2):
            return None
        return parse_names(stub)
    except (StubError, UsageError):
        return None


def _model_folders(cache: Path) -> Iterator[Path]:
    """Yield the folders that hold files of a model: the cache's own, and those in namespaces."""
    if _holds_model(cache):
        yield cache.resolve()
        return
    for folder in _folders(cache):
        if _holds_model(folder):
            yield folder
        else:
            yield from (one for one in _folders(folder) if _holds_model(one))


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [
                Path(entry.path)
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(TEMPORARY)
            ]
    except OSError as error:
        raise LocalFileError(
            f"cannot read {folder}: {error.strerror}", hint="check its path and rights"
        ) from error
    return sorted(found)


def _holds_model(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return any(
                entry.name in FOLDERS if entry.is_dir() else role_of(entry.name) is not None
                for entry in entries
            )
    except OSError as error:
        raise LocalFileError(
            f"cannot read {folder}: {error.strerror}", hint="check its path and rights"
        ) from error
