"""Scope: which records may answer a question at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from zooselect.catalog.dense_size import DenseSize, SizeTable, dense_sizes
from zooselect.errors import NoCandidateError
from zooselect.record import OTHER, ModelRecord
from zooselect.selection.question import Question


class Candidate(NamedTuple):
    """A record that may be picked, with its dense size."""

    record: ModelRecord
    size: DenseSize


class DatasetUse(NamedTuple):
    """Which data set the models in scope were trained for.

    Attributes:
        requested: what the user named; None for nothing.
        used: the data set of the records in scope; None for any.
        transfer: whether `used` is the data to transfer from, rather than the user's own.
        closest: a data set of the catalog that `requested` may be a misspelling of.
    """

    requested: str | None
    used: str | None
    transfer: bool
    closest: str | None = None

    def to_dict(self) -> dict[str, object]:
        """The data set as it stands in JSON output."""
        return {"requested": self.requested, "used": self.used, "transfer": self.transfer}


class Scope(NamedTuple):
    """The records a question is about.

    Attributes:
        candidates: what may be picked.
        excluded: records of the task, data set and filters that may not, as
            (stub, reason).
        dataset: the data set in use.
        filtered: how many records of the task and data set the filters left out.
    """

    candidates: tuple[Candidate, ...]
    excluded: tuple[tuple[str, str], ...]
    dataset: DatasetUse
    filtered: int


def scope_of(records: Iterable[ModelRecord], question: Question, table: SizeTable) -> Scope:
    """Return the scope of a question among the records of its task.

    Raises:
        NoCandidateError: nothing is left; the message names the step that left nothing.
    """
    task = question.task
    of_task = [r for r in records if (r.domain, r.sub_domain) == (task.domain, task.sub_domain)]
    if not of_task:
        raise NoCandidateError(
            f"the catalog has no {task.name} models", hint="ask another catalog, or another task"
        )
    dataset = _dataset_use(of_task, question)
    of_dataset = [r for r in of_task if dataset.used is None or r.dataset == dataset.used]
    if not of_dataset:
        raise NoCandidateError(
            f"the catalog has no {task.name} models for {dataset.used}",
            hint="name one it has with --dataset: " + _listed(r.dataset for r in of_task),
        )
    kept = _filtered(of_dataset, question)
    # Sizes are facts about networks: they rest on the task and data set alone, so that
    # neither other tasks' records nor the user's filters can change one.
    sizes = dense_sizes(kept, table, of_dataset)
    candidates: list[Candidate] = []
    excluded: list[tuple[str, str]] = []
    for record in kept:
        size = sizes.get(record.stub)
        if record.optimization == OTHER:
            reason = f"other optimization: {record.sparse_tag} is not dense, INT8 or pruned"
            excluded.append((record.stub, reason))
        elif size is None:
            excluded.append((record.stub, f"unranked: dense size of {record.network} is not known"))
        elif record.confidence == "low" and not question.include_unverified:
            excluded.append((record.stub, "unverified: may never have been published"))
        else:
            candidates.append(Candidate(record, size))
    excluded.sort()
    if not candidates:
        raise _all_excluded(question, excluded)
    return Scope(tuple(candidates), tuple(excluded), dataset, len(of_dataset) - len(kept))


def _dataset_use(of_task: list[ModelRecord], question: Question) -> DatasetUse:
    requested = question.dataset
    if requested is not None and any(record.dataset == requested for record in of_task):
        return DatasetUse(requested, requested, transfer=False)
    closest = None
    if requested is not None:
        from difflib import get_close_matches

        known = {record.dataset.lower(): record.dataset for record in of_task}
        close = get_close_matches(requested.lower(), known, n=1, cutoff=0.8)
        closest = known[close[0]] if close else None
    return DatasetUse(requested, question.task.dataset, transfer=True, closest=closest)


def _filtered(records: list[ModelRecord], question: Question) -> list[ModelRecord]:
    kept = records
    for name, wanted in question.filters.items():
        values_of = _VALUES[name]
        passed = [record for record in kept if wanted in values_of(record)]
        if not passed:
            shown = {record.stub: values_of(record)[-1] or "not named" for record in kept}
            raise NoCandidateError(
                f"no {question.task.name} model in scope has {name} {wanted!r}"
                f" ({len(kept)} before this filter)",
                hint=f"{name} there: "
                + _listed(
                    (value for record in kept for value in values_of(record) if value), like=wanted
                ),
                nearest=tuple((stub, f"{name} is {shown[stub]}") for stub in sorted(shown)[:3]),
            )
        kept = passed
    return kept


#: What a filter is compared with; the last value is what a message shows.
_VALUES: dict[str, Callable[[ModelRecord], tuple[str | None, ...]]] = {
    "architecture": lambda record: (record.architecture, record.network),
    "framework": lambda record: (record.framework,),
    "repo": lambda record: (record.repo,),
}


#: How alike a value must be (difflib's ratio, 0 to 1) to be told before the others.
_ALIKE = 0.6


def _all_excluded(question: Question, excluded: list[tuple[str, str]]) -> NoCandidateError:
    unverified = any(reason.startswith("unverified") for _, reason in excluded)
    unranked = any(reason.startswith("unranked") for _, reason in excluded)
    return NoCandidateError(
        f"none of the {len(excluded)} {question.task.name} models in scope can be picked"
        f" (nearest: {excluded[0][0]}: {excluded[0][1]})",
        hint="--include-unverified also picks models that may never have been published"
        if unverified
        else "a record's own `parameters_millions` gives it a size"
        if unranked
        else "widen the filters, or name another data set",
        nearest=tuple(excluded[:3]),
    )


def _listed(values: Iterable[str], most: int = 8, like: str = "") -> str:
    from difflib import SequenceMatcher

    def unlike(value: str) -> tuple[float, str]:
        ratio = SequenceMatcher(None, like.lower(), value.lower()).ratio()
        return -ratio if ratio >= _ALIKE else 0.0, value

    distinct = sorted(set(values), key=unlike)
    more = f" and {len(distinct) - most} more" if len(distinct) > most else ""
    return ", ".join(distinct[:most]) + more
