"""A comparison: the models in scope side by side, limits first, then the objective."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from zooselect.catalog.catalog import Catalog, linked
from zooselect.catalog.provenance import Provenance
from zooselect.compare.limits import OBJECTIVES, Limits, in_order, objective_value
from zooselect.compare.pareto import dominators
from zooselect.compare.row import Row, row_of
from zooselect.compare.throughput import commonest
from zooselect.errors import NoCandidateError, UsageError
from zooselect.level import BANDS, SPARSE_TRANSFER, Band
from zooselect.record import BASE
from zooselect.selection.ladder import Ladder, ladder_of
from zooselect.selection.question import Question


@dataclass(frozen=True, slots=True)
class Comparison:
    """The models in scope, side by side.

    Attributes:
        question: the task and scope.
        metric: the metric qualities are on; None where the task has none.
        metric_dataset: the data set they were measured on; None where none is on record.
        conditions: what throughputs were measured under; None where none is on record.
        objective: `size`, `quality`, `throughput`, or None.
        rows: the models kept, in order.
        left_out: models in scope that a limit leaves out, as (stub, which).
        picks: each band of optim levels with the stub of its pick, None for none; before
            any limit.
        provenance: where the catalog came from.
    """

    question: Question
    metric: str | None
    metric_dataset: str | None
    conditions: str | None
    objective: str | None
    rows: tuple[Row, ...]
    left_out: tuple[tuple[str, str], ...]
    picks: tuple[tuple[Band, str | None], ...]
    provenance: Provenance

    @property
    def best(self) -> Row | None:
        """The first by the objective; None without one, or where no figure is on record."""
        if self.objective is None or objective_value(self.rows[0], self.objective) is None:
            return None
        return self.rows[0]

    @property
    def front(self) -> tuple[Row, ...]:
        """The models on the front, in order; all, where not one can be compared."""
        return tuple(row for row in self.rows if row.on_front) or self.rows

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Models whose quality is on record for other data sets alone, and so not compared."""
        return tuple(row.stub for row in self.rows if row.elsewhere)

    def to_dict(self) -> dict[str, object]:
        """The comparison as it stands in JSON output, but for its schema."""
        best = self.best
        kept = {name for row in self.rows for name in (row.stub, *row.aliases)}
        return {
            "task": self.question.task.name,
            "filters": self.question.filters,
            "metric": self.metric,
            "metric_dataset": self.metric_dataset,
            "throughput_conditions": self.conditions,
            "objective": self.objective,
            "best": None if best is None else best.stub,
            "picks": [
                {
                    "band": band.to_dict(),
                    "stub": stub,
                    "within_limits": None if stub is None else stub in kept,
                }
                for band, stub in self.picks
            ],
            "models": [row.to_dict() for row in self.rows],
            "left_out": [{"stub": stub, "reason": reason} for stub, reason in self.left_out],
            "provenance": self.provenance.to_dict(),
        }


