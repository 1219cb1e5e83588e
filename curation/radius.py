"""How far a policy reaches beyond its data: the distance to the nearest recorded placement at which success crosses
one half, with its interval, from an evaluation table.

The fit is a logistic curve between two levels, as psychophysics fits thresholds: near its data a policy fails now and
then for reasons that distance does not explain, and far away it is lucky now and then. A plain logistic curve without
those levels put the crossing 10 mm low, with intervals that held it in half of the tables, where success starts at 80 %
(simulated, 400 trials); an isotonic fit is free of any shape, but its crossing bootstraps badly: intervals of sharp
edges held the truth in 40 to 60 % of the tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from curation.coverage import RADIUS, nearest
from curation.errors import UsageError
from curation.rates import wilson
from curation.table import Points
from curation.trials import Trials

Numbers = NDArray[np.float64]

DRAWS = 500
"""Bootstrap samples."""
LEAST_TRIALS, LEAST_OF_EACH = 20, 5
"""Trials, and successes and failures among them, below which nothing is estimated (assumed)."""
DIRECTIONS = ("away", "left", "towards", "right")
"""Quadrants about the nearest data point, as seen from the robot: +x, +y, -x, -y."""
NO_DIRECTION = 0.005
"""A trial so near to its data point lies in no direction and counts in all [m]."""
_TAIL = 0.015
"""Share of the draws beyond each end of the interval. Not 0.025: percentile intervals of this fit held the truth in
about 92 % of simulated tables of 60 to 400 trials, these in about 95 %."""
_LEVELS = (0.0, 0.06, 0.15, 0.3)
"""Luck far away, and failure near by, that are tried."""
_LEVEL_COST = 3.0
"""Log likelihood that a level of 1 would cost: levels are used only where the table asks for them."""
_SLOPE_WEIGHT = 1.0 / 25.0
"""Keeps the slope of separated tables finite: a normal prior of five standard units."""
_BINS = 50
_STEPS = 40


@dataclass(frozen=True)
class Estimate:
    """A radius.

    Attributes:
        metres: None if the table cannot say.
        low, high: 95 % interval [m]; None where that side is open.
        trials, successes: in the table.
        why: why the table cannot say; "" if it can.
        places: that were tried; fewer than trials where some were tried again.
    """

    metres: float | None
    low: float | None
    high: float | None
    trials: int
    successes: int
    why: str = ""
    places: int = 0

    @property
    def words(self) -> str:
        """The estimate, or why there is none, for people."""
        rate = wilson(self.successes, self.trials)
        of = f"{self.successes} of {self.trials} trials, {rate.interval}"
        if self.metres is None or self.why:
            return f"inconclusive: {self.why} ({of})"
        ends = f"{_cm(self.low)} to {_cm(self.high)} cm"
        if self.places < self.trials:
            return f"{100 * self.metres:.1f} cm, about 95 % CI {ends}, from {self.places} places tried again ({of})"
        return f"{100 * self.metres:.1f} cm, 95 % CI {ends} ({of})"


@dataclass(frozen=True)
class Radius:
    """The radius in all, and by direction of the trial from its nearest data point.

    Attributes:
        whole: over all trials.
        directions: by name of `DIRECTIONS`.
        seed, draws: of the bootstrap.
    """

    whole: Estimate
    directions: dict[str, Estimate]
    seed: int
    draws: int

    @property
    def metres(self) -> float:
        """The estimate, or `RADIUS` where the table cannot say."""
        return RADIUS if self.whole.why or self.whole.metres is None else self.whole.metres


def radius(trials: Trials, data: Points, seed: int = 0, draws: int = DRAWS) -> Radius:
    """Estimate the radius of a policy.

    Args:
        trials: its evaluation.
        data: placements it was trained on, shape (M, 2) [m].
        seed: of the bootstrap, which draws trials; those at exactly one place are drawn together, because they are no
            independent witnesses of how the policy does elsewhere.
        draws: bootstrap samples.

    Raises:
        UsageError: there is no data, or the seed is negative.
    """
    data = np.asarray(data, float).reshape(-1, 2)
    if not len(data):
        raise UsageError("A radius is measured from recorded placements, and there are none.")
    if seed < 0 or draws < 100:
        raise UsageError(f"A bootstrap needs a seed of at least 0 and 100 draws; got {seed} and {draws}.")
    distance, index = nearest(trials.points, data)
    sector = sectors(trials.points - data[index])
    _, place = np.unique(trials.points, axis=0, return_inverse=True)
    place = place.reshape(-1)

    def of(chosen: NDArray[np.bool_], stream: int) -> Estimate:
        rng = np.random.default_rng([seed, stream])
        return estimate(distance[chosen], trials.success[chosen], place[chosen], rng, draws)

    everyone = np.ones(len(trials), bool)
    directions = {
        name: of((sector == number) | (distance <= NO_DIRECTION), number + 1) for number, name in enumerate(DIRECTIONS)
    }
    return Radius(of(everyone, 0), directions, seed, draws)


def sectors(offsets: Points) -> NDArray[np.int64]:
    """The index in `DIRECTIONS` of offsets from data points, shape (N, 2), to shape (N,)."""
    angle = np.arctan2(offsets[:, 1], offsets[:, 0])
    found: NDArray[np.int64] = np.round(angle / (math.pi / 2)).astype(np.int64) % 4
    return found


def estimate(
    distance: Numbers, success: NDArray[np.bool_], place: NDArray[np.int64], rng: np.random.Generator, draws: int
) -> Estimate:
    """The crossing and its interval.

    Args:
        distance: to the nearest data point, shape (N,) [m].
        success: shape (N,).
        place: trials of one place share a number, shape (N,).
        rng: of the bootstrap.
        draws: bootstrap samples.
    """
    count, good = len(success), int(success.sum())
    if count < LEAST_TRIALS or min(good, count - good) < LEAST_OF_EACH:
        why = f"at least {LEAST_TRIALS} trials are needed, {LEAST_OF_EACH} successes and {LEAST_OF_EACH} failures"
        return Estimate(None, None, None, count, good, why)
    _, which = np.unique(place, return_inverse=True)
    places = int(which.max()) + 1
    tail = tail_of(places, count)
    drawn = rng.multinomial(places, np.full(places, 1.0 / places), size=draws)[:, which.reshape(-1)]
    weights = np.concatenate([np.ones((1, count)), drawn])
    found = crossings(distance, success, weights)
    low, high = (float(value) for value in np.quantile(found[1:], (tail, 1 - tail), method="nearest"))
    return replace(_judged(float(found[0]), low, high, distance, count, good), places=places)


def tail_of(places: int, trials: int) -> float:
    """Share of the draws beyond each end of the interval.

    Places drawn with all their trials are few, and a percentile interval of few is too narrow by what a t quantile is
    wider than a normal one, and by the variance that drawing with replacement loses (Hesterberg 2015, expanded
    percentile interval).
    """
    if places >= trials or places < 2:
        return _TAIL
    normal, freedom = NormalDist(), places - 1
    wider = float(stdtrit(freedom, 0.975)) / normal.inv_cdf(0.975) * math.sqrt(places / freedom)
    return normal.cdf(normal.inv_cdf(_TAIL) * wider)


def _judged(middle: float, low: float, high: float, distance: Numbers, count: int, good: int) -> Estimate:
    """An end that lies where nothing was tried is open."""
    nearest_tried, farthest_tried = float(distance.min()), float(distance.max())
    below = low if low > nearest_tried else None
    above = high if high < farthest_tried else None
    if middle >= farthest_tried:
        why = f"success does not fall to 50 % within {100 * farthest_tried:.1f} cm, the farthest trial"
        return Estimate(None, below, None, count, good, why)
    if middle <= nearest_tried:
        why = f"success is below 50 % already at {100 * nearest_tried:.1f} cm, the nearest trial"
        return Estimate(None, None, above, count, good, why)
    open_ends = [word for word, end in (("below", below), ("above", above)) if end is None]
    said = f"about {100 * middle:.1f} cm, but the interval is open {' and '.join(open_ends)}" if open_ends else ""
    return Estimate(middle, below, above, count, good, said)


def crossings(distance: Numbers, success: NDArray[np.bool_], weights: Numbers) -> Numbers:
    """Distance at which the fitted success is one half, for every weighting of the trials.

    Args:
        distance: shape (N,) [m].
        success: shape (N,).
        weights: shape (B, N), not negative.

    Returns:
        Shape (B,) [m]; infinite where success does not fall with distance, negative so if it is below half throughout.
    """
    middle, spread = float(distance.mean()), float(distance.std()) or 1.0
    u, wins, tries = _binned((distance - middle) / spread, success, weights)
    best: Numbers = np.full(len(weights), -np.inf)
    found: Numbers = np.full(len(weights), np.nan)
    mostly = wins.sum(axis=1) > tries.sum(axis=1) / 2
    for luck in _LEVELS:
        for lapse in _LEVELS:
            at, slope, fit = _logistic(u, wins, tries, luck, lapse)
            # luck + (1 - luck - lapse) * logistic(at + slope * u) is one half here.
            level = math.log((0.5 - luck) / (0.5 - lapse))
            with np.errstate(divide="ignore", invalid="ignore"):
                crossing = np.where(slope < 0, (level - at) / slope, np.where(mostly, np.inf, -np.inf))
            better = fit > best
            best, found = np.where(better, fit, best), np.where(better, crossing, found)
    result: Numbers = found * spread + middle
    return result


def _binned(u: Numbers, success: NDArray[np.bool_], weights: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Equally filled stretches of distance: their middles, shape (K,), and wins and tries, shape (B, K)."""
    order = np.argsort(u, kind="stable")
    parts = np.array_split(order, min(_BINS, len(order)))
    member = np.zeros((len(u), len(parts)))
    for number, part in enumerate(parts):
        member[part, number] = 1.0
    return np.array([u[part].mean() for part in parts]), (weights * success) @ member, weights @ member


