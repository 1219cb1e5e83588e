"""The scripted expert as a LeRobot teleoperator, `studio_expert`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from lerobot.teleoperators import TeleoperatorConfig
from lerobot.utils.errors import DeviceAlreadyConnectedError

from recorders.operators.expert import Expert

from .robot import as_action
from .stage import Stage, find_stage
from .teleoperator import StudioTeleoperator

logger = logging.getLogger(__name__)


@TeleoperatorConfig.register_subclass("studio_expert")
@dataclass(kw_only=True)
class StudioExpertConfig(TeleoperatorConfig):
    """Whom the expert drives.

    Attributes:
        world: the `--robot.world` of a studio_sim robot in the same process.
    """

    world: str = "studio"


class StudioExpert(StudioTeleoperator):
    """Plans anew when the robot's world began a new episode, and stands still once its path is finished."""

    config_class = StudioExpertConfig
    name = "studio_expert"

    def __init__(self, config: StudioExpertConfig) -> None:
        super().__init__(config)
        self.config = config
        self._connected = False
        self._stage: Stage | None = None
        self._expert: Expert | None = None
        self._episode = 0

    @property
    def is_connected(self) -> bool:
        return self._connected

    def connect(self, calibrate: bool = True) -> None:
        """Does not look for the robot yet, because LeRobot connects it later."""
        if self._connected:
            raise DeviceAlreadyConnectedError(f"{self} is already connected.")
        self._connected = True

    def get_action(self) -> dict[str, Any]:
        """The expert's next targets as the world admits them, because LeRobot stores what was asked, not sent."""
        stage = find_stage(self.config.world)
        if self._expert is None or stage is not self._stage:
            self._stage, self._expert, self._episode = stage, Expert(stage.world), 0
        observation = stage.observe()
        fresh = self._episode != stage.count
        if fresh:
            self._expert.begin(observation, stage.start.seed)
            self._episode = stage.count
        command = self._expert.act(observation)
        if fresh and command.verdict is not None:
            logger.warning("The expert has no way to do this from here; it stands still. Discard the episode.")
        return as_action(stage.world.admit(command.action))

    def disconnect(self) -> None:
        self._connected = False
        self._stage = self._expert = None
