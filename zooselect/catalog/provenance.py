"""Where an answer's facts came from."""

from __future__ import annotations

from typing import NamedTuple


class Provenance(NamedTuple):
    """Where a catalog came from.

    Attributes:
        source: `snapshot` (inside the package), `file` or `mirror` (a folder).
        location: the path, or for the snapshot its place in the package.
        digest: `sha256:…` of the catalog's content.
        compiled: date the catalog was compiled (ISO 8601); None where it does not say.
        from_cache: whether the answer came from the disk cache.
        skipped: records that could not be used, as (stub or position, reason).
        repaired: unreadable fields that were dropped, as (stub, reason).
    """

    source: str
    location: str
    digest: str
    compiled: str | None = None
    from_cache: bool = False
    skipped: tuple[tuple[str, str], ...] = ()
    repaired: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The provenance as it stands in JSON output."""
        return {
            "source": self.source,
            "location": self.location,
            "compiled": self.compiled,
            "digest": self.digest,
            "from_cache": self.from_cache,
            "skipped": [{"record": name, "reason": reason} for name, reason in self.skipped],
            "repaired": [{"record": name, "reason": reason} for name, reason in self.repaired],
        }
