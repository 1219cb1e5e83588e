"""A hand that nobody has: it moves a controller so that the arm makes the scripted expert's motion."""

from __future__ import annotations

from collections.abc import Iterable

import mujoco
import numpy as np

from curation.frames import Vector
from recorders.devices.controller import RATE_HZ, Batch, ControllerSample, Pulse
from recorders.operators.controller.driver import SCALE
from recorders.operators.controller.jaws import DEAD, OPEN
from recorders.operators.controller.rotations import PLAY_TO_BASE
from recorders.operators.expert import SEED_STREAM
from recorders.operators.path import Path, plan_pick_and_place, vary
from recorders.world import props
from recorders.world.gripper import REACH_Z
from recorders.world.kinematics import forward, gripper_rotation
from recorders.world.sim import HOME, SimWorld
from recorders.world.units import from_radians, to_radians

TOOL = np.array([0.0, 0.0, REACH_Z])
START = np.array([0.2, 1.1, -0.4])
"""Where the hand is when it squeezes, in the play space [m]."""
SQUEEZE_S, MOVE_S, STAY_S = 0.3, 0.5, 2.0


def expert_path(world: SimWorld, seed: int) -> Path:
    """The expert's motion for the block as it lies."""
    block, yaw = world.block_pose()
    by = vary(np.random.default_rng([seed, SEED_STREAM]))
    half, bowl = world.scene.block_half, world.bowl_position()
    path = plan_pick_and_place(to_radians(HOME), block, yaw, half, bowl, props.BOWL_HEIGHT, by)
    assert path is not None
    return path


class Phantom:
    """A hand that leads the arm along a path.

    Args:
        path: of the joints.
        rng: of a trembling of the hand, if there is one.
        tremble: its standard deviation [m].
    """

    def __init__(self, path: Path, rng: np.random.Generator | None = None, tremble: float = 0.0005) -> None:
        self._path = path
        self._rng = rng
        self._tremble = tremble
        home = path.at(0.0)
        self._home = forward(home[:5], TOOL)
        self._facing = _facing(home)
        self.seconds = MOVE_S + path.seconds + STAY_S

    def at(self, seconds: float) -> ControllerSample:
        """The reading at a time since the start [s], which is also its time."""
        joints = self._path.at(max(0.0, seconds - MOVE_S))
        shift = (forward(joints[:5], TOOL).position - self._home.position) / SCALE
        turn = PLAY_TO_BASE.T @ (_facing(joints) @ self._facing.T) @ PLAY_TO_BASE
        position = START + PLAY_TO_BASE.T @ shift
        if self._rng is not None:
            position = position + self._rng.normal(0.0, self._tremble, 3)
        opening = float(np.clip(from_radians(joints)[5], 0.0, OPEN)) if seconds > MOVE_S else OPEN
        return ControllerSample(
            seconds,
            "right",
            tuple(map(float, position)),
            quaternion(turn),
            tracked=True,
            squeeze=1.0 if seconds > SQUEEZE_S else 0.0,
            trigger=DEAD + (1.0 - opening / OPEN) * (1.0 - 2.0 * DEAD),
        )

    def samples(self) -> list[ControllerSample]:
        """All readings of the motion."""
        return [self.at((k + 1) / RATE_HZ) for k in range(int(self.seconds * RATE_HZ))]


def _facing(joints: Vector) -> Vector:
    grip = forward(joints[:5], TOOL)
    return gripper_rotation(float(joints[0]), grip.pitch, grip.roll)


def quaternion(matrix: Vector) -> tuple[float, float, float, float]:
    """A rotation matrix as x, y, z, w."""
    out = np.zeros(4)
    mujoco.mju_mat2Quat(out, matrix.ravel())
    w, x, y, z = map(float, out)
    return x, y, z, w


def batches(samples: Iterable[ControllerSample], fps: int) -> list[Batch]:
    """The readings as they come frame by frame, none of them late."""
    listed = list(samples)
    made: list[Batch] = []
    while listed:
        now = (len(made) + 1) / fps
        fresh = [sample for sample in listed if sample.time <= now]
        made.append(Batch(now, tuple(fresh)))
        listed = listed[len(fresh) :]
    return made


class Scripted:
    """A source that says what a test says, and remembers what the hand felt."""

    name = "script"

    def __init__(self, script: Iterable[Batch] = ()) -> None:
        self.script = list(script)
        self.felt: list[Pulse] = []
        self._now = 0.0

    def open(self) -> None: ...

    def take(self) -> Batch:
        batch = self.script.pop(0) if self.script else Batch(self._now + 1 / 30)
        self._now = batch.now
        return batch

    def pulse(self, pulse: Pulse) -> None:
        self.felt.append(pulse)

    def close(self) -> None: ...
