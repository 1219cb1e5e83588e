"""Pixels as text: two to a cell, one above the other, by the upper half block in two colours.

What is drawn is a grid of pixels, uint8 (2 * lines, columns, 3); what is shown are strips of a terminal. Neighbours of
one colour become one segment, and styles are made once, because these two are what a picture costs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from curation.frames import Image

Packed = NDArray[np.uint32]
"""Colours as 0xRRGGBB, shape (2 * lines, columns)."""

UPPER = "▀"
_DEEP = np.uint8(0xFC)
"""Colours of photographs keep six bits: the eye does not see the rest, and equal neighbours are more."""
_CUBE = np.array([0, 95, 135, 175, 215, 255], np.uint8)
"""Levels of the 256-colour terminal's cube."""
_PALE = 24
"""Colours whose channels differ by less are shown as greys in 256 colours, which are finer; in drawings by twice that,
because their dark colours are nowhere near the cube's."""
_SIXTEEN = np.array(
    [(0, 0, 0), (170, 0, 0), (0, 170, 0), (170, 85, 0), (0, 0, 170), (170, 0, 170), (0, 170, 170), (170, 170, 170)]
    + [(85 + 170 * r, 85 + 170 * g, 85 + 170 * b) for b in (0, 1) for g in (0, 1) for r in (0, 1)],
    np.int32,
)
"""What rich takes the sixteen colours of a terminal to be, so that it rounds none of them to another."""
_DITHER = (np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) - 7.5) / 16
"""Bayer's ordered pattern: it does not crawl from picture to picture as diffused errors do."""


@dataclass(frozen=True)
class Glyph:
    """One character over the pixels.

    Attributes:
        character: one cell wide.
        colour: of it.
        bold: whether it is.
        ground: colour behind it; None takes the pixels' own.
    """

    character: str
    colour: tuple[int, int, int]
    bold: bool = False
    ground: tuple[int, int, int] | None = None


_NONE: Mapping[int, Glyph] = MappingProxyType({})
Glyphs = Mapping[tuple[int, int], Glyph]
"""By line and column."""


def write(
    line: int, column: int, text: str, colour: tuple[int, int, int], *, bold: bool = False
) -> dict[tuple[int, int], Glyph]:
    """Words from a cell on; blanks leave what is there."""
    return {(line, column + at): Glyph(letter, colour, bold) for at, letter in enumerate(text) if letter != " "}


def fit(height: int, width: int, lines: int, columns: int) -> tuple[int, int]:
    """Lines and columns of the largest picture of an image's shape in a space; a cell is one pixel by two."""
    scale = min(columns / width, 2 * lines / height)
    return max(1, min(lines, round(height * scale / 2))), max(1, min(columns, round(width * scale)))


def scaled(image: Image, lines: int, columns: int) -> Image:
    """An image as a grid of pixels: averaged when it shrinks, interpolated when it grows."""
    shrinks = image.shape[0] >= 2 * lines and image.shape[1] >= columns
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (columns, 2 * lines), interpolation=how), np.uint8)


def packed(pixels: Image, colours: str | None = "truecolor", *, drawing: bool = False) -> Packed:
    """A grid in the colours that a terminal has.

    Args:
        pixels: uint8 RGB, shape (2 * lines, columns, 3).
        colours: rich's name of the terminal's colour system; without one, rich drops the colours itself.
        drawing: whether colours were chosen one by one, instead of seen by a camera: they are not mixed from
            neighbours where they are missing, and keep all their bits.
    """
    if colours == "256":
        wide = _to_cube(pixels, 0.0 if drawing else 20.0, 2 * _PALE if drawing else _PALE).astype(np.uint32)
    elif colours in ("standard", "windows"):
        wide = _to_sixteen(pixels, 0.0 if drawing else 64.0).astype(np.uint32)
    else:
        wide = (pixels if drawing else pixels & _DEEP).astype(np.uint32)
    return np.asarray((wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2], np.uint32)


