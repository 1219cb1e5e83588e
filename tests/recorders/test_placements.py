"""Where blocks are put: every draw from its own seed, every refusal with a way out."""

from __future__ import annotations

import numpy as np
import pytest

from curation.errors import UsageError
from curation.frames import Placement
from curation.targets import Target
from recorders.placements import Placing, attempt_seed, require_recordable, start
from recorders.world import reach
from recorders.world.scene import Scene

SCENE = Scene()
BOX = (0.20, 0.30, 0.05, 0.20)


def test_every_draw_is_its_own() -> None:
    placing = Placing(box=BOX)
    all_at_once = [start(placing, SCENE, 7, index) for index in range(12)]
    assert [start(placing, SCENE, 7, index) for index in reversed(range(12))] == all_at_once[::-1]
    assert start(placing, SCENE, 7, 11) == all_at_once[11]  # without its neighbours
    assert len({(s.seed, s.placement) for s in all_at_once}) == 12
    assert all(s.seed == attempt_seed(7, index) for index, s in enumerate(all_at_once))
    assert not {s.seed for s in all_at_once} & {start(placing, SCENE, 8, index).seed for index in range(12)}


def test_a_position_without_jitter_is_exact() -> None:
    for index in range(3):
        placement = start(Placing(at=(0.217, 0.225), yaw=30), SCENE, 0, index).placement
        assert (placement.x, placement.y, placement.yaw_deg) == (0.217, 0.225, 30.0)


def test_jitter_stays_within_itself_and_yaw_is_free() -> None:
    drawn = [start(Placing(at=(0.30, 0.05), jitter=0.02), SCENE, 1, index).placement for index in range(200)]
    x, y = np.array([p.x for p in drawn]) - 0.30, np.array([p.y for p in drawn]) - 0.05
    for axis in (x, y):
        assert np.abs(axis).max() <= 0.02
        assert axis.min() < -0.017
        assert axis.max() > 0.017
        assert abs(axis.mean()) < 0.004
    yaw = np.array([p.yaw_deg for p in drawn])
    assert yaw.min() < -150
    assert yaw.max() > 150


def test_jitter_that_cannot_be_recorded_is_drawn_again() -> None:
    rows = [round(0.2 + 0.001 * step, 3) for step in range(250)]
    edge = next((0.2, y) for y in rows if reach.problems(SCENE, Placement(0.2, round(y + 0.002, 3))))
    drawn = [start(Placing(at=edge, jitter=0.03), SCENE, 0, index).placement for index in range(60)]
    assert not any(reach.problems(SCENE, placement) for placement in drawn)
    assert max(p.y for p in drawn) <= edge[1] + 0.003
    assert min(p.y for p in drawn) < edge[1] - 0.02


def test_a_box_is_filled() -> None:
    drawn = [start(Placing(box=BOX), SCENE, 2, index).placement for index in range(200)]
    for value, low, high in (([p.x for p in drawn], *BOX[:2]), ([p.y for p in drawn], *BOX[2:])):
        assert low <= min(value) < low + 0.1 * (high - low)
        assert high - 0.1 * (high - low) < max(value) <= high


def test_a_grid_goes_along_x_first_and_begins_again() -> None:
    placing = Placing(box=BOX, grid=(3, 2), yaw=0)
    found = [start(placing, SCENE, 0, index).placement for index in range(7)]
    assert [(p.x, p.y) for p in found] == [
        (0.2, 0.05), (0.25, 0.05), (0.3, 0.05), (0.2, 0.2), (0.25, 0.2), (0.3, 0.2), (0.2, 0.05),
    ]  # fmt: skip
    one = Placing(box=BOX, grid=(1, 1))
    assert one.nominal(0) == (pytest.approx(0.25), pytest.approx(0.125), None)


def test_targets_come_in_order_with_their_own_heading() -> None:
    targets = (Target("a", 0.25, 0.1, 45.0), Target("b", 0.3, 0.05, note="near"), Target("c", 0.2, 0.2))
    placing = Placing(targets=targets, yaw=10)
    found = [start(placing, SCENE, 0, index).placement for index in range(4)]
    assert [(p.x, p.y, p.yaw_deg) for p in found] == [(0.25, 0.1, 45), (0.3, 0.05, 10), (0.2, 0.2, 10), (0.25, 0.1, 45)]
    chosen = start(placing, SCENE, 0, 0, targets[2]).placement
    assert (chosen.x, chosen.y) == (0.2, 0.2)


@pytest.mark.parametrize(
    ("placing", "why"),
    [
        (Placing(at=(0.6, 0.0)), "out of the arm's reach"),
        (Placing(at=(0.217, -0.225)), "too close to the bowl"),
        (Placing(box=(0.2, 0.6, 0.05, 0.2), grid=(3, 1)), "out of the arm's reach"),
        (Placing(targets=(Target("a", 0.25, 0.1), Target("b", 0.05, 0.0))), "out of the arm's reach"),
    ],
)
def test_what_cannot_be_recorded_names_the_nearest_that_can(placing: Placing, why: str) -> None:
    with pytest.raises(UsageError, match=why) as refused:
        require_recordable(placing, SCENE, 0)
    words = str(refused.value).split("--at ")[1].rstrip(".").split()
    there = start(Placing(at=(float(words[0]), float(words[1]))), SCENE, 0, 0)  # taking the advice works
    assert not reach.problems(SCENE, there.placement)


def test_a_box_out_of_reach() -> None:
    with pytest.raises(UsageError, match="No recordable position"):
        start(Placing(box=(0.8, 0.9, 0.0, 0.1)), SCENE, 0, 0)


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({}, "exactly one way: .*got none"),
        ({"at": (0.2, 0.2), "box": BOX}, "got --at and --box"),
        ({"at": (0.2, 0.2), "grid": (2, 2)}, "--grid needs the --box"),
        ({"box": BOX, "grid": (0, 2)}, "at least 1 1"),
        ({"at": (0.2, 0.2), "jitter": -0.1}, "outside 0 to 1 metres"),
        ({"box": (0.3, 0.2, 0.0, 0.1)}, "X-low X-high"),
    ],
)
def test_contradictions(asked: dict, word: str) -> None:
    with pytest.raises(UsageError, match=word):
        Placing(**asked)
