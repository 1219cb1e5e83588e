"""`studio correct`: a checkpoint before a person at the keys, through the raw strokes that a source tells."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.store import Store
from recorders.devices.keys import HeldKeys, KeyEvent, Stroke
from recorders.operators.keymap import DECIDE
from recorders.sidecar import read_sidecar
from recorders.signals import Closed, Event, Message, Stage, Tick
from studio.desk import Desk
from studio.sitting import sit
from studio.spoken import progress
from studio.verbs.correct import Correct, record_options
from tests.studio.conftest import Studio, studio
from tests.training.policies import SMALL, tiny_act
from training.checkpoint_card import digest

assert studio
pytestmark = pytest.mark.filterwarnings("ignore")


class Keyboard:
    """Strokes of a keyboard with key-up, pressed by a script that is sent ticks and yields (key, stroke) or None."""

    def __init__(self, script: Iterator[Any]) -> None:
        self.held = HeldKeys(releases=True, chords=True)
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.events: list[Event] = []
        self.ticks: list[Tick] = []
        self._desk = Desk(self.held.tell, self.inbox.put)
        self._script: Any = script
        next(self._script)

    def tell(self, event: Event) -> None:
        self._desk.hear(event)
        self.events.append(event)

    def show(self, tick: Tick) -> None:
        self.ticks.append(tick)
        try:
            said = self._script.send(tick)
        except StopIteration:
            said = ("escape", Stroke.PRESS)
        if said is not None:
            self._desk.stroke(KeyEvent(*said, time.monotonic()))


def script() -> Iterator[Any]:
    """Start; take over with a key and let go of it; hand back; save; stop."""
    tick: Tick = yield None
    yield "enter", Stroke.PRESS
    for _ in range(3):
        tick = yield None
    yield "y", Stroke.PRESS
    for _ in range(3):
        tick = yield None
    yield "y", Stroke.RELEASE
    yield "p", Stroke.PRESS
    for _ in range(3):
        tick = yield None
    yield "right", Stroke.PRESS
    while tick.stage is not Stage.READY:
        tick = yield None


def test_a_checkpoint_is_corrected_by_keys(tmp_path: Path) -> None:
    checkpoint = tiny_act(tmp_path / "act", privileged=True, cameras=())
    options = Correct(checkpoint=str(checkpoint), to=str(tmp_path / "set"), episodes=2, scene=SMALL)
    keys = Keyboard(script())
    sit(record_options(options), keys.held, keys.inbox, keys.tell, keys.show, beats=False)
    assert isinstance(keys.events[-1], Closed)
    assert keys.events[-1].code == 0, keys.events[-1]
    (row,) = (store := Store.open(tmp_path / "set")).rows()
    take = read_sidecar(store.episode(0).frames)
    stretches = [who for at, who in enumerate(take.by) if at == 0 or take.by[at - 1] != who]
    assert stretches == ["policy", "person", "policy"]
    assert row.operator.startswith("correct:")
    assert row.extra["policy"]["digest"] == digest(checkpoint)
    assert (row.extra["interventions"], row.extra["person_frames"]) == (1, take.by.count("person"))
    said = [progress(tick, record_options(options).recording) for tick in keys.ticks]
    assert "any key that drives takes over, p hands back" in said[0]
    assert any("policy drives" in words for words in said)
    assert any("person drives" in words for words in said)


def test_what_a_person_corrects_is_kept_by_the_persons_word(studio: Studio, tmp_path: Path) -> None:
    checkpoint = str(tiny_act(tmp_path / "act", privileged=True, cameras=()))
    size = ("--width", "64", "--height", "48", "--to", str(tmp_path / "set"))
    said = studio("record", "--operator", f"correct:{checkpoint}", "--keep", "all", *size)
    assert said.code == 2
    assert "you decide yourself" in said.err
    said = studio("generate", "--operator", f"correct:{checkpoint}", *size)
    assert "is a person, who records in real time" in said.err
    said = studio("correct", "nobody", *size)
    assert "Unknown training or checkpoint 'nobody'" in said.err
    assert "p" in DECIDE
