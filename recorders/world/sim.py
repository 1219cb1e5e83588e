"""The simulated SO-101 at its table: reset, step, judge, restore."""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import mujoco
import numpy as np

from curation.errors import BadAction, StudioError
from curation.frames import JOINT_FEATURES, JOINTS, Feature, Observation, Outcome, Phase, Placement, Vector
from curation.names import STATE, camera_key

from . import reach
from .drawing import Painter
from .judge import Judge
from .scene import Scene, compile_scene
from .sensing import Sensing
from .servo import SERVOS, limit_step
from .units import from_radians, to_radians

ROBOT_TYPE = "so101_follower_sim"
"""LeRobot's robot type of this arm: its SO-101 follower in joint names and units, and plainly not the real one."""
HOME = np.array([0.0, -70.0, 63.0, 69.0, -90.0, 10.0])
"""Pose at reset, shape (6,), degrees and gripper 0..100: hand folded above the base, camera upright, out of every
placement's way."""

_BAD_STATE = {
    "positions": mujoco.mjtWarning.mjWARN_BADQPOS,
    "speeds": mujoco.mjtWarning.mjWARN_BADQVEL,
    "accelerations": mujoco.mjtWarning.mjWARN_BADQACC,
}
"""MuJoCo's warnings after which it has put the model's initial state in place of the world's."""


class PhysicsFailed(StudioError):
    """MuJoCo found a state that is not finite, or huge, and threw it away."""

    def __init__(self, what: list[str], frame: int) -> None:
        super().__init__(
            f"The physics broke in frame {frame}: {' and '.join(what)} became infinite or huge. The frames before it "
            "are whole. Record the attempt again; if it breaks with the same seed, report scene, placement and seed."
        )


@dataclass(frozen=True)
class Snapshot:
    """A world at one instant, with what its judge has seen so far: nothing that the future depends on is left out.

    Attributes:
        physics: as `SimWorld.physics` returns it.
        judge: a copy of its own.
    """

    physics: Vector
    judge: Judge


