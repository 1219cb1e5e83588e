"""LeRobot's configuration of the env: `--env.type=studio`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs import EnvConfig
from lerobot.utils.constants import ACTION, OBS_ENV_STATE, OBS_IMAGES, OBS_STATE

from curation.errors import UsageError
from recorders.world.scene import Scene
from recorders.world.tasks.pick_place import TIME_LIMIT_S

from .worlds import image_names


@EnvConfig.register_subclass("studio")
@dataclass(kw_only=True)
class StudioEnvConfig(EnvConfig):
    """What to evaluate in, and where the block goes; `env.StudioEnv` tells the meaning of each setting.

    Attributes:
        scene: every setting of the scene, as `--env.scene.width=128`; its fps and `fps` must agree.
        episode_length: most frames of an episode; 0 is the task's time limit.
    """

    task: str | None = "PickPlace-v0"
    scene: Scene = field(default_factory=Scene)
    episode_length: int = 0
    x: float = 0.217
    y: float = 0.225
    jitter: float = 0.0
    yaw: float | Literal["free"] = "free"
    positions: list[list[float]] = field(default_factory=list)
    start_seed: int = 1000
    environment_state: bool = False

    def __post_init__(self) -> None:
        if self.fps != self.scene.fps:
            raise UsageError(
                f"--env.fps is {self.fps} and --env.scene.fps is {self.scene.fps}: give both the same value."
            )
        self.episode_length = self.episode_length or round(TIME_LIMIT_S * self.fps)
        shape = (self.scene.height, self.scene.width, 3)
        images = {f"{OBS_IMAGES}.{name}": shape for name in image_names(self.scene)}
        self.features = {
            ACTION: PolicyFeature(FeatureType.ACTION, (6,)),
            "agent_pos": PolicyFeature(FeatureType.STATE, (6,)),
            **{key: PolicyFeature(FeatureType.VISUAL, shape) for key, shape in images.items()},
        }
        self.features_map = {ACTION: ACTION, "agent_pos": OBS_STATE, **{key: key for key in images}}
        if self.environment_state:
            self.features["environment_state"] = PolicyFeature(FeatureType.ENV, (5,))
            self.features_map["environment_state"] = OBS_ENV_STATE

    @property
    def gym_kwargs(self) -> dict[str, Any]:
        names = ("scene", "episode_length", "x", "y", "jitter", "yaw", "positions", "start_seed", "environment_state")
        return {name: getattr(self, name) for name in names}
