"""Optim levels and the three policies that say what a level means.

The one home of the band tables. They restate Sparsify's public guides
(sparsify `docs/sparse-transfer-experiment-guide.md`,
`docs/one-shot-experiment-guide.md`, `docs/training-aware-experiment-guide.md`,
sections on the optim level); the code behind those texts was never public.
The three tables are versioned together, because they may change.
"""

from __future__ import annotations

from typing import NamedTuple

from zooselect.errors import UsageError

POLICY = 1
DEFAULT_LEVEL = 0.5

SPARSE_TRANSFER = "sparse-transfer"
ONE_SHOT = "one-shot"
TRAINING_AWARE = "training-aware"
MODES = (SPARSE_TRANSFER, ONE_SHOT, TRAINING_AWARE)

LARGEST, MEDIUM, SMALLEST = TIERS = ("largest", "medium", "smallest")

_HINT = "an optim level is a number from 0.0 to 1.0 (or 0% to 100% on the command line)"
_NUMBER_CHARACTERS = "0123456789.eE+-"


class Band(NamedTuple):
    """An interval of optim levels that all mean the same.

    Attributes:
        lower, upper: the edges, both in [0, 1].
        lower_inclusive, upper_inclusive: whether the edge belongs to the band.
        tier: `largest`, `medium` or `smallest`; None outside sparse transfer.
        optimization: the optimization looked for; None outside sparse transfer.
        sparsity: outside sparse transfer, the fraction of weights to prune at
            the lower and at the upper edge, linear between; None for no pruning.
        quantized: outside sparse transfer, whether to quantize to INT8.
    """

    lower: float
    upper: float
    lower_inclusive: bool
    upper_inclusive: bool
    tier: str | None = None
    optimization: str | None = None
    sparsity: tuple[float, float] | None = None
    quantized: bool = False

    def holds(self, level: float) -> bool:
        """Whether a level belongs to the band."""
        above = self.lower <= level if self.lower_inclusive else self.lower < level
        return above and (level <= self.upper if self.upper_inclusive else level < self.upper)

    def __str__(self) -> str:
        if self.lower == self.upper:
            return f"{self.lower:g}"
        left, right = "[" if self.lower_inclusive else "(", "]" if self.upper_inclusive else ")"
        return f"{left}{self.lower:g}, {self.upper:g}{right}"

    @property
    def representative(self) -> float:
        """A level inside the band: its lower edge, or the middle where that is open."""
        return self.lower if self.lower_inclusive else (self.lower + self.upper) / 2

    def sparsity_at(self, level: float) -> float | None:
        """Fraction of weights to prune at a level of this band, or None for no pruning."""
        if self.sparsity is None:
            return None
        start, end = self.sparsity
        # The edges are promised exactly; between them the line may not leave its range.
        if level == self.upper:
            return end
        width = self.upper - self.lower
        return min(end, start + (level - self.lower) / width * (end - start))

    def to_dict(self) -> dict[str, object]:
        """The band as it stands in JSON output."""
        return {
            "lower": self.lower,
            "upper": self.upper,
            "lower_inclusive": self.lower_inclusive,
            "upper_inclusive": self.upper_inclusive,
            "tier": self.tier,
            "optimization": self.optimization,
        }


def _engine_bands(start: float, end: float) -> tuple[Band, ...]:
    return (
        Band(0.0, 0.0, True, True),
        Band(0.0, 0.3, False, False, quantized=True),
        Band(0.3, 1.0, True, True, sparsity=(start, end), quantized=True),
    )


BANDS: dict[str, tuple[Band, ...]] = {
    SPARSE_TRANSFER: (
        Band(0.0, 0.0, True, True, LARGEST, "base"),
        Band(0.0, 0.25, False, False, LARGEST, "quantized"),
        Band(0.25, 0.5, True, False, LARGEST, "pruned_quantized"),
        Band(0.5, 0.75, True, False, MEDIUM, "pruned_quantized"),
        Band(0.75, 1.0, True, True, SMALLEST, "pruned_quantized"),
    ),
    ONE_SHOT: _engine_bands(0.40, 0.80),
    TRAINING_AWARE: _engine_bands(0.60, 0.95),
}


def parse_level(value: float) -> float:
    """Return an optim level as a float in [0, 1].

    Raises:
        UsageError: not a number, a boolean, NaN, or outside [0, 1].
    """
    import numbers

    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise UsageError(f"optim level {value!r} is not a number", hint=_HINT)
    if not 0 <= value <= 1:  # also refuses NaN
        raise UsageError(f"optim level {value!r} is outside 0.0 to 1.0", hint=_HINT)
    return float(value) + 0.0  # -0.0 becomes 0.0


def parse_level_text(text: str) -> float:
    """Return the optim level a command-line text means: `0.5` or `50%`.

    Raises:
        UsageError: anything else; the hint names the range.
    """
    number = text.strip()
    percent = number.endswith("%")
    number = number[:-1] if percent else number
    try:
        # `float` would also take `nan`, `inf`, `1_0` and digits of other scripts.
        if number.strip(_NUMBER_CHARACTERS):
            raise ValueError
        level = float(number) / 100 if percent else float(number)
    except ValueError:
        raise UsageError(f"optim level {text!r} is not a number", hint=_HINT) from None
    if not 0.0 <= level <= 1.0:
        raise UsageError(f"optim level {text!r} is outside 0.0 to 1.0", hint=_HINT)
    return level + 0.0


def parse_mode(text: str) -> str:
    """Return the mode a text means; `-`/`_` and letter case are alike.

    Raises:
        UsageError: not one of `MODES`.
    """
    mode = text.strip().lower().replace("_", "-") if isinstance(text, str) else text
    if mode not in MODES:
        raise UsageError(f"unknown mode {text!r}", hint="modes: " + ", ".join(MODES))
    return mode


def band_of(level: float, mode: str = SPARSE_TRANSFER) -> Band:
    """Return the band a level in [0, 1] belongs to under a mode's policy."""
    return next(band for band in BANDS[mode] if band.holds(level))
