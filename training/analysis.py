"""What is wrong with a policy's predictions, joint by joint: errors, fit, range, and whether it has collapsed to a
constant.

A policy that says the present pose again predicts the next action well, because arms move little in a frame. So the fit
of whole chunks is also given against that: `skill` is 1 for perfect and 0 for "stay where you are".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from .predictions import Numbers, Predictions

STILL = 1.0
"""Standard deviation of a demonstrated joint below which there is nothing to predict [degrees, or percent of the
gripper]; assumed: a servo's own noise is of this order."""
COLLAPSED = 0.25
"""Ratio of predicted to demonstrated standard deviation below which a joint has collapsed (assumed)."""
POOR = 0.5
"""R2 below which the fit is poor (assumed)."""
_SAME = 1e-9


@dataclass(frozen=True)
class JointFit:
    """How one number of the action is predicted, in its units.

    Attributes:
        name: of the joint.
        mean_error, max_error: absolute.
        bias: mean of predicted less demonstrated.
        r2: share of the demonstrated variance that is explained; None where nothing moves.
        skill: share of the squared error of staying where it is that the chunks save; None without a state to stay at.
        low, high: range of the demonstrated action.
        predicted_low, predicted_high: of the predicted one.
        spread: standard deviation of the predicted action by the demonstrated one's; None where nothing moves.
        verdict: "good", "poor", "collapsed", or "still".
    """

    name: str
    mean_error: float
    max_error: float
    bias: float
    r2: float | None
    skill: float | None
    low: float
    high: float
    predicted_low: float
    predicted_high: float
    spread: float | None
    verdict: str


@dataclass(frozen=True)
class Fit:
    """A set of episodes.

    Attributes:
        frames, episodes: looked at.
        joints: one each.
        mean_error, max_error: over all joints.
        ahead: mean error by frames ahead in the chunk, over all joints; NaN where no episode is so long.
    """

    frames: int
    episodes: int
    joints: tuple[JointFit, ...]
    mean_error: float
    max_error: float
    ahead: tuple[float, ...]

    @property
    def collapsed(self) -> tuple[str, ...]:
        """Joints whose prediction is near constant though the demonstrations move."""
        return tuple(joint.name for joint in self.joints if joint.verdict == "collapsed")

    def values(self) -> dict[str, Any]:
        """JSON values; null where no episode is so long."""
        ahead = [value if math.isfinite(value) else None for value in self.ahead]
        return {**asdict(self), "ahead": ahead, "collapsed": list(self.collapsed)}


def fit(found: Predictions, names: Sequence[str]) -> Fit:
    """Judge predictions.

    Args:
        found: at least one frame.
        names: of the numbers of an action.
    """
    error = np.abs(found.predicted - found.demonstrated)
    skills = [
        1 - float(squares / staying) if staying > _SAME else None
        for squares, staying in zip(found.squares, found.staying, strict=True)
    ]
    joints = tuple(
        _joint(name, found.predicted[:, j], found.demonstrated[:, j], skills[j]) for j, name in enumerate(names)
    )
    return Fit(
        frames=len(found),
        episodes=len(np.unique(found.episode)),
        joints=joints,
        mean_error=float(error.mean()),
        max_error=float(error.max()),
        ahead=tuple(float(value) for value in found.ahead.mean(axis=1)),
    )


def _joint(name: str, predicted: Numbers, demonstrated: Numbers, skill: float | None) -> JointFit:
    error = predicted - demonstrated
    moves = float(demonstrated.std())
    squares = float((error**2).sum())
    r2 = spread = None
    if moves > _SAME:
        r2 = 1 - squares / float(((demonstrated - demonstrated.mean()) ** 2).sum())
        spread = float(predicted.std()) / moves
    return JointFit(
        name=name,
        mean_error=float(np.abs(error).mean()),
        max_error=float(np.abs(error).max()),
        bias=float(error.mean()),
        r2=r2,
        skill=skill,
        low=float(demonstrated.min()),
        high=float(demonstrated.max()),
        predicted_low=float(predicted.min()),
        predicted_high=float(predicted.max()),
        spread=spread,
        verdict=_verdict(moves, r2, spread),
    )


def _verdict(moves: float, r2: float | None, spread: float | None) -> str:
    if moves < STILL or r2 is None or spread is None:
        return "still"
    if spread < COLLAPSED:
        return "collapsed"
    return "poor" if r2 < POOR else "good"
