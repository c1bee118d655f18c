"""What a comparison keeps, and what it then puts first."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from zooselect.compare.row import Row
from zooselect.errors import UsageError
from zooselect.record import OPTIMIZATIONS

SIZE, QUALITY, THROUGHPUT = OBJECTIVES = ("size", "quality", "throughput")


class Breach(NamedTuple):
    """Why a limit leaves a model out.

    Attributes:
        reason: the limit and the figure.
        share: by which part of the limit the figure is off; infinite where it is not known.
    """

    reason: str
    share: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What every model kept must hold to; all optional.

    Attributes:
        max_millions: greatest dense size, in millions of parameters.
        max_bytes: greatest size on disk: the compressed model's, or where that is not on
            record its `model.onnx`, which is no smaller.
        min_quality: least quality on the metric, 0 to 100.
        min_recovery: least quality relative to the base model's, as a fraction.
        keep_unknown: keep models whose figure is not on record; they may or may not hold
            to the limit. Without it they are left out.
    """

    max_millions: float | None = None
    max_bytes: int | None = None
    min_quality: float | None = None
    min_recovery: float | None = None
    keep_unknown: bool = False

    def __post_init__(self) -> None:
        """Check the ranges.

        Raises:
            UsageError: a figure no model can have.
        """
        quality = self.min_quality
        # From 0 to 1 it is a fraction by mistake, which every model would hold to.
        if quality is not None and quality != 0 and not 1 < quality <= 100:
            raise UsageError(
                f"minimum quality {quality:g} is not a figure from 0 to 100",
                hint="qualities are on the scale 0 to 100: 76.1, not 0.761",
            )
        if self.min_recovery is not None and not 0 <= self.min_recovery <= 2:
            raise UsageError(
                f"minimum recovery {self.min_recovery:g} is not a fraction of the base quality",
                hint="0.99 keeps models with at least 99 % of their base model's quality",
            )

    def against(self, row: Row) -> Breach | None:
        """Say which limit a model breaks, the first if there are more; None for none."""
        known_bytes = row.compressed_bytes or row.onnx_bytes
        checks = (
            ("parameters", row.size.millions, self.max_millions, True),
            ("bytes", known_bytes, self.max_bytes, True),
            ("quality", row.quality, self.min_quality, False),
            ("recovery", row.recovery, self.min_recovery, False),
        )
        for name, value, limit, greatest in checks:
            if limit is None:
                continue
            if value is None:
                if not self.keep_unknown:
                    return Breach(f"{name} not on record", inf)
            elif value > limit if greatest else value < limit:
                beyond = "above" if greatest else "below"
                reason = f"{name} {_plain(value)} {beyond} {_plain(limit)}"
                return Breach(reason, abs(value - limit) / limit if limit else inf)
        return None


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value >= 10_000 else f"{value:.6g}"


def in_order(rows: list[Row], objective: str | None) -> list[Row]:
    """Return rows best first by an objective; what has no figure comes last.

    Equals go by the front first, then quality, lightness and stub. Without an objective:
    as optim levels go, largest and dense first.
    """
    if objective is None:
        return sorted(rows, key=_as_levels_go)
    return sorted(rows, key=lambda row: (_rank(row, objective), not row.on_front, _tie(row)))


def objective_value(row: Row, objective: str) -> float | None:
    """A model's figure on an objective; None where none is on record."""
    figures = row.figures
    if objective == SIZE:
        return figures.dense_millions
    return figures.quality if objective == QUALITY else figures.throughput


def _rank(row: Row, objective: str) -> tuple[bool, float]:
    value = objective_value(row, objective)
    if value is None:
        return True, 0.0
    return False, value if objective == SIZE else -value


def _tie(row: Row) -> tuple[object, ...]:
    return (
        row.quality is None, -(row.quality or 0.0), row.size.millions, not row.figures.int8,
        -(row.sparsity_percent or 0.0), row.stub,
    )  # fmt: skip


def _as_levels_go(row: Row) -> tuple[object, ...]:
    return (
        -row.size.millions, OPTIMIZATIONS.index(row.record.optimization),
        row.quality is None, -(row.quality or 0.0), row.stub,
    )  # fmt: skip
