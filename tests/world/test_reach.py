"""Where a block may be placed, and what is said where it may not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from curation.errors import UsageError
from curation.frames import Placement
from recorders.world import props, reach
from recorders.world.scene import OVERHEAD_AT, Scene, compile_scene


def test_reach_excludes_at_most_5_percent_of_the_box() -> None:
    grid = [Placement(x, y) for x in np.linspace(0.18, 0.40, 45) for y in np.linspace(-0.15, 0.28, 87)]
    outside = [placement for placement in grid if not reach.reachable(placement)]
    assert 0 < len(outside) <= 0.05 * len(grid)
    # What is excluded is the far end, not a hole.
    assert min(math.hypot(at.x, at.y) for at in outside) > 0.42


@pytest.mark.parametrize("at", [(0.217, 0.225), (0.337, -0.015)])
def test_the_quoted_positions_are_valid_in_every_scene(at: tuple[float, float]) -> None:
    for scene in (Scene(), Scene(block="duplo"), Scene(bowl="tray"), Scene(bowl="free"), Scene(camera="thesis")):
        assert reach.problems(scene, Placement(*at)) == []


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((0.50, 0.0), ["reach"]),
        ((0.05, 0.0), ["reach"]),
        ((0.217, -0.225), ["bowl"]),
        ((0.217, -0.140), ["bowl"]),
        ((0.15, 0.32), ["view"]),
        ((0.80, 0.0), ["reach", "view"]),
    ],
)
def test_problems_name_reach_bowl_and_view(at: tuple[float, float], words: list[str]) -> None:
    found = reach.problems(Scene(), Placement(*at))
    assert len(found) == len(words)
    assert all(word in problem for word, problem in zip(words, found, strict=True))


def test_the_wider_tray_keeps_more_table_than_the_bowl_at_its_corner() -> None:
    corner = Placement(props.BOWL_CENTRE[0] + 0.065, props.BOWL_CENTRE[1] + 0.065)
    assert reach.clear_of_bowl(Scene(), Placement(corner.x + 0.01, corner.y + 0.01))
    assert not reach.clear_of_bowl(Scene(bowl="tray"), corner)


@pytest.mark.parametrize("at", [(0.48, 0.0), (0.217, -0.225), (0.40, 0.28), (0.10, 0.31), (0.05, 0.0)])
def test_nearest_valid_is_valid_and_no_valid_point_of_its_lattice_is_nearer(at: tuple[float, float]) -> None:
    asked = Placement(*at, 33.0)
    near = reach.nearest_valid(Scene(), asked)
    assert near is not None
    assert near.yaw_deg == 33.0
    assert reach.problems(Scene(), near) == []
    distance = math.hypot(near.x - at[0], near.y - at[1])
    assert distance > 0.0
    offsets = np.arange(-60, 61) * 0.005
    for dx in offsets:
        for dy in offsets:
            if math.hypot(dx, dy) < distance - 1e-6:
                assert reach.problems(Scene(), Placement(at[0] + dx, at[1] + dy)) != []


def test_a_valid_placement_is_its_own_nearest() -> None:
    placement = Placement(0.25, 0.05, 12.0)
    assert reach.nearest_valid(Scene(), placement) == placement


def test_nothing_is_near_a_placement_a_metre_away() -> None:
    assert reach.nearest_valid(Scene(), Placement(1.5, 0.0)) is None


def test_distractors_stand_apart_from_the_block_each_other_and_the_bowl() -> None:
    scene = Scene(distractors=4)
    rng = np.random.default_rng(3)
    moved = 0
    for seed in range(100):
        placement = Placement(float(rng.uniform(0.18, 0.40)), float(rng.uniform(-0.10, 0.28)))
        places = reach.distractor_places(scene, placement, seed)
        assert places == reach.distractor_places(scene, placement, seed)
        moved += places != list(props.DISTRACTOR_SPOTS)
        points = [(placement.x, placement.y), *places]
        gaps = [math.dist(a, b) for i, a in enumerate(points) for b in points[:i]]
        assert min(gaps) >= 0.045
        assert all(reach.clear_of_bowl(scene, Placement(x, y)) for x, y in places)
    assert moved > 10


def test_added_distractors_keep_out_of_what_they_are_told_and_leave_those_that_stand() -> None:
    scene, placement = Scene(distractors=3), Placement(0.25, 0.05)
    path = [(0.25 + 0.001 * step, 0.05 + 0.002 * step) for step in range(60)]
    places = reach.distractor_places(scene, placement, 5, keep_out=path, standing=1)
    assert len(places) == 2
    apart = math.hypot(*scene.block_half[:2]) + reach.DISTRACTOR_GAP
    assert min(math.dist(place, point) for place in places for point in path) >= apart
    assert reach.distractor_places(scene, placement, 5, standing=3) == []


def test_a_full_table_is_refused() -> None:
    everywhere = [(x, y) for x in np.arange(0.1, 0.5, 0.03) for y in np.arange(-0.2, 0.4, 0.03)]
    with pytest.raises(UsageError, match="no free room"):
        reach.distractor_places(Scene(distractors=1), Placement(0.3, 0.0), 0, keep_out=everywhere)


def test_the_camera_sees_what_view_says() -> None:
    model = compile_scene(Scene())
    assert model.camera("overhead_cam").pos == pytest.approx(OVERHEAD_AT)
