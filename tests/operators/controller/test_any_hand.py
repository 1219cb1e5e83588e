"""Whatever a hand does, the arm stays within its limits; what a hand can do well, it does."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.frames import Placement
from recorders.devices.controller import Button, ControllerSample
from recorders.operators.controller.clutch import Hold
from recorders.operators.controller.driver import SPEED, Controller
from recorders.operators.reaching import FLOOR
from recorders.world.scene import Scene
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.sim import SimWorld
from tests.operators.controller.bench import FPS, HERE, Bench, moved
from tests.operators.controller.phantom import Phantom, Scripted, batches, expert_path

_PARTS = st.floats(-0.08, 0.08)
_EVENTS = st.one_of(
    st.tuples(st.just("move"), st.tuples(_PARTS, _PARTS, _PARTS)),
    st.tuples(st.just("turn"), st.tuples(_PARTS, _PARTS, _PARTS)),
    st.tuples(st.just("jump"), st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(-9, 9))),
    st.tuples(st.just("rotation"), st.tuples(*[st.floats(-1, 1)] * 4)),
    st.tuples(st.just("position"), st.tuples(*[st.floats(allow_nan=True, allow_infinity=True)] * 3)),
    st.tuples(st.just("tracked"), st.booleans()),
    st.tuples(st.just("squeeze"), st.sampled_from([0.0, 0.5, 1.0, 1.0, 1.0, math.nan])),
    st.tuples(st.just("trigger"), st.sampled_from([0.0, 0.5, 1.0, math.nan])),
    st.tuples(st.just("pause"), st.floats(-0.3, 0.7)),
    st.tuples(st.just("buttons"), st.sets(st.sampled_from(list(Button)))),
    st.tuples(st.just("stick"), st.tuples(st.just(0.0), st.sampled_from([-1.0, 0.0, 1.0]))),
)


def _happens(sample: ControllerSample, what: str, value: Any) -> ControllerSample:
    """The next reading of a hand to which this happens."""
    if what in ("move", "jump"):
        return moved(sample, np.array(value) * (0.5 if what == "move" else 1.0))
    if what == "turn":
        quarter = np.append(np.array(value) * 3, 1.0) + np.array(sample.rotation)
        return replace(sample, rotation=tuple(map(float, quarter / max(np.linalg.norm(quarter), 1e-9))))
    if what == "buttons":
        return replace(sample, buttons=frozenset(value))
    if what == "pause":
        return replace(sample, time=sample.time + value)
    return replace(sample, **{what: value})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(_EVENTS, st.integers(1, 4)), min_size=5, max_size=25))
def test_no_hand_makes_the_arm_step_beyond_its_limits_or_move_while_it_does_not_drive(events: Any) -> None:
    bench = Bench()
    bench.show(HERE)
    hand = replace(HERE, time=bench.now)
    joints = np.array([STEP_LIMIT_DEG_PER_S / FPS] * 5)
    for (what, value), frames in events:
        for _ in range(frames):
            shown = []
            for _ in range(3):
                hand = _happens(replace(hand, time=hand.time + 0.01), what, value)
                shown.append(hand)
            before, tip = bench.state.copy(), bench.tip
            bench.send(*shown)
            step = np.abs(bench.state - before)
            assert np.isfinite(bench.state).all()
            assert (step[:5] <= joints + 1e-6).all()
            assert np.linalg.norm(bench.tip - tip) <= SPEED / FPS + 1e-6
            assert bench.tip[2] >= FLOOR - 1e-6
            if bench.driver.mode is not Hold.DRIVING:
                assert np.array_equal(bench.state[:5], before[:5])
            if bench.driver.mode is Hold.LOST:
                assert np.array_equal(bench.state, before)


def test_the_experts_motion_by_hand_succeeds() -> None:
    world = SimWorld(Scene(width=64, height=48))
    observation = world.reset(0, Placement(0.337, -0.015, 30.0))
    hand = Phantom(expert_path(world, 0), np.random.default_rng(0))
    source = Scripted(batches(hand.samples(), FPS))
    driver = Controller(source, FPS)
    driver.begin(observation, 0)
    for _ in range(len(source.script)):
        driver.listen()
        observation = world.step(driver.act(observation).action)
        if world.judge.success_s is not None:
            break
    assert world.verdict()[0] == "success"
    assert driver.measured()["controller"]["frames"]["driving"] > 100
