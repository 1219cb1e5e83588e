"""The fumbler fails on purpose, in every way, and neither length nor timing tells when it does not."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from curation.frames import Outcome, Placement, Verdict
from recorders.operators.fumbler import WAYS, Fumbler
from recorders.operators.named import Who
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

EPISODES, LIMIT = 36, 300
FAILURES = {*Outcome} - {Outcome.SUCCESS}


@pytest.fixture(scope="module")
def driven() -> list[tuple[str, Outcome, int]]:
    """Way, outcome and length of some episodes; without pictures, which nobody asks for."""
    world, rng, found = SimWorld(Scene()), np.random.default_rng(8), []
    for seed in range(EPISODES):
        at = Placement(rng.uniform(0.20, 0.36), rng.uniform(-0.10, 0.25), rng.uniform(-180, 180))
        observation = world.reset(seed, at)
        fumbler = Fumbler(world)
        fumbler.begin(observation, seed)
        frames = 0
        while frames < LIMIT and (command := fumbler.act(observation)).verdict is None:
            observation = world.step(command.action)
            frames += 1
        assert command.verdict is Verdict.STOP, "it ends its takes itself"
        found.append((fumbler.way, world.verdict()[0], frames))
    return found


def test_about_every_other_episode_succeeds(driven: list[tuple[str, Outcome, int]]) -> None:
    good = sum(outcome is Outcome.SUCCESS for _, outcome, _ in driven)
    assert 0.35 * EPISODES <= good <= 0.65 * EPISODES
    assert all(outcome is Outcome.SUCCESS for way, outcome, _ in driven if way == "")


def test_every_way_but_luck_is_a_failure_of_its_own_kind(driven: list[tuple[str, Outcome, int]]) -> None:
    outcomes = defaultdict(set)
    for way, outcome, _ in driven:
        outcomes[way].add(outcome)
    assert set(outcomes) - {""} <= set(WAYS)
    assert len(outcomes) >= 7
    for way in {"short", "hovers", "holds low", "holds over the bowl", "beside the bowl"} & set(outcomes):
        assert outcomes[way] <= FAILURES, way
    assert len(set.union(*outcomes.values())) >= 5


def test_length_tells_nothing(driven: list[tuple[str, Outcome, int]]) -> None:
    good = [frames for _, outcome, frames in driven if outcome is Outcome.SUCCESS]
    bad = [frames for _, outcome, frames in driven if outcome is not Outcome.SUCCESS]
    assert abs(np.mean(good) - np.mean(bad)) < 10
    assert max(max(good), max(bad)) < LIMIT
    assert not Who(name="fumbler").until_success
    assert Who(name="expert").until_success
