"""Is a mirror still what was put into it? Every file is read and hashed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from zooselect.catalog.file import CATALOG
from zooselect.errors import IntegrityError, LocalFileError
from zooselect.files import local_errors
from zooselect.mirror.compile import (
    RECORD,
    Place,
    compile_catalog,
    parse_place,
    places,
    read_place,
)  # fmt: skip
from zooselect.mirror.publish import is_intact, sweep
from zooselect.mirror.store import MODELS, Mirror, MirrorModel
from zooselect.names import TEMPORARY

MISSING, CHANGED = "missing", "changed"


class Problem(NamedTuple):
    """A file of a mirror that is not what the mirror says.

    Attributes:
        path: POSIX path relative to the mirror.
        kind: `missing` or `changed`.
        reason: in words.
        stub: the model's; None where the record itself is damaged.
    """

    path: str
    kind: str
    reason: str
    stub: str | None = None


class Verified(NamedTuple):
    """What a mirror was found to be.

    Attributes:
        models, files, size: how much was read, in models, files and bytes.
        damage: files that are missing or changed.
        stray: paths that belong to no model; no harm, but nobody asks for them.
        compiled: whether the catalog lagged behind the records and was compiled anew.
    """

    models: int
    files: int
    size: int
    damage: tuple[Problem, ...]
    stray: tuple[str, ...]
    compiled: bool


def verify(path: Path) -> Verified:
    """Read all of a mirror; remove old left-overs and compile a catalog that lags behind.

    Raises:
        LocalFileError: no mirror there, or one that cannot be read.
    """
    if not (path / MODELS).is_dir() and not (path / CATALOG).is_file():
        raise LocalFileError(f"no mirror in {path}", hint="`zooselect mirror init DIR` makes one")
    sweep(path)
    mirror = Mirror(path)
    models: list[MirrorModel] = []
    damage: list[Problem] = []
    stray: list[str] = []
    for place in places(path):
        model, problems = _verify_place(mirror, place)
        damage += problems
        if model is not None:
            models.append(model)
        if not any(problem.stub is None for problem in problems):
            stray += _strays(path, read_place(path, place.path))
    compiled, problem = _verify_catalog(path)
    return Verified(
        len(models),
        sum(len(model.files) for model in models),
        sum(model.size for model in models),
        (*damage, *([problem] if problem else [])),
        tuple(stray),
        compiled,
    )


def _verify_place(mirror: Mirror, place: Place) -> tuple[MirrorModel | None, list[Problem]]:
    while True:
        parsed = parse_place(place)
        if isinstance(parsed, str):
            return None, [Problem(f"{place.path}/{RECORD}", CHANGED, parsed)]
        model = parsed[1] if parsed is not None else None
        problems = _verify_files(mirror, model) if model is not None else []
        with local_errors(mirror.root):
            now = read_place(mirror.root, place.path)
        # The model may have been replaced or removed while it was read.
        if not problems or now.record == place.record:
            return model, problems
        place = now


def _verify_files(mirror: Mirror, model: MirrorModel) -> list[Problem]:
    problems = []
    for file in model.files:
        path, stub = f"{model.folder}/{file.name}", model.record.stub
        try:
            if not is_intact(mirror.file_path(model, file.name), file):
                problems.append(Problem(path, CHANGED, "its content has changed", stub))
        except (FileNotFoundError, NotADirectoryError):
            problems.append(Problem(path, MISSING, "no such file", stub))
        except OSError as error:
            problems.append(Problem(path, MISSING, f"unreadable: {error.strerror}", stub))
        except IntegrityError as error:
            problems.append(Problem(path, CHANGED, error.message, stub))
    return problems


def _strays(root: Path, place: Place) -> list[str]:
    """Paths in a model's folder that its record does not name."""
    parsed = parse_place(place)
    model = parsed[1] if isinstance(parsed, tuple) else None
    known = {f"{place.path}/{RECORD}"}
    if model is not None:
        known |= {f"{model.folder}/{file.name}" for file in model.files}
    found = []
    for folder, folders, names in os.walk(root / place.path):
        here = Path(folder).relative_to(root).as_posix()
        for name in list(folders):
            path = f"{here}/{name}"
            if name.startswith(TEMPORARY):
                folders.remove(name)
            elif not any(one.startswith(path + "/") for one in known):
                folders.remove(name)
                found.append(path + "/")
        paths = (f"{here}/{name}" for name in names if not name.startswith(TEMPORARY))
        found += [path for path in paths if path not in known]
    return sorted(found)


def _verify_catalog(root: Path) -> tuple[bool, Problem | None]:
    before = _content(root / CATALOG)
    try:
        compile_catalog(root)
    except LocalFileError as error:
        reason = f"it lags behind the records: {error.message}"
        return False, Problem(CATALOG, MISSING if before is None else CHANGED, reason)
    return _content(root / CATALOG) != before, None


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
