"""A scatter of size and quality in plain text."""

from __future__ import annotations

from zooselect.compare.chart import Axis, Chart

_HEIGHT = 15
_MARGIN = 8  # columns left of the picture, for the figures on the y axis

#: How a model is shown: on the front, dominated, no quality on record.
FRONT, DOMINATED, UNKNOWN = "*", ".", "o"


def scatter(chart: Chart, width: int) -> list[str]:
    """Return the picture as lines of ASCII of at most so many columns, 40 at least.

    The lowest lane holds the models without a quality on record. A pick hides the front
    and the front what it dominates; of two picks in one place the first is shown, and the
    legend names both.
    """
    columns = width - _MARGIN - 2
    grid = [[" "] * columns for _ in range(_HEIGHT)]
    lane = [" "] * columns
    # The first marks go on top: a picture is read from level 0 on.
    for row in sorted(chart.rows, key=lambda row: chart.marks(row) or "9", reverse=True):
        column = min(int(chart.x.fraction(row.size.millions) * columns), columns - 1)
        mark = chart.marks(row)[:1]
        if chart.y is None or row.quality is None:
            target, sign = lane, mark or UNKNOWN
        else:
            fraction = chart.y.fraction(row.quality)
            target = grid[_HEIGHT - 1 - min(int(fraction * _HEIGHT), _HEIGHT - 1)]
            sign = mark or (FRONT if row.on_front else DOMINATED)
        if _weight(sign) >= _weight(target[column]):
            target[column] = sign
    lines = [chart.title[:width]]
    if chart.y is not None:
        labels = _y_labels(chart.y)
        lines += [
            f"{labels.get(index, ''):>{_MARGIN}} |{''.join(cells)}".rstrip()
            for index, cells in enumerate(grid)
        ]
    if any(cell != " " for cell in lane):
        lines.append(f"{'n/a':>{_MARGIN}} |{''.join(lane)}".rstrip())
    lines.append(" " * _MARGIN + " +" + "-" * columns)
    lines.append(" " * (_MARGIN + 2) + _x_labels(chart.x, columns))
    return [line.rstrip() for line in lines]


def _weight(sign: str) -> int:
    return 3 if sign.isdigit() else " o.*".index(sign)


def _y_labels(axis: Axis) -> dict[int, str]:
    return {
        _HEIGHT - 1 - min(int(axis.fraction(tick) * _HEIGHT), _HEIGHT - 1): f"{tick:g}"
        for tick in axis.ticks
    }


def _x_labels(axis: Axis, columns: int) -> str:
    line = ""
    for tick in axis.ticks:
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
