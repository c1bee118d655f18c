"""A catalog: records by task, found by name, with their provenance."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from zooselect.catalog.provenance import Provenance
from zooselect.errors import NotFoundError, UsageError
from zooselect.record import ModelRecord
from zooselect.stub import Stub

#: Where a task's records stand: (domain, sub_domain).
Place = tuple[str | None, str | None]
Loader = Callable[[], tuple[ModelRecord, ...]]
T = TypeVar("T")

#: Answers kept; a service asks the same few questions again and again.
_REMEMBERED = 64

#: For closest names: how many characters must agree, and how many names are compared.
_ALIKE = 7
_COMPARED = 5000


class Catalog:
    """An immutable set of model records.

    Records are loaded a task at a time, when first asked for, so that an answer for
    one task never pays for the others.

    Attributes:
        provenance: where the records came from.
    """

    def __init__(self, shards: Mapping[Place, Loader], provenance: Provenance) -> None:
        self._shards = shards
        self._loaded: dict[Place, tuple[ModelRecord, ...]] = {}
        self._names: dict[str, list[ModelRecord]] | None = None
        self._remembered: dict[Hashable, Any] = {}
        self.provenance = provenance

    @classmethod
    def from_records(cls, records: Iterable[ModelRecord], provenance: Provenance) -> Catalog:
        """Make a catalog of records at hand."""
        places: dict[Place, list[ModelRecord]] = {}
        for record in records:
            places.setdefault((record.domain, record.sub_domain), []).append(record)
        return cls({place: _constant(found) for place, found in places.items()}, provenance)

    @classmethod
    def embedded(cls) -> Catalog:
        """Return the catalog that ships inside the package; no I/O beyond reading it."""
        from zooselect.catalog.snapshot import embedded_catalog

        return embedded_catalog()

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Catalog:
        """Read a `schema: 1` JSON file, or the `catalog.json` of a mirror's folder.

        Raises:
            LocalFileError: the file cannot be read.
            IntegrityError: it is no catalog, or of its records not one is usable.
        """
        from zooselect.catalog.file import file_catalog

        return file_catalog(path)

    def with_provenance(self, provenance: Provenance) -> Catalog:
        """Return the same records under another provenance."""
        return Catalog(self._shards, provenance)

    @property
    def places(self) -> tuple[Place, ...]:
        """The (domain, sub_domain) pairs that have records."""
        return tuple(self._shards)

    def at(self, domain: str | None, sub_domain: str | None) -> tuple[ModelRecord, ...]:
        """Return the records of one task."""
        place = (domain, sub_domain)
        records = self._loaded.get(place)
        if records is None:
            shard = self._shards.get(place)
            records = self._loaded[place] = shard() if shard else ()
        return records

    @property
    def models(self) -> tuple[ModelRecord, ...]:
        """All records."""
        return tuple(self)

    def __iter__(self) -> Iterator[ModelRecord]:
        for domain, sub_domain in self._shards:
            yield from self.at(domain, sub_domain)

    def __len__(self) -> int:
        return sum(len(self.at(*place)) for place in self._shards)

    def __repr__(self) -> str:
        return f"<Catalog of {len(self)} models from {self.provenance.location}>"

    def remembered(self, question: Hashable, work_out: Callable[[], T]) -> T:
        """Return an answer worked out from these records, at once if it was asked lately.

        Records never change, so an answer holds for as long as they do.
        """
        known = self._remembered
        answer: T | None = known.get(question)
        if answer is None:
            answer = work_out()
            if len(known) >= _REMEMBERED:
                known.pop(next(iter(known)), None)
            known[question] = answer
        return answer

    def find(self, stub: str | Stub) -> ModelRecord:
        """Return the record a stub names, by its own name or by an alias on record.

        Raises:
            StubError: the text is no stub.
            UsageError: it is another name of several models; the hint has their own.
            NotFoundError: no such model; the hint has the closest names.
        """
        wanted = stub if isinstance(stub, Stub) else Stub.parse(stub)
        name = wanted.canonical
        # A v1 stub says where its record stands; only an alias needs the whole catalog.
        for record in self.at(wanted.domain, wanted.sub_domain) if wanted.version == 1 else ():
            if record.stub == name:
                return record
        if self._names is None:
            self._names = _by_name(self)
        found = self._names.get(name)
        if found is None:
            raise NotFoundError(f"{name} is not in the catalog", hint=self._closest(name))
        if len(found) > 1:
            raise UsageError(
                f"{name} is the name of {len(found)} models",
                hint="take one of " + ", ".join(sorted(record.stub for record in found)),
            )
        return found[0]

    def _closest(self, name: str) -> str:
        from difflib import get_close_matches

        from zooselect.namesake import v1_names

        same = v1_names(name, self._names or ())
        if same:
            return "this model's name there: " + ", ".join(same)
        # Likeness is dear: only names that begin alike and are about as long are compared.
        alike = [
            one
            for one in self._names or ()
            if one[:_ALIKE] == name[:_ALIKE] and abs(len(one) - len(name)) <= len(name) // 4
        ]
        close = get_close_matches(name, alike[:_COMPARED], n=3, cutoff=0.8)
        if close:
            return "closest: " + ", ".join(close)
        return "`zooselect search` lists what the catalog has"


def linked(records: Iterable[ModelRecord]) -> list[tuple[ModelRecord, ...]]:
    """Group records of one model that stands in the catalog under two names.

    The v1 name comes first in its group, for it says more. Groups keep the order of
    their first members. A v2 name that several v1 names go by makes them no one model.
    """
    records = tuple(records)
    claims = Counter(
        name for one in records if "/" in one.stub for name in one.aliases if "/" not in name
    )
    group_of: dict[str, list[ModelRecord]] = {}
    groups: list[list[ModelRecord]] = []
    for record in records:
        aliases = [name for name in record.aliases if claims[name] < 2]
        group = next((group_of[name] for name in aliases if name in group_of), None)
        if group is None:
            group = group_of.get(record.stub, [])
        if not group:
            groups.append(group)
        group.append(record)
        for name in (record.stub, *aliases):
            group_of.setdefault(name, group)
    return [tuple(sorted(one, key=_v1_first)) for one in groups]


def _v1_first(record: ModelRecord) -> tuple[bool, str]:
    return "/" not in record.stub, record.stub


def _by_name(records: Iterable[ModelRecord]) -> dict[str, list[ModelRecord]]:
    records = tuple(records)
    names: dict[str, list[ModelRecord]] = {}
    for record in records:
        for alias in record.aliases:
            names.setdefault(alias, []).append(record)
    # Own names win over aliases, whatever the order.
    names.update((record.stub, [record]) for record in records)
    return names


def _constant(records: list[ModelRecord]) -> Loader:
    kept = tuple(records)
    return lambda: kept
