"""Operators that wrap operators, and the ones that need no physics to be tested."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from curation.frames import Command, Observation, Placement, Vector, Verdict
from recorders.operators import each
from recorders.operators.expert import Expert
from recorders.operators.modifiers import Noisy, NoisyWorlds, Takeover
from recorders.operators.replay import Replay
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld


def seen(time: float = 0.0) -> Observation:
    """An observation that holds nothing but its time."""
    return Observation(np.zeros(6), time, dict)


class Steady:
    """Sends its frame number on every joint and remembers how it was begun."""

    def __init__(self, by: str, verdict: Verdict | None = None) -> None:
        self.by = by
        self.verdict = verdict
        self.begun: list[tuple[float, int]] = []
        self.sent: list[Vector] = []

    def begin(self, observation: Observation, seed: int) -> None:
        self.begun.append((observation.time, seed))

    def act(self, observation: Observation) -> Command:
        self.sent.append(np.full(6, float(len(self.sent))))
        return Command(self.sent[-1], self.by, self.verdict)


def noise(seed: int, scale: float = 2.0, memory: float = 0.9, frames: int = 400) -> Vector:
    """What a noisy driver adds, shape (frames, 6)."""
    driver = Steady("steady")
    noisy = Noisy(driver, scale, memory)
    noisy.begin(seen(), seed)
    actions = [noisy.act(seen()).action for _ in range(frames)]
    return np.array(actions) - np.array(driver.sent)


def test_noise_is_the_seeds_and_another_seeds_is_another() -> None:
    assert np.array_equal(noise(3), noise(3))
    assert np.abs(noise(3) - noise(4))[:, :5].max() > 1.0


def test_noise_begins_anew_with_every_episode() -> None:
    noisy = Noisy(Steady("steady"), 2.0)
    episodes = []
    for _ in range(2):
        noisy.begin(seen(), 5)
        first = noisy.act(seen())
        episodes.append(first.action[:5] - first.action[5])
    assert np.allclose(*episodes, rtol=0.0, atol=1e-12)


def test_noise_leaves_the_gripper_the_author_and_the_drivers_own_action_alone() -> None:
    driver = Steady("steady", Verdict.SAVE)
    noisy = Noisy(driver, 2.0)
    noisy.begin(seen(), 1)
    commands = [noisy.act(seen()) for _ in range(50)]
    assert [command.action[5] for command in commands] == [float(frame) for frame in range(50)]
    assert {command.by for command in commands} == {"steady"}
    assert {command.verdict for command in commands} == {Verdict.SAVE}
    assert all(np.ptp(action) == 0.0 for action in driver.sent)
    assert driver.begun == [(0.0, 1)]


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_noise_has_the_asked_scale_and_memory(memory: float) -> None:
    added = noise(6, scale=2.0, memory=memory, frames=6000)[100:, :5]
    assert added.std() == pytest.approx(2.0, rel=0.1)
    assert np.mean(added[1:] * added[:-1]) / np.mean(added**2) == pytest.approx(memory, abs=0.05)


def test_no_scale_is_no_noise() -> None:
    assert not noise(1, scale=0.0).any()


def test_a_noisy_expert_drives_another_way_and_repeats_it_bit_for_bit() -> None:
    def driven(make: Callable[[SimWorld], Noisy | Expert]) -> Vector:
        world = SimWorld(Scene())
        observation = world.reset(3, Placement(0.25, 0.05))
        driver = make(world)
        driver.begin(observation, 3)
        physics = []
        for _ in range(60):
            observation = world.step(driver.act(observation).action)
            physics.append(world.physics())
        return np.array(physics)

    plain = driven(Expert)
    once, again = (driven(lambda world: Noisy(Expert(world), 1.0)) for _ in range(2))
    assert np.array_equal(once, again)
    assert not np.array_equal(once, plain)


def test_worlds_in_lockstep_have_each_the_noise_of_their_own_seed() -> None:
    drivers = [Steady("a"), Steady("b")]
    noisy = NoisyWorlds(each(lambda number: drivers[number]), 2.0)
    noisy.begin([seen(), seen()], [3, 4])
    rounds = [noisy.act([seen(), seen() if frame < 50 else None]) for frame in range(100)]
    first = np.array([commands[0].action for commands in rounds if commands[0] is not None]) - np.array(drivers[0].sent)
    second = np.array([commands[1].action for commands in rounds[:50] if commands[1] is not None])
    assert np.allclose(first, noise(3, frames=100), atol=1e-12)
    assert np.allclose(second - np.array(drivers[1].sent), noise(4, frames=50), atol=1e-12)
    assert rounds[60][1] is None


def taken(wishes: list[bool | None]) -> tuple[list[str], Steady, Steady]:
    """Who drove each frame when asked for these wishes, one a frame; the policy, the person."""
    policy, person = Steady("policy"), Steady("person")
    asked = iter(wishes)
    takeover = Takeover(policy, person, lambda observation: next(asked))
    takeover.begin(seen(), 9)
    return [takeover.act(seen(float(frame))).by for frame in range(len(wishes))], policy, person


def test_a_momentary_wish_takes_over_until_it_is_handed_back() -> None:
    by, policy, person = taken([None, True, None, None, False, None])
    assert by == ["policy", "person", "person", "person", "policy", "policy"]
    assert (len(policy.sent), len(person.sent)) == (3, 3)


def test_whoever_takes_the_arm_begins_anew_where_it_stands() -> None:
    _, policy, person = taken([None, True, None, False, None, True])
    assert person.begun == [(1.0, 9), (5.0, 9)]
    assert policy.begun == [(0.0, 9), (3.0, 9)]


def test_a_grip_keeps_its_force_when_the_arm_changes_hands() -> None:
    class Begun(Steady):
        def begin(self, observation: Observation, seed: int) -> None:
            super().begin(observation, seed)
            self.state = observation.state

    policy, person = Begun("policy"), Begun("person")
    wishes = iter([None, None, None, True, None, False])
    takeover = Takeover(policy, person, lambda observation: next(wishes))
    measured = Observation(np.full(6, 40.0), 0.0, dict)
    takeover.begin(measured, 1)
    assert policy.state[5] == 40.0
    for _ in range(4):
        takeover.act(measured)
    assert list(person.state) == [40.0] * 5 + [2.0]  # the target in force, not where it holds the gripper open
    takeover.act(measured)
    takeover.act(measured)
    assert list(policy.state) == [40.0] * 5 + [1.0]


def test_a_wish_held_down_begins_only_once() -> None:
    by, policy, person = taken([True, True, True, False, False])
    assert by == ["person"] * 3 + ["policy"] * 2
    assert len(person.begun) == 1
    assert len(policy.begun) == 2


def test_a_new_episode_is_the_drivers_again() -> None:
    policy, person = Steady("policy"), Steady("person")
    wishes = iter([True, None, None])
    takeover = Takeover(policy, person, lambda observation: next(wishes))
    takeover.begin(seen(), 1)
    assert [takeover.act(seen()).by for _ in range(2)] == ["person", "person"]
    takeover.begin(seen(), 2)
    assert takeover.act(seen()).by == "policy"
    assert policy.begun[-1] == (0.0, 2)


def test_a_replay_sends_what_was_stored_then_stops_and_begins_again() -> None:
    actions = np.random.default_rng(2).normal(size=(3, 6)).astype(np.float32)
    replay = Replay(actions)
    for _ in range(2):
        replay.begin(seen(), 0)
        commands = [replay.act(seen()) for _ in range(4)]
        assert np.array_equal([command.action for command in commands[:3]], actions.astype(np.float64))
        assert [command.verdict for command in commands] == [None, None, None, Verdict.STOP]


def test_each_gives_every_world_its_own_driver_and_skips_those_that_are_over() -> None:
    made: list[Steady] = []

    def make(number: int) -> Steady:
        made.append(Steady(f"driver {number}"))
        return made[-1]

    operator = each(make)
    operator.begin([seen(), seen(), seen()], [7, 8, 9])
    commands = operator.act([seen(), None, seen()])
    assert [None if command is None else command.by for command in commands] == ["driver 0", None, "driver 2"]
    assert [driver.begun for driver in made] == [[(0.0, 7)], [(0.0, 8)], [(0.0, 9)]]
    operator.begin([seen()], [4])
    assert len(made) == 3
    assert len(operator.act([seen()])) == 1
