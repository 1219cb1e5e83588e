"""A sitting in which something goes wrong or comes at the wrong moment: nothing driven is ever lost."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.errors import StudioError
from curation.frames import Command, Observation
from curation.layout import TAKES
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from curation.video import Encoding
from recorders import hearing as module
from recorders.booth import Booth
from recorders.devices.keys import HeldKeys, KeyEvent, Stroke
from recorders.operators.expert import Expert
from recorders.operators.jog import Jog
from recorders.operators.keymap import Intent
from recorders.session import Session
from recorders.shelf import DatasetShelf, Practice
from recorders.signals import (
    Beat,
    Closed,
    Finished,
    Masked,
    Said,
    Stage,
    Stored,
    Tick,
    Wish,
)
from recorders.sitting import Sitting
from recorders.world.sim import SimWorld
from tests.recorders.sittings import AT, SCENE, Person, drive_and, often, root, seat, sit, world

__all__ = ["often", "root", "world"]


class Broken:
    """A driver whose device fails after a few frames."""

    def begin(self, observation: Observation, seed: int) -> None:
        self.frames = 0

    def act(self, observation: Observation) -> Command:
        self.frames += 1
        if self.frames > 10:
            raise StudioError("The cable is out.")
        return Command(observation.state, "person")


def test_an_operator_that_fails_leaves_an_unfinished_take(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        for _ in range(30):
            yield None

    person = sit(world, root, script, driver=Broken())
    assert any("The cable is out." in event.text for event in person.told(Said) if event.grave)
    assert len(list((root / TAKES).glob("*.jsonl"))) == 1
    assert person.ticks[-1].stage in (Stage.READY, Stage.SAVING)


def test_a_silent_face_stops_the_arm(world: SimWorld, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SILENCE_S", 0.05)

    def script() -> Iterator[Any]:
        yield ("i",)
        for _ in range(5):
            yield Beat()
        while True:
            yield None

    person = Person(script)
    person_jog = Jog(person.held, world.fps)
    session = Session.create(root, SCENE, Encoding())
    shelf = DatasetShelf(session, person.events.append)
    booth = Booth(
        Sitting(label="keyboard", placing=AT, limit_s=3.0, beats=True), world, person_jog, hands=person_jog,
        pressed=person.pressed, release=person.release, shelf=shelf, inbox=person.inbox, tell=person.events.append,
        show=lambda tick: (person.show(tick), tick.stage is Stage.REVIEW and person.inbox.put(Wish(Intent.STOP)))[0],
    )  # fmt: skip
    booth.run()
    shelf.close()
    driven = [tick.driving for tick in person.ticks if tick.stage is Stage.RECORDING]
    assert ("i",) in driven
    assert driven[-1] == ()


def test_every_event_is_small_and_survives_a_pipe() -> None:
    import pickle

    for event in (Closed(0, "done"), Tick(stage=Stage.READY), Finished("a", "success", True, False, 1, 0, 0.0, 0.0)):
        assert pickle.loads(pickle.dumps(event)) == event


class Strokes(Person):
    """A person at a terminal without key-up, who holds a key that goes on repeating whatever happens."""

    def __init__(self, script: Callable[[], Iterator[Any]]) -> None:
        super().__init__(script)
        self._keys = HeldKeys(releases=False, chords=False)

    def say(self, stroke: Stroke) -> None:
        self._keys.tell(KeyEvent("y", stroke, time.monotonic()))

    def held(self, now: float) -> tuple[str, ...]:
        self.say(Stroke.REPEAT)
        return self._keys.held(now)

    def pressed(self, now: float) -> tuple[str, ...]:
        self.say(Stroke.REPEAT)
        return self._keys.pressed(now)

    def release(self) -> None:
        self._keys.release_all()


def test_a_key_that_still_repeats_begins_no_take(world: SimWorld) -> None:
    ready = 0

    def script() -> Iterator[Any]:
        nonlocal ready
        person.say(Stroke.PRESS)
        while ready < 20:
            tick = yield None
            if tick is not None and tick.stage is Stage.REVIEW:
                yield Intent.DISCARD
            ready += tick is not None and tick.stage is Stage.READY and bool(person.told(Finished))

    person = Strokes(script)
    seat(person, world, Practice(), limit_s=1.0)
    assert len(person.told(Finished)) == 1


def test_of_two_words_in_one_frame_none_is_lost(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield ("i",)
        for _ in range(20):
            yield None
        person.inbox.put(Wish(Intent.SAVE))
        person.inbox.put(Wish(Intent.STOP))
        for _ in range(50):
            if (yield None).stage is Stage.SAVING:
                return
        raise AssertionError("the word to stop was lost")

    person = Person(script)
    seat(person, world, DatasetShelf(Session.create(root, SCENE, Encoding()), person.events.append))
    assert [event.kept for event in person.told(Finished)] == [True]


def test_a_take_that_has_hardly_begun_is_not_kept(world: SimWorld) -> None:
    person = sit(world, None, drive_and(Intent.SAVE, 20, Intent.SAVE, frames=1))
    assert any("Not kept yet" in event.text for event in person.told(Said))
    assert [event.frames >= 15 for event in person.told(Finished)] == [True]


def test_the_last_wanted_episode_can_be_taken_back(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        for word in (Intent.UNDO, Intent.GO):
            yield ("i",)
            for _ in range(20):
                yield None
            yield Intent.SAVE
            while (yield None).stage is not Stage.DONE:
                pass
            yield word
            for _ in range(4):
                yield None

    person = sit(world, root, script, episodes=1)
    assert [event.kept for event in person.told(Finished)] == [True, True]
    assert [event.masked for event in person.told(Masked)] == [True]
    store = Store.open(root)
    assert masked(read_notes(root)) == {store.rows()[0].episode_id}
    assert store.total_episodes == 2


def test_undo_and_restore_leave_episodes_of_earlier_sittings_alone(world: SimWorld, root: Path) -> None:
    sit(world, root, drive_and(Intent.SAVE))
    shelf = DatasetShelf(Session.resume(root), print)
    assert shelf.mask(undo=False) is None
    shelf.close()
    add_notes(root, [Note(Store.open(root).rows()[0].episode_id, "mask", True, "person", "2026-03-14T09:00:00+00:00")])
    shelf = DatasetShelf(Session.resume(root), print)
    assert (shelf.count(), shelf.mask(undo=True)) == (0, None)
    shelf.close()


def test_a_kept_take_that_cannot_be_drawn_counts_for_nothing(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        for _ in range(20):
            yield None
        yield Intent.SAVE
        while not person.told(Finished):
            yield None
        journal = root / TAKES / f"{person.told(Finished)[0].episode_id}.jsonl"
        lines = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join([*lines[:4], b"rubbish\n", *lines[5:]]))
        while not any("cannot be drawn" in event.text for event in person.told(Said)):
            yield None
        yield Intent.UNDO
        while not any("Nothing to undo." in event.text for event in person.told(Said)):
            yield None

    person = Person(script)
    seat(person, world, DatasetShelf(Session.create(root, SCENE, Encoding()), person.events.append))
    assert max(tick.kept for tick in person.ticks) == 1
    assert person.ticks[-1].kept == 0
    assert person.told(Masked) == []


def test_changing_what_keys_move_lets_go_of_them(world: SimWorld) -> None:
    def script() -> Iterator[Any]:
        yield ("i",)
        for _ in range(10):
            yield None
        yield Intent.MODE
        tick = yield None
        while tick.mode != "joint":
            tick = yield None
        still.append(tick.action)
        for _ in range(8):
            tick = yield None
        still.append(tick.action)

    still: list[tuple[float, ...]] = []
    sit(world, None, script)
    assert still[0] == still[1]


def test_a_dead_drawing_process_ends_nothing(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        killed = False
        while True:
            yield None
            drawing = [child for child in multiprocessing.active_children() if child.is_alive()]
            if drawing and not killed:
                killed = True
                drawing[0].kill()

    person = sit(world, root, script, driver=Expert(world), at_once=True, episodes=2, label="expert")
    assert [event.kept for event in person.told(Finished)] == [True, True]
    assert any("started again" in event.text for event in person.told(Said))
    assert len(person.told(Stored)) == 2
    assert Store.open(root).total_episodes == 2
    assert list((root / TAKES).glob("*")) == []