def _logistic(u: Numbers, wins: Numbers, tries: Numbers, luck: float, lapse: float) -> tuple[Numbers, Numbers, Numbers]:
    """A logistic curve between fixed levels by Fisher scoring: offset, slope, penalised log likelihood, shape (B,)."""
    scale = 1.0 - luck - lapse
    at: Numbers = np.zeros(len(wins))
    slope: Numbers = np.full(len(wins), -1.0)
    for _ in range(_STEPS):
        share, chance = _curve(u, at, slope, luck, scale)
        rise = scale * share * (1 - share)
        pull = (wins - tries * chance) / (chance * (1 - chance)) * rise
        weight = tries * rise * rise / (chance * (1 - chance))
        first, second = pull.sum(axis=1), pull @ u - slope * _SLOPE_WEIGHT
        h00, h01, h11 = weight.sum(axis=1) + 1e-4, weight @ u, weight @ (u * u) + _SLOPE_WEIGHT
        det = h00 * h11 - h01 * h01
        da = ((h11 * first - h01 * second) / det).clip(-1.5, 1.5)
        db = ((h00 * second - h01 * first) / det).clip(-1.5, 1.5)
        at, slope = at + da, slope + db
        if max(np.abs(da).max(), np.abs(db).max()) < 1e-4:
            break
    _, chance = _curve(u, at, slope, luck, scale)
    fit = (wins * np.log(chance) + (tries - wins) * np.log(1 - chance)).sum(axis=1)
    return at, slope, fit - _SLOPE_WEIGHT * slope * slope / 2 - _LEVEL_COST * (luck + lapse)


def _curve(u: Numbers, at: Numbers, slope: Numbers, luck: float, scale: float) -> tuple[Numbers, Numbers]:
    share = 1.0 / (1.0 + np.exp(-(at[:, None] + slope[:, None] * u).clip(-30, 30)))
    return share, (luck + scale * share).clip(1e-9, 1 - 1e-9)


def _cm(metres: float | None) -> str:
    return "?" if metres is None else f"{100 * metres:.1f}"
