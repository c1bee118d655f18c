"""A model from its keeper to a folder: planned, fetched, verified, and only then there."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from zooselect.catalog.answer import iso
from zooselect.downloads.fetch import Fetcher, Wait
from zooselect.downloads.keeper import Keeper
from zooselect.downloads.listing import ALL, DEFAULT_PARTS, PARTS, Listing, Wanted, wanted
from zooselect.downloads.lock import locked
from zooselect.downloads.manifest import (
    STATE,
    Manifest,
    claim,
    claimed,
    read_manifest,
    remove_manifest,
    unclaim,
    write_manifest,
)  # fmt: skip
from zooselect.downloads.part import sweep
from zooselect.downloads.plan import Plan, check_space, plan
from zooselect.downloads.progress import Progress
from zooselect.downloads.publish import local_errors, publish, staged_files, sync_folder
from zooselect.downloads.workers import fetch_all
from zooselect.errors import LocalFileError

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


def plan_for(folder: Path, listing: Listing, parts: Sequence[str]) -> Plan:
    """Return what downloading some parts of a model comes to; nothing is changed.

    Raises:
        NotFoundError, ServerError: as `wanted`.
        LocalFileError: a file of the user's is in the way.
    """
    return _plan(folder, listing, parts, read_manifest(folder))


def _plan(folder: Path, listing: Listing, parts: Sequence[str], manifest: Manifest | None) -> Plan:
    asked = wanted(listing, parts)
    there = [part for part in (manifest.parts if manifest else ()) if part not in parts]
    if there:
        # What is there already stays whole, in the same version as what is added.
        more = {one.file.name: one for part in there for one in _still(listing, part)}
        asked = tuple({**more, **{one.file.name: one for one in asked}}.values())
    return plan(folder, asked, manifest, claimed(folder))


def _still(listing: Listing, part: str) -> tuple[Wanted, ...]:
    """What the listing has of a part that is there already; nothing where it has none now."""
    names = {file.part for file in listing.files}
    return wanted(listing, (part,)) if part in names or part == ALL else ()


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
    """

    folder: Path
    listing: Listing
    keeper: Keeper
    parts: Sequence[str]
    jobs: int
    wait: Wait
    progress: Progress


def fetch_model(job: Job) -> Downloaded:
    """Bring some parts of a model into a folder; whole and verified, or not at all.

    Any number of processes may do so at a time.

    Raises:
        NotFoundError, NetworkError, ServerError, IntegrityError, LocalFileError: it cannot be
            had; what was there before is still whole, or is known not to be.
        CancelledError: stopped.
    """
    folder, state = job.folder, job.folder / STATE
    with local_errors(folder):
        state.mkdir(parents=True, exist_ok=True)
    fetched = 0
    with locked(state):
        for _ in range(_ROUNDS):
            manifest = read_manifest(folder)
            todo = _plan(folder, job.listing, job.parts, manifest)
            if todo.fetch or todo.copies or manifest is None or not _covers(manifest, job.parts):
                size, manifest = _bring(job, todo, manifest)
                fetched += size
            else:
                # Asked again, and the same: known to be up to date from now on.
                manifest = manifest._replace(
                    fetched_at=iso(time.time()),
                    location=job.listing.location,
                    files={**manifest.files, **todo.keep},
                )
                write_manifest(folder, manifest)
            if all(file.stands(folder) for file in manifest.files.values()):
                sweep(state, finished=True)
                return Downloaded(folder, manifest, fetched)
    raise LocalFileError(
        f"files in {folder} are replaced again and again by another process",
        hint="let one download of a model end before another one of a newer version",
    )


def _covers(manifest: Manifest, parts: Sequence[str]) -> bool:
    return set(resolved(parts)) <= set(manifest.parts)


def resolved(parts: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that some parts asked for come to, as a manifest has them."""
    return (*PARTS, ALL) if ALL in parts else tuple(parts) or DEFAULT_PARTS


def _bring(job: Job, todo: Plan, before: Manifest | None) -> tuple[int, Manifest]:
    """Fetch what is missing, put it in its place, and write down last what is there then."""
    folder = job.folder
    check_space(folder, todo)
    job.progress.plan(len(todo.fetch), todo.size)
    stop = threading.Event()
    fetcher = Fetcher(job.keeper, folder / STATE, job.wait, job.progress, stop)
    done = fetch_all(fetcher, todo.fetch, job.jobs, stop)
    files, origins = dict(todo.keep), dict(todo.origins)
    staged = staged_files(folder, todo, done)
    with local_errors(folder):
        claim(folder, staged)
        if before is not None and set(staged) & set(before.files):
            remove_manifest(folder)
        for name, (path, origin, source) in staged.items():
            files[name] = publish(folder, name, path, origin, source)
        for path in {(folder / name).parent for name in staged}:
            sync_folder(path)
    origins |= {name: one.origin for name, one in done.items()}
    origins |= {name: origins[same] for name, same in todo.copies.items()}
    manifest = Manifest(
        stub=job.listing.stub,
        names=job.listing.names,
        parts=tuple(sorted({*(before.parts if before else ()), *resolved(job.parts)})),
        source=job.listing.source,
        location=job.listing.location,
        fetched_at=iso(time.time()),
        files=files,
        origins=origins,
    )
    write_manifest(folder, manifest)
    unclaim(folder)
    return sum(one.origin.size for one in done.values()), manifest
