"""Pictures of results: a sheet to draw on, and axes for charts. Pillow only, so that they look the same everywhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from curation.atomic import make_folder
from curation.errors import CannotWrite
from curation.palette import ACCENT, CARD, FAINT, INK, MUTED, PAPER, font

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Colour = tuple[int, ...]
"""Red, green, blue and perhaps opacity, 0 to 255."""
Spot = tuple[float, float]

BLUE: Colour = ACCENT
GREEN: Colour = (24, 118, 82)
ORANGE: Colour = (205, 96, 28)
RED: Colour = (190, 44, 40)
_FINE = 2
"""Everything is drawn this much larger and shrunk, because Pillow's shapes have hard edges."""


class Sheet:
    """A picture to draw on, in pixels from its upper left corner.

    Args:
        width, height: [px].
        ground: its colour.
    """

    def __init__(self, width: int, height: int, ground: Colour = PAPER) -> None:
        from PIL import Image, ImageDraw

        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * _FINE, height * _FINE), ground)
        self._draw = ImageDraw.Draw(self._image, "RGBA")

    def text(self, x: float, y: float, words: str, size: int = 16, colour: Colour = INK, anchor: str = "la") -> float:
        """Write; returns the width [px]. The anchor is Pillow's: "la" is the upper left corner."""
        type_ = font(size * _FINE)
        self._draw.text((x * _FINE, y * _FINE), words, colour, type_, anchor=anchor)
        return float(type_.getlength(words)) / _FINE

    def line(self, spots: Sequence[Spot], colour: Colour = INK, width: float = 1.0) -> None:
        self._draw.line([(x * _FINE, y * _FINE) for x, y in spots], colour, max(1, round(width * _FINE)), "curve")

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour | None,
            edge: Colour | None = None, width: float = 1.0) -> None:  # fmt: skip
        corners = [value * _FINE for value in (min(left, right), min(top, bottom), max(left, right), max(top, bottom))]
        self._draw.rectangle(corners, fill, edge, max(1, round(width * _FINE)))

    def disc(self, x: float, y: float, radius: float, fill: Colour | None, edge: Colour | None = None,
             width: float = 1.0) -> None:  # fmt: skip
        corners = [value * _FINE for value in (x - radius, y - radius, x + radius, y + radius)]
        self._draw.ellipse(corners, fill, edge, max(1, round(width * _FINE)))

    def polygon(self, spots: Sequence[Spot], fill: Colour) -> None:
        self._draw.polygon([(x * _FINE, y * _FINE) for x, y in spots], fill)

    def dashed(self, start: Spot, end: Spot, colour: Colour = MUTED, width: float = 1.0, dash: float = 7.0) -> None:
        length = math.dist(start, end)
        count = max(1, round(length / (2 * dash)))
        dx, dy = (end[0] - start[0]) / count, (end[1] - start[1]) / count
        for step in range(count):
            x, y = start[0] + dx * step, start[1] + dy * step
            self.line([(x, y), (x + dx / 2, y + dy / 2)], colour, width)

    def paste(self, image: Picture, left: int, top: int) -> None:
        """Put a picture down, one pixel of it on one of the sheet's."""
        self._image.paste(image.resize((image.width * _FINE, image.height * _FINE)), (left * _FINE, top * _FINE))

    def finished(self) -> Picture:
        """The picture, RGB."""
        from PIL import Image

        return self._image.resize((self.width, self.height), Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class Chart:
    """Axes on a sheet.

    Attributes:
        sheet: to draw on.
        left, top, right, bottom: of the plotted area [px].
        x, y: lowest and highest value shown.
    """

    sheet: Sheet
    left: float
    top: float
    right: float
    bottom: float
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> Spot:
        """The pixel of a value; values beyond the axes lie on their edge."""
        u = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1.0)
        v = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1.0)
        u, v = min(max(u, 0.0), 1.0), min(max(v, 0.0), 1.0)
        return self.left + u * (self.right - self.left), self.bottom - v * (self.bottom - self.top)

    def axes(
        self,
        x_label: str = "",
        y_label: str = "",
        *,
        x_ticks: Sequence[float] | None = None,
        y_ticks: Sequence[float] | None = None,
        scale: tuple[float, float] = (1.0, 1.0),
        size: int = 13,
    ) -> None:
        """Draw ground, ticks and labels; `scale` multiplies what ticks say."""
        sheet = self.sheet
        sheet.box(self.left, self.top, self.right, self.bottom, CARD)
        for value in ticks(*self.x) if x_ticks is None else x_ticks:
            right, _ = self.at(value, self.y[0])
            sheet.line([(right, self.top), (right, self.bottom)], FAINT)
            sheet.text(right, self.bottom + 6, f"{value * scale[0]:g}", size, MUTED, "ma")
        for value in ticks(*self.y) if y_ticks is None else y_ticks:
            _, down = self.at(self.x[0], value)
            sheet.line([(self.left, down), (self.right, down)], FAINT)
            sheet.text(self.left - 6, down, f"{value * scale[1]:g}", size, MUTED, "rm")
        sheet.text((self.left + self.right) / 2, self.bottom + 10 + size * 1.4, x_label, size, INK, "ma")
        sheet.text(self.left, self.top - 8, y_label, size, INK, "ld")

    def line(self, spots: Sequence[Spot], colour: Colour, width: float = 1.5) -> None:
        if len(spots) > 1:
            self.sheet.line([self.at(x, y) for x, y in spots], colour, width)

    def error(self, x: float, low: float, middle: float, high: float, colour: Colour) -> None:
        """A point with its interval."""
        (right, up), (_, down) = self.at(x, high), self.at(x, low)
        self.sheet.line([(right, up), (right, down)], colour, 2)
        for end in (up, down):
            self.sheet.line([(right - 5, end), (right + 5, end)], colour, 2)
        self.sheet.disc(*self.at(x, middle), 5, colour)


def ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round values between two."""
    span = high - low
    if not span > 0:
        return [low]
    rough = span / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 10) + 0.0 for number in range(first, last + 1)]


def wrapped(words: str, width: float, size: int) -> list[str]:
    """The words in lines of at most a width [px] in letters of a size [px], a longer word on a line of its own."""
    type_, lines = font(size), [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and type_.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def save(image: Picture, path: Path) -> None:
    """Write a PNG, whole or not at all.

    Raises:
        CannotWrite: the disk refused.
    """
    make_folder(path.parent)
    aside = path.with_name(f".{path.name}.part")
    try:
        image.save(aside, format="PNG", optimize=True)
        aside.replace(path)
    except OSError as error:
        raise CannotWrite(path, error) from error


def blend(share: float, stops: Sequence[Colour]) -> Colour:
    """The colour at `share` of a ramp, 0 its first and 1 its last."""
    place = min(max(share, 0.0), 1.0) * (len(stops) - 1)
    first = min(int(place), len(stops) - 2)
    part = place - first
    return tuple(round(a + (b - a) * part) for a, b in zip(stops[first], stops[first + 1], strict=True))
