"""How good probabilities are against the truth, with intervals: episodes are the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.auroc import Scores, Truth
from curation.rates import Rate, wilson

BINS = 10


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
