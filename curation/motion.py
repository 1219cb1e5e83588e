"""How an episode moves, from its actions alone: jerk, idling, jumps, saturation, path.

The numbers are those of the meter that people see while they record, so that one limit serves both; here they are also
worked out for episodes that no meter saw. `late` and `squeeze` cannot be told from actions and stay unknown there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.library import GAUGES, Entry
from curation.rows import Rows
from curation.store import Store
from curation.units import GRIPPER, MODEL, Span, read_units, spans

JUMP_DEG_PER_S = 0.97 * 270.0
"""Speed of a target at which the step limit of the recorder cut it off [deg/s]: a jump."""
IDLE_DEG = 0.02
"""A frame in which no target moves by more than this is idle [deg]."""
IDLE_FROM_S = 3.0
"""A shorter episode idles as if it lasted this long [s]: before, the share says little."""
LIMIT_DEG = 0.2
"""Distance of a target to its joint's limit at which the joint is saturated [deg]."""
FIELDS = (*GAUGES, "saturated", "path")
"""What can be asked for."""
MEASURED = ("jerk", "idle", "jumps", "limits", "saturated", "path")
"""What of it can be told from actions."""


_SIDES = ("main_", "left_", "right_", "follower_", "leader_")
"""What recorders of earlier formats and of two arms write before a joint's name."""


def joint_name(column: str) -> str:
    """The joint that a column is named after, such as "elbow_flex" for "main_elbow_flex" and "elbow_flex.pos"."""
    name = column.removesuffix(".pos")
    for side in _SIDES:
        name = name.removeprefix(side)
    return name


@dataclass(frozen=True)
class Joints:
    """What the columns of an action mean.

    Attributes:
        body: columns of body joints.
        degrees: factor that makes degrees of each column, of a gripper hundredths of its way, shape (D,).
        zero: what is taken off before, shape (D,): a gripper's closed end.
        limits: lowest and highest of each body joint [deg]; None where one is not known.
    """

    body: tuple[int, ...]
    degrees: NDArray[np.float64]
    limits: tuple[Span, ...] | None
    zero: NDArray[np.float64] | float = 0.0

    def scaled(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """Actions in the dataset's units, shape (frames, D), in degrees and hundredths of the gripper's way."""
        return np.asarray((np.asarray(actions, np.float64) - self.zero) * self.degrees)


def joints_of(store: Store) -> Joints | None:
    """The columns of a dataset's action; None where it has none that is a vector."""
    action = store.features.get("action")
    if action is None or len(action.shape) != 1:
        return None
    count = action.shape[0]
    names = [joint_name(name) for name in action.names] if len(action.names) == count else [""] * count
    body = tuple(column for column, name in enumerate(names) if "gripper" not in name)
    units = read_units(store.root)
    unit, (closed, opened) = units.body, GRIPPER[units.gripper]
    factor, zero = np.ones(count), np.zeros(count)
    if unit == "radians":
        factor[list(body)] = math.degrees(1.0)
    grippers = [column for column in range(count) if column not in body]
    factor[grippers], zero[grippers] = 100.0 / (opened - closed), closed
    known: Mapping[str, Span] = spans(MODEL) if unit != "-100..100" else dict.fromkeys(names, (-100.0, 100.0))
    limits = tuple(known[names[column]] for column in body) if all(names[c] in known for c in body) else None
    return Joints(body, factor, limits if names[0] else None, zero)


def motion_of(actions: NDArray[Any], fps: float, joints: Joints) -> dict[str, float]:
    """How one episode moves.

    Args:
        actions: shape (frames, D), in the dataset's units.
        fps: frames per second.
        joints: what the columns mean.

    Returns:
        Some of `MEASURED`: jerk, root mean square of the body joints' targets [1000 deg/s^3]; idle, share of frames in
        which nothing moves [%]; jumps, frames in which a target outran the arm; path, the way of the body joints
        [deg]; and where the limits are known: limits, the least distance of a target to its joint's [deg]; saturated,
        share of frames at one [%].
    """
    degrees = joints.scaled(actions)
    body, frames = degrees[:, list(joints.body)], max(1, len(degrees))
    steps = np.diff(body, axis=0)
    third = np.diff(body, n=3, axis=0)
    moved = np.abs(np.diff(degrees, axis=0)).max(axis=1, initial=0.0)
    found = {
        "jerk": math.sqrt(float((third**2).sum()) / frames) * fps**3 / 1000.0,
        "idle": 100.0 * float((moved < IDLE_DEG).sum()) / max(frames, IDLE_FROM_S * fps),
        "jumps": float((np.abs(steps).max(axis=1, initial=0.0) > JUMP_DEG_PER_S / fps).sum()),
        "path": float(np.linalg.norm(steps, axis=1).sum()),
    }
    if joints.limits and len(body):
        low, high = np.array(joints.limits).T
        margin = np.minimum(body - low, high - body).min(axis=1)
        found |= {"limits": float(margin.min()), "saturated": 100.0 * float((margin <= LIMIT_DEG).mean())}
    return {name: round(value, 3) for name, value in found.items()}


def with_motion(store: Store, entries: Iterable[Entry]) -> list[Entry]:
    """The same entries, those of episodes with all that their actions tell; what the meter said stays.

    Raises:
        DataError: data of an episode cannot be read.
    """
    joints, rows = joints_of(store), Rows(store)
    found = []
    for entry in entries:
        if entry.index is None or joints is None or not _lacking(entry.motion):
            found.append(entry)
            continue
        actions = rows.numbers(store.episode(entry.index))["action"]
        found.append(replace(entry, motion=motion_of(actions, store.fps, joints) | entry.motion))
    return found


def _lacking(motion: Mapping[str, float]) -> Sequence[str]:
    return [name for name in MEASURED if name not in motion]
