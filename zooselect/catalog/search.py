"""Search: records by field patterns, size, sparsity, quality and confidence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from zooselect.catalog.catalog import Catalog, linked
from zooselect.catalog.dense_size import DenseSize, architecture_sizes, dense_sizes
from zooselect.errors import UsageError
from zooselect.record import CONFIDENCES, OPTIMIZATIONS, ModelRecord
from zooselect.task import Task, task_of

#: Fields a pattern may be given for: every part of a stub, and the stub itself.
FIELDS = (
    "stub", "domain", "sub_domain", "architecture", "sub_architecture", "framework", "repo",
    "dataset", "training_scheme", "sparse_tag",
)  # fmt: skip
_HIGH_FIRST = ("size", "quality", "sparsity")
SORTS = ("stub", "size", "quality", "sparsity", "optimization", "confidence")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search keeps; everything is optional and all of it must hold.

    Attributes:
        patterns: by name of `FIELDS`, a text in which `*` stands for any run of
            characters; letter case counts. `dataset` matches the source data set or
            its downstream part; `architecture` also `architecture-sub_architecture`.
        optimizations: any of these.
        confidences: any of these.
        min_sparsity: least stated sparsity, in percent.
        min_millions, max_millions: dense size, in millions of parameters.
        quality_known: keep only models with a believed result on their task's metric.
    """

    patterns: Mapping[str, str] = field(default_factory=dict)
    optimizations: tuple[str, ...] = ()
    confidences: tuple[str, ...] = ()
    min_sparsity: float | None = None
    min_millions: float | None = None
    max_millions: float | None = None
    quality_known: bool = False

    def __post_init__(self) -> None:
        """Check the words.

        Raises:
            UsageError: a field, optimization or confidence nobody knows, or a number
                out of range.
        """
        _check("field", self.patterns, FIELDS)
        _check("optimization", self.optimizations, OPTIMIZATIONS)
        _check("confidence", self.confidences, CONFIDENCES)
        if self.min_sparsity is not None and not (
            self.min_sparsity == 0 or 1 <= self.min_sparsity <= 100
        ):
            raise UsageError(
                f"minimum sparsity {self.min_sparsity:g} is not a percentage from 1 to 100",
                hint="90 means that nine weights of ten are zero",
            )
        low, high = self.min_millions, self.max_millions
        if low is not None and high is not None and low > high:
            raise UsageError(
                f"the least size, {low:g} M, is above the greatest, {high:g} M",
                hint="turn the two round, or leave one out",
            )


class Found(NamedTuple):
    """One model found, shown once though it may stand in the catalog under two names.

    Attributes:
        record: its record; the v1 name's where there are two.
        aliases: its other names.
        size: its dense size; None where it is not known.
        metric: its task's metric; None where the task has none.
        quality: its quality on that metric, 0 to 100; None if none is on record.
    """

    record: ModelRecord
    aliases: tuple[str, ...]
    size: DenseSize | None
    metric: str | None
    quality: float | None

    def to_dict(self) -> dict[str, object]:
        """The model as it stands in JSON output."""
        return {
            "stub": self.record.stub,
            "aliases": list(self.aliases),
            "dense_millions": None if self.size is None else self.size.millions,
            "dense_basis": None if self.size is None else self.size.basis,
            "metric": self.metric,
            "quality": self.quality,
            "model": self.record.to_dict(),
        }


def describe(records: Iterable[ModelRecord]) -> list[Found]:
    """Return the models of some records, each once, with size and quality."""
    records = tuple(records)
    groups: dict[tuple[object, ...], list[ModelRecord]] = {}
    for record in records:
        key = (record.domain, record.sub_domain, record.dataset)
        groups.setdefault(key, []).append(record)
    sizes: dict[str, DenseSize] = {}
    for group in groups.values():
        sizes.update(dense_sizes(group, architecture_sizes(), group))
    found = []
    for names in linked(records):
        first = names[0]
        task = task_of(first.domain, first.sub_domain)
        metric = task.metric if task else None
        qualities = [one.quality(metric) for one in names]
        aliases = dict.fromkeys(
            name for one in names for name in (one.stub, *one.aliases) if name != first.stub
        )
        found.append(
            Found(
                record=first,
                aliases=tuple(aliases),
                size=sizes.get(first.stub),
                metric=metric,
                quality=max((one for one in qualities if one is not None), default=None),
            )
        )
    return found


def search(
    catalog: Catalog,
    task: Task | None = None,
    filters: Filters | None = None,
    *,
    sort: str = "stub",
    reverse: bool = False,
) -> list[Found]:
    """Return the models of a catalog that pass the filters.

    Args:
        catalog: where to look.
        task: keep this task's models; None for all.
        filters: what else to keep.
        sort: `stub` (a to z), `size`, `quality`, `sparsity` (high to low, unknown last),
            `optimization` (base first) or `confidence` (high first).
        reverse: turn the order round; unknown stays last.

    Raises:
        UsageError: a sort order nobody knows.
    """
    _check("sort order", (sort,), SORTS)
    records = catalog.models if task is None else catalog.at(task.domain, task.sub_domain)
    wanted = filters or Filters()
    patterns = [(name, _compiled(pattern)) for name, pattern in wanted.patterns.items()]
    kept = [one for one in describe(records) if _passes(one, wanted, patterns)]
    kept.sort(key=lambda one: one.record.stub)
    values = [(one, _sort_value(one, sort)) for one in kept]
    known = [(one, value) for one, value in values if value is not None]
    known.sort(key=lambda pair: pair[1], reverse=reverse != (sort in _HIGH_FIRST))
    return [one for one, _ in known] + [one for one, value in values if value is None]


def _sort_value(one: Found, sort: str) -> float | str | None:
    if sort == "size":
        return one.size.millions if one.size else None
    if sort == "quality":
        return one.quality
    if sort == "sparsity":
        return one.record.sparsity_percent
    if sort == "optimization":
        return OPTIMIZATIONS.index(one.record.optimization)
    if sort == "confidence":
        return CONFIDENCES.index(one.record.confidence) if one.record.confidence else None
    return one.record.stub


def _passes(one: Found, wanted: Filters, patterns: list[tuple[str, re.Pattern[str]]]) -> bool:
    record = one.record
    for name, pattern in patterns:
        if not any(pattern.fullmatch(value) for value in _values(one, name) if value is not None):
            return False
    if wanted.optimizations and record.optimization not in wanted.optimizations:
        return False
    if wanted.confidences and record.confidence not in wanted.confidences:
        return False
    if wanted.quality_known and one.quality is None:
        return False
    if wanted.min_sparsity is not None and (record.sparsity_percent or 0) < wanted.min_sparsity:
        return False
    if wanted.min_millions is not None and (
        one.size is None or one.size.millions < wanted.min_millions
    ):
        return False
    return wanted.max_millions is None or (
        one.size is not None and one.size.millions <= wanted.max_millions
    )


def _values(one: Found, name: str) -> tuple[str | None, ...]:
    record = one.record
    if name == "stub":
        return (record.stub, *one.aliases)
    if name == "dataset":
        return (record.source_dataset, record.dataset)
    if name == "architecture":
        return (record.architecture, record.network)
    return (getattr(record, name),)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")))


def _check(kind: str, values: Iterable[str], known: tuple[str, ...]) -> None:
    for value in values:
        if value not in known:
            raise UsageError(f"unknown {kind} {value!r}", hint="known: " + ", ".join(known))
