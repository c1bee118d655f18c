"""Which model, from whom, into which folder: what the command and the Python API share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn, Protocol

from zooselect.cache.folder import cache_folder
from zooselect.catalog.answer import seconds
from zooselect.catalog.asked import FilesAt, Source
from zooselect.downloads.download import (
    Downloaded,
    Job,
    as_found,
    fetch_model,
    is_there,
    plan_for,
    tidy,
)
from zooselect.downloads.folder import Model, find_model, folder_of
from zooselect.downloads.keepers import listed
from zooselect.downloads.listing import ALL, PARTS, Listing
from zooselect.downloads.manifest import Manifest, read_manifest
from zooselect.downloads.plan import Plan
from zooselect.downloads.progress import Progress, Silence
from zooselect.downloads.shelf import touch
from zooselect.errors import NetworkError, NotFoundError, UsageError
from zooselect.settings import Settings
from zooselect.source import CatalogLike, open_catalog
from zooselect.stub import Stub

if TYPE_CHECKING:
    from zooselect.downloads.keeper import Keeper
    from zooselect.selection.selection import Selection

JOBS = 4


class Pinned(Protocol):
    """What a lock file says of a model; nothing else is taken for it."""

    def holds(self, manifest: Manifest) -> bool:
        """Whether a model that is here is what is pinned."""

    def missing(self, reason: str, asked: tuple[str, str] | None) -> NoReturn:
        """Refuse what nobody has.

        Args:
            reason: why it cannot be had.
            asked: source and location of who does not have it; None where nobody was asked.

        Raises:
            LockError, NotFoundError: always.
        """

    def checked(self, listing: Listing) -> Listing:
        """Return a listing with what is pinned of its files.

        Raises:
            LockError: it lists something else.
        """


class Terms(NamedTuple):
    """How models are downloaded.

    Attributes:
        dir: the model's folder; None for the cache.
        parts: of `PARTS`, or `all`; none for what one needs to run the model.
        jobs: files to fetch at a time, from 1.
        progress: told how far it is.
        pinned: what it must be; None for what its keeper has.
    """

    dir: Path | None = None
    parts: tuple[str, ...] = ()
    jobs: int = JOBS
    progress: Progress = Silence()
    pinned: Pinned | None = None


class Offer(NamedTuple):
    """What downloading a model comes to.

    Attributes:
        stub: the model's.
        folder: where it is to be.
        plan: what is to be fetched; None where nothing has to be asked.
        here: names of the files that are there already.
    """

    stub: str
    folder: Path
    plan: Plan | None
    here: list[str]


def download(
    what: Selection | Stub | str,
    dir: str | os.PathLike[str] | None = None,  # noqa: A002  # the name it has on the command line
    *,
    only: str | Sequence[str] | None = None,
    catalog: CatalogLike = None,
    jobs: int = JOBS,
    progress: Progress | None = None,
) -> Path:
    """Download a model, and return its folder.

    The folder is laid out as the old clients lay out a model. It is whole: every file has
    the size and digest its keeper lists, or the call raises. What is there already is not
    fetched again, and a download that was cut is gone on with.

    Args:
        what: a selection, or a stub.
        dir: the model's folder; None for one in the cache.
        only: parts of the model: `model`, `deployment`, `training`, `recipes`, `samples`,
            `card`, `all`; none for what one needs to run it.
        catalog: who is asked, as in `open_catalog`.
        jobs: files to fetch at a time, from 1.
        progress: told how far it is; what it raises stops the download.

    Raises:
        UsageError: no stub, no such part.
        NotFoundError: no such model, or nobody who has its files.
        OfflineError: offline, and the model is not here.
        NetworkError, ServerError: it cannot be had.
        IntegrityError: what the server sends is not what it lists.
        LocalFileError: the file system refused.
    """
    stub = _stub_of(what)
    terms = Terms(
        None if dir is None else check_dir(dir),
        check_parts((only,) if isinstance(only, str) else tuple(only or ())),
        check_jobs(jobs),
        progress or Silence(),
    )
    settings = Settings.from_env()
    source = open_catalog(catalog, settings=settings)
    return bring(stub, source, settings, terms).folder


def check_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Return some parts, if all of them are parts.

    Raises:
        UsageError: one is none.
    """
    for part in parts:
        if part not in (*PARTS, ALL):
            raise UsageError(
                f"unknown part {part!r} of a model", hint=f"parts: {', '.join((*PARTS, ALL))}"
            )
    return parts


def check_dir(path: str | os.PathLike[str]) -> Path:
    """Return a folder to download to, if one is named.

    Raises:
        UsageError: none is: an empty name, of an unset variable perhaps, is no folder.
    """
    text = os.fsdecode(path)
    if not text or "\0" in text:
        raise UsageError(f"{text!a} is no folder", hint="name one, or leave it out for the cache")
    return Path(text)


