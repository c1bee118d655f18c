"""The variant: the best of a rung's models, and what speaks against the others."""

from __future__ import annotations

from collections.abc import Iterable

from zooselect.record import CONFIDENCES, ModelRecord

#: Parts of a sparse tag that name hardware: v1 tags end in `-vnni`, v2 tags in `.4block`.
HARDWARE = ("vnni", "4block")


def hardware_targets(record: ModelRecord) -> tuple[str, ...]:
    """Return the hardware a record's sparse tag says it is made for.

    A v1 tag is `name-category[-target]`; in v2 tags only known names can be told apart.
    """
    parts = record.sparse_tag.replace("-", "_").replace(".", "_").split("_")
    third = record.sparse_tag.split("-")[2:]
    return tuple(
        dict.fromkeys([*(part for part in parts if part in HARDWARE), *filter(None, third)])
    )


class Order:
    """The order of preference among models of one rung.

    Known quality before unknown, higher first; stated sparsity before unstated, higher
    first; no hardware target before one; confidence high, medium, low; framework
    `pytorch` before others; stub in code-point order. With a `target`, models made for
    it come first of all; with `least_sparse_first`, the least stated sparsity comes
    before quality.
    """

    def __init__(
        self, metric: str | None, *, target: str | None = None, least_sparse_first: bool = False
    ) -> None:
        self._metric = metric
        self._target = target
        self._least_sparse_first = least_sparse_first

    def sorted(self, records: Iterable[ModelRecord]) -> list[ModelRecord]:
        """Return records best first."""
        return sorted(records, key=self._key)

    def why_not(self, other: ModelRecord, best: ModelRecord) -> str:
        """Say what the best record has over another of the same rung."""
        if best.stub in other.aliases or other.stub in best.aliases:
            return "the same model under another name"
        keys = zip(self._key(other), self._key(best), strict=True)
        step = next(index for index, (mine, its) in enumerate(keys) if mine != its)
        return (
            self._target_against,
            self._less_sparse_against,
            self._quality_against,
            self._sparsity_against,
            self._hardware_against,
            self._confidence_against,
            self._framework_against,
            self._stub_against,
        )[step](other, best)

    def _key(self, record: ModelRecord) -> tuple[object, ...]:
        quality = record.quality(self._metric)
        sparsity = record.sparsity_percent
        targets = hardware_targets(record)
        return (
            self._target is not None and self._target not in targets,
            (sparsity is None, sparsity or 0.0) if self._least_sparse_first else (),
            (quality is None, -(quality or 0.0)),
            (sparsity is None, -(sparsity or 0.0)),
            bool(targets),
            _confidence_rank(record),
            record.framework != "pytorch",
            record.stub,
        )

    def _target_against(self, other: ModelRecord, best: ModelRecord) -> str:
        return f"not made for {self._target}"

    def _less_sparse_against(self, other: ModelRecord, best: ModelRecord) -> str:
        if other.sparsity_percent is None:
            return "states no sparsity"
        return f"{other.sparsity_percent:g} % sparse, more than {best.sparsity_percent:g} %"

    def _quality_against(self, other: ModelRecord, best: ModelRecord) -> str:
        mine, its = other.quality(self._metric), best.quality(self._metric)
        if mine is None:
            return f"no {self._metric} on record"
        return f"{self._metric} {mine:g}, below {its:g}"

    def _sparsity_against(self, other: ModelRecord, best: ModelRecord) -> str:
        if other.sparsity_percent is None:
            return "states no sparsity"
        return f"{other.sparsity_percent:g} % sparse, less than {best.sparsity_percent:g} %"

    def _hardware_against(self, other: ModelRecord, best: ModelRecord) -> str:
        return f"made for {', '.join(hardware_targets(other))} alone"

    def _confidence_against(self, other: ModelRecord, best: ModelRecord) -> str:
        return f"confidence {other.confidence or 'not stated'}, below {best.confidence}"

    def _framework_against(self, other: ModelRecord, best: ModelRecord) -> str:
        return f"framework {other.framework or 'not named'}, not pytorch"

    def _stub_against(self, other: ModelRecord, best: ModelRecord) -> str:
        return "equal in all that counts; its stub sorts later"


def _confidence_rank(record: ModelRecord) -> int:
    known = record.confidence in CONFIDENCES
    return CONFIDENCES.index(record.confidence or "") if known else len(CONFIDENCES)
