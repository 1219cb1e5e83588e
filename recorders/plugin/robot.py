"""The simulated SO-101 as a LeRobot robot, `studio_sim`: it stands where a real follower stood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from lerobot.robots import Robot, RobotConfig
from lerobot.utils.errors import DeviceAlreadyConnectedError

from curation.errors import BadAction
from curation.frames import JOINT_FEATURES, Vector
from recorders.placements import Placing
from recorders.world.scene import Scene
from recorders.world.sim import ROBOT_TYPE

from .stage import Stage, close_stage, find_stage, open_stage
from .worlds import image_names


@RobotConfig.register_subclass("studio_sim")
@dataclass(kw_only=True)
class StudioSimConfig(RobotConfig):
    """The robot's scene and where its block goes.

    Attributes:
        scene: every setting of the scene, as `--robot.scene.width=128`; its fps must be the dataset's.
        x, y: position of the block [m].
        jitter: uniform noise per axis and episode [m].
        yaw: heading of the block [deg], or "free" for any.
        seed: of the session; with an episode's number it decides the placement and the expert's variation.
        episode: number of the first episode, such as the one that `lerobot-replay` is to repeat.
        world: name under which a teleoperator of the same process finds this world.
    """

    scene: Scene = field(default_factory=Scene)
    x: float = 0.217
    y: float = 0.225
    jitter: float = 0.0
    yaw: float | Literal["free"] = "free"
    seed: int = 0
    episode: int = 0
    world: str = "studio"

    @property
    def placing(self) -> Placing:
        return Placing(at=(self.x, self.y), jitter=self.jitter, yaw=self.yaw)


@dataclass(frozen=True)
class SimCamera:
    """What LeRobot counts as a camera of the robot; its images come with `get_observation`."""

    width: int
    height: int
    fps: int


class StudioSim(Robot):
    """One world, stepped one control period by each `send_action`, however long that took on the wall clock."""

    config_class = StudioSimConfig
    name = ROBOT_TYPE

    def __init__(self, config: StudioSimConfig) -> None:
        super().__init__(config)
        self.config = config
        scene = config.scene
        self.cameras = {name: SimCamera(scene.width, scene.height, scene.fps) for name in image_names(scene)}
        self._connected = False

    @property
    def observation_features(self) -> dict[str, Any]:
        images = {name: (camera.height, camera.width, 3) for name, camera in self.cameras.items()}
        return {**dict.fromkeys(JOINT_FEATURES, float), **images}

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(JOINT_FEATURES, float)

    @property
    def is_connected(self) -> bool:
        return self._connected

    @property
    def is_calibrated(self) -> bool:
        return True

    def connect(self, calibrate: bool = True) -> None:
        """Open the world and put everything in place for the first episode."""
        if self._connected:
            raise DeviceAlreadyConnectedError(f"{self} is already connected.")
        config = self.config
        open_stage(config.world, Stage(config.world, config.scene, config.placing, config.seed, config.episode))
        self._connected = True

    def calibrate(self) -> None:
        """Nothing to do: the model is the calibration."""

    def configure(self) -> None:
        """Nothing to do: the scene is the configuration."""

    def get_observation(self) -> dict[str, Any]:
        observation = find_stage(self.config.world).observe()
        joints = dict(zip(JOINT_FEATURES, map(float, observation.state), strict=True))
        return {**joints, **observation.render()}

    def send_action(self, action: dict[str, Any]) -> dict[str, Any]:
        """Drive one control period; returns the targets really driven, within joint and step limits."""
        return as_action(find_stage(self.config.world).drive(_vector(action)))

    def disconnect(self) -> None:
        close_stage(self.config.world)
        self._connected = False


def as_action(targets: Vector) -> dict[str, Any]:
    """Joint targets, shape (6,), under LeRobot's names."""
    return dict(zip(JOINT_FEATURES, map(float, targets), strict=True))


def _vector(action: dict[str, Any]) -> Vector:
    missing = [name for name in JOINT_FEATURES if name not in action]
    if missing:
        raise BadAction(f"The action lacks {', '.join(missing)}; it must name all of {', '.join(JOINT_FEATURES)}.")
    return np.array([float(action[name]) for name in JOINT_FEATURES])
