"""The scripted pick and place as waypoints in joint space, and the smooth motion through them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.frames import Vector
from recorders.world.kinematics import PAN_X, Grip, solve
from recorders.world.servo import STEP_LIMIT_DEG_PER_S

from .grasp import Grasp, plan_grasp, tool_at

SQUEEZE = 0.25
"""How far inside the block's width the closing target lies [rad]; the force is the servo's torque limit."""
_GAP_M = (0.0032, 0.0088, 0.0164, 0.0319, 0.0473, 0.0619, 0.0752, 0.0866)
_GAP_JOINT = (-0.1745, -0.1, 0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Gap between the pads' ends [m] over the gripper joint [rad], measured on the model."""
_PEAK = 15.0 / 8.0
"""Peak over mean speed of a quintic from rest to rest."""
_FASTEST = math.radians(0.85 * STEP_LIMIT_DEG_PER_S)
"""Speed the motion keeps under [rad/s], so that the world's step limit never bends it."""
CLOSING, LIFTING, OVER, FREEING = 4, 5, 6, 8
"""Places of some moves of a pick and place among its ten: jaws close, up, to the bowl, jaws open."""
_ABOVE_RIM = 0.030
"""Free height under the held block when it passes the rim [m]."""


@dataclass(frozen=True)
class Variation:
    """What the seed varies, so that a dataset is not one trajectory.

    Attributes:
        clear: gap to the fixed pad on approach [m].
        sideways: of the point above the block [m], shape (2,).
        above: extra height of that point [m].
        lift: height of the lift [m].
        drop: of the release point from the bowl's axis [m], shape (2,).
        drop_height: extra height of the release [m].
        pace: factor on the duration of each of the ten moves, shape (10,).
        pause: standstill after each move [s], shape (10,).
        retreat: of the last pose [rad], shape (5,).
    """

    clear: float
    sideways: Vector
    above: float
    lift: float
    drop: Vector
    drop_height: float
    pace: Vector
    pause: Vector
    retreat: Vector


def vary(rng: np.random.Generator) -> Variation:
    """Draw a variation; ranges keep every motion within what was seen to work."""
    pause = np.where(rng.random(10) < 0.3, rng.uniform(0.03, 0.15, 10), 0.0)
    return Variation(
        clear=float(rng.uniform(0.008, 0.011)),
        sideways=rng.uniform(-0.012, 0.012, 2),
        above=float(rng.uniform(-0.008, 0.012)),
        lift=float(rng.uniform(0.080, 0.100)),
        drop=rng.uniform(-0.006, 0.006, 2),
        drop_height=float(rng.uniform(0.0, 0.008)),
        pace=rng.uniform(0.9, 1.12, 10),
        pause=pause,
        retreat=np.radians(rng.uniform(-4.0, 4.0, 5)),
    )


@dataclass(frozen=True)
class Waypoint:
    """Where to be, after how long, and how long to stand there.

    Attributes:
        joints: all six [rad], shape (6,).
        seconds: duration of the move.
        pause: standstill afterwards [s].
    """

    joints: Vector
    seconds: float
    pause: float = 0.0


class Path:
    """A smooth motion from rest to rest through waypoints."""

    def __init__(self, start: Vector, waypoints: list[Waypoint]) -> None:
        self._starts: list[float] = []
        self._moves: list[tuple[Vector, Vector, float]] = []
        at, clock = start, 0.0
        for waypoint in waypoints:
            travel = float(np.abs(waypoint.joints - at).max())
            seconds = max(waypoint.seconds, _PEAK * travel / _FASTEST)
            self._starts.append(clock)
            self._moves.append((at, waypoint.joints, seconds))
            at, clock = waypoint.joints, clock + seconds + waypoint.pause
        self.seconds = clock

    def span(self, move: int) -> tuple[float, float]:
        """When a move begins and ends, without the standstill after it [s]."""
        return self._starts[move], self._starts[move] + self._moves[move][2]

    def at(self, time: float) -> Vector:
        """Joint targets [rad], shape (6,), at a time since the start [s]."""
        index = int(np.searchsorted(self._starts, time, side="right")) - 1
        start, end, seconds = self._moves[max(index, 0)]
        u = min(1.0, max(0.0, (time - self._starts[max(index, 0)]) / seconds))
        blend = u * u * u * (10.0 + u * (6.0 * u - 15.0))
        return start + (end - start) * blend


