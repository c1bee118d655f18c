"""The ladder: one question worked out once, so that every level after is a look-up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.dense_size import DenseSize, architecture_sizes
from zooselect.errors import NoCandidateError
from zooselect.level import Band
from zooselect.record import ModelRecord
from zooselect.selection.question import Question
from zooselect.selection.rung import Fallback, Rung, find_rung
from zooselect.selection.scope import Candidate, Scope, scope_of
from zooselect.selection.size_classes import SizeClass
from zooselect.selection.tier import ladder_classes, tier_index, tiers_of
from zooselect.selection.variant import Order


@dataclass(frozen=True)
class Pick:
    """The model a tier and optimization come to.

    Attributes:
        record: the model.
        size: its dense size.
        fallback: set when it is not what was wanted.
        rung: all models of its rung, best first; the pick is the first.
        others: further models of the tier's size class, of other optimizations.
        order: the order the rung is in.
    """

    record: ModelRecord
    size: DenseSize
    fallback: Fallback | None
    rung: tuple[ModelRecord, ...]
    others: tuple[ModelRecord, ...]
    order: Order

    @property
    def why(self) -> str:
        """Why this one: its place among the models of its rung."""
        rung = f"{self.record.optimization}, {self.size.millions:g} M"
        count = len(self.rung)
        return (
            f"alone on its rung ({rung})"
            if count == 1
            else f"first of {count} on its rung ({rung})"
        )

    @cached_property
    def alternatives(self) -> tuple[tuple[str, str], ...]:
        """The other models of the tier's size class, as (stub, why not), nearest first."""
        rung = [(other.stub, self.order.why_not(other, self.record)) for other in self.rung[1:]]
        wanted = self.record.optimization
        return (
            *rung,
            *((one.stub, f"optimization {one.optimization}, not {wanted}") for one in self.others),
        )


class Ladder:
    """The size classes of a question and what stands on each rung.

    Attributes:
        question: the question.
        scope: the records it is about.
        classes: the size classes the tiers are taken from, largest first.
    """

    def __init__(self, question: Question, scope: Scope) -> None:
        self.question = question
        self.scope = scope
        self.classes = ladder_classes(scope.candidates, all_sizes=question.all_sizes)
        self._picks: dict[tuple[str, str], Pick | NoCandidateError] = {}

    def size_class(self, tier: str) -> SizeClass:
        """Return a tier's size class."""
        return self.classes[tier_index(tier, len(self.classes))]

    def tiers_of(self, index: int) -> tuple[str, ...]:
        """Return the tiers that the class at an index is."""
        return tiers_of(index, len(self.classes))

    def at(self, band: Band) -> Pick:
        """Return the model of a band of sparse transfer.

        Raises:
            NoCandidateError: nothing to pick, or only by a fallback under `strict`.
        """
        assert band.tier is not None, "a band of sparse transfer has a tier"
        assert band.optimization is not None, "and an optimization"
        return self.pick(band.tier, band.optimization)

    def pick(self, tier: str, optimization: str) -> Pick:
        """Return the model of a tier and optimization.

        Raises:
            NoCandidateError: nothing to pick, or only by a fallback under `strict`.
        """
        found = self._picks.get((tier, optimization))
        if found is None:
            try:
                found = self._pick(tier, optimization)
            except NoCandidateError as error:
                found = error
            self._picks[tier, optimization] = found
        if isinstance(found, NoCandidateError):
            # A fresh one each time: a raised error collects its traceback.
            raise NoCandidateError(found.message, hint=found.hint, nearest=found.nearest)
        return found

    def _pick(self, tier: str, optimization: str) -> Pick:
        size_class = self.size_class(tier)
        rung = find_rung(self.scope.candidates, size_class, optimization)
        if rung is None:
            raise self._nothing(tier, optimization)
        pick = self._best(rung, size_class)
        if pick.fallback is not None and self.question.strict:
            raise NoCandidateError(
                f"{pick.fallback.reason}, and --strict forbids {pick.record.stub}"
                f" ({pick.record.optimization}, {pick.size.millions:g} M) in its place",
                hint="leave --strict out to take it, or try a neighbouring level",
                nearest=((pick.record.stub, pick.fallback.reason),),
            )
        return pick

    def _best(self, rung: Rung, size_class: SizeClass) -> Pick:
        order = Order(
            self.question.task.metric,
            target=self.question.target,
            least_sparse_first=rung.least_sparse_first,
        )
        size_of = {one.record.stub: one.size for one in rung.candidates}
        records = tuple(order.sorted(one.record for one in rung.candidates))
        others = [
            one.record
            for one in self.scope.candidates
            if size_class.holds(one.size.millions) and one.record.stub not in size_of
        ]
        others.sort(key=lambda record: (record.optimization, record.stub))
        best = records[0]
        return Pick(best, size_of[best.stub], rung.fallback, records, tuple(others), order)

    def _nothing(self, tier: str, optimization: str) -> NoCandidateError:
        near = sorted(self._in_tier(tier), key=lambda one: one.record.stub)[:3]
        nearest = tuple(
            (one.record.stub, f"optimization {one.record.optimization}") for one in near
        )
        question, task = self.question, self.question.task.name
        filters = ", ".join(f"{name} {value}" for name, value in question.filters.items())
        within = f" with {filters} ({self.scope.filtered} others left out)" if filters else ""
        return NoCandidateError(
            f"no {optimization} model of {task}{within} can be picked (nearest: "
            + "; ".join(f"{stub} ({why})" for stub, why in nearest)
            + ")",
            hint=f"`zooselect levels {task}` shows which levels have an answer",
            nearest=nearest,
        )

    def _in_tier(self, tier: str) -> list[Candidate]:
        size_class = self.size_class(tier)
        return [one for one in self.scope.candidates if size_class.holds(one.size.millions)]


def ladder_of(catalog: Catalog, question: Question) -> Ladder:
    """Return the ladder of a question in a catalog; worked out once, then remembered.

    Raises:
        NoCandidateError: the question's scope is empty.
    """

    def work_out() -> Ladder:
        records = catalog.at(question.task.domain, question.task.sub_domain)
        return Ladder(question, scope_of(records, question, architecture_sizes()))

    return catalog.remembered(question, work_out)
