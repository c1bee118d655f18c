"""A model from its keeper to a folder: planned, fetched, verified, and only then there."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from zooselect.catalog.answer import iso
from zooselect.downloads.fetch import Fetcher, Wait
from zooselect.downloads.keeper import Keeper
from zooselect.downloads.listing import ALL, DEFAULT_PARTS, PARTS, Listing, wanted
from zooselect.downloads.lock import briefly_locked, locked, wait_for_others
from zooselect.downloads.manifest import (
    STATE,
    Kept,
    Manifest,
    claim,
    claimed,
    read_manifest,
    remove_manifest,
    unclaim,
    write_manifest,
)  # fmt: skip
from zooselect.downloads.plan import Plan, as_it_stands, check_space, hashed, plan
from zooselect.downloads.private import release, sweep
from zooselect.downloads.progress import Progress
from zooselect.downloads.publish import Staged, publish, remove_gone, staged_files, sync_folder
from zooselect.downloads.workers import fetch_all
from zooselect.errors import LocalFileError
from zooselect.files import local_errors

#: How often a model is gone over again when another process has replaced files under it.
_ROUNDS = 20


class Downloaded(NamedTuple):
    """A whole model on this disk.

    Attributes:
        folder: where it is.
        manifest: what it holds.
        fetched: bytes that were fetched for it now.
    """

    folder: Path
    manifest: Manifest
    fetched: int


def plan_for(
    folder: Path,
    listing: Listing,
    parts: Sequence[str],
    manifest: Manifest | None,
    *,
    afresh: bool,
) -> Plan:
    """Return what downloading some parts of a model comes to; nothing is changed.

    Args:
        folder: the model's.
        listing: what there is.
        parts: as `wanted` takes them.
        manifest: what is there; None for no whole model.
        afresh: as `plan` takes it.

    Raises:
        NotFoundError, ServerError: as `wanted`.
        LocalFileError: a file of the user's is in the way.
    """
    asked = wanted(listing, parts)
    if manifest is not None:
        # What is there already stays whole, in the same version as what is added.
        known = {*resolved(parts), *manifest.parts, *manifest.lacking}
        asked = wanted(listing, sorted(known & _listed(listing)))
    return plan(folder, asked, manifest, afresh=afresh)


def _listed(listing: Listing) -> set[str]:
    """The parts a keeper has something of."""
    return {ALL, *(file.part for file in listing.files if file.part is not None)}


class Job(NamedTuple):
    """A download of one model.

    Attributes:
        folder: the model's.
        listing: what there is.
        keeper: who has it.
        parts: of `PARTS`, or `ALL`; none for what one needs to run the model.
        jobs: files to fetch at a time.
        wait: as `Fetcher` takes it.
        progress: told how far it is.
        timeout: as `Fetcher` takes it.
        afresh: as `plan` takes it.
    """

    folder: Path
    listing: Listing
    keeper: Keeper
    parts: Sequence[str]
    jobs: int
    wait: Wait
    progress: Progress
    timeout: float = 10.0
    afresh: bool = False


def fetch_model(job: Job) -> Downloaded:
    """Bring some parts of a model into a folder; whole and verified, or not at all.

    Any number of processes may do so at a time.

    Raises:
        NotFoundError, NetworkError, ServerError, IntegrityError, LocalFileError: it cannot be
            had; what was there before is still whole, or is known not to be.
        CancelledError: stopped.
    """
    wanted(job.listing, job.parts)  # what is not to be had leaves no folder behind
    folder, state = job.folder, job.folder / STATE
    with local_errors(folder):
        state.mkdir(parents=True, exist_ok=True)
    fetched = 0
    with locked(state):
        for _ in range(_ROUNDS):
            manifest = read_manifest(folder)
            todo = plan_for(
                folder, job.listing, job.parts, manifest, afresh=job.afresh and not fetched
            )
            size, manifest = _bring(job, todo, manifest)
            fetched += size
            if manifest.stands(folder):
                tidy(folder, manifest)
                return Downloaded(folder, manifest, fetched)
    raise LocalFileError(
        f"files in {folder} are replaced again and again by another process",
        hint="let one download of a model end before another one of a newer version",
    )


def tidy(folder: Path, manifest: Manifest) -> None:
    """Take away what a download leaves beside a whole model when it is killed."""
    sweep(folder / STATE)
    wait_for_others(folder / STATE)
    claims = claimed(folder)
    for name, digests in claims.gone.items():
        with suppress(OSError):
            if name not in manifest.files and hashed(folder / name).sha256 in digests:
                remove_gone(folder, name)
    if {*claims.put} <= {*manifest.files}:
        unclaim(folder)


def as_found(folder: Path, manifest: Manifest) -> Manifest | None:
    """Return a manifest with its files as they are now; None where one is not what it was.

    A model that was copied has other times: its content tells, once.
    """
    files = {name: as_it_stands(folder, file) for name, file in manifest.files.items()}
    whole = {name: file for name, file in files.items() if file is not None}
    if len(whole) < len(files):
        return None
    found = manifest._replace(files=whole)
    if whole != manifest.files:
        with suppress(LocalFileError):
            write_manifest(folder, found)
    return found


def is_there(folder: Path, manifest: Manifest, parts: Sequence[str]) -> bool:
    """Whether some parts of a model are there and look untouched.

    Args:
        folder: the model's.
        manifest: what it holds.
        parts: as `wanted` takes them.
    """
    known = {*manifest.parts}
    if not parts or ALL in parts:
        known |= {*manifest.lacking}  # only who asks for a part itself is told there is none
    return known >= {*resolved(parts)} and manifest.stands(folder)


def resolved(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that some parts asked for come to."""
    return (*PARTS, ALL) if ALL in parts else tuple(parts) or DEFAULT_PARTS


