"""The control law: what counts moves the arm as the hand moves, and nothing else moves it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from curation.frames import Observation
from recorders.devices.controller import FRESH_AFTER_S, STALE_S, Button
from recorders.operators.controller.clutch import Hold
from recorders.operators.controller.driver import SCALE, SPEED
from recorders.operators.controller.feel import Feel
from recorders.operators.controller.jaws import OPEN
from recorders.operators.keymap import Intent
from recorders.operators.reaching import FLOOR
from recorders.world.kinematics import Grip, forward, solve
from recorders.world.sim import HOME
from recorders.world.units import from_radians, to_radians
from tests.operators.controller.bench import FPS, HERE, Bench, moved, turned
from tests.operators.controller.phantom import TOOL


@pytest.mark.parametrize(
    ("hand", "robot"), [((0, 0, -0.08), (1, 0, 0)), ((-0.08, 0, 0), (0, 1, 0)), ((0, 0.08, 0), (0, 0, 1))]
)
def test_the_tool_goes_the_way_of_the_hand_scaled(hand: Any, robot: Any) -> None:
    bench = Bench()
    bench.show(HERE)
    before = bench.tip
    bench.rest(bench.glide(hand, 20))
    assert bench.tip - before == pytest.approx(0.08 * SCALE * np.array(robot), abs=1e-3)


def test_a_squeeze_alone_moves_nothing() -> None:
    bench = Bench()
    before = bench.state.copy()
    assert bench.show(HERE)[:5] == pytest.approx(before[:5], abs=1e-9)
    assert bench.driver.mode is Hold.DRIVING
    assert bench.source.felt == [Feel.ENGAGED.value]


def test_let_go_it_stands_and_squeezed_elsewhere_it_goes_on_from_there() -> None:
    bench = Bench()
    bench.show(HERE)
    last = bench.glide((0.0, 0.06, 0.0), 10)
    stood = bench.show(replace(last, squeeze=0.2)).copy()
    for step in range(20):
        bench.show(moved(replace(last, squeeze=0.2), (0.01 * step, -0.01 * step, 0.0)))
    assert np.array_equal(bench.state, stood)
    again = moved(last, (0.19, -0.19, 0.0))
    assert bench.show(again)[:5] == pytest.approx(stood[:5], abs=1e-9)
    before = bench.tip
    bench.rest(bench.glide((0.0, 0.04, 0.0), 10, again))
    assert (bench.tip - before)[2] == pytest.approx(0.04 * SCALE, abs=1e-3)


def test_the_clutch_does_not_tremble() -> None:
    bench = Bench()
    bench.show(replace(HERE, squeeze=0.5))
    assert bench.driver.mode is Hold.FREE
    bench.show(HERE)
    bench.show(replace(HERE, squeeze=0.5))
    assert bench.driver.mode is Hold.DRIVING
    bench.show(replace(HERE, squeeze=0.39))
    assert bench.driver.mode is Hold.FREE


@pytest.mark.parametrize(
    "bad",
    [
        {"tracked": False},
        {"position": (9.2, 1.1, -0.4)},
        {"position": (math.nan, 1.1, -0.4)},
        {"rotation": (0.0, 0.0, 0.0, 0.0)},
        {"squeeze": math.nan},
    ],
)
@pytest.mark.parametrize("away", [(0.3, -0.2, 0.1), (0.01, -0.02, 0.01)])
def test_a_reading_that_cannot_be_true_stops_the_arm_and_its_motion_is_never_made_up_for(bad: Any, away: Any) -> None:
    bench = Bench()
    bench.show(HERE)
    last = bench.glide((0.0, 0.06, 0.0), 10)
    stood = bench.state.copy()
    bench.show(*[replace(last, **bad)] * 3)
    assert np.array_equal(bench.state[:5], stood[:5])
    back = moved(last, away)
    bench.show(back, back, back)
    assert bench.state[:5] == pytest.approx(stood[:5], abs=1e-9)
    before = bench.tip
    bench.rest(bench.glide((0.0, 0.04, 0.0), 10, back))
    assert (bench.tip - before)[2] == pytest.approx(0.04 * SCALE, abs=1e-3)


def test_a_hand_that_flickers_between_two_places_moves_nothing() -> None:
    bench = Bench()
    bench.show(HERE)
    stood = bench.state.copy()
    for _ in range(20):
        bench.show(moved(HERE, (9.0, 0.0, 0.0)), HERE, moved(HERE, (9.0, 0.0, 0.0)), HERE)
    assert bench.state[:5] == pytest.approx(stood[:5], abs=1e-9)


def test_after_a_long_loss_only_a_new_squeeze_drives() -> None:
    bench = Bench()
    bench.show(HERE)
    lost = replace(HERE, tracked=False, squeeze=0.0)
    for _ in range(int(FRESH_AFTER_S * FPS) + 3):
        bench.show(lost)
    assert bench.source.felt[-1] == Feel.LOST.value
    stood = bench.state.copy()
    bench.glide((0.0, 0.08, 0.0), 10)
    assert bench.driver.mode is Hold.FREE
    assert np.array_equal(bench.state[:5], stood[:5])
    bench.show(replace(HERE, squeeze=0.0))
    bench.show(HERE)
    assert bench.driver.mode is Hold.DRIVING


def test_readings_that_stop_coming_stop_the_arm() -> None:
    bench = Bench()
    bench.show(HERE)
    last = bench.glide((0.0, 0.15, 0.0), 6)
    for _ in range(int(STALE_S * FPS) + 1):
        bench.send()
    stood = bench.state.copy()
    assert bench.driver.mode is Hold.LOST
    bench.send()
    assert np.array_equal(bench.state, stood)
    assert bench.show(moved(last, (0.0, 0.2, 0.0)))[:5] == pytest.approx(stood[:5], abs=1e-9)


def test_a_gap_between_readings_is_a_loss() -> None:
    """Also when both sides of it come in one frame, because whoever asks was held up too."""
    bench = Bench()
    bench.show(HERE)
    stood = bench.state.copy()
    away = moved(HERE, (0.0, 0.2, 0.0))
    bench.send(replace(HERE, time=bench.now + 0.01), replace(away, time=bench.now + 0.3), seconds=0.31)
    assert bench.driver.mode is Hold.DRIVING
    assert bench.state[:5] == pytest.approx(stood[:5], abs=1e-9)


@pytest.mark.parametrize("seconds", [0.4, 5.0])
def test_what_the_hand_did_while_nobody_asked_is_not_made_up_for(seconds: float) -> None:
    """As while LeRobot saves an episode: all readings come then, in one go."""
    bench = Bench()
    bench.show(HERE)
    before, speed = bench.tip, 0.2
    steps = np.arange(0.01, seconds, 0.01)
    rising = [replace(moved(HERE, (0.0, speed * step, 0.0)), time=bench.now + float(step)) for step in steps]
    bench.send(*rising, seconds=seconds)
    bench.rest(rising[-1])
    assert np.linalg.norm(bench.tip - before) <= STALE_S * speed * SCALE + 1e-3
    assert bench.driver.mode is (Hold.DRIVING if seconds < FRESH_AFTER_S else Hold.FREE)


def test_a_hand_that_is_too_fast_is_followed_at_the_arms_own_pace() -> None:
    """With the arm stretched out, where its joints alone would go faster."""
    joints = solve(Grip(np.array([0.34, -0.1, 0.1]), math.radians(60), math.radians(-90)), TOOL)
    assert joints is not None
    bench = Bench(from_radians(np.append(joints, 0.0)))
    bench.show(HERE)
    bench.glide((-0.25, 0.0, 0.0), 6)
    shown = [moved(HERE, (-0.25 - 0.01 * k, 0.0, 0.0)) for k in range(1, 4)]
    tip = bench.tip
    bench.show(*shown)
    assert 0.9 * SPEED / FPS < np.linalg.norm(bench.tip - tip) <= SPEED / FPS + 1e-6
    start = bench.tip
    bench.rest(shown[-1])
    assert (bench.tip - start)[1] > 0.03  # and it catches up


def test_old_readings_and_readings_from_the_future_say_nothing() -> None:
    bench = Bench()
    bench.show(HERE)
    stood = bench.state.copy()
    away = moved(HERE, (0.0, 0.03, 0.0))
    bench.send(replace(away, time=bench.now - 1.0), replace(away, time=bench.now + 99.0), replace(away, time=math.inf))
    assert np.array_equal(bench.state[:5], stood[:5])
    before = bench.tip
    bench.rest(bench.glide((0.0, 0.04, 0.0), 10))
    assert (bench.tip - before)[2] == pytest.approx(0.04 * SCALE, abs=1e-3)


def test_another_scale_is_no_step() -> None:
    bench = Bench()
    bench.show(HERE)
    last = bench.glide((0.0, 0.06, 0.0), 10)
    stood = bench.rest(last).copy()
    bench.driver.faster()
    assert bench.rest(last)[:5] == pytest.approx(stood[:5], abs=1e-4)
    before = bench.tip
    bench.rest(bench.glide((0.0, 0.03, 0.0), 10, last))
    assert (bench.tip - before)[2] == pytest.approx(0.03, abs=1e-3)
    scale = bench.driver.pace
    bench.show(*[replace(last, stick=(0.0, -0.9))] * 3)
    assert bench.driver.pace < scale


@pytest.mark.parametrize("push", [0.9, -0.9])
def test_another_scale_is_no_step_also_before_the_next_reading(push: float) -> None:
    bench = Bench()
    bench.show(HERE)
    last = bench.glide((0.0, 0.1, 0.0), 20)
    stood, scale = bench.rest(last).copy(), bench.driver.pace
    assert bench.show(last, last, replace(last, stick=(0.0, push)))[:5] == pytest.approx(stood[:5], abs=1e-6)
    assert bench.driver.pace != scale
    bench.driver.faster(-1 if push > 0 else 1)  # by a key, after what the hand said was heard
    assert bench.send()[:5] == pytest.approx(stood[:5], abs=1e-6)


def test_a_take_that_begins_under_a_held_squeeze_begins_where_the_arm_is() -> None:
    """As under LeRobot's commands, where episodes follow each other and nobody asks for a new squeeze."""
    bench = Bench()
    bench.show(HERE)
    last = turned(-20, (1, 0, 0), bench.glide((0.0, 0.1, 0.0), 20))
    bench.rest(last)
    bench.state = HOME.copy()
    bench.driver.begin(Observation(bench.state, 0.0, dict), 1)
    assert bench.send()[:5] == pytest.approx(HOME[:5], abs=1e-6)
    assert bench.show(last)[:5] == pytest.approx(HOME[:5], abs=1e-6)


