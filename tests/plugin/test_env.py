"""The gymnasium env: it keeps gymnasium's rules and LeRobot's, and stored actions alone bring an episode back."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from lerobot.envs.utils import NEW_ROLLOUT_OPTION, env_to_policy_features
from numpy.typing import NDArray

from curation.errors import UsageError
from curation.frames import Outcome, Placement
from recorders.operators.expert import Expert
from recorders.placements import Placing, start
from recorders.plugin import ENV_ID, StudioEnvConfig
from recorders.plugin.env import NEW_ROLLOUT
from recorders.plugin.worlds import make_world
from recorders.world.scene import Scene
from recorders.world.sim import HOME, SimWorld

TINY = Scene(width=32, height=24)
LIMIT = 250
OPEN_GRIPPER = 60.0
EPISODES = [
    (11, Placement(0.217, 0.225, 0.0), False), (12, Placement(0.337, -0.015, 30.0), False),
    (13, Placement(0.25, 0.0, 75.0), False), (14, Placement(0.30, 0.15, -140.0), False),
    (15, Placement(0.217, 0.225, 20.0), True),
]  # fmt: skip
"""Seed, placement and whether the gripper is held open."""


def make(**settings: Any) -> gymnasium.Env[Any, Any]:
    return gymnasium.make(ENV_ID, scene=settings.pop("scene", TINY), **settings)


def drive(
    world: SimWorld, seed: int, placement: Placement, hold_open: bool
) -> tuple[NDArray[np.float32], NDArray[np.float32], Outcome]:
    """An expert episode as a recorder stores it: states and admitted actions, float32, and how it ended."""
    observation = world.reset(seed, placement)
    expert = Expert(world)
    expert.begin(observation, seed)
    states, actions = [], []
    while len(actions) < LIMIT and world.verdict()[0] is not Outcome.SUCCESS:
        action = expert.act(observation).action.copy()
        if hold_open:
            action[5] = OPEN_GRIPPER
        states.append(observation.state)
        actions.append(world.admit(action))
        observation = world.step(actions[-1])
    return np.array(states, np.float32), np.array(actions, np.float32), world.verdict()[0]


def test_env_passes_gymnasiums_checker() -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(symmetric and normalized|infinity|render).*")
        check_env(make().unwrapped)


@pytest.mark.parametrize(("seed", "placement", "hold_open"), EPISODES, ids=lambda value: str(value)[:40])
def test_actions_suffice(seed: int, placement: Placement, hold_open: bool) -> None:
    states, actions, outcome = drive(SimWorld(TINY), seed, placement, hold_open)
    assert (outcome is Outcome.SUCCESS) is not hold_open
    env = make(episode_length=LIMIT)
    where = (placement.x, placement.y, placement.yaw_deg)
    observed, info = env.reset(seed=seed, options={"placement": where})
    for frame, (state, action) in enumerate(zip(states, actions, strict=True)):
        assert np.array_equal(observed["agent_pos"], state), f"state differs at frame {frame}"
        observed, reward, terminated, truncated, info = env.step(action)
        assert terminated is info["is_success"] is (reward == 1.0)
        assert (terminated or truncated) is (frame + 1 == len(actions))
    assert info["outcome"] == outcome


def test_seeds_choose_positions_in_order() -> None:
    env = make(positions=[(0.2, 0.1, 15.0), (0.3, 0.0)], start_seed=1000)
    placed = [env.reset(seed=seed)[1]["placement"].tolist() for seed in (1000, 1001, 1002)]
    assert placed == [[0.2, 0.1, 15.0], [0.3, 0.0, 0.0], [0.2, 0.1, 15.0]]


def test_a_seed_draws_the_placement_that_a_recorder_draws_from_it() -> None:
    recorded = start(Placing(at=(0.25, 0.05), jitter=0.02), TINY, 3, 4)
    at = make(x=0.25, y=0.05, jitter=0.02).reset(seed=recorded.seed)[1]["placement"]
    expected = (recorded.placement.x, recorded.placement.y, recorded.placement.yaw_deg)
    assert at == pytest.approx(expected, abs=1e-4)


def test_unseeded_resets_differ_and_the_same_seed_repeats() -> None:
    env = make(jitter=0.02)
    first, second, third = (env.reset(seed=seed)[1]["placement"] for seed in (5, None, None))
    assert not np.array_equal(second, third)
    assert np.array_equal(env.reset(seed=5)[1]["placement"], first)
    assert np.array_equal(env.reset()[1]["placement"], second)


def test_a_reset_that_lerobot_did_not_ask_for_costs_nothing_and_its_rollouts_still_begin_anew() -> None:
    assert NEW_ROLLOUT == NEW_ROLLOUT_OPTION
    env = make(episode_length=2)
    env.reset(seed=1000, options={NEW_ROLLOUT: True})
    for _ in range(2):
        last = env.step(HOME.astype(np.float32) + 5)
    assert last[3]
    observed, info = env.reset()
    again = env.step(HOME.astype(np.float32) - 5)
    assert observed is again[0] is last[0]
    assert again[1:4] == (0.0, False, False)
    assert np.array_equal(info["placement"], last[4]["placement"])
    observed, _ = env.reset(seed=1001, options={NEW_ROLLOUT: True})
    assert np.array_equal(observed["agent_pos"], HOME.astype(np.float32))


def test_the_block_is_seen_only_on_request() -> None:
    plain, _ = make().reset(seed=0)
    told, _ = make(environment_state=True).reset(seed=0, options={"placement": (0.3, 0.1, 90.0)})
    assert set(plain) == {"pixels", "agent_pos"}
    assert told["environment_state"] == pytest.approx([0.3, 0.1, 0.0125, 1.0, 0.0], abs=1e-6)


def test_closing_one_env_leaves_others_drawing() -> None:
    first, second = make(), make(scene=Scene(width=64, height=48))
    drawn = [env.reset(seed=2)[0]["pixels"]["wrist_cam"].copy() for env in (first, second)]
    first.close()
    assert np.array_equal(second.reset(seed=2)[0]["pixels"]["wrist_cam"], drawn[1])
    assert np.array_equal(make().reset(seed=2)[0]["pixels"]["wrist_cam"], drawn[0])
    assert make_world(TINY).model is make_world(TINY).model


def test_config_tells_policies_what_the_env_shows() -> None:
    config = StudioEnvConfig(scene=TINY, environment_state=True)
    env = config.create_envs(n_envs=1)["studio"][0]
    shown = env.single_observation_space
    assert isinstance(shown, gymnasium.spaces.Dict)
    features = env_to_policy_features(config)
    images = {f"observation.images.{name}": (3, *space.shape[:2]) for name, space in shown["pixels"].items()}
    others = {"observation.state": (6,), "observation.environment_state": (5,), "action": (6,)}
    assert {key: tuple(feature.shape) for key, feature in features.items()} == {**images, **others}
    assert config.episode_length == env.get_attr("_max_episode_steps")[0] == 300
    assert "red cube" in env.get_attr("task_description")[0]


def test_config_refuses_two_control_rates() -> None:
    with pytest.raises(UsageError, match=r"--env\.fps is 20 .* 30"):
        StudioEnvConfig(fps=20)
