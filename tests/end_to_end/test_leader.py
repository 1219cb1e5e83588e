"""Recording with a leader arm from the command line: LeRobot's own leader and bus, servos that a test moves."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from curation.frames import Vector
from curation.layout import TAKES
from curation.store import Store
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import from_radians
from tests.devices.leader.servo_bus import ServoBus, calibrated
from tests.devices.pseudo import Emulator, emulator
from tests.end_to_end.commands import Commands
from tests.end_to_end.recordings import AT, SMALL, TRIES, Recording, expert_way

SPEED = 0.7
"""Of the expert's: a person with a leader arm is slower."""
ROLL = 4


class Hands:
    """A person who leads the arm along the expert's way, not quite.

    Args:
        bus: of the leader.
        seed: of the motion, and of how the hands sway.
        sway: how far [deg].
    """

    def __init__(self, bus: ServoBus, seed: int = 0, sway: float = 0.3) -> None:
        self._way = expert_way(seed)
        self._bus = bus
        rng = np.random.default_rng(seed)
        self._sway = lambda now: np.append(sway * np.sin(now * pace + phase), 0.0)
        pace, phase = rng.uniform(2.0, 5.0, 5), rng.uniform(0.0, 2 * np.pi, 5)
        self.seconds = self._way.seconds

    def at(self, seconds: float) -> Vector:
        """Where the joints are so long into the motion."""
        return from_radians(self._way.at(seconds)) + self._sway(seconds)

    def wait(self, seconds: float = 0.0) -> None:
        """Hold the leader at this time of the motion."""
        self._bus.hold(self.at(seconds))

    def play(self, since: float, until: float) -> None:
        """Lead from one time of the motion to another."""
        began = time.monotonic()
        self._bus.motion = lambda now: self.at(min(since + SPEED * (now - began), until))
        time.sleep((until - since) / SPEED)

    def roll(self, degrees: float, over_s: float = 1.0) -> None:
        """Roll the wrist to an angle, however far that is."""
        began, here = time.monotonic(), self._bus.motion(time.monotonic())

        def rolling(now: float) -> Vector:
            joints = here.copy()
            joints[ROLL] += min((now - began) / over_s, 1.0) * (degrees - here[ROLL])
            return joints

        self._bus.motion = rolling
        time.sleep(over_s)


class Booth:
    """A recording, the person's keys and the leader."""

    def __init__(self, recording: Recording, keys: Emulator, bus: ServoBus) -> None:
        self.recording, self.keys, self.bus = recording, keys, bus

    def place(self, hands: Hands, disturb: Callable[[float], None] | None = None) -> None:
        """Bring the block into the bowl; a person who fails, because a busy machine reads late, tries again."""
        for _ in range(TRIES):
            hands.wait()
            self.recording.says(r"take \d+: block at")
            self.keys.send(b"\r")
            time.sleep(1.0)
            here = 0.0
            if disturb is not None:
                here = 1.0
                hands.play(0.0, here)
                disturb(here)
                hands.wait(here)
                time.sleep(4.0)  # whatever it was, the arm nears the leader now
            hands.play(here, hands.seconds)
            if self.recording.told("take: success, .* kept", 10):
                return
            self.keys.send(b"d")
            self.recording.says("discarded")
        raise AssertionError(f"{TRIES} takes failed:\n{self.recording.said}")


@pytest.fixture
def booth(tmp_path: Path) -> Iterator[Callable[..., Booth]]:
    """Record beside a leader arm that is plugged in."""
    made: list[Recording] = []
    calibrated(tmp_path / "lerobot")
    bus = ServoBus(tmp_path / "ttyACM0")
    with emulator() as keys:

        def sit(*words: str) -> Booth:
            surroundings = {**os.environ, **Commands(tmp_path).surroundings, "PYTHONUNBUFFERED": "1"}
            asked = ("--operator", "leader", "--port", str(bus.port), *words, *SMALL, "--json", "--keys", "terminal")
            made.append(Recording(asked, surroundings, keys.fd))
            return Booth(made[-1], keys, bus)

        yield sit
        for recording in made:
            recording.kill()
    bus.close()


def require_smooth(actions: Vector) -> None:
    assert np.abs(np.diff(actions, axis=0))[:, :5].max() <= STEP_LIMIT_DEG_PER_S / 30 + 1e-3


def test_a_pick_and_place_by_leader_becomes_an_episode_across_a_turned_wrist_and_a_lost_bus(
    booth: Callable[..., Booth], tmp_path: Path
) -> None:
    sitting = booth("--to", "mine", *AT, "-n", "1")
    recording, bus = sitting.recording, sitting.bus
    hands = Hands(bus)

    def disturb(here: float) -> None:
        roll = float(hands.at(here)[ROLL])
        hands.roll(215.0)
        recording.says("wrist_roll of the leader went over the end of its encoder")
        time.sleep(0.3)
        hands.roll(roll)
        recording.says("wrist_roll of the leader is back within its turn")
        bus.unplug()
        recording.says("The leader arm's bus does not answer")
        bus.plug()
        recording.says("connected again")

    sitting.place(hands, disturb)
    sitting.keys.send(b"\r")
    assert recording.ends() == 0, recording.said

    store = Store.open(tmp_path / "mine")
    assert [(row.operator, row.outcome) for row in store.rows()] == [("leader", "success")]
    assert not list((tmp_path / "mine" / TAKES).glob("*"))
    require_smooth(store.numeric(0)["action"])
    told = store.rows()[0].extra["leader"]
    assert told["source"] == f"leader arm blue on {bus.port}"
    assert told["frames"]["turned"] > 3
    assert told["frames"]["lost"] > 3
    assert told["sample_age_ms"]["median"] < 100


def test_without_a_leader_no_dataset_is_begun(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "ttyACM9")
    with emulator() as keys:
        surroundings = Commands(tmp_path).surroundings
        recording = Recording(("--operator", "leader", "--port", nowhere, "--to", "mine"), surroundings, keys.fd)
        assert recording.ends() == 1
        assert f"There is no port {nowhere}" in recording.said
        recording.kill()
    assert not (tmp_path / "mine").exists()


@pytest.mark.slow
def test_an_episode_by_leader_opens_in_lerobot_and_has_no_late_frame(
    booth: Callable[..., Booth], tmp_path: Path
) -> None:
    """Hands that sway by a degree and a half; a bus that for a while takes 36 ms for a reading, of LeRobot's 50."""
    from lerobot.datasets import LeRobotDataset

    sitting = booth("--to", "mine", *AT, "-n", "1")
    bus = sitting.bus
    bus.delay_s = 0.001

    def slow(here: float) -> None:
        bus.delay_s = 0.006
        time.sleep(3.0)
        bus.delay_s = 0.001

    sitting.place(Hands(bus, seed=3, sway=1.5), slow)
    sitting.keys.send(b"\r")
    assert sitting.recording.ends() == 0, sitting.recording.said
    assert len(LeRobotDataset("studio/leader", root=tmp_path / "mine").meta.episodes) == 1
    row = Store.open(tmp_path / "mine").rows()[0]
    assert row.outcome == "success"
    assert row.extra["tick_p99_ms"] < 1000 / 30
    assert row.extra["leader"]["sample_to_control_ms"]["median"] < 50
    assert row.extra["leader"]["sample_age_ms"]["max"] > 36
    require_smooth(Store.open(tmp_path / "mine").numeric(0)["action"])
