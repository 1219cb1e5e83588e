"""The env as LeRobot's actor drives it: in small steps, and with no reward of its own.

LeRobot's SAC stores the actions that were carried out and compares them with what its actor gives, numbers of -1 to 1,
without converting either (`SACAlgorithm._compute_loss_critic`). So an action here is six such numbers: how far each
joint's target moves, as a share of the farthest it may move in one control period.

The judge gives no reward here and ends nothing: both are the classifier's, from LeRobot's processor behind the env.
"""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from curation.frames import JOINTS, Outcome, Vector
from recorders.world.servo import step_limit
from recorders.world.sim import HOME

from .env import Step, StudioEnv

SETTLING_S = 1.0
"""How long an episode that ended goes on unseen, the arm standing still, before the judge is asked [s]: twice the half
second that it wants the block at rest."""


class HilEnv(gym.Env[dict[str, Any], NDArray[np.float32]]):
    """Episodes one after the other, each with a seed of its own; observations as of `StudioEnv`.

    Args:
        env: the world.
        seed: of the first episode; those after it count on.

    Attributes:
        episode: number of the episode in progress; -1 before the first.
        robot: `make_processors` reads the motors' names from an env's robot, and nothing else where there is no
            inverse kinematics.
    """

    def __init__(self, env: StudioEnv, seed: int) -> None:
        self.env = env
        self.seed = seed
        self.episode = -1
        self.robot = SimpleNamespace(bus=SimpleNamespace(motors=dict.fromkeys(JOINTS)))
        self.observation_space = env.observation_space
        self.action_space = gym.spaces.Box(-1.0, 1.0, (len(JOINTS),), np.float32)
        self._most = step_limit(env.scene.fps)
        self._target = HOME.copy()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin the next episode; LeRobot's actor gives no seed."""
        self.episode += 1
        self._target = HOME.copy()
        return self.env.reset(seed=self.seed + self.episode if seed is None else seed)

    def step(self, action: Any) -> Step:
        """Move the targets; (6,) from a teleoperator, (1, 6) from a policy, which has a batch of one."""
        share = np.asarray(action, dtype=np.float64).reshape(len(JOINTS)).clip(-1.0, 1.0)
        self._target = self.env.world.admit(self._target + share * self._most)
        observed, _, _, _, info = self.env.step(self._target.astype(np.float32))
        return observed, 0.0, False, False, info

    def action_towards(self, targets: Vector) -> NDArray[np.float32]:
        """The action that sends the arm to joint targets, shape (6,), as near as one step comes."""
        share = (self.env.world.admit(targets) - self._target) / self._most
        return np.asarray(share.clip(-1.0, 1.0), np.float32)

    def judged(self) -> Outcome:
        """How the judge sees the episode that ended, after a while of standing still."""
        world = self.env.world
        for _ in range(math.ceil(SETTLING_S * world.fps)):
            world.step(self._target)
        return world.verdict()[0]
