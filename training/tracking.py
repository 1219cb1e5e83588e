"""How well joints follow what they are told: lag and error per joint, out of an episode's columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from curation.frames import JOINTS, Vector

from .thought import Thought

MOST_LAG = 15
"""Longest lag that is looked for [frames]: half a second at 30 fps."""
STILL_DEG = 1.0
"""A joint that was told to move by less says nothing about lag [degrees, or percent of the gripper] (assumed)."""
FEWEST_MOVES = 30
"""Frames that two motions must have in common before they are compared (assumed): of a few any two are alike."""
ALIKE = 0.5
"""Correlation below which a motion is not that of the command, so that there is no lag to tell (assumed)."""


@dataclass(frozen=True)
class Tracked:
    """One joint, in degrees or percent of the gripper.

    Attributes:
        joint: its name.
        lag: frames after which its motion is most like the commanded one; None where it hardly moved, or otherwise. A
            servo that is where it was told to be at the end of the control period has 1.
        mean_error, max_error: between a target and where the joint is a frame later.
        predicted_error: mean between what the policy last foretold for a frame and the target then driven; 0 while it
            carries out a chunk that nothing limits.
    """

    joint: str
    lag: int | None
    mean_error: float
    max_error: float
    predicted_error: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def tracked(commanded: Vector, actual: Vector, predicted: Vector | None = None) -> tuple[Tracked, ...]:
    """Judge every joint.

    Args:
        commanded: admitted targets, shape (N, 6).
        actual: measured joints in the same frames, shape (N or N + 1, 6); row N is after the last target.
        predicted: as `foretold` returns it, shape (N, 6).
    """
    after = actual[1 : len(commanded) + 1]
    error = np.abs(after - commanded[: len(after)])
    apart = None if predicted is None else np.abs(predicted - commanded)
    return tuple(
        Tracked(
            joint=joint,
            lag=lag(commanded[:, column], actual[: len(commanded), column]),
            mean_error=float(error[:, column].mean()) if len(error) else 0.0,
            max_error=float(error[:, column].max()) if len(error) else 0.0,
            predicted_error=0.0 if apart is None or np.isnan(apart[:, column]).all()
            else float(np.nanmean(apart[:, column])),
        )
        for column, joint in enumerate(JOINTS)
    )  # fmt: skip


def lag(commanded: Vector, actual: Vector, most: int = MOST_LAG) -> int | None:
    """Frames by which one joint's motion comes after the commanded one, by cross-correlation of their changes.

    Args:
        commanded: shape (N,).
        actual: shape (N,).
        most: longest that is looked for [frames].

    Returns:
        The lag whose correlation is highest, the shortest of equals; None where the joint hardly moved, never moved
        like its command, or the series are too short.
    """
    told, did = np.diff(commanded), np.diff(actual)
    longest = min(most, len(told) - FEWEST_MOVES)
    if longest < 0 or np.ptp(commanded) < STILL_DEG:
        return None
    scores = [_alike(told[: len(told) - shift], did[shift:]) for shift in range(longest + 1)]
    best = int(np.argmax(scores))
    return best if scores[best] >= ALIKE else None


def foretold(thoughts: Mapping[int, Thought], frames: int, ahead: int = 0) -> Vector:
    """What the policy's plan in force said for each frame, shape (frames, 6); NaN where none reaches so far.

    Args:
        thoughts: by the frame they were asked in.
        frames: of the episode.
        ahead: take the plan that was in force so many frames earlier.
    """
    found = np.full((frames, len(JOINTS)), np.nan)
    asked = sorted(thoughts)
    for place, start in enumerate(asked):
        until = asked[place + 1] if place + 1 < len(asked) else frames
        for frame in range(start + ahead, min(until + ahead, frames)):
            if frame - start < len(thoughts[start].plan):
                found[frame] = thoughts[start].plan[frame - start]
    return found


def _alike(told: Vector, did: Vector) -> float:
    """Correlation of two series of changes; 0 where one of them stands still."""
    told, did = told - told.mean(), did - did.mean()
    size = float(np.sqrt((told**2).sum() * (did**2).sum()))
    return float((told * did).sum()) / size if size > 0 else 0.0
