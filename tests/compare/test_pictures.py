"""Pictures of comparisons: in plain text, as SVG and as PNG."""

import math
import struct
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.selection.catalogs import catalog_of, plain
from zooselect import Catalog, NoCandidateError
from zooselect.compare.chart import chart_of
from zooselect.compare.comparison import compare
from zooselect.compare.drawing import HEIGHT, WIDTH, Circle, Line, Pill, Text, draw, places_of
from zooselect.compare.limits import Limits
from zooselect.compare.png import png
from zooselect.compare.scatter import scatter
from zooselect.compare.svg import svg
from zooselect.selection.question import Question
from zooselect.task import TASKS, Task

SVG = "{http://www.w3.org/2000/svg}"
QA = Question(Task.parse("qa"))


def chart(task="qa", limits=None, catalog=None):
    question = Question(Task.parse(task))
    return chart_of(compare(catalog or Catalog.embedded(), question, limits))


def box(shape):
    """What a shape covers, near enough."""
    if isinstance(shape, Circle):
        return shape.x - shape.radius, shape.y - shape.radius, 2 * shape.radius, 2 * shape.radius
    if isinstance(shape, Pill):
        left, top = shape.x - shape.width / 2, shape.y - shape.height / 2
        return left, top, shape.width, shape.height
    if isinstance(shape, Line):
        left, top = min(shape.x1, shape.x2), min(shape.y1, shape.y2)
        return left, top, abs(shape.x1 - shape.x2), abs(shape.y1 - shape.y2)
    wide, high = 0.56 * shape.size * len(shape.text), float(shape.size)
    if shape.turned:
        return shape.x - high / 2, shape.y - wide / 2, high, wide
    left = shape.x - {"start": 0, "middle": wide / 2, "end": wide}[shape.anchor]
    return left, shape.y - high / 2, wide, high


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_everything_is_inside_the_picture(task):
    for shape in draw(chart(task.name)):
        left, top, wide, high = box(shape)
        assert left >= 0, shape
        assert top >= 0, shape
        assert left + wide <= WIDTH, shape
        assert top + high <= HEIGHT, shape


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_numbers_of_picks_do_not_cover_each_other(task):
    pills = [box(shape) for shape in draw(chart(task.name)) if isinstance(shape, Pill)]
    for index, (left, top, wide, high) in enumerate(pills):
        for other in pills[:index]:
            apart = abs(left + wide / 2 - other[0] - other[2] / 2) >= (wide + other[2]) / 2
            assert apart or abs(top - other[1]) >= high


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_every_band_is_marked_and_named(task):
    picture = chart(task.name)
    texts = [shape.text for shape in draw(picture) if isinstance(shape, Text)]
    for pick in picture.picks:
        assert f"level {pick.band}" in texts
        assert (pick.stub or "no pick") in texts
        if pick.row is not None:
            assert pick.mark in picture.marks(pick.row).split(",")
            assert texts.count(picture.marks(pick.row)) >= 1
    rings = [one for one in draw(picture) if isinstance(one, Circle) and one.radius == 9]
    assert len(rings) == len({pick.row.stub for pick in picture.picks if pick.row})