def test_the_gripper_turns_as_the_hand_does() -> None:
    bench = Bench()
    bench.show(HERE)
    home = forward(to_radians(bench.state)[:5], TOOL)
    for degrees in range(0, 21, 1):
        tilted = turned(-degrees, (1, 0, 0))  # nose down
        bench.show(tilted, tilted, tilted)
    grip = forward(to_radians(bench.rest(tilted))[:5], TOOL)
    assert math.degrees(grip.pitch - home.pitch) == pytest.approx(20, abs=0.5)
    assert np.abs(grip.position - home.position).max() < 1e-3


def test_a_wrist_beyond_its_limit_has_nothing_to_unwind() -> None:
    """With the gripper pointing down, a turn of the hand about the vertical is the wrist's roll."""
    bench = Bench(np.array([0.0, -20.0, 45.0, 65.0, 0.0, 10.0]))
    bench.show(HERE)

    def turn(start: int, stop: int) -> float:
        for degrees in range(start, stop, 4 if stop > start else -4):
            hand = turned(degrees, (0, 1, 0))
            bench.show(hand, hand, hand)
        return float(bench.rest(hand, 5)[4])

    full = turn(0, 400)
    assert bench.driver.stopped_at == "the wrist's limit"
    assert Feel.LIMIT.value in bench.source.felt
    assert abs(turn(396, 356) - full) == pytest.approx(40, abs=6)


