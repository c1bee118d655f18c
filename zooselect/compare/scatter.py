"""A scatter of size and quality in plain text."""

from __future__ import annotations

from zooselect.compare.chart import Axis, Chart
from zooselect.compare.row import Row

_HEIGHT = 15
_MARGIN = 8  # columns left of the picture, for the figures on the y axis

#: How a model is shown, the most telling last.
_SIGNS = {
    "no quality on record": "o",
    "on another data set": "+",
    "dominated": ".",
    "on the front": "*",
}


def standing(row: Row) -> str:
    """How a model stands in a comparison, in words."""
    if row.compared:
        return "on the front" if row.on_front else "dominated"
    return "on another data set" if row.elsewhere else "no quality on record"


def standings(chart: Chart) -> dict[str, Row]:
    """How models of a chart stand, the front first, each with one that does."""
    there = {standing(row): row for row in chart.rows}
    return {word: there[word] for word in reversed(_SIGNS) if word in there}


def signs(chart: Chart) -> str:
    """What the signs of a scatter mean, of those that may be in it."""
    return ", ".join(f"{_SIGNS[word]} {word}" for word in standings(chart))


def scatter(chart: Chart, width: int) -> list[str]:
    """Return the picture as lines of ASCII of at most so many columns, 40 at least.

    The lowest lane holds the models that are not compared. A pick hides the front
    and the front what it dominates; of two picks in one place the first is shown, and the
    legend names both.
    """
    columns = width - _MARGIN - 2
    grid = [[" "] * columns for _ in range(_HEIGHT)]
    lane = [" "] * columns
    # The first marks go on top: a picture is read from level 0 on.
    for row in sorted(chart.rows, key=lambda row: chart.marks(row) or "a", reverse=True):
        column = min(int(chart.x.fraction(row.size.millions) * columns), columns - 1)
        mark = chart.marks(row)[:1]
        if chart.y is None or row.quality is None:
            target, sign = lane, mark or _SIGNS[standing(row)]
        else:
            fraction = chart.y.fraction(row.quality)
            target = grid[_HEIGHT - 1 - min(int(fraction * _HEIGHT), _HEIGHT - 1)]
            sign = mark or _SIGNS[standing(row)]
        if _weight(sign) >= _weight(target[column]):
            target[column] = sign
    cut = " (axis does not start at 0)" if chart.y is not None and chart.y.cut else ""
    lines = [(chart.title + cut)[:width]]
    if chart.y is not None:
        labels = _y_labels(chart.y)
        lines += [
            f"{labels.get(index, ''):>{_MARGIN}} |{''.join(cells)}".rstrip()
            for index, cells in enumerate(grid)
        ]
    if chart.lanes:
        lines.append(f"{'n/a':>{_MARGIN}} |{''.join(lane)}".rstrip())
    lines.append(" " * _MARGIN + " +" + "-" * columns)
    lines.append(" " * (_MARGIN + 2) + _x_labels(chart.x, columns))
    return [line.rstrip() for line in lines]


def _weight(sign: str) -> int:
    return 5 if sign.isupper() else [" ", *_SIGNS.values()].index(sign)


def _y_labels(axis: Axis) -> dict[int, str]:
    return {
        _HEIGHT - 1 - min(int(axis.fraction(tick) * _HEIGHT), _HEIGHT - 1): f"{tick:g}"
        for tick in axis.ticks
    }


def _x_labels(axis: Axis, columns: int) -> str:
    line = ""
    for tick in sorted(axis.ticks, key=axis.fraction):
        label = parameters(tick)
        column = int(axis.fraction(tick) * columns)
        if column + len(label) <= columns and (not line or column > len(line) + 1):
            line = line.ljust(column) + label
    return line


def parameters(millions: float) -> str:
    """A tick of the size axis: `500K`, `20M`, `7B`."""
    if millions >= 1000:
        return f"{millions / 1000:g}B"
    return f"{millions:g}M" if millions >= 1 else f"{millions * 1000:g}K"
