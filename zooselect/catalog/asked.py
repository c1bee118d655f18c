"""What is asked of a catalog: the records of a task, those of a name, or all."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.file import CATALOG
from zooselect.catalog.provenance import Provenance
from zooselect.stub import Stub

if TYPE_CHECKING:
    from zooselect.net.client import Client
    from zooselect.net.url import Address


class Asked(NamedTuple):
    """One question to a server, answered by one request. Without values: all records.

    Attributes:
        domain: with `sub_domain`, where a task's models stand.
        sub_domain: e.g. `classification`.
        name: a v2 name, without `zoo:`.
    """

    domain: str | None = None
    sub_domain: str | None = None
    name: str | None = None

    @classmethod
    def of_stub(cls, stub: Stub) -> Asked:
        """Return the question whose answer has a stub's model: its task's, or its name's."""
        if stub.version == 1:
            return cls(stub.domain, stub.sub_domain)
        return cls(name=stub.path)

    def to_dict(self) -> dict[str, str]:
        """The question as the cache keeps it; empty for all records."""
        return {key: value for key, value in self._asdict().items() if value is not None}


class FilesAt(NamedTuple):
    """Where the files of a catalog's models are kept.

    Attributes:
        kind: `folder` (a mirror's folder), `store` (a mirror that fsspec reaches), `http` (a
            mirror on a static host) or `api`.
        place: its path or URL.
        address: the URL taken apart; None for a folder or store.
        client: gives the client to ask with; None for a folder or store.
    """

    kind: str
    place: str
    address: Address | None = None
    client: Callable[[], Client] | None = None

    @property
    def source(self) -> str:
        """What provenance calls whoever keeps them: `mirror` or `api`."""
        return "api" if self.kind == "api" else "mirror"


class Source(Protocol):
    """What catalogs are got from: a server with its cache, or a catalog at hand."""

    @property
    def at_hand(self) -> Provenance | None:
        """Where the catalog came from, if it is here already; None where one must ask."""

    @property
    def files(self) -> FilesAt | None:
        """Where its models' files are; None for a catalog without files."""

    def of(self, asked: Asked, *, embedded: bool = True) -> Catalog:
        """Return a catalog that has what is asked, and says where it came from.

        Args:
            asked: the question.
            embedded: whether the embedded catalog may stand in for a server that fails.

        Raises:
            OfflineError, NetworkError: nothing answers.
        """


class AtHand:
    """A catalog that was read already, as the source of itself."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def at_hand(self) -> Provenance:
        """Where the catalog came from."""
        return self._catalog.provenance

    @property
    def files(self) -> FilesAt | None:
        """The mirror's folder, where the catalog is one's."""
        folder, name = os.path.split(os.path.abspath(self._catalog.provenance.location))
        local = self._catalog.provenance.source in ("mirror", "file")
        return FilesAt("folder", folder) if local and name == CATALOG else None

    def of(self, asked: Asked, *, embedded: bool = True) -> Catalog:
        """Return the catalog: it has all there is."""
        return self._catalog
