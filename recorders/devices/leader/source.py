"""A leader arm on this machine as a source of readings."""

from __future__ import annotations

import time

from recorders.devices.beside import Beside, Kind

from . import calibration, ports
from .errors import NoLeader
from .reader import read_leader
from .readings import LeaderReading, Readings

OPEN_S = 90.0
"""Longest time until the arm is connected [s]: LeRobot takes 3 to 30 to be imported."""


def _mute(code: int | None) -> str:
    if code is None:
        return f"LeRobot did not connect to the leader arm within {OPEN_S:g} s."
    return f"The process that reads the leader arm ended without a word (exit code {code})."


LEADER = Kind(
    read_leader, NoLeader, OPEN_S, _mute, "The process that reads the leader arm ended without a word or hangs."
)


class LeaderArm:
    """One leader arm.

    Args:
        port: of its bus; "" takes the environment's or the only one there is.
        name: LeRobot's id of the arm, by which its calibration is found; "" takes the only one there is.

    Raises:
        NoLeader: there is no such port or calibration; it says what would help.
    """

    def __init__(self, port: str = "", name: str = "") -> None:
        chosen = ports.choose(port)
        known = calibration.choose(name, chosen)
        self.beside: Beside[LeaderReading] = Beside(LEADER, f"leader arm {known.name} on {chosen}", chosen, known)

    @property
    def name(self) -> str:
        return self.beside.name

    def open(self) -> None:
        """Connect.

        Raises:
            NoLeader: no leader answers, or another one than was calibrated.
        """
        self.beside.open()

    def take(self) -> Readings:
        """What came since the last call."""
        readings, said = self.beside.take()
        return Readings(time.perf_counter(), readings, said)

    def close(self) -> None:
        """Let go of the arm."""
        self.beside.close()
