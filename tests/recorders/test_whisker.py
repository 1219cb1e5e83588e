"""A whisker is where the targets really lead, and what happened when is found in what the judge knew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from curation.errors import UnknownChoice
from curation.frames import Frame, Phase, Placement, Vector
from recorders.events import Event, Mark, events, mark_of, next_event
from recorders.foresight import Foresight
from recorders.operators import each
from recorders.operators.expert import Expert
from recorders.rollout import Midway, Start, rollout
from recorders.world.scene import Scene
from recorders.world.sim import HOME, SimWorld


@pytest.fixture(scope="module", params=["ideal", "hardware"])
def world(request: pytest.FixtureRequest) -> Iterator[SimWorld]:
    made = SimWorld(Scene(width=64, height=48, servo=request.param))
    yield made
    made.close()


def wild(frames: int) -> Vector:
    """Targets that the speed limit and the joint limits cut, shape (frames, 6)."""
    return HOME + np.random.default_rng(4).uniform(-60, 60, (frames, 6))


def test_a_whisker_is_the_way_then_taken_bit_for_bit(world: SimWorld) -> None:
    world.reset(1, Placement(0.3, 0.0))
    for target in wild(5):
        world.step(target)
    before, targets = world.physics(), wild(30)
    foresight = Foresight(world)
    whisker = foresight.whisker(before, targets)
    assert np.array_equal(world.physics(), before), "the world does not notice"
    path, joints = [world.tip()], [world.observe().state]
    for target in targets:
        joints.append(world.step(target).state)
        path.append(world.tip())
    assert np.array_equal(whisker.path, path)
    assert np.array_equal(whisker.joints, joints)
    assert np.ptp(whisker.path, axis=0).max() > 0.01
    assert len(whisker) == 30
    left = whisker.after(28)
    assert (len(left), np.array_equal(left.path, path[28:])) == (2, True)
    assert len(whisker.after(99)) == 0


def test_a_whisker_ends_where_a_target_is_no_number(world: SimWorld) -> None:
    world.reset(1, Placement(0.3, 0.0))
    targets = wild(6)
    targets[4, 2] = np.nan
    assert len(Foresight(world).whisker(world.physics(), targets)) == 4
    assert len(Foresight(world).whisker(world.physics(), targets[:0])) == 0


def test_a_world_that_is_recalled_in_a_grasp_goes_on_as_it_did_and_so_does_its_judge(world: SimWorld) -> None:
    other = SimWorld(world.scene, world.model, world.painter)
    start, snapshots = Start(3, Placement(0.25, 0.05, 20.0)), []
    frames, ended = [], None
    for _, event in rollout([world], each(lambda _: Expert(world)), [start], limit=110):
        if isinstance(event, Frame):
            snapshots.append(world.snapshot())
            frames.append(event)
        else:
            ended = event
    grasped = next(frame.index for frame in frames if frame.phase is Phase.LIFT)
    seen = other.recall(snapshots[grasped])

    class Repeats:
        def __init__(self) -> None:
            self.at = grasped

        def begin(self, observations: object, seeds: object) -> None:
            raise AssertionError("nothing begins midway")

        def act(self, observations: object) -> list[object]:
            self.at += 1
            return [frames[self.at - 1].command]

    again = [event for _, event in rollout([other], Repeats(), [start], limit=110, midway=Midway([seen], grasped))]
    assert again[-1] == ended, "outcome and report: grasps, slip and times of before count too"
    for one, two in zip(again[:-1], frames[grasped:], strict=True):
        assert isinstance(one, Frame)
        assert (one.index, one.phase) == (two.index, two.phase)
        assert np.array_equal(one.physics, two.physics)


@pytest.mark.parametrize(
    ("opens", "kinds"),
    [(False, ["grasp", "lift", "release", "success"]), (True, ["grasp", "lift", "drop"])],
)
def test_what_happens_in_the_world_is_found_in_its_frame(opens: bool, kinds: list[str]) -> None:
    """The expert's way; and the same with a gripper that opens while it carries."""
    with closing(SimWorld(Scene(width=64, height=48))) as world:
        world_of, marks, held = each(lambda _: Expert(world)), [], []

        class Watched:
            def begin(self, observations: Any, seeds: Any) -> None:
                world_of.begin(observations, seeds)

            def act(self, observations: Any) -> list[Any]:
                marks.append(mark_of(world.judge))
                held.append(world.judge.last is not None and world.judge.last.held)
                (command,) = world_of.act(observations)
                assert command is not None
                if opens and any(one.phase is Phase.TRANSPORT for one in marks):
                    action = command.action.copy()
                    action[-1] = 100.0
                    command = replace(command, action=action)
                return [command]

        for _ in rollout([world], Watched(), [Start(3, Placement(0.3, 0.05))], limit=300):
            pass
        marks.append(mark_of(world.judge))
        found = events(marks)
    assert [event.kind for event in found][: len(kinds)] == kinds
    frames = {event.kind: event.frame for event in reversed(found)}
    assert (held[frames["grasp"] - 1], held[frames["grasp"]]) == (False, True)
    lost = frames["drop" if opens else "release"]
    assert (held[lost - 1], held[lost]) == (True, False)


def mark(phase: Phase, grasps: int = 0, fumbles: int = 0, success: bool = False) -> Mark:
    return Mark(phase, grasps, fumbles, success)


def test_events_are_found_once_each_and_in_order() -> None:
    marks = [
        mark(Phase.REACH), mark(Phase.GRASP), mark(Phase.GRASP, 1), mark(Phase.LIFT, 1), mark(Phase.TRANSPORT, 1),
        mark(Phase.RELEASE, 1, 1), mark(Phase.GRASP, 2, 1), mark(Phase.LIFT, 2, 1), mark(Phase.RELEASE, 2, 1),
        mark(Phase.RELEASE, 2, 1, True),
    ]  # fmt: skip
    found = events(marks)
    assert [(event.frame, event.kind) for event in found] == [
        (2, "grasp"), (3, "lift"), (5, "drop"), (6, "grasp"), (7, "lift"), (8, "release"), (9, "success"),
    ]  # fmt: skip
    assert events([mark(Phase.GRASP, 1), mark(Phase.REACH, 1, 1)]) == [], "lost before it was lifted: no drop"
    assert next_event(found, 3) == Event(5, "drop")
    assert next_event(found, 3, "lift") == Event(7, "lift")
    assert next_event(found, 6, back=True) == Event(5, "drop")
    assert next_event(found, 9) is None
    with pytest.raises(UnknownChoice, match=r"Unknown event 'fall'. Valid: grasp, lift, drop, release, success"):
        next_event(found, 0, "fall")
