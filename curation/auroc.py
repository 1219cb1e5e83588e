"""How well a number tells two kinds of episodes apart, with its interval: episodes are the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.rates import Z_95

REPEATS = 1000
"""Bootstrap draws of episodes."""
STREAM = 11
Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % interval, a bootstrap's if nothing else is said; NaN where one kind is missing."""

    value: float
    low: float
    high: float

    def as_json(self) -> dict[str, float | None]:
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {name: None if np.isnan(value) else round(value, 4) for name, value in numbers.items()}

    def __str__(self) -> str:
        if np.isnan(self.value):
            return "unknown"
        return f"{self.value:.3f}, 95 % CI {self.low:.3f} to {self.high:.3f}"


def auroc(scores: Scores, truth: Truth) -> float:
    """Chance that a success scores above a failure, ties counted half; NaN without both kinds."""
    good, bad = scores[truth], scores[~truth]
    if not len(good) or not len(bad):
        return float("nan")
    order = np.sort(bad)
    below = np.searchsorted(order, good, side="left")
    equal = np.searchsorted(order, good, side="right") - below
    return float((below + 0.5 * equal).sum() / (len(good) * len(bad)))


def measured_auroc(scores: Scores, truth: Truth, seed: int) -> Measured:
    """The AUROC with a bootstrap over episodes, successes and failures drawn apart.

    Where hardly a pair is out of order the bootstrap sees no error and would claim certainty, so the interval is at
    least the score interval (Newcombe 2006, his method 5).
    """
    rng = np.random.default_rng([seed, STREAM])
    good, bad = scores[truth], scores[~truth]
    value = auroc(scores, truth)
    if np.isnan(value):
        return Measured(value, value, value)
    # How often each episode is drawn, times whether each pair is in order: one product for all draws.
    order = (good[:, None] > bad) + 0.5 * (good[:, None] == bad)
    often = [rng.multinomial(len(some), np.full(len(some), 1 / len(some)), REPEATS) for some in (good, bad)]
    draws = ((often[0] @ order) * often[1]).sum(axis=1) / (len(good) * len(bad))
    low, high = np.quantile(draws, [0.025, 0.975])
    least, most = _score_interval(value, len(good), len(bad))
    return Measured(value, min(float(low), least), max(float(high), most))


def _score_interval(value: float, good: int, bad: int) -> tuple[float, float]:
    """The AUROCs from which the found one is less than 1.96 standard errors (of Hanley and McNeil) away."""
    more = (good + bad) / 2 - 1

    def near(at: NDArray[np.float64]) -> NDArray[np.bool_]:
        variance = at * (1 - at) * (1 + more * (1 - at) / (2 - at) + more * at / (1 + at)) / (good * bad)
        return np.asarray((value - at) ** 2 <= Z_95**2 * variance + 1e-12)

    grid = np.asarray(np.linspace(0.0, 1.0, 10001), np.float64)
    inside = grid[near(grid)]
    return min(value, float(inside[0])), max(value, float(inside[-1]))
