"""A drawing as SVG: the same chart gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from zooselect.compare.drawing import HEIGHT, WIDTH, Circle, Line, Pill, Shape


def svg(shapes: Iterable[Shape], title: str) -> bytes:
    """Return shapes as an SVG document, with a title for those who cannot see it."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' width="{WIDTH}" height="{HEIGHT}" role="img"'
        ' font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *map(_element, shapes),
        "</svg>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _element(shape: Shape) -> str:
    if isinstance(shape, Circle):
        return (
            f'<circle cx="{_n(shape.x)}" cy="{_n(shape.y)}" r="{_n(shape.radius)}"'
            f' fill="{shape.fill}" stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"/>'
        )
    if isinstance(shape, Line):
        return (
            f'<line x1="{_n(shape.x1)}" y1="{_n(shape.y1)}" x2="{_n(shape.x2)}"'
            f' y2="{_n(shape.y2)}" stroke="{shape.stroke}" stroke-width="{_n(shape.width)}"/>'
        )
    if isinstance(shape, Pill):
        left, top = shape.x - shape.width / 2, shape.y - shape.height / 2
        return (
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(shape.width)}"'
            f' height="{_n(shape.height)}" rx="{_n(shape.height / 2)}" fill="{shape.fill}"/>'
        )
    # Down by half the height of a capital: not all viewers know of other baselines.
    x, y = _n(shape.x), _n(shape.y if shape.turned else shape.y + 0.36 * shape.size)
    turn = f' transform="rotate(-90 {x} {y})"' if shape.turned else ""
    return (
        f'<text x="{x}" y="{y}" font-size="{shape.size}" text-anchor="{shape.anchor}"'
        f' fill="{shape.fill}"{turn}>{escape(shape.text)}</text>'
    )


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