def strip(top: list[int], bottom: list[int], glyphs: Mapping[int, Glyph] = _NONE) -> Strip:
    """One line of text from two rows of packed colours.

    Args:
        top: the upper row.
        bottom: the lower row.
        glyphs: characters over the pixels, by column.
    """
    segments: list[Segment] = []
    start, columns = 0, len(top)
    while start < columns:
        upper, lower = top[start], bottom[start]
        if start in glyphs:
            segments.append(_glyph(glyphs[start], upper, lower))
            start += 1
            continue
        end = start + 1
        while end < columns and top[end] == upper and bottom[end] == lower and end not in glyphs:
            end += 1
        segments.append(_plain(end - start, upper) if upper == lower else _halves(end - start, upper, lower))
        start = end
    return Strip(segments, columns)


def changed(before: Packed, after: Packed) -> list[tuple[int, int, int]]:
    """Where two grids of one shape differ: line, first column and end column, at most one span a line."""
    cells = before != after
    cells = cells[0::2] | cells[1::2]
    lines = np.flatnonzero(cells.any(axis=1))
    firsts = cells.argmax(axis=1)
    ends = cells.shape[1] - cells[:, ::-1].argmax(axis=1)
    return [(int(line), int(firsts[line]), int(ends[line])) for line in lines]


def blend(colour: int, other: tuple[int, int, int], share: float) -> tuple[int, int, int]:
    """A packed colour with a share of another."""
    r, g, b = colour >> 16, (colour >> 8) & 255, colour & 255
    return (
        round(r + (other[0] - r) * share),
        round(g + (other[1] - g) * share),
        round(b + (other[2] - b) * share),
    )


def _glyph(glyph: Glyph, upper: int, lower: int) -> Segment:
    r, g, b = glyph.ground or blend(upper, ((lower >> 16), (lower >> 8) & 255, lower & 255), 0.5)
    return Segment(glyph.character, _letter(glyph.colour, (r << 16) | (g << 8) | b, glyph.bold))


def _halves(cells: int, upper: int, lower: int) -> Segment:
    return Segment(UPPER * cells, _pair(upper, lower))


def _plain(cells: int, colour: int) -> Segment:
    return Segment(" " * cells, _ground(colour))


def _colour(packed_colour: int) -> Color:
    return Color.from_rgb(packed_colour >> 16, (packed_colour >> 8) & 255, packed_colour & 255)


@lru_cache(maxsize=65536)
def _pair(upper: int, lower: int) -> Style:
    return Style(color=_colour(upper), bgcolor=_colour(lower))


@lru_cache(maxsize=16384)
def _ground(colour: int) -> Style:
    return Style(bgcolor=_colour(colour))


@lru_cache(maxsize=4096)
def _letter(colour: tuple[int, int, int], ground: int, bold: bool) -> Style:
    return Style(color=Color.from_rgb(*colour), bgcolor=_colour(ground), bold=bold)


def _dithered(pixels: Image, amplitude: float) -> NDArray[np.float64]:
    height, width = pixels.shape[:2]
    pattern = np.tile(_DITHER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return np.asarray(pixels + pattern * amplitude)


def _to_cube(pixels: Image, amplitude: float, pale: int) -> Image:
    """The nearest of the 240 colours that 256-colour terminals agree on: a cube, and greys in finer steps."""
    wanted = _dithered(pixels, amplitude)
    # The first step of the cube is 95 wide, the others 40.
    levels = np.where(wanted < 47.5, 0, np.clip(np.round((wanted - 55) / 40), 1, 5)).astype(np.intp)
    found = _CUBE[levels]
    grey = (levels == levels[..., :1]).all(axis=2) | (np.ptp(pixels, axis=2) < pale)
    # Rich finds step n of the greys, whose level is 10 n - 2, by 255 n / 25.
    steps = np.clip(np.round((pixels[grey].mean(axis=1) + 2) / 10), 0, 25)
    found[grey] = np.round(steps * 10.2).astype(np.uint8)[:, None]
    return np.asarray(found)


def _to_sixteen(pixels: Image, amplitude: float) -> Image:
    wanted = _dithered(pixels, amplitude)
    distance = ((wanted[:, :, None, :] - _SIXTEEN) ** 2 * (2, 4, 3)).sum(axis=3)
    return np.asarray(_SIXTEEN[distance.argmin(axis=2)], np.uint8)
