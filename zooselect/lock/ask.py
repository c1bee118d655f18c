"""What a pinned question comes to now, and which files its model has now."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from zooselect.cache.folder import cache_folder
from zooselect.catalog.asked import Asked, Source
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.provenance import Provenance
from zooselect.downloads.folder import find_model
from zooselect.downloads.keeper import mirror_listing
from zooselect.downloads.keepers import listed
from zooselect.downloads.listing import Listing, RemoteFile, wanted
from zooselect.downloads.plan import matches
from zooselect.errors import NetworkError, NotFoundError
from zooselect.level import POLICY
from zooselect.lock.lock import CatalogSeen, LockedFile, LockedModel, Pin
from zooselect.lock.place import same_place
from zooselect.selection.question import Question
from zooselect.selection.selection import select
from zooselect.settings import Settings
from zooselect.stub import Stub
from zooselect.task import Task


class Files(NamedTuple):
    """What is known of a model's files now.

    Attributes:
        model: the files; None where there are none, or nobody can be asked.
        gone: whether who was asked has no files of the model.
        reason: why there is no `model`.
        place: source and location of who was asked; None where nobody was.
    """

    model: LockedModel | None
    gone: bool = False
    reason: str = ""
    place: tuple[str, str] | None = None


class Asking:
    """Asks a source, each thing once.

    A server that does not answer is an error: what stands in for it proves nothing about it.
    Who asked to be offline takes what is kept, and is told so.

    Args:
        source: whom to ask.
        settings: offline, and where the cache is.
    """

    def __init__(self, source: Source, settings: Settings) -> None:
        self._source = source
        self._settings = settings
        self._files: dict[str, Files] = {}
        self._catalogs: dict[Task, Catalog] = {}

    @property
    def cache(self) -> Path:
        """The folder of the cache."""
        return cache_folder(self._settings.cache_dir)

    @property
    def answered_by(self) -> tuple[Provenance, ...]:
        """Where the answers came from, each once, in the order they were asked for."""
        return tuple(dict.fromkeys(one.provenance for one in self._catalogs.values()))

    def pin(self, question: Question, level: float) -> Pin:
        """Return what a question comes to now.

        Raises:
            NoCandidateError: nothing to pick.
            OfflineError, NetworkError: a server is to be asked, and does not answer.
        """
        catalog = self._catalog(question.task)
        selection = select(catalog, question, level)
        fallback = selection.fallback
        return Pin(
            question,
            level,
            POLICY,
            str(selection.stub),
            None if fallback is None else fallback.wanted,
            None if fallback is None else fallback.got,
            self.seen(question.task),
        )

    def seen(self, task: Task) -> CatalogSeen:
        """Return which catalog is asked for a task."""
        provenance = self._catalog(task).provenance
        return CatalogSeen(
            provenance.source, _written(provenance.location), _written(provenance.digest)
        )

    def stands_in(self, task: Task) -> bool:
        """Whether the catalog asked for a task is not the one configured, which is offline."""
        return self._catalog(task).provenance.instead_of is not None

    def files(self, stub: str, task: Task) -> Files:
        """Return which files downloading a model fetches now.

        Raises:
            OfflineError, NetworkError: a server is to be asked, and does not answer.
            ServerError: it lists files in a way that is of no use.
        """
        if stub not in self._files:
            self._files[stub] = self._listed(stub, task)
        return self._files[stub]

    def _catalog(self, task: Task) -> Catalog:
        if task not in self._catalogs:
            catalog = self._source.of(Asked(task.domain, task.sub_domain))
            provenance = catalog.provenance
            if provenance.instead_of is not None and not self._settings.offline:
                raise NetworkError(
                    f"{provenance.reason}: what else is kept proves nothing",
                    hint="ask again when the server is back; --offline takes what is kept",
                )
            self._catalogs[task] = catalog
        return self._catalogs[task]

    def _listed(self, stub: str, task: Task) -> Files:
        place, provenance = self._source.files, self._catalog(task).provenance
        if place is None:
            return Files(None, reason="the catalog has no files")
        if provenance.source == "snapshot":
            return Files(None, reason="offline, and the catalog inside the package has no files")
        if place.kind == "api" and self._settings.offline:
            return Files(None, reason="offline, and a server's list of files is not kept")
        # A folder is written down as it was named, as its catalog is: not where it is here.
        named = os.path.dirname(provenance.location) or "."
        location = named if place.kind == "folder" else place.place
        try:
            if place.kind == "api":
                _, listing = listed(Stub.parse(stub), self._source, self._settings)
            else:
                # The catalog of a mirror lists the files: nothing more has to be asked.
                record = self._catalog(task).find(stub)
                listing = mirror_listing(record, location)
            return Files(locked_model(stub, listing))
        except NotFoundError as error:
            return Files(None, gone=True, reason=error.message, place=(place.source, location))


def locked_model(stub: str, listing: Listing) -> LockedModel:
    """Return what downloading a listed model fetches, as a lock file has it.

    Raises:
        NotFoundError: there is nothing to run the model with.
        ServerError: a name that cannot be stored safely.
    """
    files = (
        LockedFile(one.file.name, one.file.size, one.file.sha256, one.file.md5)
        for one in wanted(listing, ())
    )
    return LockedModel(stub, listing.source, _written(listing.location), tuple(files))


def with_downloaded(model: LockedModel, cache: Path) -> LockedModel:
    """Return a model with the SHA-256 of files that were downloaded already.

    Where a server states none, what it sent tells: a file of the same size and MD5, or of
    the same place where it states no MD5 either.
    """
    if all(file.sha256 for file in model.files):
        return model
    found = find_model(cache, Stub.parse(model.stub))
    if found is None:
        return model
    origins = found.manifest.origins
    here = same_place(found.manifest.location, model.location)
    files = []
    for file in model.files:
        origin = origins.get(file.name)
        as_listed = RemoteFile(file.name, "", "", file.size, file.sha256, file.md5)
        if origin is not None and (file.md5 or here) and matches(as_listed, origin):
            files.append(file._replace(size=origin.size, sha256=origin.sha256))
        else:
            files.append(file)
    return model._replace(files=tuple(files))


def _written(value: str) -> str:
    """A text that a file in UTF-8 can hold: the path of a catalog may be none."""
    return value.encode("utf-8", "backslashreplace").decode()
