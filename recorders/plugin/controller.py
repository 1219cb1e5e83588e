"""A headset's controller as a LeRobot teleoperator, `studio_vr`: the same law as `studio record --operator vr`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lerobot.teleoperators import Teleoperator, TeleoperatorConfig
from lerobot.utils.errors import DeviceAlreadyConnectedError, DeviceNotConnectedError

from curation.frames import JOINT_FEATURES
from recorders.devices.controller import ControllerSource
from recorders.devices.hands import source_of
from recorders.operators.controller.driver import Controller

from .robot import as_action
from .stage import Stage, find_stage

if TYPE_CHECKING:
    from recorders.devices.web.headset import WebHeadset

logger = logging.getLogger(__name__)


@TeleoperatorConfig.register_subclass("studio_vr")
@dataclass(kw_only=True)
class StudioVrConfig(TeleoperatorConfig):
    """Which hand drives which world.

    Attributes:
        world: the `--robot.world` of a studio_sim robot in the same process.
        hand: that holds the controller.
        headset: of this PC through OpenXR, or one whose own browser opens the studio's page, whose address is logged.
        lan, page_port: of that page, as `studio record` has them.
        motion: a motion log in place of the headset.
        motion_log: a new file into which all readings are written.
    """

    world: str = "studio"
    hand: Literal["right", "left"] = "right"
    headset: Literal["openxr", "web"] = "openxr"
    lan: bool = False
    page_port: int = 8443
    motion: Path | None = None
    motion_log: Path | None = None


class StudioVr(Teleoperator):
    """Squeeze drives, trigger grips; what to keep is for LeRobot's own keys to say."""

    config_class = StudioVrConfig
    name = "studio_vr"

    def __init__(self, config: StudioVrConfig) -> None:
        super().__init__(config)
        self.config = config
        self._source: ControllerSource | None = None
        self._driver: Controller | None = None
        self._stage: Stage | None = None
        self._episode = 0

    @property
    def action_features(self) -> dict[str, Any]:
        return dict.fromkeys(JOINT_FEATURES, float)

    @property
    def feedback_features(self) -> dict[str, Any]:
        return {}

    @property
    def is_connected(self) -> bool:
        return self._source is not None

    @property
    def is_calibrated(self) -> bool:
        return True

    def connect(self, calibrate: bool = True) -> None:
        """Connect the headset; the robot is looked for later, because LeRobot connects it later.

        Raises:
            NoHeadset: there is none; it says what would help.
        """
        if self._source is not None:
            raise DeviceAlreadyConnectedError(f"{self} is already connected.")
        config = self.config
        headset: WebHeadset | None = None
        if config.headset == "web":
            from recorders.devices.web.headset import WebHeadset

            headset = WebHeadset(config.hand, lan=config.lan, port=config.page_port)
        source = source_of(config.hand, config.motion, config.motion_log, headset)
        source.open()
        if headset is not None:
            logger.info(
                "Open %s in the headset's browser; its certificate is %s.", headset.address, headset.fingerprint
            )
        self._source = source

    def calibrate(self) -> None:
        """Nothing to do."""

    def configure(self) -> None:
        """Nothing to do."""

    def get_action(self) -> dict[str, Any]:
        """The hand's next targets as the world admits them, because LeRobot stores what was asked, not sent."""
        if self._source is None:
            raise DeviceNotConnectedError(f"{self} is not connected.")
        stage = find_stage(self.config.world)
        if self._driver is None or stage is not self._stage:
            self._stage, self._episode = stage, 0
            self._driver = Controller(self._source, stage.world.fps, logger.info)
        observation = stage.observe()
        if self._episode != stage.count:
            self._driver.begin(observation, stage.start.seed)
            self._episode = stage.count
        self._driver.listen()
        return as_action(stage.world.admit(self._driver.act(observation).action))

    def send_feedback(self, feedback: dict[str, Any]) -> None:
        """The controller vibrates by itself."""

    def disconnect(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source = self._driver = self._stage = None
