"""A server's catalog: asked once, kept on disk, and answered from there while it holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import NamedTuple, Protocol

from zooselect.catalog.answer import Answer, Server, iso
from zooselect.catalog.asked import Asked, FilesAt
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.parse import Parsed, parse_models
from zooselect.catalog.provenance import Provenance
from zooselect.errors import NetworkError, OfflineError

#: Seconds for which a running program does not ask a failing server again.
_FAILED_FOR = 60.0
_REMEMBERED = 64


class Store(Protocol):
    """Where answers are kept between commands; it never fails, it only forgets."""

    def load(self, server: Server, asked: Asked) -> Answer | None:
        """Return what is kept of a question; None where nothing usable is."""

    def save(self, server: Server, answer: Answer) -> None:
        """Keep an answer, where that can be."""


class Terms(NamedTuple):
    """On which terms a server is asked.

    Attributes:
        ttl: seconds for which a kept answer is taken without asking again.
        offline: ask nobody; kept answers of any age will do.
        refresh: ask again, however fresh the kept answer is.
        fallback: a kept answer of any age, or else the embedded catalog, stands in for a
            server that fails; always disclosed.
    """

    ttl: float = 86_400.0
    offline: bool = False
    refresh: bool = False
    fallback: bool = True


class LiveCatalog:
    """Catalogs of one server, by what is asked.

    Args:
        server: whom to ask.
        store: where its answers are kept.
        terms: when to ask, and what else will do.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        server: Server,
        store: Store,
        terms: Terms,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._server = server
        self._store = store
        self._terms = terms
        self._clock = clock
        self._known: dict[Hashable, tuple[float, Catalog]] = {}

    @property
    def at_hand(self) -> None:
        """Nothing is here before it is asked for."""
        return

    @property
    def files(self) -> FilesAt:
        """Where the server's files are."""
        return self._server.files

    def of(self, asked: Asked, *, embedded: bool = True) -> Catalog:
        """Return a catalog that has what is asked, and says where it came from.

        Args:
            asked: the question.
            embedded: whether the embedded catalog may stand in for the server.

        Raises:
            OfflineError: offline without a fallback, and nothing is kept.
            NetworkError, ServerError: the server fails, and no fallback is allowed.
        """
        question = self._server.question(asked)
        until, catalog = self._known.get((question, embedded), (0.0, None))
        if catalog is not None and self._clock() < until:
            return catalog
        until, catalog = self._answered(question, embedded)
        if len(self._known) >= _REMEMBERED:
            self._known.pop(next(iter(self._known)), None)
        self._known[question, embedded] = (until, catalog)
        return catalog

    def _answered(self, asked: Asked, embedded: bool) -> tuple[float, Catalog]:
        """A catalog, and until when it holds."""
        kept = self._store.load(self._server, asked)
        now = self._clock()
        # An answer from the future was kept by a clock that was wrong: who knows its age. And
        # where there was nothing, or not all, there may be more any time.
        lasting = kept is not None and kept.whole and kept.models
        fresh = kept is not None and lasting and 0 <= now - kept.fetched_at < self._terms.ttl
        if kept is not None and fresh and not self._terms.refresh:
            return kept.fetched_at + self._terms.ttl, self._catalog(kept, from_cache=True)
        if self._terms.offline:
            return now + self._terms.ttl, self._offline(kept or self._wider(asked), embedded)
        try:
            answer = self._server.ask(asked, kept)
        except NetworkError as error:
            kept = kept or self._wider(asked) if self._terms.fallback else None
            if kept is None and not (embedded and self._terms.fallback):
                raise
            return now + _FAILED_FOR, self._instead(kept, error.message)
        catalog = self._catalog(answer, from_cache=False)
        if answer.whole or kept is None or not kept.whole:  # it takes the place of no better one
            self._store.save(self._server, answer)
        return now + (self._terms.ttl if answer.whole else _FAILED_FOR), catalog

    def _wider(self, asked: Asked) -> Answer | None:
        """A kept answer that has all the server's models, those asked for among them."""
        return None if asked == Asked() else self._store.load(self._server, Asked())

    def _offline(self, kept: Answer | None, embedded: bool) -> Catalog:
        if kept is not None:
            return self._catalog(kept, from_cache=True)
        if not (embedded and self._terms.fallback):
            raise OfflineError(
                f"offline, and no answer of {self._server.location} is kept for this question",
                hint="ask once without --offline, or leave --no-fallback out",
            )
        return self._instead(None, f"offline, and no answer of {self._server.location} is kept")

    def _instead(self, kept: Answer | None, reason: str) -> Catalog:
        """What stands in for a server that does not answer; it says so."""
        if kept is not None:
            return self._catalog(kept, from_cache=True, reason=reason)
        snapshot = Catalog.embedded()
        return snapshot.with_provenance(
            snapshot.provenance._replace(instead_of=self._server.location, reason=reason)
        )

    def _catalog(self, answer: Answer, *, from_cache: bool, reason: str | None = None) -> Catalog:
        parsed: Parsed = parse_models(answer.models)
        age = int(self._clock()) - answer.fetched_at
        return Catalog.from_records(
            parsed.records,
            Provenance(
                source=answer.source,
                location=answer.location,
                digest=answer.digest,
                compiled=answer.compiled,
                fetched_at=iso(answer.fetched_at),
                age_seconds=age if age >= 0 else None,
                from_cache=from_cache,
                stale=from_cache and not 0 <= age < self._terms.ttl,
                instead_of=self._server.location if reason is not None else None,
                reason=reason,
                skipped=answer.skipped + parsed.skipped,
                repaired=answer.repaired + parsed.repaired,
            ),
        )
