"""The record screen, on a booth that says what it is told: what people see, and what each key says to the booth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Image
from curation.targets import Target, write_targets
from recorders.devices.keys import KeyEvent, Stroke
from recorders.meter import Gauge, Level
from recorders.operators.keymap import Intent
from recorders.signals import (
    Bell,
    Closed,
    Event,
    Finished,
    Invited,
    Masked,
    Message,
    Rang,
    Ready,
    Reason,
    Said,
    Stage,
    Stored,
    Tick,
    Wish,
)
from recorders.world.scene import Scene
from studio.desk import Desk
from studio.options import Where
from studio.qr import modules
from studio.tui.driver import TerminalKeys
from studio.tui.record.invitation import InvitationSheet
from studio.tui.record.live import LiveRecording
from studio.tui.record.panels import Doings, Driving, KeyCard, StageLine
from studio.tui.state import Place
from studio.verbs.asked import Asked
from studio.verbs.record import Record
from tests.screens.conftest import SIZES, Open, settled, text_of
from tests.screens.snapshots import matches

GAUGES = (
    Gauge("headroom", 92.4, "%", Level.GOOD, "slow"),
    Gauge("late", 1.0, "/126", Level.FAIR, "time is not as it was"),
    Gauge("jumps", 0.0, "", Level.GOOD, "jumps"),
    Gauge("jerk", 5.6, "k°/s³", Level.GOOD, "shaky"),
    Gauge("idle", 64.0, "%", Level.BAD, "policies learn to wait"),
    Gauge("limits", 10.4, "°", Level.GOOD, "limit"),
    Gauge("squeeze", 51.0, "N", Level.GOOD, "wedged"),
    Gauge("off plan", 4.0, "mm", Level.GOOD, "elsewhere"),
)
DRIVING = Tick(
    stage=Stage.RECORDING, frame=126, seconds=4.2, limit_s=60.0, physics=np.zeros(3), state=(0.0,) * 5 + (45.0,),
    action=(0.0,) * 6, block=(0.27, 0.12, 20.0), tip=(0.24, 0.08, 0.062), planned=(0.27, 0.12), target="p2 corner",
    phase="reach", outcome="never_reached", gauges=GAUGES, advice="idle: policies learn to wait", driving=("i", "j"),
    mode="hand", pace=1.0, kept=3, goal=20, waiting=1, per_minute=2.4, left_s=425.0,
)  # fmt: skip
STORY: tuple[Event, ...] = (
    Ready(0, (0.22, 0.1, 0.0), "p1"),
    Finished("a1", "success", True, False, 171, 0, 0.22, 0.1),
    Stored(0, "a1"),
    Finished("b2b2b2b2", "knocked_away", False, True, 60, 0, 0.30, 0.05),
    Said("Discarded: slipped."),
    Masked("a1", masked=True),
    Ready(2, (0.27, 0.12, 20.0), "p2"),
)


class Booth:
    """Says what a test puts into it; keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tick: Tick | None = None
        self.closed: Closed | None = None
        self.told: list[Message] = []
        self.strokes: list[KeyEvent] = []
        self._fresh: list[Event] = []

    @property
    def running(self) -> bool:
        return self.closed is None

    def say(self, *events: Event) -> None:
        self._fresh += events

    def send(self, message: Message) -> None:
        self.told.append(message)

    def drive(self, event: KeyEvent) -> None:
        self.strokes.append(event)

    def release(self) -> None:
        self.drive(KeyEvent("", Stroke.BLUR, 0.0))

    def listen(self) -> list[Event]:
        fresh, self._fresh = self._fresh, []
        self.events += fresh
        self.closed = next((event for event in fresh if isinstance(event, Closed)), self.closed)
        return fresh

    def close(self) -> None:
        pass

    @property
    def wishes(self) -> list[Intent]:
        return [message.intent for message in self.told if isinstance(message, Wish)]


class Recording(LiveRecording):
    """A live recording on that booth, with two pictures."""

    def __init__(self, options: Record) -> None:
        self.options = options
        self.source = TerminalKeys()
        self.booth: Any = Booth()
        self.desk = Desk(self.booth.drive, self.booth.send)
        self._views = None
        self._typed = ("", 0.0)
        self.source.start(self._stroke)

    def pictures(self) -> dict[str, Image] | None:
        ramp = np.linspace(40, 200, 160).astype(np.uint8)
        image = np.repeat(np.tile(ramp, (120, 1))[:, :, None], 3, axis=2)
        return {"overhead_cam": image, "wrist_cam": image[:, ::-1]}

    def scene(self) -> Scene:
        return Scene()


