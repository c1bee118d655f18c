"""A chart as simple shapes at fixed places: one layout for every kind of picture file."""

from __future__ import annotations

from typing import NamedTuple

from zooselect.compare.chart import Chart
from zooselect.compare.row import Row
from zooselect.compare.scatter import parameters
from zooselect.record import BASE, PRUNED, PRUNED_QUANTIZED, QUANTIZED

WIDTH, HEIGHT = 1000, 700

#: Okabe and Ito's colours, which the colour-blind can tell apart.
_COLOURS = {BASE: "#555555", QUANTIZED: "#0072b2", PRUNED: "#d55e00", PRUNED_QUANTIZED: "#009e73"}
_INK, _PALE, _GRID, _PAPER = "#222222", "#777777", "#e4e4e4", "#ffffff"

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 976, 84, 480
_LANE = 506  # where models without a quality stand
_TICKS, _LEGEND, _LINE = 536, 588, 22
_STUBS = 204  # where the stubs of the legend begin
_PILL = 16  # height of the mark of a pick
_WIDE = 0.56  # of a character, in parts of the size of a text

#: How far above or below its model a pick's number is tried: five picks always find room.
_AWAY = (-16, 0, 16, -36, 36, -56, 56, -76, 76, -96, 96)


class Circle(NamedTuple):
    """A circle; `fill` may be the paper's colour."""

    x: float
    y: float
    radius: float
    fill: str
    stroke: str
    width: float = 1.5


class Line(NamedTuple):
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    stroke: str
    width: float = 1.0


class Pill(NamedTuple):
    """A rectangle with round ends, about its middle."""

    x: float
    y: float
    width: float
    height: float
    fill: str


class Text(NamedTuple):
    """A line of text; `y` is its middle, `anchor` is `start`, `middle` or `end` of it."""

    x: float
    y: float
    text: str
    size: int = 13
    anchor: str = "start"
    fill: str = _INK
    turned: bool = False


Shape = Circle | Line | Pill | Text


def draw(chart: Chart) -> list[Shape]:
    """Return the shapes of a chart, in the order they are to be painted."""
    return [
        Text(_LEFT, 28, _fit(chart.title, _RIGHT - _LEFT, 19), 19),
        Text(_RIGHT, 58, "n/a: no quality on record", 13, "end", _PALE),
        *_key(),
        *_axes(chart),
        *(shape for row in chart.rows for shape in _model(chart, row)),
        *_marks(chart),
        *_legend(chart),
    ]


def _key() -> list[Shape]:
    shapes: list[Shape] = []
    x = float(_LEFT)
    for name, colour in _COLOURS.items():
        shapes += [Circle(x + 5, 58, 5, colour, colour), Text(x + 16, 58, name)]
        x += 34 + 7 * len(name)
    x += 14
    for word, fill in (("on the front", _INK), ("dominated", _PAPER)):
        shapes += [Circle(x + 5, 58, 5, fill, _INK), Text(x + 16, 58, word)]
        x += 34 + 7 * len(word)
    return [*shapes, Circle(x + 7, 58, 8, _PAPER, _INK, 2), Text(x + 22, 58, "pick of a level")]


def _axes(chart: Chart) -> list[Shape]:
    shapes: list[Shape] = []
    for tick in chart.x.ticks:
        x = _x(chart, tick)
        shapes += [Line(x, _TOP, x, _LANE + 14, _GRID)]
        shapes += [Text(x, _TICKS, parameters(tick), 13, "middle", _PALE)]
    if chart.y is not None:
        for tick in chart.y.ticks:
            y = _BOTTOM - chart.y.fraction(tick) * (_BOTTOM - _TOP)
            shapes += [Line(_LEFT, y, _RIGHT, y, _GRID)]
            shapes += [Text(_LEFT - 8, y, f"{tick:g}", 13, "end", _PALE)]
        label = _fit(chart.y.label, _BOTTOM - _TOP, 14)
        shapes += [Text(20, (_TOP + _BOTTOM) / 2, label, 14, "middle", turned=True)]
    shapes += [Line(_LEFT, _TOP, _LEFT, _LANE + 14, _PALE)]
    shapes += [Line(_LEFT, _BOTTOM + 8, _RIGHT, _BOTTOM + 8, _GRID, 2)]
    shapes += [Line(_LEFT, _LANE + 14, _RIGHT, _LANE + 14, _PALE)]
    shapes += [Text(_LEFT - 8, _LANE, "n/a", 13, "end", _PALE)]
    return [*shapes, Text((_LEFT + _RIGHT) / 2, _TICKS + 22, chart.x.label, 14, "middle")]


