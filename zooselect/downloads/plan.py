"""What a download comes to, before anything is fetched: pure but for looking at the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from hashlib import md5, sha256
from pathlib import Path
from typing import NamedTuple

from zooselect.archive import BLOCK
from zooselect.downloads.listing import RemoteFile, Wanted
from zooselect.downloads.manifest import STATE, Kept, Manifest, Origin, claimed, read_manifest
from zooselect.downloads.private import reclaimable, sweep
from zooselect.errors import LocalFileError

#: Bytes left free on the disk when all is fetched.
_SPARE = 16 << 20


class Plan(NamedTuple):
    """What is to be done for a model.

    Attributes:
        fetch: what is to be fetched.
        copies: files that are the same as one to be fetched, or there already: from its name.
        keep: what is there already and whole, by name.
        origins: what that was fetched as, by name.
    """

    fetch: tuple[Wanted, ...]
    copies: Mapping[str, str]
    keep: Mapping[str, Kept]
    origins: Mapping[str, Origin]

    @property
    def size(self) -> int | None:
        """Bytes to fetch; None where some size is not known."""
        sizes = [one.file.size for one in self.fetch]
        return None if None in sizes else sum(size or 0 for size in sizes)


def plan(
    folder: Path, wanted: Sequence[Wanted], manifest: Manifest | None, *, afresh: bool = False
) -> Plan:
    """Work out what is missing.

    Args:
        folder: the model's.
        wanted: what of the model is wanted, with all that its manifest has.
        manifest: what is there; None for no whole model.
        afresh: fetch again what its keeper states no digest of: who knows whether it changed.

    Raises:
        LocalFileError: a file of the user's is in the way, or cannot be read.
    """
    fetch: list[Wanted] = []
    keep: dict[str, Kept] = {}
    origins: dict[str, Origin] = {}
    for one in wanted:
        doubtful = afresh and one.file.digest is None
        known = None if doubtful else _kept(folder, one, manifest)
        if known is None and one.unpack_to is None:
            known = _found(folder, one.file)
        if known is None:
            fetch.append(one)
        else:
            keep.update((file.name, file) for file in known)
            origins[one.file.name] = (
                manifest.origins[one.file.name]
                if manifest is not None and one.file.name in manifest.origins
                else Origin(known[0].size, known[0].sha256, known[0].md5)
            )
    copies = _copies(fetch)
    return Plan(tuple(one for one in fetch if one.file.name not in copies), copies, keep, origins)


def check_space(folder: Path, plan: Plan) -> None:
    """Refuse a download that the disk has no room for.

    What others left of it is gone on with, and needs no room again; what they left of other
    files goes, if that makes the room.

    Raises:
        LocalFileError: it has not.
    """
    lacking = _lacking(folder, plan)
    if lacking > 0:
        sweep(folder / STATE, keep=[one.file.name for one in plan.fetch])
        lacking = _lacking(folder, plan)
    if lacking > 0:
        raise LocalFileError(
            f"{folder} lacks {lacking:,} bytes of free space",
            hint="free some space, or name another folder with --dir",
        )


def _lacking(folder: Path, plan: Plan) -> int:
    """Bytes that are missing for a plan; not above 0 where there is room."""
    sizes = {one.file.name: one.file.size or 0 for one in plan.fetch}
    # An archive is there beside what is unpacked of it, which is at least as large.
    needed = sum(
        size * (2 if one.unpack_to is not None else 1)
        for one, size in zip(plan.fetch, sizes.values(), strict=True)
    )
    needed += sum(sizes.get(name, 0) for name in plan.copies.values())
    free = shutil.disk_usage(folder).free + reclaimable(folder / STATE)
    return needed + _SPARE - free if needed else 0


def hashed(path: Path) -> Origin:
    """Return the size and digests of a file.

    Raises:
        OSError: it cannot be read.
    """
    sha, weak, size = sha256(), md5(usedforsecurity=False), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            weak.update(block)
            size += len(block)
    return Origin(size, sha.hexdigest(), weak.hexdigest())


def matches(file: RemoteFile, origin: Origin) -> bool:
    """Whether what was fetched once is what is listed now, as far as the listing says."""
    if file.size is not None and file.size != origin.size:
        return False
    if file.sha256 is not None:
        return file.sha256 == origin.sha256
    return file.md5 is None or file.md5 == origin.md5


def _kept(folder: Path, one: Wanted, manifest: Manifest | None) -> list[Kept] | None:
    """The files of the manifest that an origin came to, where all of them stand."""
    if manifest is None:
        return None
    origin = manifest.origins.get(one.file.name)
    if origin is None or not matches(one.file, origin):
        return None
    files = [file for file in manifest.files.values() if file.origin == one.file.name]
    if not files:
        return None
    found = [as_it_stands(folder, file) for file in files]
    return None if None in found else [file for file in found if file is not None]


def as_it_stands(folder: Path, file: Kept) -> Kept | None:
    """Return a file of a manifest as it is now; None where it is not what it was.

    One that was touched, restored or put there anew by another process is read: its content
    tells.
    """
    if file.stands(folder):
        return file
    path = folder / file.name
    try:
        status = os.stat(path)
        if status.st_size != file.size or hashed(path).sha256 != file.sha256:
            return None
    except OSError:
        return None
    return file._replace(stamp=status.st_mtime_ns)


def _found(folder: Path, file: RemoteFile) -> list[Kept] | None:
    """A file that is there without a manifest, where its digest shows that it is the one."""
    path = folder / file.name
    try:
        status = os.stat(path)
    except OSError:
        return None
    if (file.sha256 or file.md5) and file.size in (None, status.st_size):
        try:
            origin = hashed(path)
        except OSError as error:
            raise LocalFileError(
                f"cannot read {path}: {error.strerror}", hint="check its rights, or remove it"
            ) from error
        if matches(file, origin):
            return [Kept(file.name, origin.size, origin.sha256, status.st_mtime_ns, file.name,
                         file.md5)]  # fmt: skip
    known = file.sha256 or file.md5 or file.size not in (None, status.st_size)
    if known:
        refuse_foreign(folder, file.name)
    return None  # what nobody states a digest of is compared when it is fetched


def refuse_foreign(folder: Path, name: str) -> None:
    """Refuse to put a file where one of the user's is.

    Raises:
        LocalFileError: there is one.
    """
    path = folder / name
    if os.path.lexists(path) and not _is_ours(folder, name):
        raise LocalFileError(
            f"{path} is there, and is another file", hint="move it away, or name another folder"
        )


def _is_ours(folder: Path, name: str) -> bool:
    # In this order: a name is in the manifest before it is no longer claimed.
    claims = claimed(folder)
    manifest = read_manifest(folder)
    if manifest is not None and name in manifest.files:
        return True
    digests = {*claims.put.get(name, ()), *claims.gone.get(name, ())}
    try:
        return bool(digests) and hashed(folder / name).sha256 in digests
    except OSError:
        return False


def _copies(fetch: list[Wanted]) -> dict[str, str]:
    """Files whose digest shows that they are the same as another one to be fetched."""
    first: dict[tuple[int | None, str], str] = {}
    copies = {}
    for one in fetch:
        digest = one.file.sha256 or one.file.md5
        if digest is None or one.unpack_to is not None:
            continue
        key = (one.file.size, digest)
        if key in first:
            copies[one.file.name] = first[key]
        first.setdefault(key, one.file.name)
    return copies
