"""What a page says: each task's answers, band by band, and the models they were chosen from.

All of it is worked out here. The page itself only looks up the band a level lies in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from zooselect.api import LevelBand, levels
from zooselect.catalog.catalog import Catalog
from zooselect.catalog.dense_size import DenseSize, architecture_sizes, dense_sizes
from zooselect.errors import NoCandidateError
from zooselect.level import BANDS, DEFAULT_LEVEL, POLICY, SPARSE_TRANSFER
from zooselect.record import ModelRecord
from zooselect.report import words
from zooselect.selection.ladder import ladder_of
from zooselect.selection.question import Question
from zooselect.task import TASKS, Task

#: Models listed of one task; a page is for looking, `zooselect search` lists them all.
MOST_MODELS = 500
_RUNNERS_UP = 3
#: Data sets tried where the task's own has nothing.
_DATASETS = 10


class Listed(NamedTuple):
    """A model in the list of a task.

    Attributes:
        record: the model.
        size: its dense size; None where it is not known.
        quality: on the task's metric, 0 to 100; None where none is on record.
        why_not: why it may not be picked; None for a candidate.
    """

    record: ModelRecord
    size: DenseSize | None
    quality: float | None
    why_not: str | None


class TaskFacts(NamedTuple):
    """What a page says of a task.

    Attributes:
        task: the task.
        asked: the data set asked for; None for the task's own.
        axis: the bands from 0.0 to 1.0, each with its answer or why there is none.
        models: the list, candidates first, at most `MOST_MODELS` of them.
        total: how many models of the task the catalog has.
        off_ladder: whether there are candidates of sizes that no tier is taken from.
    """

    task: Task
    asked: str | None
    axis: tuple[LevelBand, ...]
    models: tuple[Listed, ...]
    total: int
    off_ladder: bool

    def to_dict(self) -> dict[str, Any]:
        """The facts as they stand in the page's data; what is not on record is left out."""
        task = self.task
        sizes = (words.size_classes(one, others=self.off_ladder) for one in self.axis)
        return _known(
            name=task.name,
            title=words.title(task, self.asked),
            asked=self.asked,
            dataset=self.asked or task.dataset,
            metric=words.metric(task.metric),
            sizes=next(filter(None, sizes), None),
            bands=[_band(one, self) for one in self.axis],
            models=[_listed(one) for one in self.models],
            total=self.total,
        )


def tasks_of(catalog: Catalog) -> tuple[Task, ...]:
    """Return the tasks a catalog has models of, in the order of the table of tasks."""
    return tuple(task for task in TASKS if catalog.at(task.domain, task.sub_domain))


def facts_of(catalog: Catalog, task: Task) -> TaskFacts:
    """Return what a page says of a task.

    Where nothing can be picked of the task's own data set, it is of another one. A task
    whose models cannot be picked has bands that say so; it is no error.

    Raises:
        NoCandidateError: the catalog has no model of the task.
    """
    records = catalog.at(task.domain, task.sub_domain)
    sizes: dict[str, DenseSize] = {}
    excluded: dict[str, str] = {}
    asked, off_ladder = None, False
    try:
        asked = _asked(catalog, task, records)
        ladder = ladder_of(catalog, Question(task, asked))
        scope = ladder.scope
        sizes = {one.record.stub: one.size for one in scope.candidates}
        excluded = dict(scope.excluded)
        off_ladder = any(
            not any(one.holds(size.millions) for one in ladder.classes) for size in sizes.values()
        )
        axis = levels(task.name, catalog=catalog, dataset=asked)
    except NoCandidateError as error:
        if not records:
            raise
        bands = BANDS[SPARSE_TRANSFER]
        axis = tuple(LevelBand(band, None, error.message) for band in bands)
    others = _sizes_by_dataset(record for record in records if record.stub not in sizes)
    models = [
        Listed(
            record,
            sizes.get(record.stub) or others.get(record.stub),
            record.quality(task.metric),
            _why_not(record, asked or task.dataset, excluded, candidate=record.stub in sizes),
        )
        for record in records
    ]
    picks = {one.selection.stub for one in axis if one.selection}
    # Picks first, so that a cut list still has them.
    models.sort(key=lambda one: (one.record.stub not in picks, *_order(one)))
    shown = sorted(models[:MOST_MODELS], key=_order)
    return TaskFacts(task, asked, axis, tuple(shown), len(records), off_ladder)