def check_jobs(jobs: int) -> int:
    """Return a number of jobs, if it is one.

    Raises:
        UsageError: it is not.
    """
    if isinstance(jobs, bool) or not isinstance(jobs, int) or not 1 <= jobs <= 64:
        raise UsageError(f"{jobs!r} is no number of jobs", hint="from 1 to 64")
    return jobs


def bring(
    stub: Stub,
    source: Source,
    settings: Settings,
    terms: Terms,
    say: Callable[[str], None] = lambda line: None,
) -> Downloaded:
    """Return a model that is whole in its folder, fetching what is missing.

    Args:
        stub: its name.
        source: whom to ask for it.
        settings: offline, cache and freshness.
        terms: where to, what, and how.
        say: told in a line when what is here stands in for a server that fails.

    Raises:
        ZooSelectError: as `download`.
    """
    here = _here(stub, settings, terms)
    if here is not None and _will_do(here, source.files, settings, terms):
        touch(here)
        tidy(here.folder, here.manifest)
        return Downloaded(here.folder, here.manifest, 0)
    try:
        keeper, listing = _asked(stub, source, settings, terms)
        folder = terms.dir or _folder(listing, settings)
        wait = _wait(source.files)
        return fetch_model(
            Job(
                folder, listing, keeper, terms.parts, terms.jobs, wait,
                terms.progress, settings.timeout, settings.refresh,
            )
        )  # fmt: skip
    except NetworkError as error:
        if here is None or settings.no_fallback or terms.pinned or not _whole(here, terms):
            raise
        say(f"{error.message}; the model that is here was fetched {here.manifest.fetched_at}")
        return Downloaded(here.folder, here.manifest, 0)


def offer(stub: Stub, source: Source, settings: Settings, terms: Terms) -> Offer:
    """Return what downloading a model would come to; nothing is fetched or changed.

    Raises:
        ZooSelectError: as `download`.
    """
    here = _here(stub, settings, terms)
    if here is not None and _will_do(here, source.files, settings, terms):
        return Offer(here.manifest.stub, here.folder, None, sorted(here.manifest.files))
    _, listing = _asked(stub, source, settings, terms)
    folder = terms.dir or _folder(listing, settings)
    manifest = read_manifest(folder)
    todo = plan_for(folder, listing, terms.parts, manifest, afresh=settings.refresh)
    return Offer(listing.stub, folder, todo, sorted(todo.keep))


def _stub_of(what: Selection | Stub | str) -> Stub:
    if isinstance(what, Stub):
        return what
    if isinstance(what, str):
        return Stub.parse(what)
    name = getattr(what, "stub", None)
    if not isinstance(name, str):
        raise UsageError(f"{what!r} names no model to download", hint="give a stub or a selection")
    return Stub.parse(name)


def _here(stub: Stub, settings: Settings, terms: Terms) -> Model | None:
    """The model, if it is whole on this disk already, under whatever name."""
    if terms.dir is None:
        found = find_model(cache_folder(settings.cache_dir), stub)
    else:
        manifest = read_manifest(terms.dir)
        found = None if manifest is None else Model(terms.dir, manifest)
    if found is None:
        return None
    if stub.canonical not in (found.manifest.stub, *found.manifest.names):
        raise UsageError(
            f"{found.folder} holds {found.manifest.stub}, not {stub.canonical}",
            hint="name another folder with --dir",
        )
    return found._replace(manifest=as_found(found.folder, found.manifest) or found.manifest)


def _whole(here: Model, terms: Terms) -> bool:
    return is_there(here.folder, here.manifest, terms.parts)


def _will_do(here: Model, files: FilesAt | None, settings: Settings, terms: Terms) -> bool:
    """Whether what is here need not be compared with what its keeper has now."""
    if not _whole(here, terms):
        return False
    if terms.pinned is not None:
        return terms.pinned.holds(here.manifest) and not settings.refresh
    if files is None or (settings.offline and files.kind != "folder"):
        return True
    if settings.refresh or files.kind == "folder" or here.manifest.location != files.place:
        return False
    try:
        age = time.time() - seconds(here.manifest.fetched_at)
    except ValueError:
        return False
    return 0 <= age < settings.cache_ttl


def _asked(stub: Stub, source: Source, settings: Settings, terms: Terms) -> tuple[Keeper, Listing]:
    if terms.pinned is None:
        return listed(stub, source, settings)
    try:
        keeper, listing = listed(stub, source, settings)
    except NotFoundError as error:
        files = source.files
        asked = None if files is None else (files.source, files.place)
        terms.pinned.missing(error.message, asked)
    return keeper, terms.pinned.checked(listing)


def _folder(listing: Listing, settings: Settings) -> Path:
    return folder_of(cache_folder(settings.cache_dir), Stub.parse(listing.stub))


def _wait(files: FilesAt | None) -> Callable[[int, NetworkError], None]:
    if files is not None and files.client is not None:
        return files.client().wait

    def give_up(attempt: int, error: NetworkError) -> None:
        raise error  # a folder or a store is not better for being asked again at once

    return give_up
