"""Two recipes: with the training as the unit, recipes that are equal are seldom told apart, however seeds differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.bootstrap import group_rate
from training.compare import compare_recipes
from training.paired import paired

Truth = tuple[float, float, float, float]
"""Log odds of success; standard deviations between trainings, between placements, and of a recipe at a placement."""

TRUTHS: list[Truth] = [
    (0, 0, 0, 0),
    (0, 0.8, 1.5, 0),
    (2, 0.8, 1.5, 0),
    (0, 0.5, 1.5, 1.5),
    (3, 1, 2, 1),
    (0, 1.5, 0, 0),
]


def pair(truth: Truth, many: tuple[int, int], episodes: int, rng: np.random.Generator, gain: float = 0.0):
    base, between, placements, own = truth
    places = rng.normal(size=episodes) * placements
    made = []
    for number, count in enumerate(many):
        odds = base + gain * (number == 0) + places + own * rng.normal(size=episodes)
        odds = odds + between * rng.normal(size=(count, 1))
        made.append(rng.random((count, episodes)) < 1 / (1 + np.exp(-odds)))
    return made


def share_told(truth: Truth, many: tuple[int, int], episodes: int, times: int, seed: int, gain: float = 0.0) -> float:
    rng = np.random.default_rng(seed)
    return float(np.mean([compare_recipes(*pair(truth, many, episodes, rng, gain)).better is not None
                          for _ in range(times)]))  # fmt: skip


def test_equal_recipes_are_seldom_told_apart() -> None:
    assert share_told((0, 0.8, 1.5, 0.5), (3, 3), 40, 800, seed=1) <= 0.065


def test_counting_episodes_as_if_they_were_trainings_would_fool() -> None:
    """The reason for all of this: pooled episodes of equal recipes differ "significantly" far too often."""
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(300):
        a, b = pair((0, 0.8, 1.5, 0), (1, 1), 100, rng)
        wrong += paired(zip(a[0], b[0])).better is not None
    assert wrong / 300 > 0.25


@pytest.mark.slow
@pytest.mark.parametrize("truth", TRUTHS)
@pytest.mark.parametrize("many", [(3, 3), (4, 4), (5, 5), (3, 8)])
def test_equal_recipes_are_seldom_told_apart_whatever_the_truth(truth: Truth, many: tuple[int, int]) -> None:
    for episodes in (20, 60):
        assert share_told(truth, many, episodes, 4000, seed=3) <= 0.05 + 2.5 * math.sqrt(0.05 * 0.95 / 4000)


@pytest.mark.slow
def test_trainings_that_work_or_fail_outright_beside_even_ones_are_the_known_limit() -> None:
    rng, wrong = np.random.default_rng(11), 0
    for _ in range(2000):
        a, b = pair((0, 4.0, 0, 0), (3, 3), 60, rng)[0], pair((0, 0.3, 0, 0), (3, 3), 60, rng)[1]
        wrong += compare_recipes(a, b).better is not None
    assert 0.1 < wrong / 2000 < 0.2


def test_a_large_difference_is_found_with_three_trainings() -> None:
    assert share_told((0, 0.4, 1.0, 0), (3, 3), 60, 200, seed=4, gain=3.0) > 0.8


def test_perfect_trainings_are_no_proof() -> None:
    perfect = np.ones((3, 20), bool)
    nearly = perfect.copy()
    nearly[:, 7] = False
    told = compare_recipes(perfect, nearly)
    assert told.better is None
    assert told.interval[0] < 0 < told.interval[1]
    none = compare_recipes(perfect, ~perfect)
    assert none.better == "A"
    assert compare_recipes(perfect, perfect).trainings_needed is None
    needed = told.trainings_needed
    assert needed is None or needed > 3


def test_the_interval_and_the_test_agree() -> None:
    rng = np.random.default_rng(5)
    for gain in (0.0, 1.0, 2.0, 4.0):
        for _ in range(20):
            told = compare_recipes(*pair((0, 0.5, 1, 0.5), (3, 4), 30, rng, gain))
            low, high = told.interval
            assert (told.better is None) == (low <= 0 <= high)


def test_as_many_trainings_as_asked_for_find_it() -> None:
    rng = np.random.default_rng(6)
    seen = compare_recipes(*pair((0, 0.8, 1, 0), (60, 60), 60, rng, 1.0))
    assert seen.trainings_needed is not None
    many = seen.trainings_needed
    assert 0.65 < share_told((0, 0.8, 1, 0), (many, many), 60, 300, seed=7, gain=1.0) < 0.95


def test_too_few_or_other_episodes_are_refused() -> None:
    with pytest.raises(ValueError, match="3 trainings"):
        compare_recipes(np.ones((2, 9), bool), np.ones((3, 9), bool))
    with pytest.raises(ValueError):
        compare_recipes(np.ones((3, 9), bool), np.ones((3, 8), bool))


def coverage(many: int, between: float, times: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=200_000) * between
    truth = float(np.mean(1 / (1 + np.exp(-odds))))
    held = 0
    for time in range(times):
        rates = 1 / (1 + np.exp(-between * rng.normal(size=many)))
        told = group_rate([rng.random(30) < rate for rate in rates], seed=time, draws=1000)
        held += told.low <= truth <= told.high
    return held / times


def test_the_interval_of_a_recipe_holds() -> None:
    assert coverage(3, 0.8, 200, seed=8) > 0.92


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 3, 4, 5, 10])
@pytest.mark.parametrize("between", [0.0, 0.8, 2.0])
def test_the_interval_of_a_recipe_holds_whatever_lies_between_trainings(many: int, between: float) -> None:
    assert coverage(many, between, 1500, seed=9) > 0.95 - 0.02


def coverage_of_all_or_nothing(many: int, works: float, rates: tuple[float, float], times: int, seed: int) -> float:
    """How often the interval holds the mean where trainings work with a chance and else fail outright."""
    rng = np.random.default_rng(seed)
    truth, held = works * rates[0] + (1 - works) * rates[1], 0
    for time in range(times):
        own = np.where(rng.random(many) < works, *rates)
        told = group_rate([rng.random(40) < rate for rate in own], seed=time, draws=500)
        held += told.low <= truth <= told.high
    return held / times


@pytest.mark.parametrize("works", [0.35, 0.7, 0.8])
def test_the_interval_of_a_recipe_holds_where_trainings_fail_outright(works: float) -> None:
    assert coverage_of_all_or_nothing(3, works, (1.0, 0.0), 150, seed=12) >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("many", [2, 3, 4, 5, 8])
@pytest.mark.parametrize("rates", [(0.6, 0.0), (0.9, 0.0), (1.0, 0.0), (1.0, 0.1)])
def test_the_interval_holds_wherever_trainings_fail_outright(many: int, rates: tuple[float, float]) -> None:
    for works in np.arange(0.05, 1.0, 0.1):
        held = coverage_of_all_or_nothing(many, float(works), rates, 1000, seed=13)
        assert held >= 0.90 - 2.5 * math.sqrt(0.9 * 0.1 / 1000), works


def test_the_rate_of_a_recipe_in_words() -> None:
    several = group_rate([np.array([1, 1, 0, 1], bool), np.array([1, 0, 0, 1], bool)])
    assert several.mean == pytest.approx(0.625)
    assert "2 trainings: 75, 50 % of 4 episodes" in several.words
    alone = group_rate([np.ones(20, bool)])
    assert "says nothing about the recipe" in alone.words
    assert (round(alone.low, 2), alone.high) == (0.84, 1.0)
    perfect = group_rate([np.ones(20, bool)] * 3)
    assert (round(perfect.low, 2), perfect.high) == (0.44, 1.0), "one of three further ones may still fail outright"
    with pytest.raises(ValueError):
        group_rate([])
