"""A chart as simple shapes at fixed places: one layout for every kind of picture file."""

from __future__ import annotations

from math import hypot
from typing import NamedTuple

from zooselect.compare.chart import Chart
from zooselect.compare.row import Row
from zooselect.compare.scatter import parameters, standings
from zooselect.record import BASE, PRUNED, PRUNED_QUANTIZED, QUANTIZED

WIDTH, HEIGHT = 1000, 700

#: Okabe and Ito's colours, which the colour-blind can tell apart.
_COLOURS = {BASE: "#555555", QUANTIZED: "#0072b2", PRUNED: "#d55e00", PRUNED_QUANTIZED: "#009e73"}
_INK, _PALE, _GRID, _PAPER = "#222222", "#777777", "#e4e4e4", "#ffffff"

_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 976, 84, 520
_LANE, _HEADING = 22, 26  # heights: of a lane of models not compared, and of what is over them
_TICKS, _LEGEND, _LINE = 536, 588, 22
_STUBS = 204  # where the stubs of the legend begin
_PILL = 16  # height of the mark of a pick
_WIDE = 0.56  # of a character, in parts of the size of a text

#: Models nearer than this would hide each other, and how far one may be moved aside.
_NEAR, _NEAR_PICK = 7.0, 13.0
_SHIFTS = (0.0, -7.0, 7.0, -14.0, 14.0, -21.0, 21.0)
_GOLDEN = 0.618  # multiples of it, less their whole part, lie evenly

#: How far above or below its model a pick's letter is tried: five picks always find room.
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

#: Models in a square of the picture: where each stands, and how near is too near.
_Cells = dict[tuple[int, int], list[tuple[float, float, float]]]


def draw(chart: Chart) -> list[Shape]:
    """Return the shapes of a chart, in the order they are to be painted."""
    places = places_of(chart)
    return [
        Text(_LEFT, 28, _fit(chart.title, _RIGHT - _LEFT - 250, 19), 19),
        *_key(chart),
        *_axes(chart),
        *(_ring(*places[row.stub]) for row in chart.rows if chart.marks(row)),
        *(shape for row in chart.rows for shape in _model(row, *places[row.stub])),
        *_marks(chart, places),
        *_legend(chart),
    ]


def _key(chart: Chart) -> list[Shape]:
    """What the colours and shapes mean, of those that are in the picture."""
    shapes: list[Shape] = []
    kinds = {row.record.optimization for row in chart.rows}
    x = float(_LEFT)
    for name, colour in _COLOURS.items():
        if name in kinds:
            shapes += [Circle(x + 5, 58, 5, colour, colour), Text(x + 16, 58, name)]
            x += 30 + 6.2 * len(name)
    x += 10
    for word, row in standings(chart).items():
        shapes += [*_sign(row, x + 5, 58, _INK), Text(x + 16, 58, word)]
        x += 30 + 6.2 * len(word)
    if any(map(chart.marks, chart.rows)):
        shapes += [Circle(x + 7, 58, 8, _PAPER, _INK, 2), Text(x + 22, 58, "pick")]
    return shapes


def _axes(chart: Chart) -> list[Shape]:
    shapes: list[Shape] = []
    for tick in chart.x.ticks:
        x = _x(chart, tick)
        shapes += [Line(x, _TOP, x, _BOTTOM, _GRID)]
        shapes += [Text(x, _TICKS, parameters(tick), 13, "middle", _PALE)]
    foot = _foot(chart)
    if chart.y is not None:
        for tick in chart.y.ticks:
            y = foot - chart.y.fraction(tick) * (foot - _TOP)
            shapes += [Line(_LEFT, y, _RIGHT, y, _GRID)]
            shapes += [Text(_LEFT - 8, y, f"{tick:g}", 13, "end", _PALE)]
        label = _fit(chart.y.label, foot - _TOP, 14)
        shapes += [Text(20, (_TOP + foot) / 2, label, 14, "middle", turned=True)]
        if chart.y.cut:
            note = "the quality axis does not start at 0"
            shapes += [Text(_RIGHT, 28, note, 13, "end", _PALE)]
    if chart.lanes:
        shapes += [Line(_LEFT, foot, _RIGHT, foot, _GRID, 2)]
        shapes += [Text(_LEFT + 8, foot + 14, "not compared", 13, fill=_PALE)]
    for index, name in enumerate(chart.lanes):
        y = _lane(chart, index)
        shapes += [Line(_LEFT, y, _RIGHT, y, _GRID)]
        shapes += [Circle(_LEFT - 16, y, 5, _COLOURS[name], _COLOURS[name])]
    shapes += [Line(_LEFT, _TOP, _LEFT, _BOTTOM, _PALE)]
    shapes += [Line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, _PALE)]
    below = _TICKS + 22
    return [
        *shapes,
        Text(_LEFT, below, "larger", 13, fill=_PALE),
        Text((_LEFT + _RIGHT) / 2, below, chart.x.label, 14, "middle"),
        Text(_RIGHT, below, "smaller", 13, "end", _PALE),
    ]