@pytest.fixture
def live(tmp_path: Path) -> Recording:
    """Of three positions; nothing is in the dataset yet."""
    path = tmp_path / "few.json"
    write_targets(path, [Target("p1", 0.22, 0.1), Target("p2", 0.27, 0.12, note="corner"), Target("p3", 0.32, 0.0)])
    return Recording(Record(recording=Asked(to=str(tmp_path / "mine"), operator="keyboard", where=Where(targets=path))))


@pytest.fixture
def open_app(open_studio: Open, tmp_path: Path) -> Open:
    """Open the application on the record screen, or at home where `at_home`."""
    (tmp_path / "home").mkdir()

    def opened(live: Recording, *, at_home: bool = False, **more: Any) -> Any:
        places = () if at_home else (Place("record", None if live.options.practice else tmp_path / "home" / "mine"),)
        return open_studio(tmp_path / "home", *places, live=live, **more)

    return opened


async def shown(pilot: Any, live: Recording, tick: Tick = DRIVING, *events: Event) -> None:
    """Let the booth say this, and the screen show it."""
    live.booth.tick = tick
    live.booth.say(*events)
    await pilot.pause(0.25)


@pytest.mark.parametrize("size", SIZES)
async def test_it_looks_as_it_did(open_app: Open, live: Recording, size: str) -> None:
    async with open_app(live, size=SIZES[size]) as pilot:
        await shown(pilot, live, DRIVING, *STORY)
        matches(pilot.app, f"record-{size}")


@pytest.mark.parametrize("size", SIZES)
async def test_the_question_whether_to_keep_it(open_app: Open, live: Recording, size: str) -> None:
    async with open_app(live, size=SIZES[size]) as pilot:
        tick = replace(DRIVING, stage=Stage.REVIEW, outcome="success", phase="release", driving=(), advice="")
        await shown(pilot, live, tick, *STORY[:3], Rang(Bell.TIME))
        matches(pilot.app, f"record-review-{size}")


async def test_a_controller_is_shown_as_one(open_app: Open, live: Recording) -> None:
    live.options = replace(live.options, recording=replace(live.options.recording, operator="vr"))
    async with open_app(live) as pilot:
        driven = replace(DRIVING, mode="driving", pace=0.75, driving=("squeeze",), delays=(5.2, 8.4, 0.6))
        await shown(pilot, live, driven)
        above, below = str(pilot.app.screen.query_one(Driving).render()).splitlines()
        assert above == "driving x0.75 tip 240 80 62 mm  grip 45"
        assert "reading 5 ms old, in control after 8 ms" in below
        await shown(pilot, live, replace(driven, mode="not tracked", tip=(-0.24, -0.18, 0.062)))
        above = str(pilot.app.screen.query_one(Driving).render()).splitlines()[0]
        assert len(above) <= pilot.app.screen.query_one(Driving).size.width, "the delays stay in view"
        assert "Squeeze drive" in str(pilot.app.screen.query_one(KeyCard).render())


async def test_a_leader_arm_is_shown_as_one(open_app: Open, live: Recording) -> None:
    live.options = replace(live.options, recording=replace(live.options.recording, operator="leader"))
    async with open_app(live) as pilot:
        stands = replace(DRIVING, mode="turned over", pace=1.0, driving=(), delays=(9.1, 10.4, 0.6))
        await shown(pilot, live, stands)
        words = str(pilot.app.screen.query_one(Driving).render())
        assert "turned over" in words
        assert "reading 9 ms old" in words
        await shown(pilot, live, replace(stands, stage=Stage.READY))
        assert "READY  press Enter to begin" in str(pilot.app.screen.query_one(StageLine).render())
        assert "m hold, follow" in str(pilot.app.screen.query_one(KeyCard).render())


async def test_a_headset_is_shown_the_way_to_its_page(open_app: Open, live: Recording) -> None:
    address = "https://192.168.7.9:8443/abcdefghjk/"
    async with open_app(live) as pilot:
        await shown(pilot, live, DRIVING, Invited(address, "AB:CD"))
        assert isinstance(pilot.app.screen, InvitationSheet)
        await settled(pilot)
        shown_lines = text_of(pilot.app).splitlines()
        assert any(address in line for line in shown_lines)
        for row in modules(address).splitlines():
            assert any(row in line for line in shown_lines), "a terminal of 80x24 shows all of the code"
        await pilot.press("escape")
        assert pilot.app.screen.query(Driving)


