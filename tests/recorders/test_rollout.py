"""The loop: what is paired with what, and how it ends."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from curation.errors import StudioError
from curation.frames import Ending, Frame, Outcome, Placement, Status, Verdict
from recorders.operators import each
from recorders.rollout import Start, rollout
from tests.fakes import LineWorld, ScriptedClock, Unplugged, Walker

START = Start(3, Placement(0.25, 0.0))


def run(worlds, operator, starts, **options):
    """Frames and ending of each world."""
    frames: list[list[Frame]] = [[] for _ in worlds]
    endings: list[Ending | None] = [None] * len(worlds)
    for number, event in rollout(worlds, operator, starts, **{"limit": 20, **options}):
        assert endings[number] is None, "an ending is the last thing of its world"
        if isinstance(event, Frame):
            frames[number].append(event)
        else:
            endings[number] = event
    return frames, endings


def run_one(driver=None, world=None, **options):
    driver = driver or Walker(at=-1)
    frames, endings = run([world or LineWorld()], each(lambda _: driver), [START], **options)
    return frames[0], endings[0], driver


def test_a_frame_pairs_what_was_seen_with_the_action_then_chosen() -> None:
    world = LineWorld(most=9.0)
    frames, ending, driver = run_one(world=world)
    seen = [float(frame.observation.state[0]) for frame in frames]
    assert seen[0] == START.placement.x
    assert seen == driver.seen
    for now, after in itertools.pairwise(frames):
        x, a = now.observation.state[0], now.command.action
        assert a[1] == x  # chosen from this very observation
        assert after.observation.state[0] == x + (a[0] + world.drift)  # and it is what moved the world on
        assert now.physics[1] == x  # the physics of the same instant
    assert [frame.index for frame in frames] == list(range(20))
    assert ending.status is Status.TIMEOUT
    assert world.steps == 20


def test_a_sink_that_stops_has_stopped_the_arm() -> None:
    world = LineWorld(most=9.0)
    for _, event in rollout([world], each(lambda _: Walker(at=-1)), [START], limit=20):
        assert world.steps == event.index
        if event.index == 4:
            break
    assert world.steps == 4


def test_the_admitted_action_is_stored() -> None:
    frames, _, _ = run_one(world=LineWorld(most=0.05))
    assert all(frame.command.action[0] == 0.05 for frame in frames)


def test_worlds_in_lockstep_are_the_same_as_one_by_one() -> None:
    starts = [Start(seed, Placement(0.1 * seed, 0.0)) for seed in range(4)]
    worlds = [LineWorld(goal=1.2) for _ in starts]
    together, endings = run(worlds, each(lambda _: Walker(at=-1)), starts)
    assert len({len(frames) for frames in together}) > 1  # they do not end together
    for start, frames, ending in zip(starts, together, endings, strict=True):
        (alone,), (alone_ending,) = run([LineWorld(goal=1.2)], each(lambda _: Walker(at=-1)), [start])
        assert alone_ending == ending
        for a, b in zip(alone, frames, strict=True):
            assert np.array_equal(a.observation.state, b.observation.state)
            assert np.array_equal(a.command.action, b.command.action)
            assert np.array_equal(a.physics, b.physics)
            assert a.index == b.index


def test_success_ends_it_or_not() -> None:
    frames, ending, _ = run_one(world=LineWorld(goal=0.6))
    assert ending.status is Status.SUCCESS
    assert ending.outcome is Outcome.SUCCESS
    assert len(frames) < 20
    frames, ending, _ = run_one(world=LineWorld(goal=0.6), until_success=False)
    assert ending.status is Status.TIMEOUT
    assert ending.outcome is Outcome.SUCCESS
    assert len(frames) == 20


@pytest.mark.parametrize("limit", [1, 7])
def test_limit(limit: int) -> None:
    frames, ending, _ = run_one(limit=limit)
    assert len(frames) == limit
    assert ending.status is Status.TIMEOUT


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.SAVE, Status.ENDED), (Verdict.STOP, Status.ENDED), (Verdict.DISCARD, Status.DISCARDED)],
)
def test_a_verdict_ends_the_take_without_a_frame(verdict: Verdict, status: Status) -> None:
    frames, ending, _ = run_one(Walker(verdict=verdict, at=5))
    assert len(frames) == 5
    assert ending.status is status
    assert ending.report["verdict"] == verdict.value


@pytest.mark.parametrize(
    ("driver", "count", "word"),
    [
        (Walker(error=StudioError("cable out"), at=5), 5, "cable out"),
        (Walker(nan=True, at=5), 5, "not finite"),
        (Unplugged(), 0, "The device is gone."),
    ],
)
def test_what_an_operator_raises_ends_it_as_failed_and_keeps_the_frames(driver, count: int, word: str) -> None:
    world = LineWorld(most=9.0)
    frames, ending, _ = run_one(driver, world)
    assert len(frames) == count == world.steps
    assert ending.status is Status.FAILED
    assert word in ending.report["error"]


def test_one_bad_action_stops_its_own_world_only() -> None:
    drivers = [Walker(nan=True, at=3), Walker(at=-1)]
    frames, endings = run([LineWorld(), LineWorld()], each(drivers.__getitem__), [START, START])
    assert [len(f) for f in frames] == [3, 20]
    assert [e.status for e in endings] == [Status.FAILED, Status.TIMEOUT]


def test_late_frames_are_marked() -> None:
    clock = ScriptedClock(late=lambda index: index in (2, 5))
    frames, _, _ = run_one(clock=clock, limit=8)
    assert [frame.index for frame in frames if frame.late] == [2, 5]
    assert [frame.wall_s for frame in frames] == [index * 0.5 for index in range(8)]
    assert clock.started == 1
