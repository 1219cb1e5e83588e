"""What the teleoperators of this package have in common, and those of them that a person's hands move."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lerobot.teleoperators import Teleoperator, TeleoperatorConfig
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from curation.frames import JOINT_FEATURES
from recorders.operators.by_hand import Sensed

from .robot import as_action
from .stage import Stage, find_stage

logger = logging.getLogger(__name__)


class StudioTeleoperator(Teleoperator):
    """Says what six joints shall do; LeRobot has nothing to calibrate, to configure or to feed back."""

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(JOINT_FEATURES, float)

    @property
    def feedback_features(self) -> dict[str, Any]:
        return {}

    @property
    def is_calibrated(self) -> bool:
        return True

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """Nothing to do: LeRobot's commands have none for them."""


@dataclass(frozen=True)
class Device:
    """A connected device.

    Attributes:
        driver: makes what drives by it a world of that many frames a second.
        close: lets go of it.
    """

    driver: Callable[[int], Sensed]
    close: Callable[[], None]


class StudioHands(StudioTeleoperator):
    """A person drives by the same law as in the studio; what to keep is for LeRobot's own keys to say.

    Args:
        config: LeRobot's.
        world: the `--robot.world` of a studio_sim robot in the same process.
    """

    def __init__(self, config: TeleoperatorConfig, world: str) -> None:
        super().__init__(config)
        self._world = world
        self._device: Device | None = None
        self._driver: Sensed | None = None
        self._stage: Stage | None = None
        self._episode = 0

    @abstractmethod
    def open(self) -> Device:
        """Connect the device.

        Raises:
            StudioError: there is none; it says what would help.
        """

    @property
    def is_connected(self) -> bool:
        return self._device is not None

    def connect(self, calibrate: bool = True) -> None:
        """Connect the device; the robot is looked for later, because LeRobot connects it later."""
        if self._device is not None:
            raise DeviceAlreadyConnectedError(f"{self} is already connected.")
        self._device = self.open()

    def get_action(self) -> dict[str, Any]:
        """The hand's next targets as the world admits them, because LeRobot stores what was asked, not sent."""
        if self._device is None:
            raise DeviceNotConnectedError(f"{self} is not connected.")
        stage = find_stage(self._world)
        if self._driver is None or stage is not self._stage:
            self._driver = self._device.driver(stage.world.fps)
            self._stage, self._episode = stage, 0
        observation = stage.observe()
        if self._episode != stage.count:
            self._driver.begin(observation, stage.start.seed)
            self._episode = stage.count
        self._driver.listen()
        return as_action(stage.world.admit(self._driver.act(observation).action))

    def disconnect(self) -> None:
        if self._device is not None:
            self._device.close()
        self._device = self._driver = self._stage = None