async def test_after_the_last_wanted_take_it_says_how_to_take_it_back(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live, replace(DRIVING, stage=Stage.DONE, kept=20, driving=(), advice=""))
        line = str(pilot.app.screen.query_one(StageLine).render())
        assert "DONE" in line
        assert "u takes the last one back" in line
        assert "20 of 20" in line
        await pilot.press("u", "enter")
        assert live.booth.wishes == [Intent.UNDO, Intent.GO]


@pytest.mark.parametrize(
    ("key", "intent"),
    [
        ("enter", Intent.GO), ("right", Intent.SAVE), ("left", Intent.DISCARD), ("d", Intent.DISCARD),
        ("r", Intent.RESET), ("s", Intent.SKIP), ("u", Intent.UNDO), ("U", Intent.RESTORE), ("escape", Intent.STOP),
        ("space", Intent.HALT), ("m", Intent.MODE), ("minus", Intent.SLOWER), ("equals_sign", Intent.FASTER),
    ],
)  # fmt: skip
async def test_keys_decide(open_app: Open, live: Recording, key: str, intent: Intent) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live)
        await pilot.press(key)
        assert live.booth.wishes == [intent]
        assert live.booth.running


async def test_keys_drive_and_a_lost_focus_lets_go(open_app: Open, live: Recording) -> None:
    from textual.events import AppBlur

    async with open_app(live) as pilot:
        await shown(pilot, live)
        await pilot.press("i", "j", "c")
        assert [(stroke.key, stroke.stroke) for stroke in live.booth.strokes[-3:]] == [
            ("i", Stroke.PRESS), ("j", Stroke.PRESS), ("c", Stroke.PRESS),
        ]  # fmt: skip
        pilot.app.post_message(AppBlur())
        await pilot.pause()
        assert live.booth.strokes[-1].stroke is Stroke.BLUR
        assert live.booth.wishes == []


async def test_a_sheet_over_the_screen_lets_go_of_the_arm(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live)
        await pilot.press("i", "question_mark")
        await pilot.pause()
        assert live.booth.strokes[-1].stroke is Stroke.BLUR
        before = len(live.booth.strokes)
        await pilot.press("j")
        assert len(live.booth.strokes) == before


async def test_why_a_take_was_discarded_is_one_more_key(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live, DRIVING, STORY[3])
        assert "why?" in str(pilot.app.screen.query_one(Doings).render())
        await pilot.press("1")
        await pilot.press("1")
        assert [message for message in live.booth.told if isinstance(message, Reason)] == [Reason("slipped")]


async def test_a_red_meter_suggests_to_discard(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live)
        assert "discard? idle" in str(pilot.app.screen.query_one(Doings).render())


async def test_a_bell_rings_once(open_app: Open, live: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_app(live) as pilot:
        rung: list[int] = []
        monkeypatch.setattr(pilot.app, "bell", lambda: rung.append(1))
        await shown(pilot, live, DRIVING, Rang(Bell.SUCCESS))
        await shown(pilot, live)
        assert rung == [1]


async def test_it_says_that_practice_records_nothing(open_app: Open, live: Recording) -> None:
    live.options = replace(live.options, practice=True)
    async with open_app(live) as pilot:
        await shown(pilot, live)
        line = str(pilot.app.screen.query_one(StageLine).render())
        assert "PRACTICE" in line
        assert "nothing is recorded" in line


async def test_it_beats_for_the_booth(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await pilot.pause(0.5)
        assert len(live.booth.told) >= 5


async def test_leaving_waits_for_the_booth(open_app: Open, live: Recording) -> None:
    async with open_app(live) as pilot:
        await shown(pilot, live)
        await pilot.press("escape")
        assert pilot.app.screen.NAME == "record"
        await shown(pilot, live, replace(DRIVING, stage=Stage.SAVING), Closed(0, "mine holds 3 episodes."))
        assert pilot.app.studio.live is None
        assert "OVER" in str(pilot.app.screen.query_one(StageLine).render())
        assert pilot.app.studio.trail[-1].screen == "library"  # a restart must not begin another recording
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen.NAME == "home"
        assert pilot.app.studio.live is None


async def test_the_way_to_a_new_recording_leads_back_to_the_one_that_goes_on(open_app: Open, live: Recording) -> None:
    async with open_app(live, at_home=True) as pilot:
        await pilot.press("n")
        await pilot.pause()
        assert pilot.app.screen.NAME == "record"
        assert pilot.app.screen.live is live