def _ring(x: float, y: float) -> Circle:
    return Circle(x, y, 9, _PAPER, _INK, 2)


def _model(row: Row, x: float, y: float) -> list[Shape]:
    return _sign(row, x, y, _COLOURS[row.record.optimization])


def _sign(row: Row, x: float, y: float, colour: str) -> list[Shape]:
    """A disc on the front, a circle dominated, a cross where there is nothing to compare."""
    if row.on_front:
        return [Circle(x, y, 5.5, colour, colour)]
    if row.compared:
        return [Circle(x, y, 4.5, _PAPER, colour)]
    if row.elsewhere:
        return [Line(x - 5, y, x + 5, y, colour, 2), Line(x, y - 5, x, y + 5, colour, 2)]
    return [
        Line(x - 4, y - 4, x + 4, y + 4, colour, 1.5),
        Line(x - 4, y + 4, x + 4, y - 4, colour, 1.5),
    ]


def places_of(chart: Chart) -> dict[str, tuple[float, float]]:
    """Where the models stand, by stub: as far aside as it takes for none to hide another.

    The picks stand where their figures say; where there is no room left, the rest is strewn.
    """
    places: dict[str, tuple[float, float]] = {}
    cells: _Cells = {}
    for count, row in enumerate(reversed(chart.rows)):
        exact, y = _x(chart, row.size.millions), _y(chart, row)
        tried = (exact + away for away in _SHIFTS if _LEFT <= exact + away <= _RIGHT)
        strewn = exact + (count * _GOLDEN % 1 - 0.5) * 2 * _SHIFTS[-1]
        x = next((x for x in tried if _is_free(cells, x, y)), min(max(strewn, _LEFT), _RIGHT))
        places[row.stub] = x, y
        near = _NEAR_PICK if row.bands else _NEAR
        cells.setdefault(_cell(x, y), []).append((x, y, near))
    return places


def _cell(x: float, y: float) -> tuple[int, int]:
    """The square a place lies in, as wide as the farthest that counts as near."""
    return int(x // _NEAR_PICK), int(y // _NEAR_PICK)


def _is_free(cells: _Cells, x: float, y: float) -> bool:
    """Whether no model stands near."""
    column, line = _cell(x, y)
    return not any(
        hypot(x - other, y - its) < near
        for across in (column - 1, column, column + 1)
        for down in (line - 1, line, line + 1)
        for other, its, near in cells.get((across, down), ())
    )


def _marks(chart: Chart, places: dict[str, tuple[float, float]]) -> list[Shape]:
    """The letters of the picks beside their models, where they touch no other."""
    shapes: list[Shape] = []
    taken: list[tuple[float, float, float]] = []
    picked = [row for row in chart.rows if chart.marks(row)]
    for row in sorted(picked, key=chart.marks):
        mark = chart.marks(row)
        x, y = places[row.stub]
        width = 10 + 7 * len(mark)
        side = -1 if x > _RIGHT - 70 else 1
        left = x + side * (18 + width / 2)
        free = [
            y + away
            for away in _AWAY
            if not any(
                abs(left - other) < (width + wide) / 2 + 3 and abs(y + away - high) < _PILL + 3
                for other, high, wide in taken
            )
        ]
        # Rather over no model either, where that can be had.
        covers = {
            middle: any(
                abs(left - x) < width / 2 + 5 and abs(middle - y) < _PILL / 2 + 5
                for x, y in places.values()
            )
            for middle in free
        }
        middle = next((one for one in free if not covers[one]), free[0])
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


def _foot(chart: Chart) -> float:
    """The lower end of the y axis; the lanes are below it."""
    if chart.y is None:
        return _TOP
    return _BOTTOM - (_HEADING + len(chart.lanes) * _LANE if chart.lanes else 0)


def _lane(chart: Chart, index: int) -> float:
    """The middle of a lane. Without a y axis the lanes have all the room."""
    first = _foot(chart) + _HEADING
    return first + (index + 0.5) * (_BOTTOM - first) / len(chart.lanes)


def _y(chart: Chart, row: Row) -> float:
    if chart.y is None or row.quality is None:
        return _lane(chart, chart.lanes.index(row.record.optimization))
    foot = _foot(chart)
    return foot - chart.y.fraction(row.quality) * (foot - _TOP)


def _x(chart: Chart, millions: float) -> float:
    return _LEFT + chart.x.fraction(millions) * (_RIGHT - _LEFT)
