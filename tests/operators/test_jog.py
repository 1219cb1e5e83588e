"""Driving by keys: directions, bounded taps, limits, and an arm that stands when nothing is held."""

from __future__ import annotations

import numpy as np
import pytest

from curation.frames import Command, Observation, Placement, Vector
from recorders.operators.jog import PACES, RAMP_FRAMES, Jog, Mode
from recorders.operators.keymap import DECIDE, DRIVE, drive_key
from recorders.operators.reaching import FLOOR, SQUEEZE
from recorders.world.scene import Scene
from recorders.world.sim import HOME, SimWorld

AT = Placement(0.337, -0.015, 0.0)


class Hand:
    """Holds the keys it is told to."""

    def __init__(self) -> None:
        self.keys: tuple[str, ...] = ()

    def __call__(self, now: float) -> tuple[str, ...]:
        return self.keys


class Bench:
    """A world driven by keys."""

    def __init__(self, world: SimWorld) -> None:
        self.world = world
        self.hand = Hand()
        self.jog = Jog(self.hand, world.fps)
        self.observation = world.reset(0, AT)
        self.jog.begin(self.observation, 0)

    def hold(self, keys: str, frames: int) -> list[Vector]:
        """Hold keys for some frames; returns the targets."""
        self.hand.keys = tuple(keys)
        return [self._frame().action for _ in range(frames)]

    def _frame(self) -> Command:
        command = self.jog.act(self.observation)
        self.observation = self.world.step(command.action)
        return command

    def moved(self, keys: str, frames: int = 20) -> Vector:
        """Way of the tool point while keys are held and until the arm stands [m]."""
        before = np.array(self.world.tip())
        self.hold(keys, frames)
        self.hold("", 15)
        return np.array(self.world.tip()) - before


@pytest.fixture(scope="module")
def world() -> SimWorld:
    return SimWorld(Scene())


@pytest.fixture
def bench(world: SimWorld) -> Bench:
    return Bench(world)


@pytest.mark.parametrize(
    ("key", "axis", "sign"), [("i", 0, 1), ("k", 0, -1), ("j", 1, 1), ("l", 1, -1), ("y", 2, 1), ("h", 2, -1)]
)
def test_the_hand_goes_where_the_key_says_and_nowhere_else(bench: Bench, key: str, axis: int, sign: int) -> None:
    way = bench.moved(key)
    others = np.delete(way, axis)
    assert way[axis] * sign == pytest.approx(0.06 * 20 / 30, rel=0.1)
    assert np.abs(others).max() < 0.004


def test_a_tap_is_one_bounded_step(bench: Bench) -> None:
    way = bench.moved("i", frames=4)  # 0.12 s
    assert 0.006 < way[0] < 0.010


def test_nothing_held_is_an_arm_that_stands(bench: Bench) -> None:
    bench.hold("ij", 20)
    targets = bench.hold("", RAMP_FRAMES + 5)
    assert np.ptp(targets[RAMP_FRAMES:], axis=0).max() == 0.0
    assert np.ptp(targets, axis=0).max() > 0.0


def test_the_ramp_keeps_steps_small(bench: Bench) -> None:
    targets = np.array([HOME, *bench.hold("i", 10), *bench.hold("", 10)])
    most = np.abs(np.diff(targets, n=2, axis=0)).max()
    assert most < 0.5 * np.abs(np.diff(targets, axis=0)).max()


def test_two_keys_add_up_and_opposite_keys_cancel(bench: Bench) -> None:
    both = bench.moved("ij")
    assert both[0] > 0.03
    assert both[1] > 0.03
    assert np.abs(bench.moved("ik")).max() < 1e-3


def test_pace_is_chosen_within_bounds(bench: Bench) -> None:
    slow = Bench(bench.world)
    slow.jog.faster(-1)
    assert slow.moved("i")[0] == pytest.approx(0.02, abs=0.003)
    for _ in range(10):
        slow.jog.faster()
    assert slow.jog.pace == PACES[-1]
    slow.jog.faster(-10)
    assert slow.jog.pace == PACES[0]


