"""Distances and patterns, against what can be seen by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from curation.coverage import CELL, cover, farthest, gaps, grid, nearest, ring, scatter, too_close
from curation.coverage_picture import COVERED, FAILED, HEAD, NEXT, picture
from curation.coverage_text import text_map
from curation.errors import UsageError
from curation.targets import Target
from curation.trials import Trials
from tests.curation.placed import TABLE

BOX = (0.2, 0.4, -0.1, 0.1)


def test_nearest_is_brute_force() -> None:
    rng = np.random.default_rng(0)
    points, data = rng.uniform(size=(1500, 2)), rng.uniform(size=(40, 2))
    distance, index = nearest(points, data)
    for point, metres, which in zip(points[::97], distance[::97], index[::97], strict=True):
        by_hand = [float(np.hypot(*(point - other))) for other in data]
        assert metres == pytest.approx(min(by_hand))
        assert which == int(np.argmin(by_hand))


def test_without_data_everything_is_infinitely_far() -> None:
    distance, index = nearest(np.zeros((3, 2)), np.zeros((0, 2)))
    assert np.isinf(distance).all()
    assert (index == -1).all()
    assert too_close([Target("a", 0.0, 0.0)], np.zeros((0, 2))) == []


def test_too_close_names_what_is_near() -> None:
    targets = [Target("a", 0.30, 0.0), Target("b", 0.20, 0.0), Target("c", 0.37, 0.0)]
    found = too_close(targets, np.array([[0.25, 0.0], [0.42, 0.0]]), radius=0.05 + 1e-9)
    assert [(close.target.id, close.x) for close in found] == [("a", 0.25), ("b", 0.25), ("c", 0.42)]
    assert [close.target.id for close in too_close(targets, np.array([[0.25, 0.0]]), 0.0499)] == []


def test_patterns() -> None:
    assert grid(BOX, 2, 3) == [(0.2, -0.1), (0.4, -0.1), (0.2, 0.0), (0.4, 0.0), (0.2, 0.1), (0.4, 0.1)]
    assert grid(BOX, 1, 1) == [(0.3, 0.0)]
    around = ring((0.3, 0.0), 0.05, 4)
    assert around == [(0.35, 0.0), (0.3, 0.05), (0.25, 0.0), (0.3, -0.05)]
    drawn = scatter(BOX, 50, seed=4)
    assert drawn == scatter(BOX, 50, seed=4)
    assert drawn != scatter(BOX, 50, seed=5)
    assert all(BOX[0] <= x <= BOX[1] and BOX[2] <= y <= BOX[3] for x, y in drawn)


def test_gaps_are_far_from_data_and_each_other_and_allowed() -> None:
    data = np.array([[0.25, 0.0], [0.38, 0.05]])
    found = np.array(gaps(lambda x, y: x + y < 0.42, BOX, data, 20, radius=0.06))
    assert 3 <= len(found) < 20
    assert nearest(found, data)[0].min() >= 0.06
    between = np.linalg.norm(found[:, None] - found[None], axis=2) + np.eye(len(found))
    assert between.min() >= 0.06 - 1e-9
    assert (found.sum(axis=1) < 0.42).all()
    assert gaps(lambda x, y: False, BOX, data, 3) == []
    assert len(gaps(lambda x, y: True, BOX, np.zeros((0, 2)), 3)) == 3


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (grid, ((0.4, 0.2, 0.0, 0.1), 2, 2)),
        (scatter, ((float("nan"), 0.2, 0.0, 0.1), 2, 0)),
        (too_close, ([], np.zeros((1, 2)), float("nan"))),
        (too_close, ([], np.zeros((1, 2)), -1.0)),
        (gaps, (lambda x, y: True, (0.4, 0.2, 0.0, 0.1), np.zeros((0, 2)), 3)),
        (grid, (BOX, 0, 1)),
        (ring, ((0, 0), 0.0, 3)),
        (scatter, (BOX, 0, 0)),
        (scatter, (BOX, 1, -1)),
    ],
)
def test_senseless_patterns(pattern: Callable[..., object], words: tuple[object, ...]) -> None:
    with pytest.raises(UsageError):
        pattern(*words)


@pytest.mark.parametrize(("n", "radius"), [(0, 0.07), (3, 0.0), (3, -1.0)])
def test_senseless_gaps(n: int, radius: float) -> None:
    with pytest.raises(UsageError, match="Gaps need"):
        gaps(lambda x, y: True, BOX, np.zeros((0, 2)), n, radius)


def test_the_covered_share_is_that_of_random_points() -> None:
    data = np.array([[0.25, 0.1], [0.3, 0.0], [0.3, 0.005]])
    found = cover(TABLE, data, 0.06)
    rng = np.random.default_rng(0)
    x_low, x_high, y_low, y_high = TABLE.box
    points = rng.uniform([x_low, y_low], [x_high, y_high], (40000, 2))
    points = points[TABLE.allowed(points)]
    assert found.share == pytest.approx(float((nearest(points, data)[0] <= 0.06).mean()), abs=0.005)
    assert found.area == pytest.approx((x_high - x_low) * (y_high - y_low) * len(points) / 40000, rel=0.02)
    assert found.spacing == pytest.approx((0.005, float(np.hypot(0.05, 0.095))))
    assert found.gap is not None
    assert found.gap[2] == pytest.approx(float(nearest(points, data)[0].max()), abs=0.006)
    assert (found.episodes, found.outside) == (3, 0)


def test_every_episode_is_in_one_cell() -> None:
    rng = np.random.default_rng(1)
    data = rng.uniform([-0.1, -0.4], [0.6, 0.4], (500, 2))
    found = cover(TABLE, data)
    assert sum(cell.episodes for cell in found.cells) == 500
    assert sum(cell.recordable for cell in found.cells) * CELL**2 == pytest.approx(found.area, rel=0.01)
    assert len({(cell.x, cell.y) for cell in found.cells}) == len(found.cells)
    for cell in found.cells[::7]:
        inside = np.abs(data - (cell.x, cell.y)).max(axis=1) < CELL / 2
        assert cell.episodes == inside.sum()
    assert found.outside == (~TABLE.allowed(data)).sum() > 100


def test_without_data_nothing_is_covered() -> None:
    found = cover(TABLE, np.zeros((0, 2)))
    assert (found.episodes, found.share, found.spacing, found.gap) == (0, 0.0, None, None)
    assert cover(TABLE, np.array([[0.3, 0.0]])).spacing is None
    box = TABLE.lattice[TABLE.lattice[:, 0] > 0.3]
    assert 0 < cover(TABLE, np.zeros((0, 2)), lattice=box).area < found.area


def test_the_farthest_of_a_table_can_be_recorded() -> None:
    data = np.array([[0.217, 0.225], [0.337, -0.015]])
    found = np.array(farthest(TABLE.lattice, data, 10, 0.07))
    assert len(found) == 10
    assert TABLE.allowed(found).all()
    distance = nearest(found, data)[0]
    assert distance.min() >= 0.07
    # The first is the largest gap there is.
    gap = cover(TABLE, data).gap
    assert gap is not None
    assert tuple(found[0]) == pytest.approx(gap[:2])


def test_the_text_map_stands_as_the_camera_sees_it() -> None:
    data = np.array([[0.25, 0.15]] * 3 + [[0.35, -0.05]] * 12)
    lines = text_map(TABLE, data, [(0.15, -0.15), (0.30, 0.20)], 0.05).splitlines()
    rows = [line for line in lines if re.match(r" +-?\d\.\d\d \|", line)]
    where = {mark: next((i, row.index(mark, 8)) for i, row in enumerate(rows) if mark in row[8:]) for mark in "3#ABo"}
    # Up is +x, left is +y.
    assert where["#"][0] < where["B"][0] < where["3"][0] < where["A"][0]
    assert where["B"][1] < where["3"][1] < where["#"][1] < where["A"][1] < where["o"][1]
    assert [float(row[:6]) for row in rows] == sorted((float(row[:6]) for row in rows), reverse=True)
    assert "A-B proposed" in lines[-1]
    assert all(len(line) < 110 for line in lines)
    assert "1-9" in text_map(TABLE, np.zeros((0, 2)))
    assert len(text_map(TABLE, np.array([[50.0, 3.0], [0.3, 0.0]])).splitlines()) < 80


def test_the_picture_shows_what_is_where() -> None:
    data = np.array([[0.217, 0.225]])
    trials = Trials(np.array([[0.35, 0.0]]), np.array([False]))
    drawn = picture(TABLE, data, proposals=[(0.337, -0.15)], trials=trials, radius=0.05, title="set", width=600)
    pixels = np.asarray(drawn).astype(int)

    def middle(colour: tuple[int, int, int], near: int = 60) -> tuple[float, float]:
        rows, columns = np.nonzero(np.abs(pixels[HEAD:] - colour).sum(axis=2) < near)
        return float(rows.min() + rows.max()) / 2, float(columns.min() + columns.max()) / 2

    covered, failed, proposed = middle(COVERED, 12), middle(FAILED), middle(NEXT)
    scale = (failed[1] - covered[1]) / 0.225
    assert failed[0] == pytest.approx(covered[0] - (0.35 - 0.217) * scale, abs=3)
    assert proposed[0] == pytest.approx(covered[0] - (0.337 - 0.217) * scale, abs=3)
    assert proposed[1] == pytest.approx(covered[1] + (0.225 + 0.15) * scale, abs=3)
    in_bowl = pixels[HEAD + round(covered[0]) - 5, round(covered[1] + 0.45 * scale) + 8]
    assert in_bowl[2] > in_bowl[0] + 8
    area = (np.abs(pixels[HEAD:] - COVERED).sum(axis=2) < 12).sum() / scale**2
    assert area == pytest.approx(np.pi * 0.05**2, rel=0.12)
