"""LeRobot's configuration of the env for its actor and learner: `--env.type=studio_hil`."""

from __future__ import annotations

from dataclasses import dataclass, field

from lerobot.configs import FeatureType, PolicyFeature
from lerobot.envs import EnvConfig
from lerobot.envs.configs import HILSerlProcessorConfig, HILSerlRobotEnvConfig, ResetConfig
from lerobot.utils.constants import ACTION

from curation.errors import UsageError
from curation.frames import JOINTS
from recorders.world.scene import Scene


@dataclass
class Reset(ResetConfig):
    """LeRobot's, whose first field is of a type that draccus cannot write, so that its learner fails to log it."""

    fixed_reset_joint_positions: list[float] | None = None


@dataclass
class Processor(HILSerlProcessorConfig):
    """LeRobot's."""

    reset: Reset | None = None


@EnvConfig.register_subclass("studio_hil")
@dataclass(kw_only=True)
class StudioHilConfig(HILSerlRobotEnvConfig):
    """What LeRobot is told about the env.

    Attributes:
        processor: crops, classifier and time limit, as LeRobot has them.
        scene: every setting of the scene; its fps and `fps` must agree.
        positions: (x, y, yaw) of the block, in turn.
        seed: of the first episode; those after it count on.
    """

    processor: Processor = field(default_factory=Processor)
    scene: Scene = field(default_factory=Scene)
    positions: list[list[float]] = field(default_factory=list)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.fps != self.scene.fps:
            raise UsageError(f"env.fps is {self.fps} and env.scene.fps is {self.scene.fps}: give both the same value.")
        # What a policy answers is always taken from here, what it sees from its own config.
        self.features = {ACTION: PolicyFeature(FeatureType.ACTION, (len(JOINTS),))}
        self.features_map = {ACTION: ACTION}