def _bring(job: Job, todo: Plan, before: Manifest | None) -> tuple[int, Manifest]:
    """Fetch what is missing, put it in its place, and write down last what is there then."""
    folder = job.folder
    with local_errors(folder):
        check_space(folder, todo)
    job.progress.plan(len(todo.fetch), todo.size)
    stop = threading.Event()
    fetcher = Fetcher(job.keeper, folder / STATE, job.wait, job.timeout, job.progress, stop)
    done = fetch_all(fetcher, todo.fetch, job.jobs, stop, job.progress.tick)
    private = [one.path for one in done.values()]
    try:
        staged = staged_files(folder, todo, done, job.keeper.location)
        private += [path for path, _, _ in staged.values()]
        files = {**todo.keep, **_put(folder, staged, before, set(todo.keep))}
    finally:
        for path in private:
            release(path)
    origins = {**todo.origins, **{name: one.origin for name, one in done.items()}}
    origins |= {name: origins[same] for name, same in todo.copies.items()}
    known = {*resolved(job.parts)}
    if before is not None:
        known |= {*before.parts, *before.lacking}
    manifest = Manifest(
        stub=job.listing.stub,
        names=job.listing.names,
        parts=tuple(sorted(known & _listed(job.listing))),
        lacking=tuple(sorted(known - _listed(job.listing))),
        source=job.listing.source,
        location=job.listing.location,
        # Known to be up to date from now on, whether anything was fetched or not.
        fetched_at=iso(time.time()),
        files=files,
        origins=origins,
    )
    try:
        manifest = _written_down(folder, manifest, before)
    except LocalFileError:
        if before is None or before.files != files:
            raise
        # All is there in a folder that is only read: nothing is lost but how fresh it is.
    return sum(one.origin.size for one in done.values()), manifest


def _written_down(folder: Path, manifest: Manifest, before: Manifest | None) -> Manifest:
    """Write down what is there, and what another process has put there meanwhile."""
    with briefly_locked(folder / STATE):
        other = read_manifest(folder)
        known = other in (None, before)
        if other is not None and not known and not {*other.names}.isdisjoint(manifest.names):
            manifest = manifest.joined(other, folder)
        write_manifest(folder, manifest)
    return manifest


def _put(folder: Path, staged: Staged, before: Manifest | None, keep: set[str]) -> dict[str, Kept]:
    """Put verified files in their places, and take away what is listed no more."""
    there: Mapping[str, Kept] = before.files if before is not None else {}
    gone = {
        name: file.sha256
        for name, file in there.items()
        if name not in staged and name not in keep and file.stands(folder)
    }
    with local_errors(folder):
        if staged or gone:
            claim(folder, {name: one.sha256 for name, (_, one, _) in staged.items()}, gone, there)
        if there.keys() & (staged.keys() | gone.keys()):
            remove_manifest(folder)
        for name in gone:
            remove_gone(folder, name)
        files = {
            name: publish(folder, name, path, origin, source)
            for name, (path, origin, source) in staged.items()
        }
        for path in {(folder / name).parent for name in staged}:
            sync_folder(path)
    return files
