"""Duplicates: copies planted among other motions are found, with their shift, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.duplicates import LEAST_SHARE, Track, copies, groups


def motion(seed: int, frames: int = 120) -> NDArray[np.float64]:
    """A smooth walk of six joints through some tens of degrees."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.normal(size=(frames, 6)), axis=0)
    return np.cumsum(steps, axis=0) * 0.2


def tracks(*actions: NDArray[np.float64]) -> list[Track]:
    return [Track(str(i), values) for i, values in enumerate(actions)]


def test_nothing_is_a_copy_of_other_motions() -> None:
    assert copies(tracks(*(motion(seed) for seed in range(20)))) == []
    assert copies([]) == []
    assert copies(tracks(motion(0))) == []


def test_copies_are_found_with_their_shift_and_noise() -> None:
    base, rng = motion(1), np.random.default_rng(9)
    noisy = base + rng.uniform(-0.04, 0.04, base.shape)
    late = np.concatenate([motion(2)[:7] * 0 + base[0], base])[: len(base)]
    cut = base[15:110]
    found = copies(tracks(motion(3), base, noisy, late, cut, motion(4)))
    by_pair = {(copy.a, copy.b): copy for copy in found}
    assert set(by_pair) == {(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)}
    assert (by_pair[1, 2].shift, by_pair[1, 2].frames) == (0, 120)
    assert 0.0 < by_pair[1, 2].largest <= 0.04
    assert (by_pair[1, 3].shift, by_pair[1, 3].frames) == (7, 113)
    assert (by_pair[1, 4].shift, by_pair[1, 4].frames) == (-15, 95)
    assert groups(6, found) == [[1, 2, 3, 4]]


@pytest.mark.parametrize("difference", [0.09, 0.11])
def test_the_tolerance_is_the_largest_difference_of_one_joint(difference: float) -> None:
    base = motion(5)
    other = base.copy()
    other[60, 2] += difference
    assert bool(copies(tracks(base, other), tolerance=0.1)) is (difference < 0.1)


@pytest.mark.parametrize("shared", [79, 81])
def test_less_than_most_of_it_is_no_copy(shared: int) -> None:
    whole = motion(6, 200)
    found = copies(tracks(whole[:100], whole[100 - shared : 200 - shared]))
    assert bool(found) is (shared >= 100 * LEAST_SHARE)


def test_two_that_part_on_the_way_are_two() -> None:
    base = motion(6, 100)
    other = np.concatenate([base[:95], motion(7, 100)[:5] + 50.0])
    assert copies(tracks(base, other)) == []


def test_two_drives_a_millimetre_apart_are_two() -> None:
    """At 30 cm from the axis a millimetre is 0.19 deg of pan."""
    base = motion(8)
    beside = base + np.array([0.19, 0, 0, 0, 0, 0])
    assert copies(tracks(base, beside)) == []


def test_robots_of_other_joints_and_still_ones() -> None:
    seven = np.concatenate([motion(1), motion(1)[:, :1]], axis=1)
    still = np.zeros((50, 6))
    found = copies(tracks(motion(1), seven, still, still[:45]))
    assert [(copy.a, copy.b) for copy in found] == [(2, 3)]


def test_every_shift_is_found() -> None:
    base = motion(10, 100)
    for shift in range(-19, 20, 6):
        other = base[max(0, shift) : 100 + min(0, shift)]
        found = copies(tracks(base, other))
        assert [(copy.a, copy.b, copy.frames) for copy in found] == [(0, 1, 100 - abs(shift))]
        assert found[0].shift == (-shift if shift > 0 else 0)


def test_copies_are_found_though_each_lost_the_liveliest_moment_of_the_other() -> None:
    base = motion(11, 100)
    base[:4] += np.array([[60.0], [0.0], [60.0], [0.0]])
    base[-4:] += np.array([[0.0], [60.0], [0.0], [60.0]])
    found = copies(tracks(base[:94], base[6:]))
    assert [(copy.a, copy.b, copy.shift, copy.frames) for copy in found] == [(0, 1, -6, 88)]
