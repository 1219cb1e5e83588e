"""From instants to an episode: what several pictures at its end say together, as one calibrated probability.

A block that lies still in the bowl shows a success in every one of the last pictures, and these do not differ. So an
episode's evidence is the mean and the least of their log-odds and how much the pictures move, weighed by a logistic
regression on episodes the network did not learn from, as if they had ended there or elsewhere: whoever ends an episode
at once, while the arm still moves, shall be judged as well as who waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from classifiers.pictures import Pictures

SPREAD_S = 0.4
"""Time before the end over which an episode's last pictures are spread [s]: within the judge's half second."""
LAST = 4
"""How many pictures."""
_PENALTY = 1.0
"""Ridge on the standardised weights: a normal prior of unit variance, so that few that separate give no certainty."""
_STEPS = 60


def stride(fps: int) -> int:
    """Frames from one of an episode's last pictures to the next."""
    return max(1, round(SPREAD_S / (LAST - 1) * fps))


def last_frames(length: int, fps: int) -> list[int]:
    """Frames of an episode's last pictures, oldest first; earlier ones are left out of a short one."""
    return list(range(length - 1, -1, -stride(fps)))[:LAST][::-1]


def evidence(log_odds: NDArray[np.float64], pictures: Pictures) -> NDArray[np.float64]:
    """Of an episode's last pictures: mean and least log-odds, and log of how many grey levels they move; shape (3,)."""
    return combined(log_odds, differences(pictures))


def differences(pictures: Pictures) -> NDArray[np.float64]:
    """Mean change of each picture from the one before it [grey levels], shape (N - 1,)."""
    grey = pictures.mean(axis=-1)
    return np.array([np.abs(now - before).mean() for before, now in pairwise(grey)])


def combined(log_odds: NDArray[np.float64], moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evidence from log-odds of pictures and the differences between them."""
    motion = float(moved.mean()) if len(moved) else 0.0
    return np.array([log_odds.mean(), log_odds.min(), np.log(0.1 + motion)])


@dataclass(frozen=True)
class Weighing:
    """How an episode's evidence is weighed: a logistic regression on evidence.

    Attributes:
        mean, scale: of each kind of evidence, shape (3,).
        weights: on the standardised evidence, shape (3,).
        bias: log-odds at the mean.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of a success, for evidence of shape (N, 3): shape (N,)."""
        at = (found - np.array(self.mean)) / np.array(self.scale)
        odds: NDArray[np.float64] = at @ np.array(self.weights) + self.bias
        return 1.0 / (1.0 + np.exp(-np.clip(odds, -40, 40)))


def fit_weighing(found: NDArray[np.float64], success: NDArray[np.bool_]) -> Weighing:
    """Fit by Newton's method on the penalised likelihood.

    Args:
        found: evidence of episodes, shape (N, 3).
        success: theirs, shape (N,), of both kinds.
    """
    mean, scale = found.mean(axis=0), found.std(axis=0) + 1e-6
    design = np.column_stack([(found - mean) / scale, np.ones(len(found))])
    ridge = np.diag([_PENALTY] * found.shape[1] + [1e-6])
    weights = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -40, 40)))
        slope = design.T @ (p - success) + ridge @ weights
        bend = (design * (p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(bend + 1e-9 * np.eye(len(bend)), slope)
        # Newton alone may leap away where a line separates the two kinds.
        weights -= step * min(1.0, 2.0 / (1e-12 + float(np.abs(step).max())))
        if float(np.abs(step).max()) < 1e-9:
            break
    return Weighing(tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights[:-1].tolist()), float(weights[-1]))
