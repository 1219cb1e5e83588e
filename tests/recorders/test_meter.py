"""The quality meter: each gauge for what it is there to see, and green for what is good."""

from __future__ import annotations

import json

import numpy as np
import pytest

from curation.frames import Command, Frame, Observation, Phase, Placement, Vector
from recorders.meter import Level, Meter
from recorders.operators.named import Who, make_operator
from recorders.rollout import Start, rollout
from recorders.world.scene import Scene
from recorders.world.sim import HOME, SimWorld

AT = Placement(0.337, -0.015, 20.0)


def frame(index: int, action: Vector, *, late: bool = False) -> Frame:
    observation = Observation(action, index / 30, dict)
    return Frame(index, observation, Command(action, "person"), np.zeros(1), Phase.REACH, index / 30, late)


def fed(actions: list[Vector], *, late: int = 0, force: float = 0.0, work_s: float | None = None) -> Meter:
    meter = Meter(30, None, AT)
    for index, action in enumerate(actions):
        meter.see(frame(index, action, late=index < late), force, work_s)
    return meter


def levels(meter: Meter) -> dict[str, Level]:
    return {gauge.name: gauge.level for gauge in meter.gauges()}


def smooth(frames: int = 90) -> list[Vector]:
    """A slow swing of the first five joints."""
    phase = np.linspace(0, np.pi, frames)[:, None]
    return list(HOME + np.array([8, 8, 8, 8, 8, 0]) * (1 - np.cos(phase)))


def test_the_expert_is_green_but_for_what_it_does_not_know() -> None:
    world = SimWorld(Scene())
    meter = Meter(30, (AT.x, AT.y), AT)
    operator = make_operator(Who(), world)
    for _, event in rollout([world], operator, [Start(1, AT)], limit=300):
        if isinstance(event, Frame):
            assert world.judge.last is not None
            meter.see(event, world.judge.last.force, 0.002)
    assert event.success
    assert set(levels(meter).values()) == {Level.GOOD}
    assert meter.advice() == ""


def test_a_smooth_swing_is_green() -> None:
    assert set(levels(fed(smooth(), work_s=0.002)).values()) == {Level.GOOD}


@pytest.mark.parametrize(
    ("name", "meter"),
    [
        ("late", fed(smooth(), late=5)),
        ("headroom", fed(smooth(), work_s=0.033)),
        ("jumps", fed([HOME + np.array([9.0 * (i % 2), 0, 0, 0, 0, 0]) for i in range(30)])),
        ("jerk", fed([HOME + np.array([1.0 * (i % 2), 0, 0, 0, 0, 0]) for i in range(30)])),
        ("idle", fed([HOME] * 60 + smooth(20))),
        ("limits", fed([np.array([109.95, 0, 0, 0, 0, 0.0])] * 3 + smooth())),
        ("squeeze", fed(smooth(), force=120.0)),
    ],
)
def test_a_fault_turns_its_gauge_red_and_suggests_to_discard(name: str, meter: Meter) -> None:
    assert levels(meter)[name] is Level.BAD
    assert f"{name}: " in meter.advice()


def test_an_impact_is_no_squeeze() -> None:
    meter = Meter(30, None, AT)
    for index, action in enumerate(smooth()):
        meter.see(frame(index, action), 150.0 if index in (40, 41, 42) else 30.0, None)
    assert levels(meter)["squeeze"] is Level.GOOD


def test_a_block_off_its_plan_is_seen_and_jitter_is_not() -> None:
    far = Meter(30, (0.30, 0.02), AT)
    assert levels(far)["off plan"] is Level.BAD
    near = Meter(30, (0.33, -0.01), AT)
    assert levels(near)["off plan"] is Level.GOOD


def test_its_summary_is_json_with_every_known_value() -> None:
    stored = json.loads(json.dumps(fed(smooth(), work_s=0.002).summary(), allow_nan=False))
    assert stored["late"] == {"value": 0.0, "level": "good"}
    assert "headroom" in stored
    assert "headroom" not in fed(smooth()).summary()
