"""Where an answer's facts came from."""

from __future__ import annotations

from typing import NamedTuple

#: In the place of a record's name: what is said of, or by, the server as a whole.
SERVER = "the server"


class Provenance(NamedTuple):
    """Where a catalog came from.

    Attributes:
        source: `snapshot` (inside the package), `file`, `mirror` (a folder, or a URL of
            one) or `api`.
        location: the path or URL, or for the snapshot its place in the package.
        digest: `sha256:…` of the catalog's content.
        compiled: date the catalog was compiled (ISO 8601); None where it does not say.
        fetched_at: when a server was asked (ISO 8601, UTC); None without a server.
        age_seconds: seconds since then; None also where that is in the future.
        from_cache: whether the answer came from the disk cache.
        stale: whether it is older than answers are taken without asking again.
        instead_of: the URL that was to be asked; None where it answered.
        reason: why that did not answer.
        skipped: records that could not be used, as (stub or position, reason).
        repaired: unreadable fields that were dropped, as (stub, reason), and what is to be
            known of the server as a whole, as (`SERVER`, what).
    """

    source: str
    location: str
    digest: str
    compiled: str | None = None
    fetched_at: str | None = None
    age_seconds: int | None = None
    from_cache: bool = False
    stale: bool = False
    instead_of: str | None = None
    reason: str | None = None
    skipped: tuple[tuple[str, str], ...] = ()
    repaired: tuple[tuple[str, str], ...] = ()

    @property
    def fallback(self) -> str | None:
        """In a line, what answers in place of a server that does not; None where none does."""
        if self.instead_of is None:
            return None
        if self.from_cache:
            past = "unknown age" if self.age_seconds is None else f"{age(self.age_seconds)} ago"
            instead = f"its answer of {past}"
        else:
            instead = f"the catalog inside the package, of {self.compiled}"
        return f"{self.reason}; answering from {instead}"

    def to_dict(self) -> dict[str, object]:
        """The provenance as it stands in JSON output."""
        return {
            "source": self.source,
            "location": self.location,
            "compiled": self.compiled,
            "fetched_at": self.fetched_at,
            "age_seconds": self.age_seconds,
            "digest": self.digest,
            "from_cache": self.from_cache,
            "stale": self.stale,
            "instead_of": None
            if self.instead_of is None
            else {"location": self.instead_of, "reason": self.reason},
            "skipped": [{"record": name, "reason": reason} for name, reason in self.skipped],
            "repaired": [{"record": name, "reason": reason} for name, reason in self.repaired],
        }


def age(seconds: int) -> str:
    """A length of time for people, in its largest unit: `3 h`, `12 days`."""
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
