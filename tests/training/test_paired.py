"""Two checkpoints: the exact test errs at most as often as it says, and its interval holds the difference."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from training.paired import difference_interval, mcnemar, paired, pairs_needed


def chances(n: int, p: tuple[float, float]) -> dict[tuple[int, int], float]:
    """P(only A, only B) of n episodes whose cells have the chances p and the rest."""
    rest = 1 - sum(p)
    found = {}
    for b, c in product(range(n + 1), repeat=2):
        if b + c <= n:
            ways = math.factorial(n) // (math.factorial(b) * math.factorial(c) * math.factorial(n - b - c))
            found[b, c] = ways * p[0] ** b * p[1] ** c * rest ** (n - b - c)
    return found


def test_the_counts_and_rates_are_those_of_the_episodes() -> None:
    told = paired([(True, True)] * 30 + [(True, False)] * 12 + [(False, True)] * 2 + [(False, False)] * 6)
    assert (told.both, told.only_a, told.only_b, told.neither, told.n) == (30, 12, 2, 6, 50)
    assert (told.a.k, told.b.k) == (42, 32)
    assert told.difference == pytest.approx(0.2)
    assert told.low < 0.2 < told.high
    assert told.better == "A"
    assert paired([(b, a) for a, b in [(True, False)] * 12 + [(False, True)] * 2]).better == "B"


def test_known_values() -> None:
    assert mcnemar(12, 2) == pytest.approx(2 * (1 + 14 + 91) / 2**14)
    assert mcnemar(3, 3) == 1.0
    assert mcnemar(0, 0) == 1.0
    low, high = difference_interval(0, 0, 30)
    # Without a differing episode the score interval is z^2 / (n + z^2) on both sides.
    assert (-low, high) == pytest.approx([3.8414588 / (30 + 3.8414588)] * 2, abs=1e-6)
    assert difference_interval(10, 0, 10)[1] == 1.0
    assert difference_interval(0, 0, 0) == (-1.0, 1.0)
    with pytest.raises(ValueError):
        difference_interval(6, 5, 10)


def test_the_interval_mirrors_when_the_two_are_swapped() -> None:
    for b, c, n in ((7, 2, 40), (0, 5, 20), (11, 11, 60)):
        low, high = difference_interval(b, c, n)
        assert difference_interval(c, b, n) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("n", "p"), [(20, (0.1, 0.1)), (40, (0.3, 0.1)), (60, (0.05, 0.02)), (60, (0.25, 0.25))])
def test_errors_and_coverage_by_counting_every_result(n: int, p: tuple[float, float]) -> None:
    every = chances(n, p)
    held = sum(chance for (b, c), chance in every.items() if holds(b, c, n, p[0] - p[1]))
    assert held > 0.935
    if p[0] == p[1]:
        assert sum(chance for (b, c), chance in every.items() if mcnemar(b, c) < 0.05) <= 0.05


@pytest.mark.slow
def test_errors_and_coverage_over_many_truths() -> None:
    held = {}
    for n, b, c in product((20, 40, 60, 100), (0.02, 0.1, 0.2, 0.4), (0.02, 0.1, 0.2, 0.4)):
        every = chances(n, (b, c))
        held[n, b, c] = sum(chance for (i, j), chance in every.items() if holds(i, j, n, b - c))
        if b == c:
            assert sum(chance for (i, j), chance in every.items() if mcnemar(i, j) < 0.05) <= 0.05
    # The score interval is no exact one: it holds 95 % on average, and a little less at single truths.
    assert 0.945 < np.mean(list(held.values())) < 0.985
    assert min(held.values()) > 0.92, min(held, key=lambda truth: held[truth])


def holds(b: int, c: int, n: int, difference: float) -> bool:
    low, high = difference_interval(b, c, n)
    return low <= difference <= high


def test_the_episodes_that_are_asked_for_find_the_difference() -> None:
    needed = pairs_needed(0.15, 0.25)
    assert needed is not None
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(needed, (0.20, 0.05, 0.75), size=4000)
    power = np.mean([mcnemar(int(b), int(c)) < 0.05 for b, c, _ in drawn])
    assert 0.74 < power < 0.86
    assert pairs_needed(0.0, 0.3) is None
    assert paired([(True, True)] * 9 + [(True, False)]).more_needed is not None
    assert paired([(True, True)] * 10).more_needed is None
    assert paired([]).more_needed is None