def test_a_model_stands_where_its_figures_say():
    picture = chart()
    row = next(
        row
        for row in picture.rows
        if row.stub.endswith("bert-large/pytorch/huggingface/squad/base-none")
    )
    assert picture.x.lower < row.size.millions < picture.x.upper
    assert picture.y.lower < row.quality < picture.y.upper
    assert picture.y.fraction(picture.y.upper) == 1
    assert (picture.x.fraction(picture.x.upper), picture.x.fraction(picture.x.lower)) == (0, 1)
    assert picture.x.fraction((picture.x.lower * picture.x.upper) ** 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_no_model_hides_another(task):
    """Moved aside a little, but for the picks; in a crowd no two are at one place."""
    picture = chart(task.name)
    places = places_of(picture)
    assert len(set(places.values())) == len(places) == len(picture.rows)
    for row in picture.rows:
        exact = 74 + picture.x.fraction(row.size.millions) * (976 - 74)
        assert places[row.stub][0] == pytest.approx(exact, abs=21)
    for pick in picture.picks:
        at = 74 + picture.x.fraction(pick.row.size.millions) * (976 - 74)
        alone = [
            one for one in picture.picks if one.row.size == pick.row.size and one.stub != pick.stub
        ]
        assert alone or places[pick.row.stub][0] == pytest.approx(at)
    compared = [places[row.stub] for row in picture.rows if row.compared]
    for index, (x, y) in enumerate(compared):
        assert all(math.hypot(x - a, y - b) >= 7 for a, b in compared[:index])


def test_a_crowd_larger_than_the_room():
    models = [plain(f"pruned{n}-none", f"net{n}", millions=5.0, quality=70.0) for n in range(90)]
    places = places_of(chart("ic", catalog=catalog_of(models)))
    assert len(set(places.values())) == 90
    across = [x for x, _ in places.values()]
    assert max(across) - min(across) <= 42


SOME = [
    plain("base-none", "foo", millions=10.0, quality=80.0),
    plain("pruned90_quant-none", "foo", millions=10.0, sparsity=90, quality=70.0),
    plain("base-none", "bar", millions=1000.0, quality=70.0),
]


def test_only_what_is_drawn_is_in_the_key():
    def told(*models):
        shapes = draw(chart("ic", catalog=catalog_of(models)))
        return [one.text for one in shapes if isinstance(one, Text) and one.y == 58]

    assert told(SOME[0]) == ["base", "on the front", "pick"]
    assert told(*SOME) == ["base", "pruned_quantized", "on the front", "dominated", "pick"]
    unknown = plain("pruned90-none", "foo", millions=10.0, sparsity=90)
    assert told(SOME[0], unknown) == [
        "base", "pruned", "on the front", "no quality on record", "pick",
    ]  # fmt: skip
    assert told(unknown) == ["pruned", "no quality on record", "pick"]


def test_what_is_not_compared_looks_like_nothing_else():
    """A cross in a lane of its own, and no lane without one."""
    elsewhere = plain("pruned85-none", "foo", millions=10.0, sparsity=85, quality=79.0)
    elsewhere["results"][0]["dataset"] = "another"
    models = [*SOME, elsewhere, plain("pruned90-none", "foo", millions=10.0, sparsity=90)]
    shapes = draw(chart("ic", catalog=catalog_of(models)))
    texts = [one.text for one in shapes if isinstance(one, Text)]
    assert "not compared" in texts
    pruned = [one for one in shapes if getattr(one, "stroke", "") == "#d55e00"]
    lines = [one for one in pruned if isinstance(one, Line)]
    assert len(lines) == 4  # two crosses: one upright, on another data set; one slanted
    assert sum(one.x1 == one.x2 or one.y1 == one.y2 for one in lines) == 2
    assert [type(one) for one in pruned].count(Circle) == 2  # in the key and before the lane
    shapes = draw(chart("ic", catalog=catalog_of(SOME)))
    assert "not compared" not in [one.text for one in shapes if isinstance(one, Text)]


def test_an_axis_that_does_not_start_at_0_says_so():
    note = "the quality axis does not start at 0"
    for quality, told in ((80.0, True), (0.2, False)):
        models = [*SOME, plain("pruned80-none", "foo", quality=quality)]
        picture = chart("ic", catalog=catalog_of(models))
        assert picture.y.cut is told
        assert (note in [one.text for one in draw(picture) if isinstance(one, Text)]) is told
        assert ("not start at 0" in scatter(picture, 80)[0]) is told
    assert not chart().x.cut


def test_svg_is_xml_and_the_same_bytes_again():
    first = svg(draw(chart()), "a <title> & more")
    assert first == svg(draw(chart()), "a <title> & more")
    root = ElementTree.fromstring(first)
    assert root.tag == SVG + "svg"
    assert root.find(SVG + "title").text == "a <title> & more"
    kinds = {child.tag.removeprefix(SVG) for child in root}
    assert kinds == {"title", "rect", "circle", "line", "text"}


def test_the_order_of_records_changes_no_byte():
    models = [plain(f"pruned{n}-none", "resnet_v1", "50", quality=70.0 + n / 9) for n in range(9)]
    pictures = {
        svg(draw(chart("ic", catalog=catalog_of(order))), "x") for order in (models, models[::-1])
    }
    assert len(pictures) == 1


def test_png():
    pytest.importorskip("PIL")
    content = png(draw(chart()))
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (2 * WIDTH, 2 * HEIGHT)
    assert content == png(draw(chart()))


def test_png_is_the_same_picture_as_svg():
    """The colour in the middle of each circle of the front is there, in the PNG as well."""
    pytest.importorskip("PIL")
    from io import BytesIO

    from PIL import Image

    shapes = draw(chart())
    image = Image.open(BytesIO(png(shapes)))
    key = [shape for shape in shapes if isinstance(shape, Circle) and shape.y == 58]
    assert len(key) == 7
    for circle in key:
        pixel = image.getpixel((round(circle.x * 2), round(circle.y * 2)))
        assert "#" + bytes(pixel).hex() == circle.fill


def test_a_scatter_by_hand():
    models = [
        plain("base-none", "foo", millions=10.0, quality=80.0),
        plain("pruned90_quant-none", "foo", millions=10.0, sparsity=90, quality=70.0),
        plain("base-none", "bar", millions=1000.0, quality=70.0),
        plain("base-none", "new", millions=100.0),
    ]
    lines = scatter(chart("ic", catalog=catalog_of(models)), 80)
    assert lines[0] == "image_classification: top1_accuracy on imagenet (axis does not start at 0)"
    picture = [line for line in lines if "|" in line]
    columns = {mark: line.index(mark) for line in picture for mark in "ABC*.o" if mark in line[10:]}
    # A is the base model at level 0; quantized falls back to what there is
    top = next(line for line in picture if "A" in line[10:])
    assert picture.index(top) < next(i for i, line in enumerate(picture) if "B" in line[10:])
    assert columns["A"] == columns["B"]
    # the largest first
    assert columns["A"] > columns["o"] > columns["."]
    assert picture[-1].lstrip().startswith("n/a |")
    assert "o" in picture[-1]


@pytest.mark.parametrize("width", [40, 80, 133])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_scatter_fits_and_is_ascii(task, width):
    lines = scatter(chart(task.name), width)
    assert max(map(len, lines)) <= width
    assert "".join(lines).isascii()
    picture = chart(task.name)
    shown = "".join(line[10:] for line in lines if "|" in line)
    first_marks = {picture.marks(row)[0] for row in picture.rows if picture.marks(row)}
    assert shown.count("A") <= 1
    assert {char for char in shown if char.isupper()} <= first_marks


SIZES = st.floats(0.001, 1e7)


@given(st.lists(st.tuples(SIZES, st.none() | st.floats(0, 100)), min_size=1, max_size=6))
def test_any_figures_make_a_picture(figures):
    models = [
        plain("base-none", f"net{number}", millions=size, quality=quality)
        for number, (size, quality) in enumerate(figures)
    ]
    picture = chart("ic", catalog=catalog_of(models))
    assert (
        picture.x.ticks or max(size for size, _ in figures) / min(size for size, _ in figures) < 2
    )
    for line in scatter(picture, 60):
        assert len(line) <= 60
    for shape in draw(picture):
        assert all(abs(value) < 1e4 for value in box(shape))
    ElementTree.fromstring(svg(draw(picture), picture.title))


def test_long_texts_and_wide_axes_stay_within_the_picture():
    models = [
        plain("base-none", "a" * 120, millions=1e-3, quality=70.0),
        plain("pruned80_quant-none", "b", millions=1e6, quality=71.0),
    ]
    models = [
        {**model, "results": [{**model["results"][0], "dataset": "d" * 300}]} for model in models
    ]
    shapes = draw(chart("ic", catalog=catalog_of(models)))
    boxes = [box(shape) for shape in shapes]
    assert all(left >= 0 and left + wide <= WIDTH for left, _, wide, _ in boxes)
    assert all(top >= 0 and top + high <= HEIGHT for _, top, _, high in boxes)
    cut = [one.text for one in shapes if isinstance(one, Text) and "\u2026" in one.text]
    assert len(cut) == 3  # the title, the label of the axis, one pick
    ticks = [
        one for one in shapes if isinstance(one, Text) and one.text in {"1K", "1M", "1B", "1000B"}
    ]
    assert len(ticks) == 4
    row = sorted(box(one) for one in shapes if isinstance(one, Text) and one.y == ticks[0].y)
    assert all(one[0] + one[2] < other[0] for one, other in pairwise(row))


def test_a_pick_outside_the_limits_is_said_and_not_drawn():
    picture = chart(limits=Limits(max_millions=50))
    (largest, *_), texts = (
        picture.picks,
        [shape.text for shape in draw(picture) if isinstance(shape, Text)],
    )
    assert largest.row is None
    assert f"{largest.stub} (outside the limits)" in texts


def test_a_band_without_a_pick():
    models = [plain("pruned90-none", millions=5.0, quality=70.0)]
    picture = chart("ic", catalog=catalog_of(models))
    assert picture.picks[0].stub is None
    assert "no pick" in [shape.text for shape in draw(picture) if isinstance(shape, Text)]
    with pytest.raises(NoCandidateError):
        chart("ic", Limits(max_millions=1), catalog_of(models))
