"""Pixels as text."""

from __future__ import annotations

import numpy as np
import pytest
from rich._palettes import EIGHT_BIT_PALETTE, STANDARD_PALETTE
from rich.color import Color, ColorSystem

from studio.tui.widgets.halfblocks import Glyph, changed, fit, packed, scaled, strip

RED, GREEN, BLUE = 0xFC0000, 0x00FC00, 0x0000FC
PHOTO = np.random.default_rng(3).integers(0, 256, (40, 60, 3)).astype(np.uint8)


def test_a_cell_is_two_pixels_and_equal_neighbours_are_one_segment() -> None:
    segments = list(strip([RED, RED, RED, BLUE], [GREEN, GREEN, RED, BLUE]))
    assert [segment.text for segment in segments] == ["▀▀", " ", " "]
    assert segments[0].style.color.triplet.hex == "#fc0000"
    assert segments[0].style.bgcolor.triplet.hex == "#00fc00"
    assert [segment.style.bgcolor.triplet.hex for segment in segments[1:]] == ["#fc0000", "#0000fc"]


def test_a_character_stands_on_the_mean_of_its_pixels_or_on_its_own_colour() -> None:
    glyphs = {1: Glyph("x", (1, 2, 3)), 2: Glyph("y", (1, 2, 3), ground=(9, 9, 9))}
    row = list(strip([RED] * 3, [BLUE] * 3, glyphs=glyphs))
    assert [segment.text for segment in row] == ["▀", "x", "y"]
    assert tuple(row[1].style.bgcolor.triplet) == (126, 0, 126)
    assert tuple(row[2].style.bgcolor.triplet) == (9, 9, 9)


@pytest.mark.parametrize(("colours", "system"), [("256", ColorSystem.EIGHT_BIT), ("standard", ColorSystem.STANDARD)])
@pytest.mark.parametrize("drawing", [True, False])
def test_reduced_colours_are_those_of_the_terminal(colours: str, system: ColorSystem, drawing: bool) -> None:
    for colour in np.unique(packed(PHOTO, colours, drawing=drawing)).tolist():
        triplet = (colour >> 16, colour >> 8 & 255, colour & 255)
        shown = Color.from_rgb(*triplet).downgrade(system)
        # What a terminal takes its sixteen colours to be differs; rich chooses by a palette of its own.
        palette = STANDARD_PALETTE if colours == "standard" else EIGHT_BIT_PALETTE
        away = np.abs(np.subtract(palette[shown.number], triplet)).max()
        assert away == 0 if len(set(triplet)) > 1 or colours == "standard" else away <= 8


@pytest.mark.parametrize("colours", ["256", "standard"])
def test_photographs_keep_their_mean_colour_in_few_colours(colours: str) -> None:
    smooth = np.zeros((32, 32, 3), np.uint8)
    smooth[..., 0], smooth[..., 1] = np.linspace(60, 190, 32)[:, None], 90
    grid = packed(smooth, colours)
    means = [((grid >> shift) & 255).mean() for shift in (16, 8, 0)]
    assert np.abs(np.array(means) - smooth.reshape(-1, 3).mean(axis=0)).max() < 30
    assert len(np.unique(grid)) >= 3


def test_drawings_keep_every_bit_and_photographs_six() -> None:
    pixels = np.full((2, 1, 3), (27, 31, 38), np.uint8)
    assert packed(pixels, drawing=True)[0, 0] == 0x1B1F26
    assert packed(pixels)[0, 0] == 0x181C24


@pytest.mark.parametrize(
    ("space", "expected"), [((10, 40), (10, 27)), ((30, 40), (15, 40)), ((1, 1), (1, 1)), ((2, 200), (2, 5))]
)
def test_the_largest_picture_that_fits_keeps_its_proportions(space: tuple[int, int], expected: tuple[int, int]) -> None:
    assert fit(480, 640, *space) == expected


def test_shrinking_averages_areas() -> None:
    image = np.zeros((8, 8, 3), np.uint8)
    image[::2] = 200
    assert (scaled(image, 2, 4) == 100).all()
    assert scaled(image, 8, 8).shape == (16, 8, 3)


def test_what_changed_is_one_span_a_line() -> None:
    before = np.zeros((6, 9), np.uint32)
    after = before.copy()
    after[1, 2] = after[0, 5] = after[4, 8] = 1
    assert changed(before, after) == [(0, 2, 6), (2, 8, 9)]
    assert changed(before, before) == []
