"""One model of a comparison, with every figure on record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from zooselect.catalog.dense_size import DenseSize
from zooselect.compare.pareto import Figures
from zooselect.compare.throughput import throughputs
from zooselect.level import Band
from zooselect.record import BASE, PRUNED_QUANTIZED, QUANTIZED, ModelRecord, evaluated_dataset


@dataclass(frozen=True, slots=True)
class Row:
    """One model, once though it may stand in the catalog under two names.

    Attributes:
        record: its record; the v1 name's where there are two.
        aliases: its other names.
        size: its dense size.
        sparsity_percent: stated share of zero weights, 0 to 100; 0 for what was never
            pruned; None for a pruned model that does not state it.
        qualities: by data set, on the comparison's metric, 0 to 100; a result that names
            no data set was measured on the model's own, and a data set has one name.
        compressed_bytes, onnx_bytes: size on disk, compressed and as `model.onnx`.
        throughputs: figures by condition; see `throughputs`.
        bands: the bands of optim levels whose pick it is.
        quality: on the comparison's metric and data set.
        recovery: that quality, relative to the base model's of the same network.
        throughput: under the comparison's condition.
        dominated_by: stubs of the front's models that dominate it.
    """

    record: ModelRecord
    aliases: tuple[str, ...]
    size: DenseSize
    sparsity_percent: float | None
    qualities: Mapping[str, float] = field(hash=False)
    compressed_bytes: int | None
    onnx_bytes: int | None
    throughputs: Mapping[str, float] = field(hash=False)
    bands: tuple[Band, ...] = ()
    quality: float | None = None
    recovery: float | None = None
    throughput: float | None = None
    dominated_by: tuple[str, ...] = ()

    @property
    def stub(self) -> str:
        """The model's name."""
        return self.record.stub

    @property
    def figures(self) -> Figures:
        """What dominance goes by."""
        return Figures(
            self.size.millions,
            self.record.optimization in (QUANTIZED, PRUNED_QUANTIZED),
            self.sparsity_percent,
            self.quality,
            self.compressed_bytes,
            self.throughput,
        )

    @property
    def on_front(self) -> bool:
        """Whether it is compared, and no other model dominates it."""
        return self.compared and not self.dominated_by

    @property
    def compared(self) -> bool:
        """Whether it can dominate or be dominated at all: its quality is on record."""
        return self.quality is not None

    @property
    def elsewhere(self) -> bool:
        """Whether its quality is on record, but on other data sets alone."""
        return self.quality is None and bool(self.qualities)

    def to_dict(self) -> dict[str, object]:
        """The row as it stands in JSON output."""
        return {
            "stub": self.stub,
            "aliases": list(self.aliases),
            "optimization": self.record.optimization,
            "dense_millions": self.size.millions,
            "dense_basis": self.size.basis,
            "sparsity_percent": self.sparsity_percent,
            "quality": self.quality,
            "recovery": self.recovery,
            "compressed_size_bytes": self.compressed_bytes,
            "onnx_size_bytes": self.onnx_bytes,
            "throughput": self.throughput,
            "throughputs": [
                {"conditions": name, "value": value}
                for name, value in sorted(self.throughputs.items())
            ],
            "compared": self.compared,
            "on_front": self.on_front,
            "dominated_by": list(self.dominated_by),
            "picked_at": [str(band) for band in self.bands],
            "model": self.record.to_dict(),
        }


def row_of(records: Sequence[ModelRecord], size: DenseSize, metric: str | None) -> Row:
    """Return the row of one model.

    Args:
        records: its records, one a name, the one to show first.
        size: its dense size.
        metric: the metric its quality is looked up on; None for none.
    """
    first = records[0]
    names = dict.fromkeys(name for one in records for name in (one.stub, *one.aliases))
    sparsities = [one.sparsity_percent for one in records if one.sparsity_percent is not None]
    unpruned = first.optimization in (BASE, QUANTIZED)
    qualities: dict[str, float] = {}
    for one in records:
        for result in one.results if metric is not None else ():
            if result.metric == metric and result.suspect is None:
                dataset = evaluated_dataset(result.dataset or one.dataset)
                best = qualities.get(dataset, result.percent)
                qualities[dataset] = max(best, result.percent)
    return Row(
        record=first,
        aliases=tuple(name for name in names if name != first.stub),
        size=size,
        sparsity_percent=sparsities[0] if sparsities else 0.0 if unpruned else None,
        qualities=qualities,
        compressed_bytes=_first(one.compressed_size_bytes for one in records),
        onnx_bytes=_first(one.onnx_size_bytes for one in records),
        throughputs=throughputs(records),
    )


def _first(values: Iterable[int | None]) -> int | None:
    return next((value for value in values if value is not None), None)
