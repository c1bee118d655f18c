"""The selection: the answer to a question at a level, with all that explains it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zooselect.catalog.catalog import Catalog
from zooselect.catalog.provenance import Provenance
from zooselect.errors import NoCandidateError
from zooselect.level import BANDS, MEDIUM, POLICY, SPARSE_TRANSFER, Band, band_of
from zooselect.record import BASE, ModelRecord
from zooselect.selection.ladder import Ladder, Pick, ladder_of
from zooselect.selection.notes import notes_on
from zooselect.selection.question import Question
from zooselect.selection.rung import Fallback
from zooselect.selection.scope import DatasetUse

if TYPE_CHECKING:
    from zooselect.plan.plan import Plan

SCHEMA = 1
_RECIPES = ("transfer_learn", "transfer")


@dataclass(frozen=True, slots=True, repr=False)
class Selection:
    """What a task and an optim level come to. `str()` gives the stub.

    Attributes:
        mode: `sparse-transfer`, `one-shot` or `training-aware`.
        task: canonical task name.
        optim_level: the level, 0 to 1.
        band: the band of levels it lies in.
        model: the model to start from; in the other two modes the input model, None
            when the user brought their own.
        plan: in the other two modes, what to do to the input model.
        provenance: where the catalog came from; None where none was asked.
    """

    mode: str
    task: str
    optim_level: float
    band: Band
    model: ModelRecord | None
    plan: Plan | None
    provenance: Provenance | None
    _ladder: Ladder | None = field(repr=False, compare=False)
    _pick: Pick | None = field(repr=False, compare=False)

    @property
    def head(self) -> str:
        """The question in a line; the level to full precision, for an ulp may decide."""
        return f"{self.task}, {self.mode}, optim level {self.optim_level!r}"

    @property
    def stub(self) -> str | None:
        """The model's stub; None when the user brought their own model."""
        return None if self.model is None else self.model.stub

    @property
    def fallback(self) -> Fallback | None:
        """What stands in for what was wanted, and why; None for an exact answer."""
        return None if self._pick is None else self._pick.fallback

    @property
    def exact(self) -> bool:
        """Whether the model is what the level asks for, without a fallback."""
        return self.fallback is None

    @property
    def dataset(self) -> DatasetUse | None:
        """The data set of the models in scope; None when the user brought their own model."""
        return None if self._ladder is None else self._ladder.scope.dataset

    @property
    def dense_millions(self) -> float | None:
        """Dense size of the model, in millions of parameters."""
        return None if self._pick is None else self._pick.size.millions

    @property
    def dense_basis(self) -> str | None:
        """How the dense size came about; see `DenseSize.basis`."""
        return None if self._pick is None else self._pick.size.basis

    @property
    def quality(self) -> float | None:
        """The model's quality on the task's metric, 0 to 100; None if none is on record."""
        if self._ladder is None or self.model is None:
            return None
        return self.model.quality(self._ladder.question.task.metric)

    @property
    def why(self) -> str | None:
        """Why this model was picked: its place among the models of its rung."""
        return None if self._pick is None else self._pick.why

    @property
    def filters(self) -> dict[str, str]:
        """The filters in use, by name."""
        return {} if self._ladder is None else self._ladder.question.filters

    @property
    def target(self) -> str | None:
        """The hardware target that was asked for."""
        return None if self._ladder is None else self._ladder.question.target

    @property
    def filtered(self) -> int:
        """How many models of the task and data set the filters left out."""
        return 0 if self._ladder is None else self._ladder.scope.filtered

    @property
    def alternatives(self) -> tuple[tuple[str, str], ...]:
        """Other models of the same size class, as (stub, why not), nearest first."""
        return () if self._pick is None else self._pick.alternatives

    @property
    def excluded(self) -> tuple[tuple[str, str], ...]:
        """Models in scope that may not be picked, as (stub, reason)."""
        return () if self._ladder is None else self._ladder.scope.excluded

    @property
    def recipe_stub(self) -> str | None:
        """Stub of the recipe published for transferring the model; None if none is on record."""
        if self.mode != SPARSE_TRANSFER or self.model is None:
            return None
        return recipe_stub(self.model)

    @property
    def neighbours(self) -> dict[str, str | None]:
        """What the bands below (`lower`) and above (`higher`) would give; None for nothing."""
        if self._ladder is None or self.mode != SPARSE_TRANSFER:
            return {"lower": None, "higher": None}
        bands = BANDS[SPARSE_TRANSFER]
        index = bands.index(self.band)
        return {
            "lower": _stub_at(self._ladder, bands[index - 1]) if index else None,
            "higher": _stub_at(self._ladder, bands[index + 1]) if index + 1 < len(bands) else None,
        }

    @property
    def size_classes(self) -> tuple[dict[str, object], ...]:
        """The size classes under the knob, largest first, each with the tiers it is."""
        if self._ladder is None:
            return ()
        return tuple(
            {
                "tiers": list(self._ladder.tiers_of(index)),
                "largest_millions": one.largest_millions,
                "smallest_millions": one.smallest_millions,
            }
            for index, one in enumerate(self._ladder.classes)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person must be told beside the answer: fallbacks, estimates, doubts."""
        return notes_on(self)

    def explain(self) -> str:
        """The whole explanation, as text of several lines."""
        from zooselect.selection.explanation import explain

        return explain(self)

    def to_dict(
        self, recipe_format: str = "sparseml", settings: Mapping[str, str | float] | None = None
    ) -> dict[str, Any]:
        """The selection as it stands in JSON output.

        Args:
            recipe_format: the format of the plan's recipe, where there is a plan.
            settings: values for the recipe's variables, by name.

        Raises:
            UsageError: a format that cannot express the plan, or a setting it has not.
        """
        dataset = self.dataset
        answer: dict[str, Any] = {
            "schema": SCHEMA,
            "policy": POLICY,
            "mode": self.mode,
            "task": self.task,
            "optim_level": self.optim_level,
            "band": self.band.to_dict(),
            "stub": self.stub,
            "model": None if self.model is None else self.model.to_dict(),
            "exact": self.exact,
            "fallback": None if self.fallback is None else self.fallback.to_dict(),
            "dataset": None if dataset is None else dataset.to_dict(),
            "filters": self.filters,
            "size_classes": list(self.size_classes),
            "why": self.why,
            "alternatives": [{"stub": stub, "why_not": why} for stub, why in self.alternatives],
            "neighbours": self.neighbours,
            "excluded": [{"stub": stub, "reason": reason} for stub, reason in self.excluded],
            "recipe_stub": self.recipe_stub,
            "notes": list(self.notes),
            "provenance": None if self.provenance is None else self.provenance.to_dict(),
        }
        if self.plan is not None:
            answer["plan"] = {
                **self.plan.to_dict(),
                "recipe_format": recipe_format,
                "recipe": self.plan.recipe(recipe_format, settings),
            }
        return answer

    def __str__(self) -> str:
        return self.stub or (str(self.plan) if self.plan else "")

    def __repr__(self) -> str:
        lines = [f"<Selection {self.head}", *(f"  {line}" for line in self._summary())]
        return "\n".join(lines) + ">"

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(f"<li>{escape(line)}</li>" for line in self._summary())
        return f"<b>{escape(self.head)}</b><ul>{rows}</ul>"

    def _summary(self) -> list[str]:
        lines = [str(self.plan)] if self.plan else []
        if self.stub:
            lines.append(self.stub)
        if self.why:
            lines.append(self.why)
        lines += [f"runner-up {stub}: {why}" for stub, why in self.alternatives[:1]]
        return [*lines, *self.notes]


def select(catalog: Catalog, question: Question, level: float) -> Selection:
    """Pick a model for sparse transfer at a level in [0, 1].

    A pure function of the catalog's records, the question and the level.

    Raises:
        NoCandidateError: nothing to pick.
    """
    ladder = ladder_of(catalog, question)
    band = band_of(level)
    pick = ladder.at(band)
    return Selection(
        SPARSE_TRANSFER, question.task.name, level, band, pick.record, None, catalog.provenance,
        ladder, pick,
    )  # fmt: skip


def select_input(catalog: Catalog, question: Question) -> tuple[Ladder, Pick]:
    """Pick the model the other two modes start from: the medium tier's base model.

    "Medium" for Sparsify's own words, performance and accuracy balanced.

    Raises:
        NoCandidateError: no base model in scope.
    """
    ladder = ladder_of(catalog, question)
    return ladder, ladder.pick(MEDIUM, BASE)


def recipe_stub(record: ModelRecord) -> str | None:
    """Return the stub of a record's transfer recipe, the general one if there are several."""
    names = record.recipe_types
    transfers = [name for name in names if name.startswith("transfer")]
    if not transfers:
        return None
    general = next((name for name in _RECIPES if name in transfers), None)
    return f"{record.stub}?recipe={general or min(transfers)}"


def _stub_at(ladder: Ladder, band: Band) -> str | None:
    try:
        return ladder.at(band).record.stub
    except NoCandidateError:
        return None
