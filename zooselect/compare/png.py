"""A drawing as PNG, by Pillow (extra `[plot]`)."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from zooselect.compare.drawing import HEIGHT, WIDTH, Circle, Line, Pill, Shape, Text
from zooselect.errors import UsageError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SCALE = 2  # pixels to a unit of the drawing
_FINE = 2  # drawn this much larger and then reduced, for smooth edges
_ANCHORS = {"start": "lm", "middle": "mm", "end": "rm"}


def png(shapes: Iterable[Shape]) -> bytes:
    """Return shapes as a PNG of 2000 x 1400 pixels.

    Raises:
        UsageError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError as error:
        raise UsageError(
            "PNG needs Pillow", hint="pip install 'zooselect[plot]', or name a .svg file"
        ) from error
    unit = _SCALE * _FINE
    image = Image.new("RGB", (WIDTH * unit, HEIGHT * unit), "#ffffff")
    canvas = ImageDraw.Draw(image)
    for shape in shapes:
        if isinstance(shape, Circle):
            middle, radius = (shape.x * unit, shape.y * unit), shape.radius * unit
            # The stroke lies half outside the radius, as in SVG.
            width = shape.width * unit
            canvas.circle(middle, radius + width / 2, shape.stroke)
            canvas.circle(middle, radius - width / 2, shape.fill)
        elif isinstance(shape, Line):
            ends = [value * unit for value in shape[:4]]
            canvas.line(ends, shape.stroke, round(shape.width * unit))
        elif isinstance(shape, Pill):
            half = shape.width / 2, shape.height / 2
            box = (
                (shape.x - half[0]) * unit, (shape.y - half[1]) * unit,
                (shape.x + half[0]) * unit, (shape.y + half[1]) * unit,
            )  # fmt: skip
            canvas.rounded_rectangle(box, half[1] * unit, shape.fill)
        elif shape.turned:
            _turned(image, shape, unit)
        else:
            font = ImageFont.load_default(shape.size * unit)
            place = (shape.x * unit, shape.y * unit)
            canvas.text(place, shape.text, shape.fill, font, anchor=_ANCHORS[shape.anchor])
    small = image.resize((WIDTH * _SCALE, HEIGHT * _SCALE), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _turned(image: Picture, shape: Text, unit: int) -> None:
    """Write a text upwards, about its middle."""
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.load_default(shape.size * unit)
    length, height = round(font.getlength(shape.text)) + unit, 2 * shape.size * unit
    strip = Image.new("RGB", (length, height), "#ffffff")
    middle = (length / 2, height / 2)
    ImageDraw.Draw(strip).text(middle, shape.text, shape.fill, font, anchor="mm")
    strip = strip.transpose(Image.Transpose.ROTATE_90)
    place = round(shape.x * unit - height / 2), round(shape.y * unit - length / 2)
    image.paste(strip, place)
