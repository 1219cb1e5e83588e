"""Where a policy was most unsure, from an evaluation that says how unsure it was in each trial."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.coverage import RADIUS, require_distance
from curation.doubt import weights
from curation.errors import UsageError
from curation.table import Points
from curation.trials import Trials

Numbers = NDArray[np.float64]

PRIOR = 1.0
"""Trials as unsure as the mean of all that are taken to be everywhere, so that one trial alone does not make a place
stand out (assumed)."""


@dataclass(frozen=True)
class Unsure:
    """A place.

    Attributes:
        x, y: [m].
        value: how unsure the policy is taken to be there, in the trials' unit.
        mean: of all trials.
        trials: weight of the trials heard there.
    """

    x: float
    y: float
    value: float
    mean: float
    trials: float

    @property
    def words(self) -> str:
        """Why this place."""
        return f"unsure by {self.value:.2f}, {self.mean:.2f} on average (weight {self.trials:.1f} trials)"


def most_unsure(
    lattice: Points, trials: Trials, n: int, *, reach: float = RADIUS, apart: float = RADIUS
) -> list[Unsure]:
    """Places where a policy was most unsure, the worst first; none where nothing was tried.

    Args:
        lattice: where positions may be, shape (N, 2) [m].
        trials: which say how unsure the policy was.
        n: how many; fewer once none is left.
        reach: how far a trial is heard [m].
        apart: least distance to each other [m].

    Raises:
        UsageError: fewer than one place is asked for, no trial says how unsure the policy was, or the distance is not
            positive.
    """
    if n < 1:
        raise UsageError(f"At least 1 position must be asked for; got {n}.")
    require_distance(apart)
    known = _known(trials)
    assert known.unsure is not None
    mean = float(known.unsure.mean())
    heard, value = np.zeros(len(lattice)), np.zeros(len(lattice))
    for part, weight in weights(lattice, known.points, reach):
        heard[part] = weight.sum(axis=1)
        value[part] = (weight @ known.unsure + PRIOR * mean) / (heard[part] + PRIOR)
    free = heard > 0
    found: list[Unsure] = []
    while len(found) < n and free.any():
        best = int(np.flatnonzero(free)[value[free].argmax()])
        x, y = lattice[best]
        found.append(Unsure(round(float(x), 4), round(float(y), 4), float(value[best]), mean, float(heard[best])))
        free &= np.linalg.norm(lattice - lattice[best], axis=1) >= apart
    return found


def _known(trials: Trials) -> Trials:
    """Those that say it."""
    if trials.unsure is None or np.isnan(trials.unsure).all():
        raise UsageError(
            "No trial of this evaluation says how unsure the policy was. Rows of studio evaluate do where chunks "
            "overlap: --n-action-steps below the policy's chunk, or --ensemble."
        )
    there = ~np.isnan(trials.unsure)
    return Trials(trials.points[there], trials.success[there], trials.infeasible, trials.unsure[there])
