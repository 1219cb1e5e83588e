"""The picture widget, in half blocks and as a true picture."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import numpy as np
import pytest
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widgets import Static

from curation.frames import Image
from studio.tui import graphics
from studio.tui.widgets.pixels import Pixels
from tests.widgets.conftest import Alone, cells, text


def quarters() -> Image:
    """Red, green, blue and white quarters, 4:3."""
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24, :32], image[:24, 32:], image[24:, :32], image[24:, 32:] = (252, 0, 0), (0, 252, 0), (0, 0, 252), 252
    return image


class Counted(Pixels):
    """Notes which lines are drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


async def test_every_cell_shows_its_part_of_the_image(alone: Alone) -> None:
    async with alone(picture := Pixels(), 16, 6):
        picture.show(quarters())
        shown = cells(picture)
        red, white = (" ", None, (252, 0, 0)), (" ", None, (252, 252, 252))
        assert shown[0] == [red] * 8 + [(" ", None, (0, 252, 0))] * 8
        assert shown[5] == [(" ", None, (0, 0, 252))] * 8 + [white] * 8


async def test_an_odd_edge_is_a_half_block(alone: Alone) -> None:
    async with alone(picture := Pixels(), 4, 1):
        image = np.zeros((2, 4, 3), np.uint8)
        image[0] = (252, 128, 0)
        picture.show(image)
        assert cells(picture)[0] == [("▀", (252, 128, 0), (0, 0, 0))] * 4


@pytest.mark.parametrize(("size", "box"), [((40, 6), (0, 6, 12, 28)), ((16, 20), (7, 13, 0, 16))])
async def test_proportions_are_kept_in_the_middle(
    alone: Alone, size: tuple[int, int], box: tuple[int, int, int, int]
) -> None:
    async with alone(picture := Pixels(), *size):
        picture.show(quarters())
        ground = tuple(picture.background_colors[1].rgb)
        inside = np.array([[cell[2] != ground for cell in line] for line in cells(picture)])
        top, bottom, left, right = box
        assert inside[top:bottom, left:right].all()
        assert inside.sum() == (bottom - top) * (right - left)


async def test_a_new_size_fits_the_image_anew(alone: Alone) -> None:
    async with alone(picture := Pixels(), 16, 6) as pilot:
        picture.show(quarters())
        await pilot.resize_terminal(32, 12)
        await pilot.pause()
        assert cells(picture)[11][31] == (" ", None, (252, 252, 252))


async def test_only_lines_that_changed_are_drawn_again(alone: Alone) -> None:
    async with alone(picture := Counted(), 16, 6) as pilot:
        picture.show(quarters())
        await pilot.pause()
        picture.drawn.clear()
        changed = quarters()
        changed[24:32] = 0  # the fourth line of six
        picture.show(changed)
        await pilot.pause()
        assert set(picture.drawn) == {3}
        picture.drawn.clear()
        picture.show(changed)
        picture.show(changed.copy())
        await pilot.pause()
        assert picture.drawn == []


async def test_a_caption_darkens_the_picture_behind_it(alone: Alone) -> None:
    async with alone(picture := Pixels("top"), 16, 6):
        picture.show(quarters())
        line = cells(picture)[0]
        assert "".join(cell[0] for cell in line[:5]) == " top "
        assert all(cell[2][0] < 110 and cell[2][1] < 20 for cell in line[:5])
        assert line[5] == (" ", None, (252, 0, 0))
        picture.caption = "wrist camera, far too long"
        assert text(picture)[0] == " wrist camera, f"


async def test_words_stand_where_no_image_is(alone: Alone) -> None:
    async with alone(picture := Pixels(empty="nothing"), 16, 5):
        assert text(picture)[2].strip() == "nothing"
        picture.show(quarters())
        assert "nothing" not in "".join(text(picture))
        picture.show(None)
        picture.empty = "no camera"
        assert text(picture)[2].strip() == "no camera"


