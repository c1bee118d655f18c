"""What a picture of a comparison shows, before it is drawn: points, picks and axes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from zooselect.compare.comparison import Comparison
from zooselect.compare.row import Row
from zooselect.record import OPTIMIZATIONS

#: Multiples of a power of ten that ticks stand at.
_NICE = (1, 2, 5)
#: Powers of ten an axis may span with all of those, and how many ticks it bears without.
_POWERS, _TICKS = 5, 12
#: What the bands of sparse transfer are marked with, from level 0 on.
_MARKS = "ABCDE"


class Axis(NamedTuple):
    """One axis: its range and where its ticks stand.

    Attributes:
        label: what it measures.
        lower, upper: the range shown; lower is less than upper.
        ticks: positions of ticks, within the range.
        logarithmic: whether equal ratios are equally far apart.
        falling: whether its greatest value comes first.
    """

    label: str
    lower: float
    upper: float
    ticks: tuple[float, ...]
    logarithmic: bool
    falling: bool = False

    def fraction(self, value: float) -> float:
        """Where a value stands on the axis: 0 at its start, 1 at its end."""
        if self.logarithmic:
            part = math.log(value / self.lower) / math.log(self.upper / self.lower)
        else:
            part = (value - self.lower) / (self.upper - self.lower)
        return 1 - part if self.falling else part

    @property
    def cut(self) -> bool:
        """Whether it leaves out zero, so that lengths on it say nothing."""
        return not self.logarithmic and self.lower > 0


class Pick(NamedTuple):
    """One band of optim levels and what it picks.

    Attributes:
        mark: the letter it is marked with, `A` to `E`; rows of tables have numbers.
        band: the band, as text.
        stub: the pick; None for none.
        row: its row; None where there is no pick, or a limit leaves it out.
    """

    mark: str
    band: str
    stub: str | None
    row: Row | None


class Chart(NamedTuple):
    """A picture of a comparison.

    Attributes:
        title: what it shows.
        x, y: the axes: dense size, in millions of parameters, and quality. The largest is
            first, as on the axis of optim levels; there is no y where nothing is compared.
        rows: the models, those that matter most last, so that they are drawn on top.
        picks: the bands of optim levels.
    """

    title: str
    x: Axis
    y: Axis | None
    rows: tuple[Row, ...]
    picks: tuple[Pick, ...]

    def marks(self, row: Row) -> str:
        """The letters of the bands whose pick a model is, e.g. `C,D`; empty for none."""
        return ",".join(pick.mark for pick in self.picks if pick.row is row)

    @property
    def lanes(self) -> tuple[str, ...]:
        """The optimizations of the models that are not compared: each has a lane."""
        apart = {row.record.optimization for row in self.rows if not row.compared}
        return tuple(name for name in OPTIMIZATIONS if name in apart)


def chart_of(comparison: Comparison, shown: Iterable[Row] | None = None) -> Chart:
    """Return the picture of a comparison.

    Args:
        comparison: the comparison.
        shown: the rows to draw, beside the picks; all without it.
    """
    wanted = {row.stub for row in (comparison.rows if shown is None else shown)}
    rows = [row for row in comparison.rows if row.bands or row.stub in wanted]
    by_name = {name: row for row in comparison.rows for name in (row.stub, *row.aliases)}
    picks = tuple(
        Pick(mark, str(band), stub, by_name.get(stub or ""))
        for mark, (band, stub) in zip(_MARKS, comparison.picks, strict=True)
    )
    task = comparison.question.task.name
    on = f"{comparison.metric} on {comparison.metric_dataset}"
    qualities = [row.quality for row in rows if row.quality is not None]
    return Chart(
        f"{task}: {on if qualities else 'no quality on record'}",
        _log_axis("dense size, parameters", [row.size.millions for row in rows]),
        _linear_axis(on, qualities) if qualities else None,
        tuple(sorted(rows, key=_importance)),
        picks,
    )


def _importance(row: Row) -> tuple[object, ...]:
    return bool(row.bands), row.on_front, row.stub


def _log_axis(label: str, values: list[float]) -> Axis:
    lower, upper = min(values) / 1.25, max(values) * 1.25
    first, last = math.floor(math.log10(lower)), math.ceil(math.log10(upper))
    nice, step = (_NICE, 1) if last - first <= _POWERS else ((1,), -(-(last - first) // _TICKS))
    ticks = [times * 10.0**power for power in range(first, last + 1, step) for times in nice]
    return Axis(label, lower, upper, tuple(t for t in ticks if lower <= t <= upper), True, True)


def _linear_axis(label: str, values: list[float]) -> Axis:
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, 0.5)
    lower, upper = low - room, high + room
    rough = (upper - lower) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(nice * power for nice in (*_NICE, 10) if nice * power >= rough)
    first = math.ceil(lower / step)
    count = math.floor(upper / step) - first + 1
    ticks = tuple(round((first + index) * step, 10) for index in range(count))
    return Axis(label, lower, upper, ticks, False)
