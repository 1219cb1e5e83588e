"""Where a policy is worst or least known: upper bounds of its failure over the table, from an evaluation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.coverage import RADIUS, nearest, require_distance
from curation.errors import UsageError
from curation.table import Points
from curation.trials import Trials

Numbers = NDArray[np.float64]

BOUND = 0.95
"""Probability that failure is below its upper bound."""
_CHANCES = (np.arange(400) + 0.5) / 400


@dataclass(frozen=True)
class Doubt:
    """A place to record at next.

    Attributes:
        x, y: [m].
        failure: upper bound of the policy's failure there, 0 to 1.
        trials: weight of the trials around it; 0 where nothing was tried.
        failed: that of the failures among them.
    """

    x: float
    y: float
    failure: float
    trials: float
    failed: float

    @property
    def words(self) -> str:
        """Why this place."""
        if not self.trials:
            return "nothing was tried here"
        return f"fails up to {100 * self.failure:.0f} % (weight {self.failed:.1f} of {self.trials:.1f} trials)"


def doubtful(lattice: Points, trials: Trials, data: Points, n: int, apart: float = RADIUS) -> list[Doubt]:
    """Places where failure may be highest, the worst first: where trials failed, then where nothing was tried.

    A trial counts at a place the less the farther it was, and not at all from `apart` on; with a uniform prior the
    chance of failure then has a beta distribution, whose 95 % quantile is the upper bound. Of equal places, as all
    untried ones are, the one farthest from trials and data comes first.

    Args:
        lattice: where positions may be, shape (N, 2) [m].
        trials: the evaluation.
        data: recorded positions, shape (M, 2) [m].
        n: how many; fewer once none is left.
        apart: least distance to each other, and how far a trial is heard [m].

    Raises:
        UsageError: fewer than one place is asked for, or the distance is not positive.
    """
    if n < 1:
        raise UsageError(f"At least 1 position must be asked for; got {n}.")
    require_distance(apart)
    tried, failed = heard(lattice, trials, apart)
    # Equal up to the fineness with which the bound is worked out.
    bound = np.round(upper(failed, tried - failed), 3)
    away, _ = nearest(lattice, np.concatenate([trials.points, np.asarray(data, float).reshape(-1, 2)]))
    free = np.ones(len(lattice), bool)
    found: list[Doubt] = []
    while len(found) < n and free.any():
        worst = bound[free].max()
        ties = np.flatnonzero(free & (bound == worst))
        best = int(ties[away[ties].argmax()])
        x, y = lattice[best]
        found.append(
            Doubt(round(float(x), 4), round(float(y), 4), float(worst), float(tried[best]), float(failed[best]))
        )
        gone = np.linalg.norm(lattice - lattice[best], axis=1)
        free &= gone >= apart
        away = np.minimum(away, gone)
    return found


def heard(points: Points, trials: Trials, reach: float | Numbers) -> tuple[Numbers, Numbers]:
    """Weight of all trials, and of the failures, at points, shape (N, 2), to shape (N,) each.

    Args:
        points: where.
        trials: of a policy.
        reach: how far they are heard [m], everywhere or at each point, shape (N, 1).
    """
    tried, failed = np.zeros(len(points)), np.zeros(len(points))
    for part, weight in weights(points, trials.points, reach):
        tried[part] = weight.sum(axis=1)
        failed[part] = weight @ ~trials.success
    return tried, failed


def weights(points: Points, trials: Points, reach: float | Numbers) -> Iterator[tuple[slice, Numbers]]:
    """How much each of M trials is heard at points: the less the farther it was; in parts of shape (n, M), with where.

    Args:
        points: where, shape (N, 2).
        trials: shape (M, 2).
        reach: how far they are heard [m], everywhere or at each point, shape (N, 1).
    """
    reaches = np.broadcast_to(reach, (len(points), 1))
    for first in range(0, len(points), 1024):
        part = slice(first, first + 1024)
        away = np.linalg.norm(points[part, None] - trials[None], axis=2)
        yield part, (1.0 - away / reaches[part]).clip(0.0)


def upper(failed: Numbers, succeeded: Numbers) -> Numbers:
    """The `BOUND` quantile of Beta(1 + failed, 1 + succeeded), to about a thousandth; shape (N,)."""
    found = np.empty(len(failed))
    for first in range(0, len(failed), 4096):
        part = slice(first, first + 4096)
        log = failed[part, None] * np.log(_CHANCES) + succeeded[part, None] * np.log1p(-_CHANCES)
        mass = np.cumsum(np.exp(log - log.max(axis=1, keepdims=True)), axis=1)
        mass /= mass[:, -1:]
        above = (mass >= BOUND).argmax(axis=1)
        rows = np.arange(len(mass))
        before = np.where(above > 0, mass[rows, above - 1], 0.0)
        within = (BOUND - before) / (mass[rows, above] - before)
        found[part] = (above + within) / len(_CHANCES)
    return found
