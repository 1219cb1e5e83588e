"""A sitting, with a scripted person before it: what each word does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from curation.layout import TAKES, TRASH
from curation.notes import masked, read_notes
from curation.store import Store
from curation.targets import Target
from recorders.operators.expert import Expert
from recorders.operators.keymap import Intent
from recorders.placements import Placing
from recorders.signals import (
    Finished,
    Masked,
    Rang,
    Ready,
    Reason,
    Said,
    Stage,
    Stored,
)
from recorders.world.sim import SimWorld
from tests.recorders.sittings import drive_and, often, root, sit, world

__all__ = ["often", "root", "world"]


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