def _model(chart: Chart, row: Row) -> list[Shape]:
    x, y = _place(chart, row)
    colour = _COLOURS[row.record.optimization]
    if not row.compared:
        shapes: list[Shape] = [Circle(x, y, 3.5, _PAPER, colour, 1)]
    elif row.on_front:
        shapes = [Circle(x, y, 5.5, colour, colour)]
    else:
        shapes = [Circle(x, y, 4.5, _PAPER, colour)]
    return [Circle(x, y, 9, _PAPER, _INK, 2), *shapes] if chart.marks(row) else shapes


def _marks(chart: Chart) -> list[Shape]:
    """The numbers of the picks beside their models, where they touch no other."""
    shapes: list[Shape] = []
    taken: list[tuple[float, float, float]] = []
    picked = [row for row in chart.rows if chart.marks(row)]
    for row in sorted(picked, key=chart.marks):
        mark = chart.marks(row)
        x, y = _place(chart, row)
        width = 10 + 7 * len(mark)
        side = -1 if x > _RIGHT - 70 else 1
        left = x + side * (18 + width / 2)
        middle = next(
            y + away
            for away in _AWAY
            if not any(
                abs(left - other) < (width + wide) / 2 + 3 and abs(y + away - high) < _PILL + 3
                for other, high, wide in taken
            )
        )
        taken.append((left, middle, width))
        bend = (middle > y) - (middle < y)
        shapes += [Line(x + side * 7, y + bend * 7, left - side * width / 2, middle, _INK)]
        shapes += [Pill(left, middle, width, _PILL, _INK)]
        shapes += [Text(left, middle, mark, 12, "middle", _PAPER)]
    return shapes


def _legend(chart: Chart) -> list[Shape]:
    shapes: list[Shape] = []
    for index, pick in enumerate(chart.picks):
        y = _LEGEND + index * _LINE
        shapes += [Pill(_LEFT + 8, y, 17, _PILL, _INK)]
        shapes += [Text(_LEFT + 8, y, pick.mark, 12, "middle", _PAPER)]
        shapes += [Text(_LEFT + 26, y, f"level {pick.band}", 13)]
        stub = _fit(told(pick.stub, pick.row), WIDTH - 8 - _STUBS, 12)
        shapes += [Text(_STUBS, y, stub, 12, fill=_PALE)]
    return shapes


def _fit(text: str, width: float, size: int) -> str:
    """A text that is no wider than there is room; of a longer one the middle is left out."""
    most = int(width / (_WIDE * size))
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}\u2026{text[-half:]}"


def told(stub: str | None, row: Row | None) -> str:
    """A pick in words: its stub, or why it is not drawn."""
    if stub is None:
        return "no pick"
    return stub if row is not None else f"{stub} (outside the limits)"


def _place(chart: Chart, row: Row) -> tuple[float, float]:
    if chart.y is None or row.quality is None:
        return _x(chart, row.size.millions), _LANE
    return _x(chart, row.size.millions), _BOTTOM - chart.y.fraction(row.quality) * (_BOTTOM - _TOP)


def _x(chart: Chart, millions: float) -> float:
    return _LEFT + chart.x.fraction(millions) * (_RIGHT - _LEFT)