def _asked(catalog: Catalog, task: Task, records: Sequence[ModelRecord]) -> str | None:
    """The first data set of which something can be picked: the task's own, else the largest."""
    counts = Counter(record.dataset for record in records)
    largest = sorted(counts, key=lambda one: (-counts[one], one))[:_DATASETS]
    for dataset in (None, *largest):
        try:
            ladder_of(catalog, Question(task, dataset))
        except NoCandidateError:
            continue
        return dataset
    return None


def data_of(
    catalog: Catalog, facts: Sequence[TaskFacts], version: str, *, served: bool
) -> dict[str, Any]:
    """Return the whole data of a page: JSON types only."""
    provenance = catalog.provenance
    return {
        "schema": 1,
        "version": version,
        "policy": POLICY,
        "optim_level": DEFAULT_LEVEL,
        "served": served,
        "tasks": [one.to_dict() for one in facts],
        "provenance": _known(
            source=provenance.source,
            compiled=words.cut(provenance.compiled) if provenance.compiled else None,
            digest=provenance.digest,
            models=len(catalog),
            skipped=len(provenance.skipped),
        ),
    }


def _sizes_by_dataset(records: Iterable[ModelRecord]) -> dict[str, DenseSize]:
    """Dense sizes of records out of scope; estimates rest on models of the same data set."""
    groups: dict[str, list[ModelRecord]] = {}
    for record in records:
        groups.setdefault(record.dataset, []).append(record)
    sizes: dict[str, DenseSize] = {}
    for group in groups.values():
        sizes.update(dense_sizes(group, architecture_sizes(), group))
    return sizes


def _why_not(
    record: ModelRecord, dataset: str | None, excluded: dict[str, str], *, candidate: bool
) -> str | None:
    if candidate:
        return None
    if record.stub in excluded:
        return excluded[record.stub]
    if record.dataset != dataset and dataset is not None:
        return f"for another data set: {record.dataset}"
    return "cannot be picked"


def _order(one: Listed) -> tuple[object, ...]:
    """Candidates first, best quality first, then by stub."""
    return (
        one.why_not is not None,
        one.quality is None,
        -(one.quality or 0.0),
        one.record.stub,
    )


def _band(one: LevelBand, of: TaskFacts) -> dict[str, Any]:
    told = words.explanation(one, of.task, of.axis[0])
    facts = {**one.band.to_dict(), "levels": words.interval(one.band), "words": told}
    selection = one.selection
    if selection is None or selection.model is None or selection.dense_millions is None:
        return {**facts, "stub": None}
    model, quality = selection.model, selection.quality
    return {
        **facts,
        **_known(
            stub=selection.stub,
            network=model.network,
            exact=selection.exact,
            got=words.optimization(model.optimization),
            kind=model.optimization,
            sparsity=model.sparsity_percent,
            millions=selection.dense_millions,
            size=words.size(selection.dense_millions),
            on_disk=words.on_disk(model.compressed_size_bytes),
            quality=quality,
            figure=None if quality is None else words.figure(quality),
            confidence=model.confidence,
            next=[
                {"stub": stub, "why_not": words.spoken(why, of.task)}
                for stub, why in selection.alternatives[:_RUNNERS_UP]
            ],
        ),
    }


def _listed(one: Listed) -> dict[str, Any]:
    record = one.record
    return _known(
        stub=record.stub,
        network=record.network,
        kind=record.optimization,
        sparsity=record.sparsity_percent,
        millions=None if one.size is None else one.size.millions,
        quality=one.quality,
        figure=None if one.quality is None else words.figure(one.quality),
        bytes=record.compressed_size_bytes,
        dataset=record.dataset,
        confidence=record.confidence,
        why_not=one.why_not,
    )


def _known(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
