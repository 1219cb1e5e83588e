"""A headset's controller as a LeRobot teleoperator, `studio_vr`: the same law as `studio record --operator vr`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lerobot.teleoperators import TeleoperatorConfig

from recorders.devices.hands import opened, source_of
from recorders.devices.web import PORT
from recorders.operators.controller.driver import Controller

from .teleoperator import Device, StudioHands

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
    page_port: int = PORT
    motion: Path | None = None
    motion_log: Path | None = None


class StudioVr(StudioHands):
    """Squeeze drives, trigger grips; the controller vibrates by itself."""

    config_class = StudioVrConfig
    name = "studio_vr"

    def __init__(self, config: StudioVrConfig) -> None:
        super().__init__(config, config.world)
        self.config = config

    def open(self) -> Device:
        """Connect the headset, or serve the page for it."""
        config = self.config
        headset: WebHeadset | None = None
        if config.headset == "web":
            from recorders.devices.web.headset import WebHeadset

            headset = WebHeadset(config.hand, lan=config.lan, port=config.page_port)
        source = opened(source_of(config.hand, config.motion, config.motion_log, headset))
        if headset is not None:
            logger.info(
                "Open %s in the headset's browser; its certificate is %s.", headset.address, headset.fingerprint
            )
        return Device(lambda fps: Controller(source, fps, logger.info), source.close)
