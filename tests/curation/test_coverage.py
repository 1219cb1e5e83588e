"""Distances and patterns, against what can be seen by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from curation.coverage import gaps, grid, nearest, ring, scatter, too_close
from curation.errors import UsageError
from curation.targets import Target

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
