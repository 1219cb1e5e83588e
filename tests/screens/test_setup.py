"""The form asks what the command asks, refuses what it refuses, and says how the same is typed."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tyro

from curation.errors import UsageError
from curation.targets import Target, write_targets
from studio.jobs import Jobs
from studio.tui import places
from studio.tui.setup_form import Form, answers, command_line, record_options
from studio.tui.state import Place
from studio.verbs.record import Record
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, typed

SETUP = Place("setup")


def line_of(text: str) -> str:
    """The command that the form shows, on one line."""
    return " ".join(text[text.index("$ studio") :].split("Enter start")[0].split())


@pytest.mark.parametrize("size", SIZES)
async def test_setup(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, SETUP, size=SIZES[size]) as pilot:
        await typed(pilot, "pos3")
        await pilot.pause(0.3)
        await settled(pilot)
        snapshots.matches(pilot.app, f"setup-{size}")


async def test_a_mistake_is_named_as_it_is_made(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, SETUP) as pilot:
        await pilot.pause(0.3)
        await settled(pilot)
        assert "Name the dataset" in text_of(pilot.app)
        await typed(pilot, "x")
        await press(pilot, "down", "down", "right", "down", "ctrl+u")
        await typed(pilot, "0.6 0")
        await pilot.pause(0.3)
        await settled(pilot)
        shown = " ".join(text_of(pilot.app).split())
        assert "The nearest recordable position is --at" in shown
        assert "Ready" not in shown
        snapshots.matches(pilot.app, "setup-refused-80x24")
        await press(pilot, "enter")
        assert "› new recording" in text_of(pilot.app).splitlines()[0]


async def test_enter_opens_the_recording_that_the_line_says(
    open_studio: Open, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Place] = []

    def make(studio: Any, place: Place) -> Any:
        made.append(place)
        return places.make(studio, Place("jobs"))

    monkeypatch.setattr("studio.tui.record.make_screen", make)
    async with open_studio(shelf, Place("setup", shelf / "pos2")) as pilot:
        await pilot.pause(0.3)
        await settled(pilot)
        await press(pilot, "enter")
    options = made[0].what
    assert (made[0].screen, options.recording.to, options.recording.operator) == ("record", "pos2", "keyboard")
    assert (options.recording.resume, options.recording.episodes) == (True, 18)
    assert options.recording.where.at == (0.337, -0.015)


async def test_the_expert_works_in_the_background(
    open_studio: Open, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Started:
        id = "generate-1"

    def start(self: Jobs, argv: list[str]) -> Any:
        started.append(argv)
        return Started()

    monkeypatch.setattr(Jobs, "start", start)
    async with open_studio(shelf, SETUP) as pilot:
        await typed(pilot, "by-night")
        await press(pilot, "ctrl+g")
        assert started == [], "a person cannot work in the background"
        await press(pilot, "down", "left")
        await pilot.pause(0.3)
        await press(pilot, "ctrl+g")
        assert "› jobs" in text_of(pilot.app).splitlines()[0]
    line = "generate --to by-night --operator expert --at 0.337 -0.015 --episodes 20"
    assert started == [shlex.split(line)]


FORMS = {
    "a person at a position": Form(to="x", where="at", at="0.3, 0.1", jitter="0.02", yaw="45"),
    "without the end on success": Form(to="x", auto_stop=False, limit="90", keys="browser"),
    "practice": Form(practice=True),
    "a leader arm": Form(to="x", operator="leader", port="/dev/ttyACM0"),
    "the expert in a box": Form(to="x", operator="expert", where="box", box="0.2 0.3 0 0.1", episodes="7"),
    "in a headset's browser": Form(to="x", operator="vr", headset="web", lan=True, hand="left"),
    "by a file": Form(to="x", where="file", file="spots.json", per_position="2"),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_shown_command_is_the_recording(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_targets(tmp_path / "spots.json", [Target("a", 0.3, 0.1), Target("b", 0.25, 0.1)])
    said = answers(FORMS[name])
    words = shlex.split(command_line("record", said))
    assert words[:2] == ["studio", "record"]
    config = (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff, tyro.conf.EnumChoicesFromValues)
    parsed = tyro.cli(Record, args=words[2:], config=config)
    assert parsed == record_options(said)
    parsed.recording.check()


def test_an_existing_dataset_is_recorded_on_in_its_own_scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import asdict

    from curation.store import Store
    from curation.video import Encoding
    from recorders.world.scene import Scene
    from tests.curation.tiny import FEATURES, FPS

    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    scene = Scene(block="duplo", width=320, height=240, depth=True)
    Store.create(
        tmp_path / "duplo",
        fps=FPS,
        features=FEATURES,
        robot_type="so_follower",
        scene={"scene": asdict(scene)},
        encoding=Encoding(),
    )
    line = command_line("record", answers(Form(to="duplo", operator="expert")))
    assert line == (
        "studio record --to duplo --operator expert --at 0.337 -0.015 --episodes 20 --resume --block duplo --width 320 "
        "--height 240 --depth"
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"to": " "}, "Name the dataset"),
        ({"where": "at", "at": "0.3"}, "is X Y in metres"),
        ({"where": "at", "at": "0.3 east"}, "'east' is not a number"),
        ({"where": "file"}, "Name a positions file"),
        ({"jitter": "much"}, "jitter 'much' is not a number"),
        ({"episodes": "2.5"}, "'2.5' is not a whole number"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        answers(replace(Form(to="x"), **change))
