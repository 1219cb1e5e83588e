"""A leader arm as a LeRobot teleoperator, `studio_leader`: the same law as `studio record --operator leader`.

LeRobot's own `so101_leader` drives a studio_sim robot too, but then the arm sets out for the leader as fast as it can.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from lerobot.teleoperators import TeleoperatorConfig

from recorders.devices.hands import opened
from recorders.devices.leader.source import LeaderArm
from recorders.operators.leader.driver import Follower

from .teleoperator import Device, StudioHands

logger = logging.getLogger(__name__)


@TeleoperatorConfig.register_subclass("studio_leader")
@dataclass(kw_only=True)
class StudioLeaderConfig(TeleoperatorConfig):
    """Which leader drives which world; LeRobot's `id` is the one that the arm was calibrated under.

    Attributes:
        world: the `--robot.world` of a studio_sim robot in the same process.
        port: of its bus; by default STUDIO_LEADER_PORT, or the only one there is.
    """

    world: str = "studio"
    port: str = ""


class StudioLeader(StudioHands):
    """Joint for joint, as soon as the arm is where the leader is."""

    config_class = StudioLeaderConfig
    name = "studio_leader"

    def __init__(self, config: StudioLeaderConfig) -> None:
        super().__init__(config, config.world)
        self.config = config

    def open(self) -> Device:
        """Connect the leader."""
        arm = opened(LeaderArm(self.config.port, self.config.id or ""))
        return Device(lambda fps: Follower(arm, fps, logger.info), arm.close)
