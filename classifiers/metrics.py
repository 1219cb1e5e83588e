"""How good probabilities are against the truth, with intervals: episodes are the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.rates import Z_95, Rate, wilson

REPEATS = 1000
"""Bootstrap draws of episodes."""
STREAM = 11
BINS = 10
Scores = NDArray[np.float64]
Truth = NDArray[np.bool_]


@dataclass(frozen=True)
class Measured:
    """A number with its 95 % bootstrap interval; NaN where one kind of episode is missing."""

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


@dataclass(frozen=True)
class AtThreshold:
    """What keeping everything from a threshold on does.

    Attributes:
        threshold: of the probability.
        recall: successes kept, of all successes.
        false_positives: failures kept, of all failures.
        precision: successes, of all kept.
    """

    threshold: float
    recall: Rate
    false_positives: Rate
    precision: Rate

    def precision_at(self, base: float) -> tuple[float, float, float]:
        """Precision where a share `base` of the episodes succeeds, as (value, low, high).

        The low bound takes the low bound of the recall with the upper bound of the false-positive rate, and so on, so
        it is rather too wide.
        """
        recall, wrong = self.recall, self.false_positives

        def share(yes: float, no: float) -> float:
            kept = base * yes + (1 - base) * no
            return base * yes / kept if kept > 0 else float("nan")

        values = share(recall.k / max(1, recall.n), wrong.k / max(1, wrong.n))
        return values, share(recall.low, wrong.high), share(recall.high, wrong.low)


def at_threshold(scores: Scores, truth: Truth, threshold: float) -> AtThreshold:
    """Recall, false positives and precision, each with its Wilson interval."""
    kept = scores >= threshold
    return AtThreshold(
        threshold,
        wilson(int((kept & truth).sum()), int(truth.sum())),
        wilson(int((kept & ~truth).sum()), int((~truth).sum())),
        wilson(int((kept & truth).sum()), int(kept.sum())),
    )


def threshold_at_recall(scores: Scores, truth: Truth, recall: float) -> float:
    """The highest threshold that still keeps this share of the successes; NaN without any."""
    good = np.sort(scores[truth])[::-1]
    return float(good[max(0, int(np.ceil(recall * len(good))) - 1)]) if len(good) else float("nan")


@dataclass(frozen=True)
class Bin:
    """Episodes of like probability: what was said on average, and what came true."""

    said: float
    true: Rate


def calibration(scores: Scores, truth: Truth) -> list[Bin]:
    """The calibration curve, empty bins left out."""
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    bins = [(scores[places == place], truth[places == place]) for place in range(BINS)]
    return [Bin(float(said.mean()), wilson(int(true.sum()), len(true))) for said, true in bins if len(said)]


def brier(scores: Scores, truth: Truth) -> float:
    """Mean squared error of the probabilities; 0.25 is a coin's."""
    return float(np.mean((scores - truth) ** 2)) if len(scores) else float("nan")