def compare(
    catalog: Catalog,
    question: Question,
    limits: Limits | None = None,
    *,
    objective: str | None = None,
    metric: str | None = None,
    throughput_on: str | None = None,
) -> Comparison:
    """Put the models in a question's scope side by side.

    Qualities are those on one metric and one data set, the one most models have; a
    throughput is that under one condition, the one most models have. What else is on
    record stays beside it, and is not compared.

    Args:
        catalog: where to look.
        question: task and scope, as for a selection.
        limits: what every model must hold to.
        objective: `size`, `quality` or `throughput`; orders the models.
        metric: a metric other than the task's.
        throughput_on: a text the throughput's conditions must hold, such as a device.

    Raises:
        UsageError: an objective, metric or condition that nothing is on record of.
        NoCandidateError: nothing in scope, or nothing within the limits.
    """
    if objective is not None and objective not in OBJECTIVES:
        raise UsageError(f"unknown objective {objective!r}", hint="one of " + ", ".join(OBJECTIVES))
    ladder = ladder_of(catalog, question)
    metric = metric or question.task.metric
    rows = _rows(ladder, metric)
    if metric != question.task.metric and not any(row.qualities for row in rows):
        known = sorted({result.metric for row in rows for result in row.record.results})
        raise UsageError(
            f"no model in scope has a result on metric {metric!r}",
            hint="on record: " + (", ".join(known) or "no result on any metric"),
        )
    dataset = _commonest_dataset(rows)
    conditions = commonest((row.throughputs for row in rows), throughput_on)
    if throughput_on is not None and conditions is None:
        raise UsageError(
            f"no throughput in scope was measured on {throughput_on!r}",
            hint="`--json` lists the conditions of each model's throughputs",
        )
    bases = _base_qualities(rows, dataset)
    rows = [_with_figures(row, dataset, conditions, bases) for row in rows]
    wanted = limits or Limits()
    breaches = {row.stub: wanted.against(row) for row in rows}
    kept = [row for row in rows if breaches[row.stub] is None]
    broken = sorted((stub, breach) for stub, breach in breaches.items() if breach is not None)
    left_out = tuple((stub, breach.reason) for stub, breach in broken)
    if not kept:
        nearest = sorted(broken, key=lambda one: one[1].share)[:3]
        stub, breach = nearest[0]
        raise NoCandidateError(
            f"none of the {len(rows)} {question.task.name} models in scope is within the limits"
            f" (nearest: {stub}: {breach.reason})",
            hint="widen a limit; --keep-unknown keeps models whose figure is not on record",
            nearest=tuple((stub, breach.reason) for stub, breach in nearest),
        )
    above = dominators({row.stub: row.figures for row in kept})
    ranked = [replace(row, dominated_by=above[row.stub]) for row in kept]
    return Comparison(
        question, metric, dataset, conditions, objective, tuple(in_order(ranked, objective)),
        left_out, picks_of(ladder), catalog.provenance,
    )  # fmt: skip


def picks_of(ladder: Ladder) -> tuple[tuple[Band, str | None], ...]:
    """Return the bands of sparse transfer, each with the stub of its pick."""
    picks: list[tuple[Band, str | None]] = []
    for band in BANDS[SPARSE_TRANSFER]:
        try:
            picks.append((band, ladder.at(band).record.stub))
        except NoCandidateError:
            picks.append((band, None))
    return tuple(picks)


def _rows(ladder: Ladder, metric: str | None) -> list[Row]:
    candidates = sorted(ladder.scope.candidates, key=lambda one: one.record.stub)
    sizes = {one.record.stub: one.size for one in candidates}
    picks = picks_of(ladder)
    rows = []
    for records in linked(one.record for one in candidates):
        row = row_of(records, sizes[records[0].stub], metric)
        names = {one.stub for one in records}
        rows.append(replace(row, bands=tuple(band for band, stub in picks if stub in names)))
    return rows


def _commonest_dataset(rows: Iterable[Row]) -> str | None:
    counts = Counter(dataset for row in rows for dataset in row.qualities)
    return min(counts, key=lambda one: (-counts[one], one), default=None)


def _base_qualities(rows: Iterable[Row], dataset: str | None) -> dict[str, float]:
    """The best quality of each network's base models."""
    best: dict[str, float] = {}
    for row in rows:
        quality = row.qualities.get(dataset or "")
        if row.record.optimization == BASE and quality is not None:
            best[row.record.network] = max(quality, best.get(row.record.network, quality))
    return best


def _with_figures(
    row: Row, dataset: str | None, conditions: str | None, bases: dict[str, float]
) -> Row:
    quality = row.qualities.get(dataset or "")
    base = bases.get(row.record.network)
    return replace(
        row,
        quality=quality,
        recovery=quality / base if quality is not None and base else None,
        throughput=None if conditions is None else row.throughputs.get(conditions),
    )