class SimWorld:
    """One world on one MuJoCo model; `features`, `fps`, `reset`, `step`, `verdict` make it a `World`.

    The physics vector that `physics` returns and `restore` takes is, float64 in this order: frame index, qpos, qvel,
    the targets last admitted and those on their way (both 6, radians), the solver's warm start, and the servos' set
    points, which trail the targets where the profile limits speed (6, radians): enough to go on bit for bit.
    """

    def __init__(self, scene: Scene, model: mujoco.MjModel | None = None, painter: Painter | None = None) -> None:
        self.scene = scene
        self.model = model or compile_scene(scene)
        self.painter = painter or Painter(scene, self.model)
        self.judge = Judge()
        self._data = mujoco.MjData(self.model)
        self._servo = SERVOS[scene.servo]
        self._sensing = Sensing(scene, self.model)
        self._joints = np.array([self.model.joint(name).qposadr[0] for name in JOINTS])
        self._target = HOME.copy()
        self._pending = to_radians(HOME)
        self._index = 0

    @property
    def fps(self) -> int:
        return self.scene.fps

    @property
    def features(self) -> dict[str, Feature]:
        return features_of(self.scene)

    @property
    def phase(self) -> Phase:
        """What the arm is doing now."""
        return self.judge.phase

    def reset(self, seed: int, placement: Placement) -> Observation:
        """Put everything in place and begin a new episode.

        Args:
            seed: of the scene's own choices (where distractors stand when their places are taken).
            placement: of the block.
        """
        data = self._data
        mujoco.mj_resetData(self.model, data)
        data.qpos[self._joints] = to_radians(HOME)
        data.ctrl[:] = to_radians(HOME)
        self._put("block", placement.x, placement.y, self.scene.block_half[2], placement.yaw_deg)
        for index, (x, y) in enumerate(reach.distractor_places(self.scene, placement, seed)):
            self._put(f"distractor_{index}", x, y, float(self.model.geom(f"distractor_{index}").size[2]), 0.0)
        mujoco.mj_forward(self.model, data)
        self._target, self._pending, self._index = HOME.copy(), to_radians(HOME), 0
        self.judge = Judge()
        self.judge.see(self._sensing.read(data, 0.0))
        return self.observe()

    def admit(self, action: Vector) -> Vector:
        """The action that would really be driven: checked, within limits, rounded to what a dataset stores.

        Raises:
            BadAction: if it is not six finite numbers.
        """
        action = _numbers(action)
        if action.shape != (6,):
            raise BadAction(f"An action must have shape (6,), one target per joint; got {action.shape}.")
        if not np.isfinite(action).all():
            bad = ", ".join(f"{JOINTS[i]} = {action[i]}" for i in np.flatnonzero(~np.isfinite(action)))
            raise BadAction(f"The operator sent an action that is not finite ({bad}); the take stops before it.")
        return limit_step(action, self._target, self.fps)

    def step(self, action: Vector) -> Observation:
        """Drive admitted targets for one control period, and let the judge see what came of it.

        Raises:
            BadAction: as `admit`; nothing has moved.
            PhysicsFailed: if the state broke; only `reset` or `restore` make the world usable again.
        """
        self.drive(action)
        self.judge.see(self._sensing.read(self._data, self._index / self.fps))
        return self.observe()

    def drive(self, action: Vector) -> None:
        """As `step`, with the same motion, but unseen by the judge; for trying out."""
        self._target = self.admit(action)
        wanted = to_radians(self._target)
        force, self._pending = (self._pending, wanted) if self._servo.delay_frames else (wanted, wanted)
        self._advance(force)
        self._require_sound()
        self._index += 1
        # A step leaves positions as they were before its last integration.
        mujoco.mj_kinematics(self.model, self._data)

    def observe(self) -> Observation:
        """The observation of the present state; images are drawn from a copy when asked for."""
        angles = self._data.qpos[self._joints]
        state = from_radians(angles)
        if self._servo.encoder_deg:
            degrees = np.degrees(angles)
            steps = np.round(degrees / self._servo.encoder_deg) * self._servo.encoder_deg
            state = from_radians(np.radians(steps))
        qpos = self._data.qpos.copy()
        return Observation(state=state, time=self._index / self.fps, render=lambda: self.painter.draw(qpos))

    def verdict(self) -> tuple[Outcome, dict[str, Any]]:
        """The judge's outcome and report if the episode ended now."""
        return self.judge.outcome(), self.judge.report()

    def physics(self) -> Vector:
        """The complete state, float64, shape (1 + nq + nv + 12 + nv + 6,)."""
        data = self._data
        return np.concatenate(
            [
                [self._index], data.qpos, data.qvel, to_radians(self._target), self._pending, data.qacc_warmstart,
                data.ctrl,
            ]
        )  # fmt: skip

    def restore(self, physics: Vector) -> Observation:
        """Go back to a state that `physics` returned; the judge starts anew from there."""
        nq, nv = self.model.nq, self.model.nv
        data = self._data
        mujoco.mj_resetData(self.model, data)
        self._index = int(physics[0])
        data.qpos[:] = physics[1 : 1 + nq]
        data.qvel[:] = physics[1 + nq : 1 + nq + nv]
        rest = physics[1 + nq + nv :]
        self._target = from_radians(rest[:6]).astype(np.float32).astype(np.float64)
        self._pending = rest[6:12].copy()
        warmstart = rest[12 : 12 + nv].copy()
        data.ctrl[:] = rest[12 + nv :]
        mujoco.mj_forward(self.model, data)
        data.qacc_warmstart[:] = warmstart
        self.judge = Judge()
        self.judge.see(self._sensing.read(data, self._index / self.fps))
        return self.observe()

    def snapshot(self) -> Snapshot:
        """The world as it is now; `recall` comes back to it bit for bit, judge included."""
        return Snapshot(self.physics(), deepcopy(self.judge))

    def recall(self, snapshot: Snapshot) -> Observation:
        """Go back to a snapshot of this world or of another one of the same scene."""
        observation = self.restore(snapshot.physics)
        self.judge = deepcopy(snapshot.judge)
        return observation

    def block_pose(self) -> tuple[Vector, float]:
        """Privileged: centre of the block [m], shape (3,), and its yaw [rad]. Never part of an observation."""
        body = self._data.body("block")
        return body.xpos.copy(), math.atan2(body.xmat[3], body.xmat[0])

    def bowl_position(self) -> Vector:
        """Privileged: the bowl's axis at the table [m], shape (3,)."""
        return self._data.body("bowl").xpos.copy()

    def tip(self) -> tuple[float, float, float]:
        """The tool point in the base frame [m]."""
        x, y, z = self._data.site("tcp").xpos
        return float(x), float(y), float(z)

    def close(self) -> None:
        self.painter.close()

    def _advance(self, target: Vector) -> None:
        speed = self._servo.speed_deg
        if not speed:
            self._data.ctrl[:] = target
            mujoco.mj_step(self.model, self._data, self.scene.steps_per_frame)
            return
        most = math.radians(speed) * self.model.opt.timestep
        for _ in range(self.scene.steps_per_frame):
            self._data.ctrl[:] += np.clip(target - self._data.ctrl, -most, most)
            mujoco.mj_step(self.model, self._data)

    def _require_sound(self) -> None:
        # Resetting clears the counts, and MuJoCo resets before it counts: any count is of this step.
        broken = [what for what, warning in _BAD_STATE.items() if self._data.warning[warning].number]
        if broken:
            raise PhysicsFailed(broken, self._index)

    def _put(self, body: str, x: float, y: float, z: float, yaw_deg: float) -> None:
        address = self.model.joint(body).qposadr[0]
        half = math.radians(yaw_deg) / 2
        self._data.qpos[address : address + 7] = [x, y, z, math.cos(half), 0.0, 0.0, math.sin(half)]


def worlds_of(scene: Scene, count: int) -> list[SimWorld]:
    """Worlds of one scene that share its model and painter; closing the first one closes them all."""
    first = SimWorld(scene)
    return [first, *(SimWorld(scene, first.model, first.painter) for _ in range(count - 1))]


def _numbers(action: object) -> Vector:
    """An action as float64.

    Raises:
        BadAction: if it holds anything but numbers; text that looks like a number is none.
    """
    try:
        values = np.asarray(action)
    except (TypeError, ValueError) as error:
        raise BadAction(f"An action must be six numbers, one target per joint; got {action!r}.") from error
    if values.dtype.kind not in "iuf":
        raise BadAction(f"An action must be six numbers, one target per joint; got {action!r}.")
    return values.astype(np.float64)


def features_of(scene: Scene) -> dict[str, Feature]:
    """The dataset columns of a scene: action, observation.state and one video per camera image."""
    joints = Feature("float32", (6,), JOINT_FEATURES)
    image = Feature("video", (scene.height, scene.width, 3), ("height", "width", "channels"))
    names = [*scene.cameras, *(f"{camera}_depth" for camera in scene.cameras if scene.depth)]
    return {
        "action": joints,
        STATE: joints,
        **{camera_key(name): image for name in names},
    }
