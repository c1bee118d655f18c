"""What a model's folder holds: written last, so that a model without it does not exist.

Everything zooselect keeps in a model's folder beside the model's own files stands in one
folder, whose name no server can give a file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.errors import LocalFileError
from zooselect.files import write_whole
from zooselect.names import TEMPORARY, safe_name

STATE = f"{TEMPORARY}model"
_MANIFEST = "manifest.json"
_CLAIM = "claim.json"
_SCHEMA = 1


class Kept(NamedTuple):
    """A file of a model on this disk.

    Attributes:
        name: relative to the model's folder.
        size: bytes.
        sha256: hex digest of the content.
        stamp: modification time in nanoseconds; a file of another has been touched.
        origin: name of the file it was fetched as: its own, or an archive's.
        md5: hex digest, where its keeper stated one.
    """

    name: str
    size: int
    sha256: str
    stamp: int
    origin: str
    md5: str | None = None

    def stands(self, folder: Path) -> bool:
        """Whether it is there and looks untouched; no content is read."""
        try:
            status = os.stat(folder / self.name)
        except OSError:
            return False
        return status.st_size == self.size and status.st_mtime_ns == self.stamp


class Origin(NamedTuple):
    """A file as it was fetched, by which a later listing is compared.

    Attributes:
        size: bytes.
        sha256: hex digest.
        md5: hex digest, where its keeper stated one.
    """

    size: int
    sha256: str
    md5: str | None = None


class Manifest(NamedTuple):
    """A model that is whole, as far as its parts go.

    Attributes:
        stub: the model's name.
        names: every name it goes by.
        parts: what of it is there, e.g. `model`; whole.
        lacking: parts asked for with others that its keeper has nothing of.
        source: `api` or `mirror`.
        location: where it came from.
        fetched_at: when its listing was asked for (ISO 8601, UTC).
        files: by name.
        origins: what was fetched, by name.
    """

    stub: str
    names: tuple[str, ...]
    parts: tuple[str, ...]
    lacking: tuple[str, ...]
    source: str
    location: str
    fetched_at: str
    files: Mapping[str, Kept]
    origins: Mapping[str, Origin]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files.values())

    def stands(self, folder: Path) -> bool:
        """Whether all files are there and look untouched."""
        return all(file.stands(folder) for file in self.files.values())


def read_manifest(folder: Path) -> Manifest | None:
    """Return what a folder holds; None for no whole model, or a manifest of no use."""
    document = _read(folder / STATE / _MANIFEST)
    try:
        if document["schema"] != _SCHEMA:
            return None
        files = {
            safe_name(name): Kept(name, *_checked(one), int(one["mtime_ns"]), str(one["from"]),
                                  one.get("md5"))
            for name, one in document["files"].items()
        }  # fmt: skip
        return Manifest(
            stub=str(document["stub"]),
            names=tuple(map(str, document["names"])),
            parts=tuple(map(str, document["parts"])),
            lacking=tuple(map(str, document["lacking"])),
            source=str(document["source"]),
            location=str(document["location"]),
            fetched_at=str(document["fetched_at"]),
            files=files,
            origins={
                name: Origin(*_checked(one), one.get("md5"))
                for name, one in document["origins"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a folder holds, and so make it a model.

    Raises:
        LocalFileError: the file system refused.
    """
    document = {
        "schema": _SCHEMA,
        "stub": manifest.stub,
        "names": list(manifest.names),
        "parts": list(manifest.parts),
        "lacking": list(manifest.lacking),
        "source": manifest.source,
        "location": manifest.location,
        "fetched_at": manifest.fetched_at,
        "origins": {
            name: _without_none(one._asdict()) for name, one in sorted(manifest.origins.items())
        },
        "files": {
            name: _without_none(
                {
                    "size": one.size, "sha256": one.sha256, "md5": one.md5,
                    "mtime_ns": one.stamp, "from": one.origin,
                }
            )
            for name, one in sorted(manifest.files.items())
        },
    }  # fmt: skip
    write_whole(folder / STATE / _MANIFEST, (json.dumps(document, indent=1) + "\n").encode())


def remove_manifest(folder: Path) -> None:
    """Make a folder no model, before what it holds is replaced.

    Raises:
        LocalFileError: the file system refused.
    """
    try:
        (folder / STATE / _MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise LocalFileError(
            f"cannot replace what is in {folder}: {error.strerror}", hint="check its rights"
        ) from error


def claim(folder: Path, names: Iterable[str]) -> None:
    """Note the names of files that are about to be put into a folder.

    What is there under one of them, without a manifest, was left by a process that was
    killed, and is no file of the user's.

    Raises:
        LocalFileError: the file system refused.
    """
    all_names = sorted({*claimed(folder), *names})
    write_whole(folder / STATE / _CLAIM, json.dumps(all_names).encode())


def claimed(folder: Path) -> set[str]:
    """Return the names that were claimed in a folder."""
    names = _read(folder / STATE / _CLAIM)
    return {name for name in names if isinstance(name, str)} if isinstance(names, list) else set()


def ours(folder: Path) -> set[str]:
    """Return the names of files that were put into a folder, or are about to be.

    In this order: a name is in the manifest before it is no longer claimed.
    """
    names = claimed(folder)
    manifest = read_manifest(folder)
    return names if manifest is None else names | set(manifest.files)


def unclaim(folder: Path) -> None:
    """Forget the claim; the manifest says what is there."""
    with contextlib.suppress(OSError):
        (folder / STATE / _CLAIM).unlink()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None


def _checked(one: Mapping[str, Any]) -> tuple[int, str]:
    size, digest = one["size"], one["sha256"]
    if type(size) is not int or not isinstance(digest, str) or len(digest) != 64:
        raise ValueError("no size or digest")
    return size, digest


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
