"""Where to try a policy next: where its success is known least, where it succeeds about every other time, or where it
was most unsure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curation.coverage import RADIUS, nearest
from curation.doubt import heard
from curation.errors import UsageError
from curation.table import Points
from curation.trials import Trials
from curation.unsure import most_unsure

from .maps import expected

Aim = Literal["doubt", "edge", "unsure"]
EDGE_REACH = 0.03
"""How far a trial is heard at most where the edge of success, or doubt, is looked for [m] (assumed): in evaluations of
small policies success falls from nearly always to nearly never within 3 to 5 cm."""
EDGE_NEAREST = 8
"""Trials that are heard there at most, where they lie close (assumed)."""
EDGE_APART = 0.015
"""Distance to another chosen place within which one is worth less [m] (assumed)."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Proposal:
    """A place to try next.

    Attributes:
        x, y: [m].
        rate: success expected there, with a uniform prior.
        doubt: its standard deviation.
        trials: weight of the trials heard there.
        unsure: how unsure the policy is taken to be there [deg]; None where that was not asked.
    """

    x: float
    y: float
    rate: float
    doubt: float
    trials: float
    unsure: float | None = None


def propose(lattice: Points, trials: Trials, n: int, aim: Aim = "doubt") -> list[Proposal]:
    """Different places, the best first; each counts as tried when the next is chosen, so they spread by themselves.

    Args:
        lattice: where positions may be, shape (N, 2) [m].
        trials: the evaluation so far.
        n: how many.
        aim: "doubt" takes places where an episode tells most of the success rate: where little was tried, and where
            success is neither 0 nor 1. "edge" takes those where success and failure are both likely, so that attempts
            there are kept now and then and show what is not yet learned; where nothing ever succeeded none are made.
            "unsure" takes those where trials say that the policy was most unsure, and fewer places if they are too few;
            where nothing was tried none are made.

    Raises:
        UsageError: fewer than one is asked for, more than there are places, or no trial says how unsure the policy was.
    """
    if n < 1 or n > len(lattice):
        raise UsageError(
            f"{n} positions cannot be proposed on {len(lattice)} recordable places. Ask for 1 to {len(lattice)}, or "
            "widen --box."
        )
    if aim == "unsure":
        return _unsure(lattice, trials, n)
    tried, failed = heard(lattice, trials, RADIUS if aim == "doubt" else _close(lattice, trials))
    wins, losses = 1 + tried - failed, 1 + failed
    apart, _ = nearest(lattice, trials.points)
    free = np.ones(len(lattice), bool)
    found: list[Proposal] = []
    for _ in range(n):
        mean, spread = expected(wins, losses)
        worth = (
            spread
            if aim == "doubt"
            else _mixed(mean, spread) * np.minimum(1.0, _nearest_of(lattice, found) / EDGE_APART)
        )
        # Of places that are equally good the one farthest from all others comes first.
        level = np.where(free, np.round(worth, 6), -1.0)
        ties = np.flatnonzero(level == level.max())
        best = int(ties[apart[ties].argmax()])
        x, y = (round(float(value), 4) for value in lattice[best])
        weight = float(wins[best] + losses[best] - 2)
        found.append(Proposal(x, y, float(mean[best]), float(spread[best]), weight))
        free[best] = False
        away = np.linalg.norm(lattice - lattice[best], axis=1)
        if aim == "doubt":
            near = (1 - away / RADIUS).clip(0)
            wins, losses = wins + near * mean[best], losses + near * (1 - mean[best])
        apart = np.minimum(apart, away)
    return found


def _unsure(lattice: Points, trials: Trials, n: int) -> list[Proposal]:
    places = most_unsure(lattice, trials, n, reach=EDGE_REACH, apart=EDGE_APART)
    spots = np.array([(place.x, place.y) for place in places]).reshape(-1, 2)
    tried, failed = heard(spots, trials, EDGE_REACH)
    mean, spread = expected(1 + tried - failed, 1 + failed)
    return [
        Proposal(place.x, place.y, float(rate), float(doubt), place.trials, place.value)
        for place, rate, doubt in zip(places, mean, spread, strict=True)
    ]


def _close(lattice: Points, trials: Trials) -> Numbers:
    """How far trials are heard at each place, shape (N, 1) [m]: as far as its `EDGE_NEAREST` nearest, so that the edge
    of a well tried area stays sharp."""
    if len(trials.points) < EDGE_NEAREST:
        return np.full((len(lattice), 1), EDGE_REACH)
    away = np.linalg.norm(lattice[:, None] - trials.points[None], axis=-1)
    nearest_ = np.partition(away, EDGE_NEAREST - 1, axis=1)[:, EDGE_NEAREST - 1]
    return nearest_.clip(1e-6, EDGE_REACH)[:, None]


def _mixed(mean: Numbers, spread: Numbers) -> Numbers:
    """Expected variance of an attempt's success, E[p (1 - p)]."""
    found: Numbers = mean * (1 - mean) - spread**2
    return found


def _nearest_of(lattice: Points, found: list[Proposal]) -> Numbers:
    if not found:
        return np.full(len(lattice), np.inf)
    chosen = np.array([(one.x, one.y) for one in found])
    away: Numbers = np.linalg.norm(lattice[:, None] - chosen, axis=-1).min(axis=1)
    return away
