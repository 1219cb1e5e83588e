"""LeRobot's calibration of a leader arm: where it lies, and whether joints read with it are what datasets mean.

LeRobot measures a body joint in degrees from the middle of the range it was moved through while calibrating, so a joint
that was not moved to both ends reads wrong ever after. The gripper is 0 at one end and 100 at the other.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub.constants import HF_HOME

from curation.frames import JOINTS
from recorders.world.units import JOINT_HIGH, JOINT_LOW

from .errors import bad_calibration, calibrate, no_calibration, which_calibration

TICKS = 4096
"""Steps of an STS3215's encoder in a turn."""
LEAST, MOST = 0.7, 1.4
"""A calibrated range is this share of the arm's, or it was not moved to both ends or is no SO-101's: leaders that were
calibrated well lie within 0.95 to 1.15 (assumed)."""
LEAST_GRIPPER_DEG = 20.0
"""Least range of the gripper's trigger, which is not the follower's [deg] (assumed)."""
FULL_TURN = "wrist_roll"
"""The joint whose range LeRobot does not measure but sets to a whole turn."""


@dataclass(frozen=True)
class Calibration:
    """A calibration to drive by.

    Attributes:
        name: LeRobot's id of the arm.
        path: of the file.
    """

    name: str
    path: Path


def home() -> Path:
    """The folder in which LeRobot keeps calibrations of SO leaders."""
    lerobot = Path(os.environ.get("HF_LEROBOT_HOME") or Path(HF_HOME) / "lerobot")
    kept = Path(os.environ.get("HF_LEROBOT_CALIBRATION") or lerobot / "calibration")
    return kept.expanduser() / "teleoperators" / "so_leader"


def known() -> tuple[str, ...]:
    """Ids of the leader arms that were calibrated on this machine."""
    return tuple(sorted(path.stem for path in home().glob("*.json")))


def choose(name: str = "", port: str = "") -> Calibration:
    """The calibration of that id; the only one there is if none is named.

    Args:
        name: LeRobot's id of the arm.
        port: for the command that would calibrate.

    Raises:
        NoLeader: there is none, more than one, or it cannot be driven by; it says the command that mends it.
    """
    found = known()
    command = calibrate(port, name or "leader")
    if not found:
        raise no_calibration(home(), command)
    if (name and name not in found) or (not name and len(found) > 1):
        raise which_calibration(name, found, command)
    chosen = name or found[0]
    path = home() / f"{chosen}.json"
    if why := _fault(path):
        raise bad_calibration(path, why, calibrate(port, chosen))
    return Calibration(chosen, path)


def _fault(path: Path) -> str:
    """Why nobody can drive by it; "" if one can."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return f"it cannot be read ({error})"
    if not isinstance(told, dict) or "calib_mode" in told:
        return "it is of a LeRobot before 0.2, in other units"
    if set(told) != set(JOINTS):
        return f"its joints are {', '.join(map(str, told))}, and an SO-101 has {', '.join(JOINTS)}"
    return next(filter(None, (_joint_fault(joint, told[joint], k) for k, joint in enumerate(JOINTS))), "")


def _joint_fault(joint: str, of: Any, index: int) -> str:
    try:
        low, high = int(of["range_min"]), int(of["range_max"])
        number, inverted = int(of["id"]), int(of["drive_mode"])
        int(of["homing_offset"])
    except (KeyError, TypeError, ValueError) as error:
        return f"{joint} has no such numbers as LeRobot 0.6 writes ({type(error).__name__}: {error})"
    if inverted or number != index + 1:
        return f"{joint} is servo {number}{', inverted' if inverted else ''}; of an SO-101 it is servo {index + 1}"
    if not 0 <= low < high < TICKS:
        return f"the range of {joint} is {low} to {high}, and its encoder has 0 to {TICKS - 1}: it is in other units"
    degrees = (high - low) * 360.0 / TICKS
    if joint == "gripper":
        return "" if degrees >= LEAST_GRIPPER_DEG else f"the gripper was moved by {degrees:.0f} degrees only"
    span = float(np.degrees(JOINT_HIGH[index] - JOINT_LOW[index]))
    most = 360.0 if joint == FULL_TURN else MOST * span
    if not LEAST * span <= degrees <= most:
        return (
            f"{joint} was moved through {degrees:.0f} degrees and can do about {span:.0f}, so its zero, the middle, "
            "would be off"
        )
    return ""
