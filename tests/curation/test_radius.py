"""The radius: found where the truth is known, with an interval that holds it, and refused where a table cannot say."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from curation.coverage import RADIUS
from curation.errors import UsageError
from curation.radius import DIRECTIONS, crossings, estimate, radius, sectors, tail_of
from curation.table import Points
from curation.trials import Trials

DATA = np.array([[0.217, 0.225], [0.337, -0.015]])
Law = Callable[[Points], Points]
"""Chance of success by distance [m]."""


def level(top: float, floor: float, middle: float, width: float) -> Law:
    return lambda d: floor + (top - floor) / (1 + np.exp((d - middle) / width))


LAWS: dict[str, Law] = {
    "smooth": level(0.95, 0.0, 0.07, 0.012),
    "wide": level(1.0, 0.0, 0.07, 0.03),
    "with failures near and luck far": level(0.8, 0.05, 0.07, 0.008),
    "an edge": lambda d: np.where(d < 0.07, 0.9, 0.05),
    "not logistic": lambda d: 0.95 * np.exp(-1.3 * (d / 0.1) ** 2),
}


def truth(law: Law) -> float:
    fine = np.linspace(0, 0.3, 300001)
    return float(fine[(law(fine) < 0.5).argmax()])


def table(law: Law, count: int, seed: int, stretch: tuple[float, float] = (1.0, 1.0)) -> Trials:
    """Trials around both data points; distances along x and y count `stretch` times."""
    rng = np.random.default_rng(seed)
    points = rng.uniform([0.10, -0.20], [0.45, 0.40], (count, 2))
    offsets = (points[:, None] - DATA[None]) * np.array(stretch)
    return Trials(points, rng.random(count) < law(np.linalg.norm(offsets, axis=2).min(axis=1)))


def test_a_known_radius_is_found() -> None:
    found = radius(table(LAWS["smooth"], 400, 1), DATA, seed=3, draws=200)
    assert found.whole.why == ""
    assert found.whole.low is not None
    assert found.whole.high is not None
    assert found.whole.low < truth(LAWS["smooth"]) < found.whole.high
    assert found.whole.high - found.whole.low < 0.03
    assert found.metres == found.whole.metres == pytest.approx(0.069, abs=0.01)
    assert "95 % CI" in found.whole.words
    assert found == radius(table(LAWS["smooth"], 400, 1), DATA, seed=3, draws=200)
    assert found != radius(table(LAWS["smooth"], 400, 1), DATA, seed=4, draws=200)


def test_directions_are_told_apart() -> None:
    """A policy that carries twice as far along x as along y."""
    found = radius(table(level(0.95, 0.0, 0.07, 0.008), 2500, 2, stretch=(0.7, 1.4)), DATA, draws=100)
    reach = {name: each.metres or 0.0 for name, each in found.directions.items()}
    assert set(reach) == set(DIRECTIONS)
    assert min(reach["away"], reach["towards"]) > max(reach["left"], reach["right"]) + 0.02
    assert found.directions["left"].high is not None
    assert found.directions["left"].high < reach["away"]


def test_sectors() -> None:
    offsets = np.array([[1, 0], [1, 0.9], [0, 1], [-1, 0.9], [-1, -0.9], [0.5, -1], [1, -0.9], [-1, 0]])
    assert [DIRECTIONS[i] for i in sectors(offsets)] == [
        "away", "away", "left", "towards", "towards", "right", "away", "towards",
    ]  # fmt: skip


def test_the_fit_is_the_best_of_many_curves() -> None:
    """Against a search by brute force over crossings and widths, for a plain table without levels."""
    d = np.array([0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.10] * 6)
    good = np.arange(60) % 7 > np.repeat([0, 0, 0, 0, 2, 2, 3, 5, 5, 6], 6)[np.argsort(np.tile(range(10), 6))]
    found = float(crossings(d, good, np.ones((1, 60)))[0])

    def fit(at: float, width: float, luck: float, lapse: float) -> float:
        p = np.clip(luck + (1 - luck - lapse) / (1 + np.exp(np.clip((d - at) / width, -30, 30))), 1e-9, 1 - 1e-9)
        slope = -d.std() / width
        return float(np.log(np.where(good, p, 1 - p)).sum()) - slope**2 / 50 - 3 * (luck + lapse)

    levels = (0.0, 0.06, 0.15, 0.3)
    grid = [
        (fit(at, width, luck, lapse), at, width, luck, lapse)
        for at in np.arange(0.02, 0.1, 0.002)
        for width in (0.002, 0.004, 0.008, 0.012, 0.016, 0.02, 0.03, 0.04)
        for luck in levels
        for lapse in levels
    ]
    _, at, width, luck, lapse = max(grid)
    by_hand = at - width * math.log((0.5 - luck) / (0.5 - lapse))
    assert found == pytest.approx(by_hand, abs=0.004)


@pytest.mark.parametrize("name", LAWS)
def test_with_many_trials_the_crossing_is_right_whatever_the_shape(name: str) -> None:
    rng = np.random.default_rng(0)
    d = rng.uniform(0, 0.2, 20000)
    good = rng.random(20000) < LAWS[name](d)
    assert float(crossings(d, good, np.ones((1, 20000)))[0]) == pytest.approx(truth(LAWS[name]), abs=0.0045)


def test_tables_that_cannot_say() -> None:
    rng = np.random.default_rng(0)

    def said(d: Points, good: np.ndarray) -> str:
        return estimate(d, good, np.arange(len(d)), rng, 200).why

    d = rng.uniform(0, 0.2, 200)
    assert "at least 20 trials" in said(d[:19], d[:19] < 0.07)
    assert "5 successes" in said(d, d < 0.002)
    assert "does not fall to 50 % within" in said(d, rng.random(200) < 0.9)
    assert "below 50 % already" in said(d, rng.random(200) < 0.1)
    assert "open" in said(d, rng.random(200) < 0.5) or said(d, rng.random(200) < 0.5)
    near_only = rng.uniform(0, 0.072, 60)
    assert said(near_only, rng.random(60) < LAWS["smooth"](near_only)) != ""


def test_without_an_answer_seven_centimetres_are_taken() -> None:
    found = radius(table(lambda d: np.full_like(d, 0.03), 100, 0), DATA, draws=100)
    assert found.whole.why
    assert found.metres == RADIUS
    assert found.whole.words.startswith("inconclusive: ")


def test_trials_of_one_place_are_no_independent_witnesses() -> None:
    """Twenty places tried ten times each say less about the radius than two hundred places."""
    rng = np.random.default_rng(4)
    places = rng.uniform(0.0, 0.14, 20)
    d = np.repeat(places, 10)
    good = np.repeat(places < 0.07 + rng.normal(0, 0.02, 20), 10) ^ (rng.random(200) < 0.05)
    together = estimate(d, good, np.repeat(np.arange(20), 10), rng, 300)
    alone = estimate(d, good, np.arange(200), rng, 300)
    assert together.metres == alone.metres
    assert (together.high or 0.2) - (together.low or 0) > 1.5 * ((alone.high or 0.2) - (alone.low or 0))
    assert (together.places, alone.places) == (20, 200)
    assert "about 95 % CI" in together.words
    assert "from 20 places tried again" in together.words
    assert "about" not in alone.words


def test_few_places_widen_the_interval() -> None:
    """As the t quantile is wider than the normal one: 2.201 for 12 places, 2.093 for 20 (tables)."""
    z = NormalDist().inv_cdf
    for places, student in ((12, 2.201), (20, 2.093)):
        widened = z(tail_of(places, 5 * places)) / z(tail_of(places, places))
        assert widened == pytest.approx(student / 1.960 * math.sqrt(places / (places - 1)), rel=2e-3)
    assert tail_of(100, 100) > tail_of(100, 400) > tail_of(12, 60)


def test_what_is_senseless() -> None:
    trials = table(LAWS["smooth"], 40, 0)
    for data, seed, draws in ((DATA[:0], 0, 500), (DATA, -1, 500), (DATA, 0, 10)):
        with pytest.raises(UsageError):
            radius(trials, data, seed, draws)


@pytest.mark.slow
@pytest.mark.parametrize("count", [80, 200, 400])
@pytest.mark.parametrize("name", LAWS)
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str, count: int) -> None:
    """In 150 tables each; 95 % are claimed, and an edge, which no smooth curve follows, may lose some."""
    law = LAWS[name]
    right, held, answered = truth(law), 0, 0
    for seed in range(150):
        rng = np.random.default_rng([seed, count])
        d = 0.2 * np.sqrt(rng.random(count)) if seed % 2 else 0.2 * rng.random(count)
        found = estimate(d, rng.random(count) < law(d), np.arange(count), rng, 300)
        if found.metres is not None:
            answered += 1
            held += (found.low or 0.0) <= right <= (found.high or math.inf)
    print(f"{name}, {count} trials: {held} of {answered} intervals hold {right:.4f}; {150 - answered} inconclusive")
    assert answered > 130
    # 3.3 standard deviations of 150 draws at 95 % are 6 %.
    assert held / answered >= 0.89


@pytest.mark.slow
def test_places_that_were_tried_again_hold_the_truth_as_often() -> None:
    """Twelve places, five trials each, that differ by more than chance."""
    right, held, answered = truth(LAWS["smooth"]), 0, 0
    for seed in range(150):
        rng = np.random.default_rng([seed, 12])
        places = 0.16 * rng.random(12)
        chance = LAWS["smooth"](np.clip(places + rng.normal(0, 0.006, 12), 0, None))
        good = (rng.random((12, 5)) < chance[:, None]).ravel()
        found = estimate(np.repeat(places, 5), good, np.repeat(np.arange(12), 5), rng, 300)
        if found.metres is not None:
            answered += 1
            held += (found.low or 0.0) <= right <= (found.high or math.inf)
    print(f"{held} of {answered} intervals hold {right:.4f}")
    assert answered > 130
    assert held / answered >= 0.89