async def test_few_colours_are_enough_to_tell_things_apart(alone: Alone) -> None:
    async with alone(picture := Pixels(), 16, 6, "standard"):
        picture.show(quarters())
        shown = cells(picture)
        found = [{cell[2] for cell in shown[line][column : column + 8]} for line in (0, 5) for column in (0, 8)]
        assert all(found[a].isdisjoint(found[b]) for a in range(4) for b in range(a))


# True pictures.


@pytest.fixture
def kitty(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is sent to a terminal with graphics."""
    sent: list[str] = []
    monkeypatch.setattr(graphics, "_found", "kitty")
    monkeypatch.setattr("textual.drivers.headless_driver.HeadlessDriver.write", lambda self, data: sent.append(data))
    return sent


def stored(sent: list[str]) -> set[int]:
    """Numbers of the pictures that the terminal holds."""
    held: set[int] = set()
    for what, number in re.findall(r"\x1b_Ga=(T,U=1|d,d=I),i=(\d+)", "".join(sent)):
        held = held | {int(number)} if what[0] == "T" else held - {int(number)}
    return held


def number_of(picture: Pixels) -> int:
    colour: Any = cells(picture)[2][4 * 3][1]
    return colour[0] << 16 | colour[1] << 8 | colour[2]


async def test_placeholders_name_every_cell_of_the_picture_that_was_sent(alone: Alone, kitty: list[str]) -> None:
    async with alone(picture := Pixels("top"), 20, 6):
        picture.show(quarters())
        assert stored(kitty) == {number_of(picture)}
        lines = text(picture)
        code = graphics.DIACRITICS
        assert lines[5].strip() == "".join(f"\U0010eeee{code[5]}{code[column]}" for column in range(16))
        assert lines[0].strip() == "top " + "".join(f"\U0010eeee{code[0]}{code[column]}" for column in range(5, 16))
        assert [picture.render_line(y).cell_length for y in range(6)] == [20] * 6


async def test_the_terminal_never_holds_more_than_two_pictures_and_none_in_the_end(
    alone: Alone, kitty: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.widgets.pixels.REST_S", 0.0)
    async with alone(picture := Pixels(), 16, 6) as pilot:
        for shade in range(0, 250, 25):
            picture.show(np.full((48, 64, 3), shade, np.uint8))
            await pilot.pause()
            assert number_of(picture) in stored(kitty)
            assert len(stored(kitty)) <= 2
    assert stored(kitty) == set()


async def test_pictures_that_come_too_fast_are_dropped_but_never_the_last(alone: Alone, kitty: list[str]) -> None:
    async with alone(picture := Pixels(), 16, 6) as pilot:
        for shade in range(10):
            picture.show(np.full((48, 64, 3), shade, np.uint8))
        await asyncio.sleep(0.15)
        await pilot.pause()
        sent = re.findall(r"a=T[^;]*;([^\x1b]*)", "".join(kitty))
        assert len(sent) == 2
        last = graphics.transmission(1, np.full((48, 64, 3), 9, np.uint8), 6, 16)
        assert last.endswith(f";{sent[1]}\x1b\\")


async def test_under_another_screen_a_true_picture_turns_to_half_blocks_and_back(
    alone: Alone, kitty: list[str]
) -> None:
    class Over(ModalScreen[None]):
        def compose(self) -> Any:
            yield Static("over")

    async with alone(picture := Pixels(), 16, 6) as pilot:
        picture.show(quarters())
        await pilot.app.push_screen(Over())
        await asyncio.sleep(0.25)
        assert cells(picture)[0][0] == (" ", None, (252, 0, 0))
        pilot.app.pop_screen()
        await asyncio.sleep(0.35)
        assert "\U0010eeee" in text(picture)[0]


async def test_without_full_colour_numbers_cannot_be_told_so_half_blocks_are_shown(
    alone: Alone, kitty: list[str]
) -> None:
    async with alone(picture := Pixels(), 16, 6, "256"):
        picture.show(quarters())
        assert not stored(kitty)
        assert "\U0010eeee" not in text(picture)[0]
