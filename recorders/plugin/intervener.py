"""The scripted expert in the place of the person who takes over in HIL-SERL: `--env.teleop.type=studio_intervener`.

A person cannot be had here: LeRobot's actor runs in a process of its own, without a terminal and without pictures, and
on two cores slower than time. What a person would do arrives in the same two calls, so any other teleoperator may
stand here that gives six numbers of `HilEnv`'s actions; LeRobot's own give three of an end effector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from lerobot.teleoperators import TeleoperatorConfig
from lerobot.teleoperators.utils import TeleopEvents
from numpy.typing import NDArray

from curation.errors import UsageError
from curation.frames import JOINTS
from recorders.operators.expert import Expert

from .hil_env import HilEnv
from .teleoperator import StudioTeleoperator

TAKEOVER_STREAM = 15
WITHIN_S = 1.0
"""A takeover begins within this time of its episode [s], because it plans from where the arm then is."""


@TeleoperatorConfig.register_subclass("studio_intervener")
@dataclass(kw_only=True)
class StudioIntervenerConfig(TeleoperatorConfig):
    """How often somebody takes over.

    Attributes:
        share: of the episodes, 0 to 1; which ones follows from the env's seed.
    """

    share: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise UsageError(f"A share of {self.share:g} of the episodes is outside 0 to 1.")


class StudioIntervener(StudioTeleoperator):
    """Takes over in some episodes, soon after their beginning, and drives to their end.

    `get_action` gives an array: `InterventionActionProcessorStep` reads of a dict no more than an end effector's
    delta_x, delta_y, delta_z and gripper, which are not this arm's six joints.
    """

    config_class = StudioIntervenerConfig
    name = "studio_intervener"

    def __init__(self, config: StudioIntervenerConfig) -> None:
        super().__init__(config)
        self.config = config
        self._env: HilEnv | None = None
        self._expert: Expert | None = None
        self._episode, self._frame = -1, 0
        self._from: int | None = None
        self._driving = False

    def join(self, env: HilEnv) -> None:
        """Drive in this env."""
        self._env, self._expert = env, Expert(env.env.world)

    @property
    def is_connected(self) -> bool:
        return self._env is not None

    def connect(self, calibrate: bool = True) -> None:
        """Nothing to do: `join` says where."""

    def get_action(self) -> NDArray[np.float32]:
        """The next action, shape (6,); nothing moves while the policy drives."""
        assert self._env is not None
        assert self._expert is not None
        if self._episode != self._env.episode:
            self._begin(self._env)
        observation = self._env.env.world.observe()
        if self._frame == self._from:
            self._expert.begin(observation, self._env.seed + self._episode)
            self._driving = True
        self._frame += 1
        if self._driving:
            command = self._expert.act(observation)
            # From where the arm is there may be no way: the policy goes on.
            self._driving = command.verdict is None
            if self._driving:
                return self._env.action_towards(command.action)
        return np.zeros(len(JOINTS), np.float32)

    def get_teleop_events(self) -> dict[TeleopEvents, bool]:
        """Whether it drives; it never says that an episode is a success or over."""
        others = (TeleopEvents.TERMINATE_EPISODE, TeleopEvents.SUCCESS, TeleopEvents.RERECORD_EPISODE)
        return {TeleopEvents.IS_INTERVENTION: self._driving, **dict.fromkeys(others, False)}

    def disconnect(self) -> None:
        self._env = self._expert = None

    def _begin(self, env: HilEnv) -> None:
        """A new episode: draw whether and when to take over."""
        self._episode, self._frame, self._driving = env.episode, 0, False
        rng = np.random.default_rng([env.seed, env.episode, TAKEOVER_STREAM])
        takes, frame = rng.random() < self.config.share, int(rng.uniform(0.0, WITHIN_S) * env.env.scene.fps)
        self._from = frame if takes else None
