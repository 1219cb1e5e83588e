"""The scripted expert: it succeeds where reach says it can, each seed in its own way, below the step limit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from curation.frames import Outcome, Placement, Vector
from recorders.operators.expert import Expert
from recorders.world import reach
from recorders.world.kinematics import PAN_X
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld

LIMIT = 300
QUOTED = ((0.217, 0.225), (0.337, -0.015))
"""The two positions that everybody quotes [m]."""
BOX = (0.18, 0.40, -0.15, 0.28)
SEED = 2026
"""Not among the seeds that the planner was tuned on."""


@dataclass(frozen=True)
class Take:
    """One driven episode: what came of it, and the actions asked for and admitted, both (frames, 6)."""

    placement: Placement
    outcome: Outcome
    asked: Vector
    admitted: Vector

    @property
    def frames(self) -> int:
        return len(self.asked)

    def __str__(self) -> str:
        at = self.placement
        return f"({at.x:.4f}, {at.y:.4f}, {at.yaw_deg:.1f}) {self.outcome}"


def drive(world: SimWorld, placement: Placement, seed: int) -> Take:
    """One expert episode, until success or the time limit."""
    observation = world.reset(seed, placement)
    expert = Expert(world)
    expert.begin(observation, seed)
    asked, admitted = [], []
    for _ in range(LIMIT):
        command = expert.act(observation)
        if command.verdict is not None or world.judge.success_s is not None:
            break
        asked.append(command.action)
        admitted.append(world.admit(command.action))
        observation = world.step(command.action)
    outcome, _ = world.verdict()
    return Take(placement, outcome, np.array(asked), np.array(admitted))


def feasible(scene: Scene, rng: np.random.Generator, yaw: tuple[float, float] = (-180.0, 180.0)) -> Iterator[Placement]:
    """Endless placements in the box, those out of reach or at the bowl left out."""
    while True:
        x, y = float(rng.uniform(*BOX[:2])), float(rng.uniform(*BOX[2:]))
        placement = Placement(x, y, float(rng.uniform(*yaw)))
        if reach.reachable(placement) and reach.clear_of_bowl(scene, placement):
            yield placement


def succeed(world: SimWorld, placements: list[Placement], title: str) -> float:
    """Share of successes, printed with the failures."""
    takes = [drive(world, placement, seed) for seed, placement in enumerate(placements)]
    won = [take for take in takes if take.outcome is Outcome.SUCCESS]
    frames = np.mean([take.frames for take in won])
    print(f"\n{title}: {len(won)} of {len(takes)}, mean {frames:.1f} frames to success")
    for take in takes:
        if take.outcome is not Outcome.SUCCESS:
            print(f"  failed at {take}")
    return len(won) / len(takes)


@pytest.fixture(scope="module")
def world() -> SimWorld:
    return SimWorld(Scene())


PLACEMENTS = [
    Placement(*QUOTED[0], 0.0), Placement(*QUOTED[1], 0.0), Placement(0.25, 0.0, 30.0),
    Placement(0.20, 0.10, -70.0), Placement(0.30, 0.15, 45.0), Placement(0.26, -0.10, 100.0),
]  # fmt: skip


@pytest.mark.parametrize("placement", PLACEMENTS, ids=lambda at: f"{at.x}_{at.y}")
def test_expert_succeeds_without_meeting_the_step_limit(world: SimWorld, placement: Placement) -> None:
    take = drive(world, placement, seed=11)
    assert take.outcome is Outcome.SUCCESS
    assert world.verdict()[1]["clean"]
    assert np.abs(take.asked - take.admitted).max() < 1e-3


def test_another_seed_is_another_trajectory_and_the_same_seed_the_same(world: SimWorld) -> None:
    placement = Placement(*QUOTED[0], 20.0)
    first, again, other = (drive(world, placement, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.admitted, again.admitted)
    shared = min(first.frames, other.frames)
    assert np.abs(first.admitted[:shared] - other.admitted[:shared]).max() > 2.0


def test_expert_ends_the_take_where_there_is_no_grasp(world: SimWorld) -> None:
    take = drive(world, Placement(0.60, 0.0), seed=0)
    assert take.frames == 0
    assert take.outcome is Outcome.NEVER_REACHED


def test_expert_begins_where_the_arm_stands(world: SimWorld) -> None:
    observation = world.reset(0, PLACEMENTS[0])
    expert = Expert(world)
    expert.begin(observation, 0)
    assert np.abs(expert.act(observation).action - observation.state).max() < 1.0


@pytest.mark.slow
def test_expert_succeeds_at_98_percent_of_feasible_placements() -> None:
    scene = Scene()
    placements = feasible(scene, np.random.default_rng(SEED))
    chosen = [next(placements) for _ in range(300)]
    assert succeed(SimWorld(scene), chosen, f"cube, free yaw, seed {SEED}") >= 0.98


@pytest.mark.slow
@pytest.mark.parametrize(("x", "y"), QUOTED)
def test_expert_succeeds_at_every_yaw_of_the_quoted_positions(x: float, y: float) -> None:
    placements = [Placement(x, y, 15.0 * turn - 180.0) for turn in range(24)]
    assert succeed(SimWorld(Scene()), placements, f"cube at ({x}, {y})") == 1.0


@pytest.mark.slow
def test_expert_succeeds_at_95_percent_with_a_duplo_near_radial() -> None:
    scene = Scene(block="duplo")
    rng = np.random.default_rng(SEED)
    chosen = []
    for placement in feasible(scene, rng, yaw=(-30.0, 30.0)):
        radial = math.degrees(math.atan2(placement.y, placement.x - PAN_X))
        chosen.append(Placement(placement.x, placement.y, radial + placement.yaw_deg))
        if len(chosen) == 100:
            break
    assert succeed(SimWorld(scene), chosen, f"Duplo within 30 degrees of radial, seed {SEED}") >= 0.95


@pytest.mark.slow
def test_expert_works_through_servos_like_hardware() -> None:
    scene = Scene(servo="hardware")
    placements = feasible(scene, np.random.default_rng(SEED))
    chosen = [next(placements) for _ in range(300)]
    # Planned for exact servos and followed open loop: reported, and held to most rather than to nearly all.
    assert succeed(SimWorld(scene), chosen, f"cube, servo hardware, seed {SEED}") >= 0.5
