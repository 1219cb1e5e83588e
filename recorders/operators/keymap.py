"""What each key does while recording: keys that drive, and keys that decide. One table for every face and source."""

from __future__ import annotations

from enum import StrEnum


class Axis(StrEnum):
    """What a key moves: the hand in the robot's base frame, or in joint mode the joint named beside it."""

    X = "x"  # away from the base; shoulder_lift
    Y = "y"  # to the robot's left; shoulder_pan
    Z = "z"  # up; elbow_flex
    PITCH = "pitch"  # approach below the horizon; wrist_flex
    ROLL = "roll"  # wrist_roll in both modes
    GRIPPER = "gripper"  # in both modes


class Intent(StrEnum):
    """What a person wants of the recording, as opposed to of the arm."""

    GO = "go"
    SAVE = "save"
    DISCARD = "discard"
    RESET = "reset"
    SKIP = "skip"
    UNDO = "undo"
    RESTORE = "restore"
    STOP = "stop"
    HALT = "halt"
    FASTER = "faster"
    SLOWER = "slower"
    MODE = "mode"
    TAKEOVER = "takeover"


DRIVE: dict[str, tuple[Axis, int]] = {
    "i": (Axis.X, +1), "k": (Axis.X, -1),
    "j": (Axis.Y, +1), "l": (Axis.Y, -1),
    "y": (Axis.Z, +1), "h": (Axis.Z, -1),
    "g": (Axis.PITCH, +1), "t": (Axis.PITCH, -1),
    "q": (Axis.ROLL, +1), "e": (Axis.ROLL, -1),
    "o": (Axis.GRIPPER, +1), "c": (Axis.GRIPPER, -1),
}  # fmt: skip
"""Keys that drive while they are held. None of them stands between two others that decide something."""

DECIDE: dict[str, Intent] = {
    "enter": Intent.GO,
    "right": Intent.SAVE,
    "left": Intent.DISCARD,
    "d": Intent.DISCARD,
    "r": Intent.RESET,
    "s": Intent.SKIP,
    "u": Intent.UNDO,
    "U": Intent.RESTORE,
    "escape": Intent.STOP,
    "space": Intent.HALT,
    "=": Intent.FASTER,
    "+": Intent.FASTER,
    "-": Intent.SLOWER,
    "m": Intent.MODE,
    "p": Intent.TAKEOVER,
}
"""Keys that decide; Enter starts a take, and saves the one in progress."""

REASONS: dict[str, str] = {
    "1": "slipped",
    "2": "bad grasp",
    "3": "knocked the block",
    "4": "clumsy path",
    "5": "missed the bowl",
    "6": "wrong start",
}
"""Why a take was discarded, by one more key; any other key says nothing."""


def drive_key(key: str) -> str | None:
    """The driving key behind a key as typed, also with caps lock; None if it drives nothing."""
    lower = key.lower() if len(key) == 1 else key
    return lower if lower in DRIVE else None
