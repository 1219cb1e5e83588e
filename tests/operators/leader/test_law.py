"""The law of a leader arm: slowly to where it is, then joint for joint; whatever cannot be true lets the arm stand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from curation.frames import Observation, Vector
from recorders.devices.leader.readings import RATE_HZ, STALE_S, LeaderReading, Readings
from recorders.operators.keymap import Intent
from recorders.operators.leader.driver import RAMP_DEG_PER_S, Follower, Hold
from recorders.operators.steering import steer
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import HIGH

FPS = 30
HOME = np.array([0.0, -60.0, 60.0, 60.0, 0.0, 20.0])
NEAR = np.array([10.0, -50.0, 55.0, 62.0, 20.0, 40.0])


class Leader:
    """A leader whose joints are where a test puts them, and an arm that follows; angles of joints may go on turning."""

    name = "leader arm test"

    def __init__(self) -> None:
        self.joints: Vector | None = HOME.copy()
        self.said: list[str] = []
        self.now = 100.0
        self._frame_said: tuple[str, ...] = ()
        self.driver = Follower(self, FPS, self.said.append, clock=lambda: self.now)
        self.targets = [HOME.copy()]
        self.driver.begin(self._observed(), 0)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def take(self) -> Readings:
        said, self._frame_said = self._frame_said, ()
        if self.joints is None:
            return Readings(self.now, (), said)
        turns = (self.joints + 180.0) / 360.0
        wrapped = np.append((turns[:5] % 1.0) * 360.0 - 180.0, self.joints[5])
        times = (self.now - 1 / RATE_HZ, self.now - 0.001)
        return Readings(self.now, tuple(LeaderReading(at, tuple(wrapped), tuple(turns % 1.0)) for at in times), said)

    def frame(self, joints: Vector | None = None, count: int = 1) -> Vector:
        """So many frames, with the joints there; where the arm is asked to be after them."""
        if joints is not None:
            self.joints = np.array(joints, dtype=float)
        for _ in range(count):
            self.now += 1 / FPS
            self.driver.listen()
            self.targets.append(self.driver.act(self._observed()).action)
            self.now += 0.002
            self.driver.framed()
        return self.targets[-1]

    def fastest(self, since: int = 0) -> float:
        """The largest step of a body joint [deg/s]."""
        return float(np.abs(np.diff(np.array(self.targets[since:]), axis=0))[:, :5].max() * FPS)

    def _observed(self) -> Observation:
        return Observation(self.targets[-1], self.now, dict)  # type: ignore[arg-type]


@pytest.fixture
def leader() -> Leader:
    return Leader()


def test_the_arm_nears_the_leader_slowly_and_then_follows_it_joint_for_joint(leader: Leader) -> None:
    far = np.array([90.0, 30.0, -40.0, 0.0, -90.0, 100.0])
    leader.frame(far)
    assert leader.driver.mode is Hold.NEARING
    leader.frame(count=50)
    assert leader.driver.mode is Hold.FOLLOWING
    assert leader.fastest() == pytest.approx(RAMP_DEG_PER_S)
    assert leader.frame() == pytest.approx(far, abs=1e-3)
    for k in range(30):
        wished = far + np.array([-2.0, 1.0, 1.5, 0.5, 3.0, -2.0]) * k
        assert leader.frame(wished) == pytest.approx(wished, abs=1e-3)


def test_a_quick_hand_is_followed_at_the_speed_of_the_servos(leader: Leader) -> None:
    leader.frame(HOME, 3)
    quick = HOME + np.array([40.0, 0, 0, 0, 0, 0])
    leader.frame(quick)
    assert leader.driver.stopped_at == "the servos' speed"
    leader.frame(count=6)
    assert leader.targets[-1] == pytest.approx(quick, abs=1e-3)
    assert leader.fastest() <= STEP_LIMIT_DEG_PER_S + 1e-3


def test_beyond_a_limit_the_arm_waits_at_it_and_says_so(leader: Leader) -> None:
    for roll in np.arange(0.0, 176.0, 4.0):
        leader.frame([0.0, -60.0, 60.0, 60.0, roll, 20.0])
    assert leader.targets[-1][4] == pytest.approx(HIGH[4], abs=1e-3)
    assert leader.driver.stopped_at == "the limit of wrist_roll"


def test_a_joint_that_goes_over_its_encoders_end_holds_the_arm_until_it_is_back(leader: Leader) -> None:
    roll = HOME.copy()
    for angle in np.arange(0.0, 178.0, 4.0):
        roll[4] = angle
        leader.frame(roll)
    stands = leader.targets[-1]
    for angle in (181.0, 185.0, 200.0, 240.0, 200.0, 185.0):
        roll[4] = angle
        assert np.array_equal(leader.frame(roll), stands)
        assert leader.driver.mode is Hold.TURNED
    assert ["wrist_roll of the leader went over" in said for said in leader.said] == [True]
    since = len(leader.targets) - 1
    roll[0] += 30.0
    for angle in np.arange(178.0, 130.0, -1.5):
        roll[4] = angle
        leader.frame(roll)
    assert "back within its turn" in leader.said[-1]
    leader.frame(count=40)
    assert leader.targets[-1][4] == pytest.approx(roll[4], abs=1e-3)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3


def test_a_bus_that_is_lost_stops_the_arm_and_one_that_is_back_is_neared(leader: Leader) -> None:
    leader.frame(NEAR, 40)
    stands = leader.targets[-1]
    leader.joints = None
    assert np.array_equal(leader.frame(), stands)
    leader.frame(count=int(STALE_S * FPS) + 1)
    assert leader.driver.mode is Hold.LOST
    assert leader.driver.driving == ()
    assert np.array_equal(leader.frame(count=30), stands)
    since = len(leader.targets) - 1
    leader.frame(NEAR + 20.0)
    assert leader.driver.mode is Hold.NEARING
    leader.frame(count=40)
    assert leader.targets[-1] == pytest.approx(NEAR + 20.0, abs=1e-3)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3


def test_a_wrist_that_was_turned_far_while_the_bus_was_lost_is_neared_and_not_called_turned_over(
    leader: Leader,
) -> None:
    """By more than three quarters of a turn and within its range: as an angle that leaps by as much looks."""
    roll = HOME.copy()
    for angle in np.arange(0.0, -141.0, -4.0):
        roll[4] = angle
        leader.frame(roll)
    leader.joints = None
    leader.frame(count=30)
    since = len(leader.targets) - 1
    roll[4] = 140.0
    leader.frame(roll)
    assert leader.driver.mode is Hold.NEARING
    leader.frame(count=150)
    assert leader.targets[-1] == pytest.approx(roll, abs=1e-3)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3


def test_after_a_hiccup_of_the_bus_a_moving_hand_is_followed_on(leader: Leader) -> None:
    leader.frame(NEAR, 40)
    leader.joints = None
    leader.frame(count=7)
    assert leader.driver.mode is Hold.LOST
    leader.frame(NEAR + 15.0)
    assert leader.driver.mode is Hold.FOLLOWING
    assert leader.frame() == pytest.approx(NEAR + 15.0, abs=1e-3)
    leader.joints = None
    leader.frame(count=7)
    leader.frame(NEAR - 20.0)
    assert leader.driver.mode is Hold.NEARING


@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_a_leader_that_was_moved_while_nobody_asked_is_neared(leader: Leader, seconds: float) -> None:
    """Its readings come then, in one go and without a gap."""
    leader.frame(HOME, 3)
    assert leader.driver.mode is Hold.FOLLOWING
    ways = np.linspace(0.0, 40.0, round(seconds * RATE_HZ))
    readings = []
    for k, way in enumerate(ways):
        leader.joints = HOME + np.array([way, 0, 0, 0, 0, 0])
        (reading, _) = leader.take().readings
        readings.append(replace(reading, time=leader.now + (k + 1) / RATE_HZ))
    leader.now += seconds
    since = len(leader.targets) - 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leader, "take", lambda: Readings(leader.now, tuple(readings)))
        leader.frame()
    assert leader.driver.mode is Hold.NEARING
    leader.frame(count=10)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3


def test_a_reading_that_cannot_be_true_is_neared_and_not_jumped_to(leader: Leader) -> None:
    leader.frame(HOME, 3)
    since = len(leader.targets) - 1
    leader.frame(HOME + np.array([0.0, 0, 0, 0, 120.0, 0]))
    assert leader.driver.mode is Hold.NEARING
    leader.frame(count=10)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3
    leader.frame(np.array([np.nan] * 6), 8)
    assert leader.driver.mode is Hold.LOST


def test_a_person_holds_the_arm_and_lets_it_follow_again(leader: Leader) -> None:
    leader.frame(HOME, 3)
    for intent, then in ((Intent.HALT, Hold.HALTED), (Intent.MODE, Hold.NEARING), (Intent.MODE, Hold.HALTED)):
        steer(intent, leader.driver, None, leader.driver.release)
        stands = leader.targets[-1]
        leader.frame(HOME - 5.0, 2)
        assert leader.driver.mode in (then, Hold.FOLLOWING if then is Hold.NEARING else then)
        assert np.array_equal(leader.targets[-1], stands) == (then is Hold.HALTED)
    leader.driver.switch()
    leader.frame(count=10)
    leader.driver.halt()
    leader.frame(HOME + 20.0)
    leader.driver.switch()
    since = len(leader.targets) - 1
    leader.frame(count=20)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3
    leader.driver.halt()
    leader.driver.begin(leader._observed(), 1)
    leader.frame(count=3)
    assert leader.driver.mode is not Hold.HALTED


def test_while_the_face_is_silent_the_arm_stands(leader: Leader) -> None:
    leader.frame(HOME, 3)
    stands = leader.targets[-1]
    for _ in range(5):
        leader.driver.release()
        leader.frame(NEAR)
    assert np.array_equal(leader.targets[-1], stands)
    since = len(leader.targets) - 1
    assert not np.array_equal(leader.frame(count=3), stands)
    assert leader.fastest(since) <= RAMP_DEG_PER_S + 1e-3


def test_delays_and_frames_of_a_take_are_measured(leader: Leader) -> None:
    leader.frame(HOME, 30)
    told = leader.driver.measured()["leader"]
    assert told["source"] == "leader arm test"
    assert told["frames"] == {"lost": 0, "turned": 0, "halted": 0, "nearing": 1, "following": 29}
    assert told["sample_age_ms"]["max"] == pytest.approx(1.0, abs=0.1)
    assert told["control_to_frame_ms"]["median"] == pytest.approx(2.0, abs=0.1)