def plan_pick_and_place(
    home: Vector, block: Vector, yaw: float, half: tuple[float, float, float], bowl: Vector, rim: float, by: Variation
) -> Path | None:
    """The whole motion, or None where the arm has no grasp or cannot reach over the bowl.

    Args:
        home: joints at the start [rad], shape (6,).
        block: centre of the block [m], shape (3,).
        yaw: of the block [rad].
        half: half sizes of the block [m].
        bowl: axis of the bowl at the table [m], shape (3,).
        rim: height of its rim [m].
        by: what the seed varies.
    """
    grasp = plan_grasp(block, yaw, half, by.clear, bowl)
    if grasp is None:
        return None
    held = tool_at(grasp.width, -0.0005)
    closed = solve(Grip(grasp.point, grasp.pitch, grasp.roll), held)
    closed = grasp.joints if closed is None else closed
    lifted = _lift(grasp, held, closed, by.lift)
    drop = bowl + np.array([*by.drop, rim + half[2] + _ABOVE_RIM + by.drop_height])
    over = _over_bowl(drop, lifted, held)
    if over is None:
        return None
    above, near = _approach(grasp, by)
    wide = gripper_joint(grasp.width + 2 * by.clear + 0.020)
    shut = gripper_joint(grasp.width) - SQUEEZE
    free = gripper_joint(grasp.width + 0.034)
    back = _retreat(over, home) + by.retreat
    poses = [
        (above, wide, 0.85), (near, wide, 0.30), (grasp.joints, wide, 0.30), (grasp.joints, wide, 0.08),
        (closed, shut, 0.40), (lifted, shut, 0.60), (over, shut, 1.05), (over, shut, 0.12),
        (over, free, 0.35), (back, free, 0.70),
    ]  # fmt: skip
    steps = zip(poses, by.pace, by.pause, strict=True)
    return Path(home, [Waypoint(np.append(joints, grip), t * pace, pause) for (joints, grip, t), pace, pause in steps])


def gripper_joint(gap: float) -> float:
    """Gripper joint [rad] at which the pads' ends are `gap` metres apart."""
    return float(np.interp(gap, _GAP_M, _GAP_JOINT))


def _approach(grasp: Grasp, by: Variation) -> tuple[Vector, Vector]:
    """Two points back along the approach and up, from far to near."""
    tool = tool_at(grasp.width, by.clear)
    radial = np.array([grasp.point[0] - PAN_X, grasp.point[1], 0.0])
    radial /= np.linalg.norm(radial)
    ahead = math.cos(grasp.pitch) * radial - math.sin(grasp.pitch) * np.array([0.0, 0.0, 1.0])
    back = -0.6 * ahead + 0.4 * np.array([0.0, 0.0, 1.0])
    back /= np.linalg.norm(back)
    aside = np.array([*by.sideways, by.above])
    bends = (0, -6, 6, -12, 12, -20, 20, -30)
    far = _first((grasp.point + back * 0.07 + aside, grasp.point + back * 0.05), grasp, tool, bends)
    if far is None:
        far = grasp.joints + np.array([0.0, -0.28, 0.0, 0.0, 0.0])
    near = _first((grasp.point + back * 0.03,), grasp, tool, (0, -4, 4, -8, 8, 15))
    return far, 0.5 * (far + grasp.joints) if near is None else near


def _lift(grasp: Grasp, held: Vector, closed: Vector, height: float) -> Vector:
    """Straight up, drawn towards the base where the arm is too short for it."""
    radial = np.array([grasp.point[0] - PAN_X, grasp.point[1], 0.0])
    radial /= np.linalg.norm(radial)
    points = [
        grasp.point + np.array([0.0, 0.0, rise]) - radial * pull
        for rise in (height, 0.8 * height, 0.65 * height)
        for pull in (0.0, 0.03, 0.06, 0.10, 0.14)
    ]
    lifted = _first(points, grasp, held, (0, -10, 10, -20, 20, 30, -30))
    return closed + np.array([0.0, -0.32, 0.0, 0.1, 0.0]) if lifted is None else lifted


def _over_bowl(drop: Vector, lifted: Vector, held: Vector) -> Vector | None:
    """Pose over the bowl nearest to the lifted one, with the wrist's roll kept."""
    options = []
    for degrees in (88, 80, 72, 64, 56, 48):
        joints = solve(Grip(drop, math.radians(degrees), float(lifted[4])), held)
        if joints is not None:
            options.append((float(np.abs(joints - lifted).max()) + 0.5 * math.radians(90 - degrees), joints))
    return min(options, key=lambda option: option[0])[1] if options else None


def _retreat(over: Vector, home: Vector) -> Vector:
    """Half way home, above the bowl."""
    middle = 0.5 * (over + home[:5])
    middle[0], middle[4] = over[0], over[4]
    return middle


def _first(points: Sequence[Vector], grasp: Grasp, tool: Vector, bends: Sequence[int]) -> Vector | None:
    """Joints for the first reachable point, bending the pitch by some degrees where needed."""
    for point in points:
        for bend in bends:
            joints = solve(Grip(point, grasp.pitch + math.radians(bend), grasp.roll), tool)
            if joints is not None:
                return joints
    return None
