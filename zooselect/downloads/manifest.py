"""What a model's folder holds: written last, so that a model without it does not exist.

Everything zooselect keeps in a model's folder beside the model's own files stands in one
folder, whose name no server can give a file.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from zooselect.downloads.private import discard, private_path
from zooselect.files import file_error
from zooselect.names import TEMPORARY, safe_name

STATE = f"{TEMPORARY}model"
#: What says what a folder holds.
MANIFEST = "manifest.json"
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

    def joined(self, other: Manifest, folder: Path) -> Manifest:
        """Return this one with what another one has beside it, and is still there."""
        more = {
            name: file
            for name, file in other.files.items()
            if name not in self.files and file.stands(folder)
        }
        sources = {file.origin for file in more.values()}
        origins = {name: one for name, one in other.origins.items() if name in sources}
        parts = {*self.parts, *other.parts}
        return self._replace(
            files={**self.files, **more},
            origins={**origins, **self.origins},
            parts=tuple(sorted(parts)),
            lacking=tuple(sorted({*self.lacking, *other.lacking} - parts)),
        )


class Claim(NamedTuple):
    """What is being done to a folder's files, for whoever comes after a kill.

    Attributes:
        put: SHA-256 of all content that was about to be put under a name.
        gone: SHA-256 of what was about to be removed from it.
    """

    put: Mapping[str, frozenset[str]] = {}
    gone: Mapping[str, frozenset[str]] = {}


def read_manifest(folder: Path) -> Manifest | None:
    """Return what a folder holds; None for no whole model, or a manifest of no use."""
    document = _read(folder / STATE / MANIFEST)
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
    _write(folder, MANIFEST, document)


def remove_manifest(folder: Path) -> None:
    """Make a folder no model, before what it holds is replaced.

    Raises:
        LocalFileError: the file system refused.
    """
    try:
        (folder / STATE / MANIFEST).unlink(missing_ok=True)
    except OSError as error:
        raise file_error(f"cannot change what is in {folder}", error) from error


def claim(
    folder: Path, put: Mapping[str, str], gone: Mapping[str, str], there: Mapping[str, Kept]
) -> None:
    """Note what is about to be put into a folder, and removed from it, by name and SHA-256.

    What is there of it, without a manifest, was left by a process that was killed, and is no
    file of the user's.

    Args:
        folder: the model's.
        put: what is put there.
        gone: what is removed.
        there: what its manifest has, which is to go.

    Raises:
        LocalFileError: the file system refused.
    """
    known = claimed(folder)
    old = {name: file.sha256 for name, file in there.items() if name not in gone}
    document = {"put": _joined(known.put, old, put), "gone": _joined(known.gone, gone)}
    _write(folder, _CLAIM, document)


def _joined(known: Mapping[str, frozenset[str]], *new: Mapping[str, str]) -> dict[str, list[str]]:
    names = {*known, *(name for one in new for name in one)}
    return {
        name: sorted({*known.get(name, ()), *(one[name] for one in new if name in one)})
        for name in sorted(names)
    }


def claimed(folder: Path) -> Claim:
    """Return what was claimed in a folder."""
    document = _read(folder / STATE / _CLAIM)
    try:
        return Claim(
            *(
                {safe_name(name): frozenset(map(str, digests)) for name, digests in one.items()}
                for one in (document["put"], document["gone"])
            )
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return Claim()


def unclaim(folder: Path) -> None:
    """Forget the claim; the manifest says what is there."""
    with contextlib.suppress(OSError):
        (folder / STATE / _CLAIM).unlink()


def _write(folder: Path, name: str, document: Any) -> None:
    """Write a file in one step, under a name that tells whose it is should that be killed."""
    path = private_path(folder / STATE, name, "tmp")
    try:
        with path.open("xb") as file:
            file.write((json.dumps(document, indent=1) + "\n").encode())
            file.flush()
            os.fsync(file.fileno())
        os.replace(path, folder / STATE / name)
    except OSError as error:
        raise file_error(f"cannot write in {folder}", error) from error
    finally:
        discard(path)


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
