"""Two recipes: the training is the unit, because another seed of the same recipe makes a better or worse policy.

A t test on the rates of the trainings (Welch), with two additions. Rates of few episodes may agree by accident, so a
group's spread is never taken to be less than the binomial spread of its episodes. And both recipes are tried at the
same placements: if one does better at some of them, other placements would say something else, so the variance that
lies between placements is added. Simulation shows error rates of at most 5 % at 3 to 5 trainings each, and with more of
one. What no test of so few can see: where one recipe's trainings either work or fail outright and the other's are all
alike, three in a row may fail by chance, and the error rate rises to 11 to 20 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np
from scipy.special import stdtr, stdtrit

from .bootstrap import Outcomes
from .paired import POWER

LEAST = 3
"""Trainings of each recipe below which nothing is said about it."""
_MOST = 200
"""Trainings beyond which nobody is told to go."""


@dataclass(frozen=True)
class Recipes:
    """Recipe A against recipe B.

    Attributes:
        difference: of the mean rates of their trainings, A - B.
        variance_a, variance_b: between trainings.
        between_placements: part of the variance of the difference that more trainings do not make smaller.
        trainings_a, trainings_b: how many.
        episodes: shared by all trainings.
        error: standard error of the difference.
        df: its degrees of freedom.
    """

    difference: float
    variance_a: float
    variance_b: float
    between_placements: float
    trainings_a: int
    trainings_b: int
    episodes: int
    error: float
    df: float

    @cached_property
    def p(self) -> float:
        """Two-sided."""
        return 2 * float(stdtr(self.df, -abs(self.difference) / self.error))

    @cached_property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the difference; it holds 0 where the test is inconclusive."""
        half = float(stdtrit(self.df, 0.975)) * self.error
        return max(-1.0, self.difference - half), min(1.0, self.difference + half)

    @property
    def better(self) -> str | None:
        """ "A" or "B" if the test tells them apart at 5 %, else None: inconclusive."""
        if self.p >= 0.05:
            return None
        return "A" if self.difference > 0 else "B"

    @property
    def trainings_needed(self) -> int | None:
        """Trainings of each at which a difference like the one seen would be found in 80 % of the cases.

        None where none was seen, or more trainings on these placements would not do.
        """
        power, least = NormalDist().inv_cdf(POWER), NormalDist().inv_cdf(0.975)
        for many in range(LEAST, _MOST + 1) if self.difference else ():
            error = math.sqrt((self.variance_a + self.variance_b) / many + self.between_placements)
            within = abs(self.difference) / error - power
            # The quantile at 2n - 2 is Welch's where the two spreads are alike, and never below the normal one.
            if within >= least and within >= float(stdtrit(2 * many - 2, 0.975)):
                return many
        return None


def compare_recipes(a: Outcomes, b: Outcomes) -> Recipes:
    """Compare two recipes on shared episodes.

    Args:
        a, b: success of each training's episodes, shapes (trainings, E), E >= 2; column e is one placement in both.

    Raises:
        ValueError: fewer than `LEAST` trainings of one, or not the same episodes.
    """
    if a.ndim != 2 or b.ndim != 2 or min(len(a), len(b)) < LEAST or a.shape[1] != b.shape[1] or a.shape[1] < 2:
        raise ValueError(f"Recipes are compared by {LEAST} trainings each on the same episodes; got {a.shape, b.shape}")
    episodes = a.shape[1]
    variance_a, variance_b = _between_trainings(a), _between_trainings(b)
    part_a, part_b = variance_a / len(a), variance_b / len(b)
    here = a.mean(axis=0) - b.mean(axis=0)
    # Chance within an episode is in the spread of the trainings already.
    chance = (_residual(a) / len(a) + _residual(b) / len(b)) / episodes
    placements = max(0.0, float(np.var(here, ddof=1)) / episodes - chance)
    freedom_a, freedom_b = len(a) - 1, len(b) - 1
    pooled = (freedom_a * variance_a + freedom_b * variance_b) / (freedom_a + freedom_b)
    # Where one side has more trainings, the few of the other may be alike by accident.
    variance = max(part_a + part_b, pooled * (1 / len(a) + 1 / len(b))) + placements
    freedom = part_a**2 / freedom_a + part_b**2 / freedom_b + placements**2 / (episodes - 1)
    return Recipes(
        difference=float(here.mean()),
        variance_a=variance_a,
        variance_b=variance_b,
        between_placements=placements,
        trainings_a=len(a),
        trainings_b=len(b),
        episodes=episodes,
        error=math.sqrt(variance),
        df=(part_a + part_b + placements) ** 2 / freedom,
    )


def _between_trainings(outcomes: Outcomes) -> float:
    """Variance of the rates of trainings, at least that of chance in their episodes."""
    share = (outcomes.sum() + 1) / (outcomes.size + 2)
    return max(float(np.var(outcomes.mean(axis=1), ddof=1)), float(share * (1 - share)) / outcomes.shape[1])


def _residual(outcomes: Outcomes) -> float:
    """Variance of an outcome that neither its training nor its placement explains."""
    many, episodes = outcomes.shape
    values = outcomes.astype(float)
    left = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    return float((left**2).sum()) / ((many - 1) * (episodes - 1))
