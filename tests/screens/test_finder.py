"""The finder tells live what is under its cursor, and writes what the recorder reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.coverage import grid
from curation.frames import Placement
from curation.targets import Target, read_targets, write_targets
from recorders.world import reach
from recorders.world.scene import Scene
from studio.tui.state import Place
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, typed

FINDER = Place("targets")


@pytest.mark.parametrize("size", SIZES)
async def test_finder(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, Place("targets", shelf / "pos2"), size=SIZES[size]) as pilot:
        await press(pilot, "2", "p", *["left"] * 9, "r", "p")
        await pilot.pause(0.2)
        snapshots.matches(pilot.app, f"targets-{size}")


async def test_arrows_move_by_a_centimetre_and_letters_finely(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        assert "x 0.300   y +0.100" in text_of(pilot.app)
        await press(pilot, "up", "left")
        assert "x 0.310   y +0.110" in text_of(pilot.app)
        await press(pilot, "k", "h", "K", "H")
        assert "x 0.322   y +0.122" in text_of(pilot.app)
        await press(pilot, "shift+down", "shift+right", "down", "right", "j", "l", "J", "L")
        assert "x 0.298   y +0.098" in text_of(pilot.app)
        await press(pilot, "2")
        assert "x 0.337   y -0.015" in text_of(pilot.app)


async def test_what_cannot_be_recorded_is_said_and_not_added(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, *["up"] * 20)
        assert "out of reach" in text_of(pilot.app)
        await press(pilot, "p")
        assert "0 targets" in text_of(pilot.app)


async def test_near_what_is_recorded_is_marked(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("targets", shelf / "pos2")) as pilot:
        await press(pilot, "2", "p")
        shown = text_of(pilot.app)
        assert "cm  close" in shown
        assert "#1 is here" in shown


async def test_add_rotate_remove_undo(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, "p", "r", "r")
        assert "1  0.300 +0.100   15°" in text_of(pilot.app)
        await press(pilot, "left", "left", "p", "x")
        assert "1 target" in text_of(pilot.app)
        await press(pilot, "u")
        assert "2 targets" in text_of(pilot.app)
        await press(pilot, "tab")
        assert "x 0.300   y +0.100" in text_of(pilot.app)


async def test_a_pattern_is_added_and_written(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, "m")
        await pilot.pause(0.2)
        snapshots.matches(pilot.app, "patterns-80x24")
        await press(pilot, "enter")
        await pilot.pause(0.2)
        await press(pilot, "w")
        await press(pilot, "ctrl+u")
        await typed(pilot, "grid.json")
        await press(pilot, "enter")
    written = read_targets(tmp_path / "grid.json")
    asked = grid((0.18, 0.40, -0.12, 0.28), 3, 4)
    good = [(x, y) for x, y in asked if not reach.problems(Scene(), Placement(x, y))]
    assert 0 < len(good) < len(asked), "some of the grid must be out of reach for this to say anything"
    assert [(t.x, t.y) for t in written] == [(round(x, 4), round(y, 4)) for x, y in good]
    assert len({target.id for target in written}) == len(written)


async def test_a_file_is_opened_and_leaving_asks(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    write_targets(tmp_path / "mine.json", [Target("a", 0.3, 0.05, 30.0, "by hand"), Target("b", 0.25, 0.1)])
    async with open_studio(shelf, Place("targets", None, tmp_path / "mine.json")) as pilot:
        assert "2 targets" in text_of(pilot.app)
        await press(pilot, "p", "escape")
        assert "The targets are in no file" in text_of(pilot.app)
        await press(pilot, "right", "enter")
        await pilot.pause(0.2)
        assert "› home" in text_of(pilot.app).splitlines()[0]
    assert len(json.loads((tmp_path / "mine.json").read_text())["positions"]) == 2


async def test_a_bad_file_is_named_in_the_sheet(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, "o", "enter")
        await settled(pilot)
        assert "Targets targets.json cannot be read" in " ".join(text_of(pilot.app).replace("│", " ").split())


async def test_an_existing_file_is_not_overwritten_by_its_default_name(
    open_studio: Open, shelf: Path, tmp_path: Path
) -> None:
    precious = (Target("old", 0.2, 0.1, note="precious"),)
    write_targets(tmp_path / "targets.json", precious)
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, "p", "w", "enter")
        assert "already exists" in " ".join(text_of(pilot.app).split())
    assert read_targets(tmp_path / "targets.json") == precious


async def test_quitting_names_targets_that_are_in_no_file_once(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, FINDER) as pilot:
        await press(pilot, "p", "ctrl+q")
        assert pilot.app.is_running
        assert "1 targets are in no file" in " ".join(text_of(pilot.app).split())
        await pilot.press("ctrl+q")
        await pilot.pause()
        assert pilot.app._exit
