"""A sitting, with a scripted person before it: what each word does, and that nothing driven is ever lost."""

from __future__ import annotations

import json
import multiprocessing
import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.errors import StudioError
from curation.frames import Command, Observation
from curation.layout import TAKES, TRASH
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from curation.targets import Target
from curation.video import Encoding
from recorders import booth as module
from recorders import telling
from recorders.booth import Booth
from recorders.clock import RealTime
from recorders.devices.keys import HeldKeys, KeyEvent, Stroke
from recorders.operators import Driver
from recorders.operators.expert import Expert
from recorders.operators.jog import Jog
from recorders.operators.keymap import Intent
from recorders.placements import Placing
from recorders.session import Session
from recorders.shelf import DatasetShelf, Practice, Shelf
from recorders.signals import (
    Beat,
    Closed,
    Finished,
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
from recorders.sitting import Sitting
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

SCENE = Scene(width=64, height=48)
AT = Placing(at=(0.337, -0.015), yaw=0.0)


class Hasty(RealTime):
    """As fast as it goes, but with the measurements of a real-time clock."""

    def wait(self, index: int) -> tuple[float, bool]:
        self._zero = min(self._zero, time.perf_counter() - index * self._period)
        return super().wait(index)


class Person:
    """Says at each tick what the script says; keeps everything that happened.

    The script is a generator that is sent ticks and yields an intent, a message, held keys (a tuple) or None.
    """

    def __init__(self, script: Callable[[], Iterator[Any]]) -> None:
        self.inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self.keys: tuple[str, ...] = ()
        self.events: list[Any] = []
        self.ticks: list[Tick] = []
        self.releases = 0
        self._script: Any = script()
        self._begun = False

    def held(self, now: float) -> tuple[str, ...]:
        return self.keys

    def pressed(self, now: float) -> tuple[str, ...]:
        return self.keys

    def release(self) -> None:
        self.keys = ()
        self.releases += 1

    def show(self, tick: Tick) -> None:
        self.ticks.append(tick)
        try:
            said = self._script.send(tick if self._begun else None)
            self._begun = True
        except StopIteration:
            said = Intent.STOP
        if isinstance(said, Intent):
            self.inbox.put(Wish(said))
        elif isinstance(said, tuple):
            self.keys = said
        elif said is not None:
            self.inbox.put(said)

    def told(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class Broken:
    """A driver whose device fails after a few frames."""

    def begin(self, observation: Observation, seed: int) -> None:
        self.frames = 0

    def act(self, observation: Observation) -> Command:
        self.frames += 1
        if self.frames > 10:
            raise StudioError("The cable is out.")
        return Command(observation.state, "person")


@pytest.fixture(scope="module")
def world() -> Iterator[SimWorld]:
    made = SimWorld(SCENE)
    yield made
    made.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ticks at every frame, because the world here is faster than time."""
    monkeypatch.setattr(telling, "TICKS_PER_S", 1e6)


def sit(
    world: SimWorld,
    root: Path | None,
    script: Callable[[], Iterator[Any]],
    *,
    driver: Driver | None = None,
    **more: Any,
) -> Person:
    """Hold one sitting; with a root, into a dataset there."""
    person = Person(script)
    shelf: Shelf = Practice()
    if root is not None:
        session = Session.resume(root) if root.exists() else Session.create(root, SCENE, Encoding())
        shelf = DatasetShelf(session, person.events.append)
    seat(person, world, shelf, driver=driver, **more)
    return person


def seat(person: Person, world: SimWorld, shelf: Shelf, *, driver: Driver | None = None, **more: Any) -> None:
    """Let a person sit until the sitting is over."""
    jog = Jog(person.held, world.fps) if driver is None else None
    sitting = Sitting(**{"label": "keyboard", "placing": AT, "limit_s": 20.0, **more})
    try:
        Booth(
            sitting, world, driver or jog, jog=jog, pressed=person.pressed, release=person.release, shelf=shelf,
            inbox=person.inbox, tell=person.events.append, show=person.show, clock=Hasty(world.fps),
        ).run()  # fmt: skip
    finally:
        shelf.close()


def drive_and(*words: Any, frames: int = 18) -> Callable[[], Iterator[Any]]:
    """Drive for some frames, then say each word a few ticks apart, or wait for a number of them."""

    def script() -> Iterator[Any]:
        yield ("i",)
        for _ in range(frames):
            yield None
        yield ()
        for word in words:
            for _ in range(word if isinstance(word, int) else 4):
                yield None
            if not isinstance(word, int):
                yield word
        for _ in range(30):
            yield None

    return script


def test_the_first_motion_begins_a_take_and_save_makes_an_episode(world: SimWorld, root: Path) -> None:
    person = sit(world, root, drive_and(Intent.SAVE))
    store = Store.open(root)
    assert [row.operator for row in store.rows()] == ["keyboard"]
    row = store.rows()[0]
    assert (row.x, row.y, row.extra["asked"][:2]) == (0.337, -0.015, [0.337, -0.015])
    assert row.extra["keep"] == "verdict"
    assert row.extra["meter"]["late"]["level"] == "good"
    assert store.episode(0).length >= 12
    assert [event.kept for event in person.told(Finished)] == [True]
    assert len(person.told(Stored)) == 1
    stages = [tick.stage for tick in person.ticks]
    assert stages.index(Stage.READY) < stages.index(Stage.RECORDING)


def test_nothing_is_recorded_before_a_motion_or_a_word(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        for _ in range(20):
            tick = yield None
            assert tick is None or tick.stage is Stage.READY

    sit(world, root, script)
    assert Store.open(root).total_episodes == 0
    assert list((root / TAKES).glob("*")) == []


def test_enter_begins_too_and_enter_saves(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        for _ in range(40):
            yield None
        yield Intent.GO
        for _ in range(10):
            yield None

    assert [event.kept for event in sit(world, root, script).told(Finished)] == [True]


def test_discard_puts_the_take_into_the_trash_with_its_reason(world: SimWorld, root: Path) -> None:
    person = sit(world, root, drive_and(Intent.DISCARD, Reason("slipped")))
    assert Store.open(root).total_episodes == 0
    finished = person.told(Finished)[0]
    assert (finished.kept, finished.discarded) == (False, True)
    assert [path.stem for path in (root / TRASH).glob("*.jsonl")] == [finished.episode_id]
    assert [(note.episode_id, note.kind, note.value) for note in read_notes(root)] == [
        (finished.episode_id, "discarded", "slipped")
    ]


def test_undo_masks_and_restore_brings_back(world: SimWorld, root: Path) -> None:
    person = sit(world, root, drive_and(Intent.SAVE, Intent.UNDO, Intent.UNDO, Intent.RESTORE, Intent.UNDO))
    words = [(event.masked) for event in person.told(Masked)]
    assert words == [True, False, True]
    assert "Nothing to undo." in [event.text for event in person.told(Said)]
    episode = Store.open(root).rows()[0].episode_id
    assert masked(read_notes(root)) == {episode}
    counts = [tick.kept for tick in person.ticks]
    assert counts[-1] == 0
    assert max(counts) == 1


def test_a_masked_episode_does_not_count_towards_the_goal(world: SimWorld, root: Path) -> None:
    sit(world, root, drive_and(Intent.SAVE, Intent.UNDO), episodes=2)
    person = sit(world, root, quiet, episodes=1, driver=Expert(world), at_once=True, label="expert")
    assert [event.kept for event in person.told(Finished)] == [True]
    assert Store.open(root).total_episodes == 2


def test_a_judged_success_ends_and_keeps_the_take_and_rings(world: SimWorld, root: Path) -> None:
    person = sit(world, root, quiet, driver=Expert(world), at_once=True, episodes=2, label="expert")
    assert [(event.outcome, event.kept) for event in person.told(Finished)] == [("success", True)] * 2
    assert [str(event.bell) for event in person.told(Rang)] == ["success"] * 2
    assert [row.outcome for row in Store.open(root).rows()] == ["success", "success"]
    assert person.ticks[-1].stage is Stage.SAVING


def leaves() -> Iterator[Any]:
    yield None


def quiet() -> Iterator[Any]:
    while True:
        yield None


def test_without_auto_stop_the_take_goes_on_after_success(world: SimWorld, root: Path) -> None:
    person = sit(
        world, root, waits_for_success, driver=Expert(world), episodes=1, auto_stop=False, label="expert", at_once=True
    )
    assert person.told(Finished)[0].frames > 160
    assert person.told(Finished)[0].kept


def waits_for_success() -> Iterator[Any]:
    while True:
        tick = yield None
        if tick is not None and tick.outcome == "success":
            break
    for _ in range(20):
        yield None
    yield Intent.SAVE
    while True:
        yield None


def test_at_the_time_limit_the_person_decides(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        while True:
            tick = yield None
            if tick is not None and tick.stage is Stage.REVIEW:
                yield Intent.SAVE
                return

    person = sit(world, root, script, limit_s=1.0)
    assert "time" in [str(event.bell) for event in person.told(Rang)]
    assert [(event.kept, event.frames) for event in person.told(Finished)] == [(True, 30)]


def test_leaving_a_review_loses_nothing(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        yield Intent.GO
        for _ in range(20):
            yield None
        yield Intent.STOP
        for _ in range(5):
            yield None

    person = sit(world, root, script)
    assert Stage.REVIEW in [tick.stage for tick in person.ticks]
    assert [event.outcome for event in person.told(Finished)] == ["unfinished"]
    left = list((root / TAKES).glob("*.jsonl"))
    assert len(left) == 1
    assert len(left[0].read_bytes().splitlines()) > 15
    again = sit(world, root, leaves)
    assert "1 unfinished take waits" in again.told(Said)[0].text


def test_a_new_scene_draws_another_placement_and_logs_no_attempt(world: SimWorld, root: Path) -> None:
    def script() -> Iterator[Any]:
        for _ in range(3):
            yield None
            yield Intent.RESET
            yield None

    person = sit(world, root, script, placing=Placing(at=(0.30, 0.05), jitter=0.02))
    blocks = [event.block for event in person.told(Ready)]
    assert len(blocks) == len(set(blocks)) >= 3
    assert not (root / "meta/studio/attempts.jsonl").exists()


def test_targets_are_taken_in_order_and_skipped_ones_left(world: SimWorld, root: Path) -> None:
    targets = tuple(Target(name, x, 0.05, 0.0) for name, x in (("a", 0.24), ("b", 0.28), ("c", 0.32)))

    person = sit(world, root, target_script(), placing=Placing(targets=targets), episodes=3)
    kept = [row.extra["target"] for row in Store.open(root).rows()]
    assert kept == ["a", "c"]
    assert [event.target for event in person.told(Ready)][:3] == ["a", "b", "c"]
    assert person.ticks[-1].goal == 3


def target_script() -> Callable[[], Iterator[Any]]:
    """Save a short take at every position but b, which is skipped."""

    def script() -> Iterator[Any]:
        tick = None
        while True:
            tick = yield None
            if tick is not None and tick.stage is Stage.DONE:
                return
            if tick is None or tick.stage is not Stage.READY:
                continue
            if tick.target == "b":
                yield Intent.SKIP
                continue
            yield Intent.GO
            for _ in range(18):
                yield None
            yield Intent.SAVE
            yield None

    return script


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
        Sitting(label="keyboard", placing=AT, limit_s=3.0, beats=True), world, person_jog, jog=person_jog,
        pressed=person.pressed, release=person.release, shelf=shelf, inbox=person.inbox, tell=person.events.append,
        show=lambda tick: (person.show(tick), tick.stage is Stage.REVIEW and person.inbox.put(Wish(Intent.STOP)))[0],
    )  # fmt: skip
    booth.run()
    shelf.close()
    driven = [tick.driving for tick in person.ticks if tick.stage is Stage.RECORDING]
    assert ("i",) in driven
    assert driven[-1] == ()


def test_practice_writes_nothing(world: SimWorld, tmp_path: Path) -> None:
    person = sit(world, None, drive_and(Intent.SAVE))
    assert person.told(Finished)
    assert list(tmp_path.iterdir()) == []


def test_pace_and_mode_change_by_keys(world: SimWorld) -> None:
    person = sit(world, None, drive_and(Intent.FASTER, Intent.MODE, Intent.SLOWER, Intent.SLOWER, Intent.HALT))
    assert {tick.pace for tick in person.ticks} >= {1.0, 2.0, 0.5}
    assert {tick.mode for tick in person.ticks} == {"hand", "joint"}


def test_attempts_are_logged_whatever_became_of_them(world: SimWorld, root: Path) -> None:
    sit(world, root, drive_and(Intent.DISCARD, Intent.GO, 18, Intent.SAVE))
    lines = [json.loads(line) for line in (root / "meta/studio/attempts.jsonl").read_text().splitlines()]
    assert [(line["status"], line["kept"]) for line in lines] == [("discarded", False), ("ended", True)]


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
