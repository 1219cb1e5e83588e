"""The shared nouns: what flows from worlds and operators to datasets, policies and reports.

Units at this boundary are LeRobot's for the SO-101: body joints in degrees about the middle
of their range, gripper 0 (closed) to 100 (open), metres and seconds. Numpy only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Image = NDArray[np.uint8]

JOINTS = ("shoulder_pan", "shoulder_lift", "elbow_flex", "wrist_flex", "wrist_roll", "gripper")
"""Motor names of LeRobot's `so101_follower`, in dataset order."""

JOINT_FEATURES = tuple(f"{joint}.pos" for joint in JOINTS)


@dataclass(frozen=True)
class Feature:
    """One column of a dataset: its dtype ("float32", "video"), shape and the names along it."""

    dtype: str
    shape: tuple[int, ...]
    names: tuple[str, ...]


class Outcome(StrEnum):
    """How an episode ended. `recorders.world.judge` defines each and their precedence."""

    SUCCESS = "success"
    HELD_AT_TIMEOUT = "held_at_timeout"
    NEVER_REACHED = "never_reached"
    KNOCKED_AWAY = "knocked_away"
    NEVER_PICKED_UP = "never_picked_up"
    DROPPED_IN_TRANSPORT = "dropped_in_transport"
    MISSED_GOAL = "missed_goal"
    TIMEOUT = "timeout"


class Phase(StrEnum):
    """What the arm is doing in a frame."""

    REACH = "reach"
    GRASP = "grasp"
    LIFT = "lift"
    TRANSPORT = "transport"
    RELEASE = "release"


class Status(StrEnum):
    """Why a rollout is still going or has ended."""

    RUNNING = "running"
    SUCCESS = "success"
    TIMEOUT = "timeout"
    ENDED = "ended"
    DISCARDED = "discarded"
    FAILED = "failed"


class Verdict(StrEnum):
    """What an operator decides about the take in progress."""

    SAVE = "save"
    DISCARD = "discard"
    STOP = "stop"


@dataclass(frozen=True)
class Placement:
    """Where the block is put at reset: x, y [m] in the robot's base frame, yaw [deg]."""

    x: float
    y: float
    yaw_deg: float = 0.0


@dataclass(frozen=True)
class Observation:
    """What a policy may see at one instant.

    Attributes:
        state: measured joints, shape (6,), degrees and gripper 0..100.
        time: seconds since reset, on the world's exact clock.
        render: draws every camera, uint8 (height, width, 3); nothing is drawn until it is called.
    """

    state: Vector
    time: float
    render: Callable[[], dict[str, Image]]


@dataclass(frozen=True)
class Command:
    """What an operator decides in one frame.

    Attributes:
        action: joint targets in force for one period, shape (6,), degrees and gripper 0..100.
        by: who chose it, such as "expert" or "person"; stored per frame.
        verdict: set when the operator ends the take.
    """

    action: Vector
    by: str
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Frame:
    """One row of an episode: the observation seen, the action then chosen, before the world steps.

    Attributes:
        index: 0 at reset.
        observation: o_t.
        command: a_t, after the world's step limit was applied.
        physics: the world's complete state at o_t, float64, enough to restore it bit for bit.
        phase: as the judge saw it at o_t.
        wall_s: wall-clock seconds since the first frame.
        late: whether a real-time clock missed this frame's deadline.
    """

    index: int
    observation: Observation
    command: Command
    physics: Vector
    phase: Phase
    wall_s: float
    late: bool


@dataclass(frozen=True)
class Ending:
    """How a rollout ended, as the world judged it.

    Attributes:
        status: why the loop stopped.
        outcome: the judge's word.
        report: everything else the judge measured; JSON values only.
    """

    status: Status
    outcome: Outcome
    report: Mapping[str, Any] = field(default_factory=dict)

    @property
    def success(self) -> bool:
        return self.outcome is Outcome.SUCCESS
