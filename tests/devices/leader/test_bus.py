"""LeRobot's own bus, real SDK and all, on a pseudo terminal at whose other end six servos answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recorders.devices import beside
from recorders.devices.leader import calibration
from recorders.devices.leader.arm import Arm
from recorders.devices.leader.errors import LeaderGone, NoLeader
from recorders.devices.leader.readings import RATE_HZ, LeaderReading
from recorders.devices.leader.source import LeaderArm
from tests.devices.leader.servo_bus import ServoBus, calibrated

POSE = np.array([10.0, -50.0, 55.0, 62.0, -120.0, 40.0])
TICK = 360 / 4096


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServoBus]:
    """A leader that is plugged in and calibrated."""
    monkeypatch.setenv("HF_LEROBOT_HOME", str(tmp_path))
    monkeypatch.delenv("HF_LEROBOT_CALIBRATION", raising=False)
    calibrated(tmp_path)
    servos = ServoBus(tmp_path / "ttyACM0")
    servos.hold(POSE)
    yield servos
    servos.close()


@pytest.fixture
def arm(bus: ServoBus) -> Iterator[Arm]:
    made = Arm(str(bus.port), calibration.choose())
    yield made
    made.close()


def test_joints_are_read_in_the_units_of_datasets(arm: Arm, bus: ServoBus) -> None:
    reading = arm.read()
    assert np.abs(np.array(reading.joints) - POSE).max() <= TICK
    told = arm._leader.get_action()
    assert list(reading.joints) == pytest.approx(list(told.values()))
    bus.hold(np.array([0.0, 0, 0, 0, 190.0, 0]))
    over = arm.read()
    assert over.joints[4] == pytest.approx(-170.0, abs=2 * TICK)
    assert over.turns[4] == pytest.approx(10 / 360, abs=0.001)


def test_an_answer_that_is_damaged_is_asked_for_once_more_and_a_bus_that_goes_on_so_is_gone(
    arm: Arm, bus: ServoBus
) -> None:
    bus.broken = 1
    assert np.abs(np.array(arm.read().joints) - POSE).max() <= TICK
    bus.broken = -1
    with pytest.raises(LeaderGone, match="Incorrect status packet"):
        arm.read()
    bus.broken, bus.silent = 0, True
    with pytest.raises(LeaderGone, match="There is no status packet"):
        arm.read()


def test_a_late_answer_is_never_taken_for_the_next_one(arm: Arm, bus: ServoBus) -> None:
    bus.delay_s = 0.08
    with pytest.raises(LeaderGone):
        arm.read()
    bus.delay_s = 0.0
    time.sleep(0.6)
    moved = POSE + 5.0
    bus.hold(moved)
    for _ in range(3):
        try:
            reading = arm.read()
        except LeaderGone:
            continue  # what came late was noticed
        assert np.abs(np.array(reading.joints) - moved).max() <= TICK
        return
    raise AssertionError("the bus never answered again")


def test_servos_that_are_not_this_leaders_are_refused_and_left_alone(bus: ServoBus, tmp_path: Path) -> None:
    calibrated(tmp_path, homing_offset=100)
    before = [bytes(memory) for memory in bus._memory]
    with pytest.raises(NoLeader, match=r"another calibration than .*blue.json.*lerobot-calibrate --teleop.type=so101"):
        Arm(str(bus.port), calibration.choose())
    for was, memory in zip(before, bus._memory, strict=True):
        assert was[:56] == memory[:56]
    bus.silent = True
    with pytest.raises(NoLeader, match=r"No SO-101 leader answers on .*ttyACM0: .*Missing motor IDs: - 1"):
        Arm(str(bus.port), calibration.choose())


class Took:
    """Takes from a source and remembers."""

    def __init__(self, source: LeaderArm) -> None:
        self.source = source
        self.said: list[str] = []
        self.readings: list[LeaderReading] = []

    def until(self, true: Callable[[], object], within_s: float = 30.0) -> None:
        end = time.monotonic() + within_s
        while not true():
            assert time.monotonic() < end, f"said {self.said}"
            batch = self.source.take()
            self.said += batch.said
            self.readings += batch.readings
            time.sleep(0.005)

    def hears(self, words: str) -> None:
        self.until(lambda: any(words in said for said in self.said))
        self.said.clear()


def test_a_process_reads_it_and_waits_for_a_bus_that_is_lost(bus: ServoBus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beside, "RETRY_S", 0.1)
    source = LeaderArm(str(bus.port))
    try:
        source.open()
        took = Took(source)
        took.hears("leader arm blue on")
        took.until(lambda: len(took.readings) > RATE_HZ)
        assert (np.diff([reading.time for reading in took.readings]) > 0).all()
        bus.unplug()
        took.hears("does not answer")
        bus.plug()
        took.hears("connected again")
        took.readings.clear()
        took.until(lambda: took.readings)
        bus.silent = True
        took.hears("There is no status packet")
        bus.silent = False
        took.hears("connected again")
    finally:
        source.close()