def test_the_workspace_holds_the_hand_back_and_lets_it_return_at_once() -> None:
    bench = Bench()
    bench.show(HERE)
    low = bench.rest(bench.glide((0.0, -0.4, 0.0), 30), 5).copy()
    assert bench.driver.stopped_at == "the table"
    assert bench.tip[2] == pytest.approx(FLOOR, abs=3e-3)
    far = bench.rest(bench.glide((0.0, 0.0, -0.9), 60, moved(HERE, (0.0, -0.4, 0.0))), 5)
    assert bench.driver.stopped_at
    assert not np.array_equal(low, far)


def test_the_trigger_closes_and_a_lost_trigger_drops_nothing() -> None:
    bench = Bench()
    half = replace(HERE, squeeze=0.0, trigger=0.5)
    assert bench.rest(half, 6)[5] == pytest.approx(OPEN / 2, abs=1.0)  # also with the clutch open
    holds = replace(HERE, trigger=1.0)
    closed = bench.rest(holds, 3)[5]
    assert closed < 20
    bench.show(replace(HERE, tracked=False, trigger=0.0))
    back = bench.rest(replace(HERE, trigger=0.0), 5)[5]
    assert back == closed
    bench.rest(replace(HERE, trigger=0.9), 3)
    assert bench.rest(replace(HERE, trigger=0.0), 3)[5] == pytest.approx(OPEN)


def test_buttons_decide_once_and_only_while_the_hand_is_seen() -> None:
    bench = Bench()
    pressed = replace(HERE, buttons=frozenset({Button.LOWER}))
    bench.show(HERE, pressed, pressed)
    assert bench.wanted == [Intent.SAVE]
    bench.show(pressed)
    assert bench.wanted == []
    bench.show(replace(HERE, buttons=frozenset({Button.UPPER})))
    assert bench.wanted == [Intent.DISCARD]
    bench.show(replace(HERE, tracked=False))
    bench.show(pressed)  # it was pressed in the headset's own menu
    assert bench.wanted == []
    bench.show(HERE)
    bench.send(seconds=2 * STALE_S)
    bench.show(pressed)
    assert bench.wanted == []


def test_recentred_the_way_the_hand_points_is_forward() -> None:
    bench = Bench()
    left = turned(90, (0, 1, 0))
    bench.show(left)
    bench.show(replace(left, buttons=frozenset({Button.STICK})))
    assert bench.driver.mode is Hold.FREE  # never silently: it takes a new squeeze
    bench.show(replace(left, squeeze=0.0))
    bench.show(left)
    before = bench.tip
    bench.rest(bench.glide((-0.06, 0.0, 0.0), 10, left))
    assert bench.tip - before == pytest.approx([0.06 * SCALE, 0.0, 0.0], abs=1e-3)
    up = turned(90, (1, 0, 0))
    bench.show(up)
    bench.show(replace(up, buttons=frozenset({Button.STICK})))
    assert "Point level" in bench.said[-1]
