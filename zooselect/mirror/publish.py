"""Changing a mirror: a model comes in whole, or nothing changes.

Order of an addition: files to a private folder, checked there; the folder renamed to its
place; the record replaced (from here on the model exists); the catalog compiled; the content
that nothing names any more removed. A writer that dies leaves private folders, or content
without a record; both are removed once they are an hour old.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.catalog.file import CATALOG
from zooselect.errors import IntegrityError, LocalFileError, NotFoundError, UsageError
from zooselect.files import local_errors, write_whole
from zooselect.mirror.compile import (
    RECORD,
    catalog_bytes,
    compile_catalog,
    parse_place,
    places,
    read_place,
    record_bytes,
)  # fmt: skip
from zooselect.mirror.describe import Names, describe, model_path, with_files
from zooselect.mirror.roles import MODEL
from zooselect.mirror.stage import Stage, private_folder
from zooselect.mirror.store import MODELS, Mirror, MirrorFile, MirrorModel, parse_model
from zooselect.names import TEMPORARY
from zooselect.stub import Stub

_LEFT_OVER = 3600  # seconds after which nobody is still writing a temporary
_TRIES = 20


class Added(NamedTuple):
    """What an addition came to.

    Attributes:
        model: as it stands in the mirror now.
        replaced: whether it took the place of another version of itself.
        notes: what was made up for, and what stands unusable beside it.
    """

    model: MirrorModel
    replaced: bool
    notes: tuple[str, ...]


def init(path: Path) -> Mirror:
    """Make an empty mirror; one that is there already stays as it is.

    Raises:
        UsageError: a folder that holds something else.
        LocalFileError: the file system refused.
    """
    with local_errors(path):
        path.mkdir(parents=True, exist_ok=True)
        if not (path / CATALOG).exists():
            if any(not name.startswith(TEMPORARY) for name in os.listdir(path)):
                raise UsageError(f"{path} is not empty", hint="name a new or an empty folder")
            (path / MODELS).mkdir(exist_ok=True)
            write_whole(path / CATALOG, catalog_bytes([]))
    return Mirror.open(path)


def add(
    mirror: Mirror,
    names: Names,
    sources: Mapping[str, Path],
    given: Mapping[str, Any],
    *,
    replace: bool = False,
) -> Added:
    """Put a model into a mirror and compile its catalog.

    Raises:
        UsageError: the mirror has the model, and is not to replace it; or has one of its
            names for another; or the `onnx` package is missing.
        IntegrityError: a file is broken; nothing was changed.
        LocalFileError: the file system refused; the mirror is as it was, or has the model.
    """
    sweep(mirror.root)
    before = _existing(mirror, names)
    if before is not None and not replace:
        raise UsageError(f"{names.main.canonical} is in the mirror", hint="--replace replaces it")
    model, notes = publish(mirror.root, names, sources, given)
    unusable = compile_catalog(mirror.root)
    if before is not None and before.folder != model.folder:
        retire(mirror.root, before.folder)
    notes += tuple(f"{path}: {reason}" for path, reason in unusable)
    return Added(model, before is not None, notes)


def publish(
    root: Path, names: Names, sources: Mapping[str, Path], given: Mapping[str, Any]
) -> tuple[MirrorModel, tuple[str, ...]]:
    """Put a model's files and record in place; the catalog does not name them yet.

    Raises:
        UsageError, IntegrityError, LocalFileError: as `add`.
    """
    home, described = model_path(names.main), describe(names, given)
    for _ in range(_TRIES):
        with local_errors(root), private_folder(root) as private:
            stage = Stage(private)
            stage.take(sources)
            files = _whole(stage)
            folder = f"{home}/{content_digest(files)}"
            record = with_files(described, folder, files)
            model = parse_model(record)
            _put(root, folder, files, private)
            try:
                write_whole(root / home / RECORD, record_bytes(record))
            except LocalFileError:
                if not _is_there(root / folder, files):
                    continue  # another removed the model, folder and all
                retire(root, folder)
                raise
            # Whoever removes content renames it away, then looks whether a record names
            # it; a record is written, then its content looked for. One of the two notices.
            if _is_there(root / folder, files):
                return model, tuple(stage.notes)
    raise LocalFileError(f"{home} is being changed by others", hint="try again")


def remove(mirror: Mirror, stub: str) -> MirrorModel:
    """Take a model out of a mirror, by either of its names; return what it was.

    Raises:
        StubError: the text is no stub.
        NotFoundError: the mirror has no such model.
        LocalFileError: the file system refused.
    """
    name = Stub.parse(stub).canonical
    model = next((one for one in mirror.models() if name in one.names), None)
    if model is None:
        raise NotFoundError(f"{name} is not in the mirror", hint="`mirror ls` lists what is")
    home = model_path(Stub.parse(model.record.stub))
    with local_errors(mirror.root):
        (mirror.root / home / RECORD).unlink(missing_ok=True)
    compile_catalog(mirror.root)
    retire(mirror.root, model.folder)
    _remove_empty(mirror.root, home)
    return model


def retire(root: Path, folder: str) -> None:
    """Remove a content folder that no record names; one that is named again comes back."""
    home = folder.rpartition("/")[0]
    with contextlib.suppress(OSError), private_folder(root) as private:
        os.rename(root / folder, private / "old")
        parsed = parse_place(read_place(root, home))
        if isinstance(parsed, str) or (parsed is not None and parsed[1].folder == folder):
            os.rename(private / "old", root / folder)


def sweep(root: Path) -> None:
    """Remove what writers that died left behind, an hour after they did."""
    with contextlib.suppress(OSError):
        _sweep_temporaries(root)
        for place in places(root):
            _sweep_temporaries(root / place.path)
            parsed = parse_place(place)
            if isinstance(parsed, str):
                continue  # damaged: a person must look at it
            named = parsed[1].folder if parsed is not None else None
            for content in place.contents:
                folder = f"{place.path}/{content}"
                if folder != named and _is_left_over(root / folder):
                    retire(root, folder)


def content_digest(files: tuple[MirrorFile, ...]) -> str:
    """Return the name of the folder that holds these files: 12 hex digits."""
    lines = "".join(f"{file.name}\0{file.sha256}\n" for file in sorted(files, key=_name))
    return hashlib.sha256(lines.encode()).hexdigest()[:12]


def is_intact(path: Path, file: MirrorFile) -> bool:
    """Whether a file's content is still what it was.

    Raises:
        OSError: it cannot be read.
    """
    if path.stat().st_size != file.size:
        return False
    with path.open("rb") as content:
        digest = hashlib.sha256()
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest() == file.sha256


def _existing(mirror: Mirror, names: Names) -> MirrorModel | None:
    """The model's present version.

    Raises:
        UsageError: one of its names is another model's, or its folder would be.
    """
    home = model_path(names.main)
    with local_errors(mirror.root):
        parsed = parse_place(read_place(mirror.root, home))
    # What the record says counts; the catalog only where the record is damaged.
    found = parsed[1] if isinstance(parsed, tuple) else None
    for model in mirror.models():
        other = model.record.stub
        taken = [name for name in names.all if name in model.names]
        if other == names.main.canonical:
            found = model if isinstance(parsed, str) else found
        elif taken:
            raise UsageError(
                f"{taken[0]} is in the mirror as {other}",
                hint=f"`mirror rm` {other} first, or give another --alias",
            )
        elif model_path(Stub.parse(other)).casefold() == home.casefold():
            raise UsageError(
                f"{names.main.canonical} differs from {other} only in case",
                hint="many file systems cannot hold both",
            )
    return found


def _whole(stage: Stage) -> tuple[MirrorFile, ...]:
    if stage.broken:
        name, reason = sorted(stage.broken.items())[0]
        more = f" (and {len(stage.broken) - 1} more)" if len(stage.broken) > 1 else ""
        raise IntegrityError(
            f"{name}: {reason}{more}", hint="nothing was changed; remove or replace the file"
        )
    if MODEL not in stage.files:
        raise IntegrityError(
            f"no {MODEL}, and no archive or deployment that holds one",
            hint="every model of a zoo has one",
        )
    return tuple(sorted(stage.files.values(), key=_name))


def _put(root: Path, folder: str, files: tuple[MirrorFile, ...], private: Path) -> None:
    """Rename the private copies to their place, unless the same content stands there."""
    target, staged = root / folder, private / "files"
    for path in (staged, *(entry for entry in staged.rglob("*") if entry.is_dir())):
        _sync_folder(path)
    os.utime(staged)
    for attempt in range(_TRIES):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.rename(staged, target)
        except OSError as error:
            if _is_intact_folder(target, files):
                return
            if target.is_dir():
                with contextlib.suppress(FileNotFoundError):  # another was quicker
                    os.rename(target, private / f"damaged-{attempt}")
            elif error.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise  # else another has just removed the folder, or the one above it
        else:
            _sync_folder(target.parent)
            return
    raise LocalFileError(f"{folder} is being changed by others", hint="try again")


def _is_intact_folder(folder: Path, files: tuple[MirrorFile, ...]) -> bool:
    try:
        return all(is_intact(folder / file.name, file) for file in files)
    except OSError:
        return False


def _is_there(folder: Path, files: tuple[MirrorFile, ...]) -> bool:
    try:
        return all((folder / file.name).stat().st_size == file.size for file in files)
    except OSError:
        return False


def _sync_folder(path: Path) -> None:
    # Windows cannot open a folder; there the rename is as durable as it gets.
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _remove_empty(root: Path, home: str) -> None:
    path = root / home
    with contextlib.suppress(OSError):  # not empty, or another is just adding there
        while path != root / MODELS:
            path.rmdir()
            path = path.parent


def _sweep_temporaries(folder: Path) -> None:
    for entry in list(os.scandir(folder)):
        path = Path(entry.path)
        if not entry.name.startswith(TEMPORARY) or not _is_left_over(path):
            continue
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _is_left_over(path: Path) -> bool:
    """Whether nothing in it was touched for an hour: the writer touches it as it works."""
    try:
        touched = [one.lstat().st_mtime for one in (path, path / "files") if one.exists()]
    except OSError:
        return False
    return bool(touched) and time.time() - max(touched) > _LEFT_OVER


def _name(file: MirrorFile) -> str:
    return file.name
