"""Home shows what is there and what waits, keeps up with the disk, and names the next step."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from studio.jobs import Jobs
from tests.screens import snapshots
from tests.screens.conftest import NOW, SIZES, Open, make_set, press, settled, text_of


@pytest.mark.parametrize("size", SIZES)
async def test_home(open_studio: Open, shelf: Path, jobs: Jobs, size: str) -> None:
    async with open_studio(shelf, jobs=jobs, size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"home-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_empty_home_names_the_next_step(open_studio: Open, tmp_path: Path, size: str) -> None:
    (tmp_path / "nothing").mkdir()
    async with open_studio(tmp_path / "nothing", size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"home-empty-{size}")


async def test_the_offered_example_is_started_by_its_key(
    open_studio: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nothing").mkdir()
    started: list[list[str]] = []
    monkeypatch.setattr(Jobs, "start", lambda self, argv: started.append(list(argv)))
    async with open_studio(tmp_path / "nothing") as pilot:
        shown = " ".join(text_of(pilot.app).split())
        await press(pilot, "g")
    assert f"studio {' '.join(started[0])}" in shown


async def test_a_new_dataset_appears_and_the_highlight_stays(
    open_studio: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.home.POLL_S", 0.2)
    home = tmp_path / "mine"
    make_set(home / "first", ("success",), changed=NOW)
    make_set(home / "second", ("success", "timeout"), changed=NOW)
    async with open_studio(home) as pilot:
        await press(pilot, "down")
        chosen = pilot.app.screen.chosen.name
        make_set(home / "third", ("success",), changed=NOW)
        shutil.rmtree(home / "stage", ignore_errors=True)
        await pilot.pause(0.4)
        await settled(pilot)
        assert "third" in text_of(pilot.app)
        assert pilot.app.screen.chosen.name == chosen


async def test_unfinished_takes_are_settled_by_a_job(
    open_studio: Open, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Started:
        id = "recover-1"

    def start(self: Jobs, argv: list[str]) -> Any:
        started.append(argv)
        return Started()

    monkeypatch.setattr(Jobs, "start", start)
    async with open_studio(shelf) as pilot:
        await press(pilot, "v")
        snapshots.matches(pilot.app, "recover-80x24")
        await press(pilot, "escape")
        assert started == []
        await press(pilot, "v", "k")
        assert started == [["recover", "datasets/night-shift", "--keep"]]
        await press(pilot, "down", "v")
        assert len(pilot.app.screen_stack) == 2, "nothing waits in pos2"


async def test_keys_lead_to_every_screen_and_back(open_studio: Open, shelf: Path) -> None:
    ways = {"enter": "library", "n": "new recording", "r": "new recording", "t": "targets", "j": "jobs",
            "T": "train", "R": "runs", "E": "evaluate"}  # fmt: skip
    async with open_studio(shelf) as pilot:
        for key, name in ways.items():
            await press(pilot, key)
            assert f"› {name}" in text_of(pilot.app).splitlines()[0], key
            await press(pilot, "escape")
            assert "› home" in text_of(pilot.app).splitlines()[0], key


@pytest.mark.parametrize("size", SIZES)
async def test_help_lists_the_keys_of_the_screen(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, size=SIZES[size]) as pilot:
        await press(pilot, "question_mark")
        snapshots.matches(pilot.app, f"help-{size}")
        await press(pilot, "escape", "f1")
        assert "Help: home" in text_of(pilot.app)


async def test_the_palette_opens_a_dataset(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf) as pilot:
        await press(pilot, "ctrl+p")
        await press(pilot, *"open pos2".replace(" ", ""))
        await pilot.pause(0.5)
        assert "Its episodes" in text_of(pilot.app)
        await press(pilot, "enter")
        await pilot.pause(0.2)
        assert "› library › pos2" in text_of(pilot.app).splitlines()[0]


async def test_q_leaves(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf) as pilot:
        await press(pilot, "q")
        assert pilot.app._exit


def test_what_home_shows_is_also_printed(
    shelf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from studio import cli

    monkeypatch.setenv("STUDIO_DATA", str(shelf))
    assert cli.run(["tui", "--json"]) == 0
    cards = {card["name"]: card for card in json.loads(capsys.readouterr().out)}
    assert cards["pos2"]["episodes"] == 8
    assert cards["pos2"]["success"]["k"] == 6
    assert cards["pos2"]["success"]["n"] == 9
    assert cards["night-shift"]["unfinished"] == 2
    assert "not a LeRobot v3 dataset" in cards["old"]["damage"]


def test_without_a_terminal_the_way_out_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    from studio import cli

    assert cli.run(["tui"]) == 2
    assert "studio serve" in capsys.readouterr().err
