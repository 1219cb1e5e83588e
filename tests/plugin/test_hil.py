"""The env and the intervener that LeRobot's HIL-SERL actor drives: small steps, no reward, somebody to take over."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from classifiers.transitions import as_steps
from curation.errors import DataError, UsageError
from curation.frames import Outcome
from recorders.operators.expert import Expert
from recorders.plugin.env import StudioEnv
from recorders.plugin.hil_env import HilEnv
from recorders.plugin.intervener import StudioIntervener, StudioIntervenerConfig
from recorders.world.scene import Scene
from recorders.world.servo import step_limit

TINY = Scene(width=32, height=24, fps=10)
AT = [[0.337, -0.015, 0.0], [0.3, 0.05, 20.0]]


def made(seed: int = 5) -> HilEnv:
    return HilEnv(StudioEnv(scene=TINY, positions=AT, start_seed=seed), seed)


def driven(env: HilEnv, person: StudioIntervener, frames: int) -> list[tuple[np.ndarray, bool]]:
    """An episode of somebody who stands still and is taken over from: the actions, and whether they were taken."""
    from lerobot.teleoperators.utils import TeleopEvents

    found = []
    for _ in range(frames):
        action = person.get_action()
        taken = person.get_teleop_events()[TeleopEvents.IS_INTERVENTION]
        env.step(action if taken else np.zeros((1, 6), np.float32))
        found.append((action, taken))
    return found


@pytest.fixture(scope="module")
def recorded() -> dict[str, np.ndarray]:
    """An expert's episode as a dataset would hold it: targets and measured joints, float32."""
    env = StudioEnv(scene=TINY, positions=AT, start_seed=5)
    env.reset(seed=5)
    expert, seen = Expert(env.world), env.world.observe()
    expert.begin(seen, 5)
    rows: dict[str, list[Any]] = {"action": [], "state": []}
    while env.world.verdict()[0] is not Outcome.SUCCESS:
        target = env.world.admit(expert.act(seen).action)
        rows["action"].append(target.astype(np.float32))
        rows["state"].append(seen.state.astype(np.float32))
        seen = env.world.step(target)
    return {name: np.array(values) for name, values in rows.items()}


def test_a_recorded_episode_in_steps_leads_to_the_same_success_which_earns_and_ends_nothing(
    recorded: dict[str, np.ndarray],
) -> None:
    steps = as_steps(recorded["action"], recorded["state"], step_limit(TINY.fps))
    assert np.abs(steps).max() <= 1
    env = made()
    env.reset()
    for step, state in zip(steps, recorded["state"], strict=True):
        assert env.env.world.observe().state == pytest.approx(state, abs=0.02)
        _, reward, terminated, truncated, info = env.step(step)
        assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["is_success"]


def test_an_action_farther_than_a_step_is_refused(recorded: dict[str, np.ndarray]) -> None:
    with pytest.raises(DataError, match="cannot have driven it"):
        as_steps(recorded["action"][::6], recorded["state"][::6], step_limit(TINY.fps) / 4)


def test_every_episode_has_its_own_seed_and_the_next_position() -> None:
    env = made(seed=3)
    places = []
    for _ in range(3):
        env.reset()
        places.append(env.env.placement)
    assert [one.x for one in places] == [0.337, 0.3, 0.337]
    assert env.episode == 2


def test_the_judge_is_asked_after_the_block_came_to_rest(recorded: dict[str, np.ndarray]) -> None:
    env = made()
    env.reset()
    steps = as_steps(recorded["action"], recorded["state"], step_limit(TINY.fps))
    for step in steps[:-3]:
        env.step(step)
    assert env.env.world.verdict()[0] is not Outcome.SUCCESS
    assert env.judged() is Outcome.SUCCESS


def test_the_intervener_takes_over_soon_and_drives_to_a_success() -> None:
    env, person = made(), StudioIntervener(StudioIntervenerConfig(share=1.0))
    person.join(env)
    for _ in range(2):
        env.reset()
        found = driven(env, person, 70)
        by = [taken for _, taken in found]
        first = by.index(True)
        assert first < TINY.fps
        assert all(by[first:]), "it drives to the end"
        assert all(np.abs(action).max() <= 1 for action, _ in found)
        assert env.env.world.verdict()[0] is Outcome.SUCCESS


def test_a_share_of_the_episodes_is_taken_over_and_the_same_ones_again() -> None:
    def taken(share: float) -> list[bool]:
        env, person = made(), StudioIntervener(StudioIntervenerConfig(share=share))
        person.join(env)
        found = []
        for _ in range(8):
            env.reset()
            found.append(any(by for _, by in driven(env, person, TINY.fps)))
        return found

    assert not any(taken(0.0))
    half = taken(0.5)
    assert 0 < sum(half) < 8
    assert taken(0.5) == half
    with pytest.raises(UsageError, match="outside 0 to 1"):
        StudioIntervenerConfig(share=1.5)
