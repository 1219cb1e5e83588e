"""The world as a gymnasium env, `gym_studio/PickPlace-v0`.

Actions suffice: reset with an episode's seed and `options={"placement": (x, y, yaw_deg)}`, step its stored float32
actions, and the same happens as was recorded.

Observations: {"pixels": {camera: uint8 (height, width, 3)}, "agent_pos": float32 (6,)}, joints in LeRobot's units.
Actions: joint targets, float32 (6,), same units; limited by the world like any operator's.
Infos: "is_success", "outcome" (the judge's word if the episode ended now), "placement" (x, y [m], yaw [deg]).
Reward: 1 in the frame in which the judge is content, else 0. That frame terminates; the time limit truncates.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from curation.errors import UsageError
from curation.frames import Image, Observation, Outcome, Placement
from recorders.placements import PLACEMENT_STREAM
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from recorders.world.tasks.pick_place import TIME_LIMIT_S, instruction
from recorders.world.units import HIGH, LOW

from .worlds import image_names, make_world

NEW_ROLLOUT = "lerobot_new_rollout"
"""LeRobot's option on every reset that it means; its vector env also resets finished envs, without it."""

Step = tuple[dict[str, Any], float, bool, bool, dict[str, Any]]


class StudioEnv(gym.Env[dict[str, Any], NDArray[np.float32]]):
    """Pick the block up and place it in the bowl.

    Args:
        scene: what the world is made of.
        episode_length: most frames of an episode; the task's time limit if None.
        x, y: position of the block [m], where `positions` is empty.
        jitter: uniform noise per axis [m], drawn from the reset's seed.
        yaw: heading of the block [deg], or "free" for one drawn from the reset's seed.
        positions: (x, y) or (x, y, yaw) for each seed from `start_seed` on, then from the first again.
        start_seed: seed of the first of `positions`; 1000 is what `lerobot-eval` begins with.
        environment_state: adds the privileged block pose (x, y, z, sin yaw, cos yaw) to observations. For tests.
        render_mode: "rgb_array" is the only one.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012  gymnasium's own form

    def __init__(
        self,
        scene: Scene | None = None,
        episode_length: int | None = None,
        x: float = 0.217,
        y: float = 0.225,
        jitter: float = 0.0,
        yaw: float | str = "free",
        positions: Sequence[Sequence[float]] = (),
        start_seed: int = 1000,
        environment_state: bool = False,
        render_mode: str | None = "rgb_array",
    ) -> None:
        self.scene = scene or Scene()
        self.metadata = {**self.metadata, "render_fps": self.scene.fps}
        self.render_mode = render_mode
        self.task = "PickPlace"
        self.task_description = instruction(self.scene)
        self._max_episode_steps = episode_length or round(TIME_LIMIT_S * self.scene.fps)
        self._at = (x, y, jitter, yaw)
        self._positions = [_placement(position) for position in positions]
        self._start_seed = start_seed
        self._privileged = environment_state
        self._world = make_world(self.scene)
        self._placement = Placement(x, y)
        self._images: dict[str, Image] = {}
        self._observed: dict[str, Any] = {}
        self._frames = 0
        self._in_rollout = self._frozen = False
        self.observation_space = _observation_space(self.scene, environment_state)
        self.action_space = gym.spaces.Box(LOW.astype(np.float32), HIGH.astype(np.float32))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin a new episode.

        Without a seed the env's own generator gives one. Inside a rollout of LeRobot, a reset that LeRobot did not ask
        for is its vector env's: what follows is thrown away, so the env stands still until the next rollout.
        """
        super().reset(seed=seed)
        options = options or {}
        meant = seed is not None or bool(options)
        self._in_rollout = bool(options.get(NEW_ROLLOUT)) or (self._in_rollout and not meant)
        self._frozen = self._in_rollout and not meant
        if self._frozen:
            return self._observed, self._info()
        own = int(self.np_random.integers(2**31)) if seed is None else seed
        asked = options.get("placement")
        self._placement = self._place(own) if asked is None else _placement(asked)
        self._frames = 0
        return self._observe(self._world.reset(own, self._placement)), self._info()

    def step(self, action: NDArray[np.float32]) -> Step:
        """Drive one control period."""
        if self._frozen:
            return self._observed, 0.0, False, False, self._info()
        before = self._succeeded()
        self._observe(self._world.step(np.asarray(action, dtype=np.float64)))
        self._frames += 1
        success = self._succeeded()
        truncated = not success and self._frames >= self._max_episode_steps
        return self._observed, float(success and not before), success, truncated, self._info()

    def render(self) -> Image:
        """The overhead image that was last observed."""
        return self._images["overhead_cam"]

    @property
    def world(self) -> SimWorld:
        """What the env drives, for those who stand in for a person in it."""
        return self._world

    @property
    def placement(self) -> Placement:
        """Where the block was put in this episode."""
        return self._placement

    def verdict(self) -> tuple[Outcome, dict[str, Any]]:
        """The judge's outcome and whole report."""
        return self._world.verdict()

    def _place(self, seed: int) -> Placement:
        """The placement that belongs to a seed; never moved and never refused."""
        if self._positions:
            return self._positions[(seed - self._start_seed) % len(self._positions)]
        x, y, jitter, yaw = self._at
        rng = np.random.default_rng([seed, PLACEMENT_STREAM])
        dx, dy = rng.uniform(-jitter, jitter, 2)
        free = rng.uniform(-180.0, 180.0)
        return Placement(x + float(dx), y + float(dy), float(free if yaw == "free" else yaw))

    def _observe(self, observation: Observation) -> dict[str, Any]:
        self._images = observation.render()
        self._observed = {"pixels": self._images, "agent_pos": observation.state.astype(np.float32)}
        if self._privileged:
            block, yaw = self._world.block_pose()
            self._observed["environment_state"] = np.array([*block, np.sin(yaw), np.cos(yaw)], dtype=np.float32)
        return self._observed

    def _succeeded(self) -> bool:
        return self._world.verdict()[0] is Outcome.SUCCESS

    def _info(self) -> dict[str, Any]:
        outcome = self._world.verdict()[0]
        at = self._placement
        return {
            "is_success": outcome is Outcome.SUCCESS,
            "outcome": outcome.value,
            "placement": np.array([at.x, at.y, at.yaw_deg]),
        }


def _placement(position: Sequence[float]) -> Placement:
    if len(position) not in (2, 3):
        raise UsageError(f"A position is x, y [m] and optionally yaw [deg]; got {list(position)}.")
    return Placement(*map(float, position))


def _observation_space(scene: Scene, privileged: bool) -> gym.spaces.Dict:
    image = gym.spaces.Box(0, 255, (scene.height, scene.width, 3), np.uint8)
    spaces: dict[str, gym.Space[Any]] = {
        "pixels": gym.spaces.Dict(dict.fromkeys(image_names(scene), image)),
        "agent_pos": gym.spaces.Box(-np.inf, np.inf, (6,), np.float32),
    }
    if privileged:
        spaces["environment_state"] = gym.spaces.Box(-np.inf, np.inf, (5,), np.float32)
    return gym.spaces.Dict(spaces)