def test_pitch_roll_and_gripper(bench: Bench) -> None:
    start = HOME.copy()
    tilted = bench.hold("g", 15)[-1]
    assert (tilted[1:4].sum() - start[1:4].sum()) == pytest.approx(30 * 14 / 30, abs=1.5)
    rolled = bench.hold("q", 15)[-1]
    assert rolled[4] - tilted[4] == pytest.approx(60 * 14 / 30, abs=3)
    opened = bench.hold("o", 15)[-1]
    assert opened[5] - rolled[5] == pytest.approx(60 * 14 / 30, abs=3)
    assert np.abs(opened[:4] - rolled[:4]).max() < 1e-3


def test_closing_never_runs_far_ahead_of_the_jaws(bench: Bench) -> None:
    bench.hold("o", 40)
    bench.hand.keys = ("c",)
    for _ in range(5):
        stuck = Observation(np.array([*bench.observation.state[:5], 40.0]), 0.0, dict)
        action = bench.jog.act(stuck).action
    for _ in range(60):
        action = bench.jog.act(stuck).action
    assert action[5] == pytest.approx(40.0 - SQUEEZE)


def test_the_table_stops_the_hand_and_says_so(bench: Bench) -> None:
    bench.hold("h", 90)
    assert bench.jog.stopped_at == "the table"
    assert bench.world.tip()[2] > FLOOR - 0.003
    assert bench.moved("y")[2] > 0.02


def test_reach_stops_the_hand_and_the_way_back_is_free(bench: Bench) -> None:
    bench.jog.faster(2)
    targets = bench.hold("i", 120)
    assert bench.jog.stopped_at == "the arm's reach"
    assert np.abs(np.diff(targets, axis=0)).max() < 9.1  # never beyond what the world lets through in a frame
    far = np.array(bench.world.tip())
    assert bench.moved("k", 15)[0] < -0.02
    assert far[0] > 0.38


def test_pitch_gives_way_where_it_alone_would_stop_the_hand(bench: Bench) -> None:
    bench.hold("g", 30)  # steep
    before = bench.world.tip()[0]
    bench.hold("i", 150)
    assert bench.world.tip()[0] - before > 0.15


def test_joint_mode_moves_one_joint(bench: Bench) -> None:
    bench.jog.switch()
    assert bench.jog.mode is Mode.JOINT
    for key, joint in {"i": 1, "j": 0, "y": 2, "g": 3, "q": 4, "o": 5}.items():
        before = bench.hold("", 5)[-1]
        after = bench.hold(key, 10)[-1]
        assert np.flatnonzero(np.abs(after - before) > 1e-6).tolist() == [joint], key
    bench.jog.switch()
    assert np.abs(bench.moved("i")[0]) > 0.02


def test_joint_limits_hold(bench: Bench) -> None:
    bench.jog.switch()
    bench.jog.faster(2)
    bench.hold("q", 200)
    assert bench.jog.stopped_at == "a joint's limit"


def test_halt_needs_no_ramp(bench: Bench) -> None:
    last = bench.hold("i", 10)[-1]
    bench.jog.halt()
    assert np.array_equal(bench.hold("", 1)[0], last)


def test_it_starts_from_where_the_arm_is(world: SimWorld) -> None:
    pose = HOME + np.array([20.0, 30.0, -10.0, -5.0, 15.0, 30.0])
    jog = Jog(Hand(), 30)
    jog.begin(Observation(pose, 0.0, dict), 0)
    assert np.allclose(jog.act(Observation(pose, 0.0, dict)).action, pose)


def test_no_key_both_drives_and_decides() -> None:
    assert not DRIVE.keys() & DECIDE.keys()
    assert drive_key("I") == "i"
    assert drive_key("U") is None
    assert drive_key("enter") is None
    pairs = {axis for axis, _ in DRIVE.values()}
    assert all({sign for axis, sign in DRIVE.values() if axis is one} == {-1, 1} for one in pairs)
    assert len(DRIVE) == 12


def test_the_edge_of_reach_does_not_shake_the_arm(bench: Bench) -> None:
    bench.hold("y", 35)
    bench.hold("i", 120)
    swung = np.array(bench.hold("l", 90))
    assert np.abs(np.diff(swung, n=2, axis=0))[RAMP_FRAMES + 1 :].max() < 0.6
    assert np.ptp(swung[:, 0]) > 15
