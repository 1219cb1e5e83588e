"""What is drawn of a moment in space: the plan, what was planned before, what else was thought, and the way taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from curation.frames import Vector
from curation.palette import Colour
from recorders.whisker import Whisker

from .history import History
from .moment import Outlook

GHOSTS = 8
"""So many plans before the present one are still drawn, each fainter than the one after it."""
MEANT = 0.75
"""How strong the part of a plan is that is not carried out before the policy is asked again."""
COLOURS: dict[str, Colour] = {
    "taken": (255, 214, 46),
    "chunk": (150, 156, 164),
    "ghost": (86, 140, 235),
    "sample": (178, 102, 226),
    "denoising": (232, 84, 150),
    "plan": (52, 208, 112),
}
"""By kind of line, in the order they are drawn."""
WORDS = {
    "taken": "way taken",
    "chunk": "overlapping chunks",
    "ghost": "plans before",
    "sample": "samples",
    "denoising": "denoising",
    "plan": "plan",
}


CLOSED: Colour = (46, 88, 160)
OPEN: Colour = (250, 190, 70)
"""Of votes for a gripper as far closed, and as far open, as any chunk of the episode says."""
LEAST_SPAN = 20.0
"""Percent of the gripper between `CLOSED` and `OPEN`, at least."""


@dataclass(frozen=True)
class Line:
    """One line in space.

    Attributes:
        kind: one of `COLOURS`.
        points: in the base frame [m], shape (N, 3).
        strength: how clearly it is drawn, over 0 to 1.
    """

    kind: str
    points: Vector
    strength: float = 1.0


def lines_of(history: History, frame: int) -> list[Line]:
    """The lines of a frame, in the order they are drawn; none of it is known later than the frame.

    The part of the plan that is carried out before the policy is asked again has full strength, the rest less. Where
    chunks are blended, the overlapping ones are there instead of earlier plans, and all of the plan, their blend, has
    full strength.
    """
    moment = history[frame]
    found = [Line("taken", history.path[: frame + 1])]
    found += _overlapping(history, frame) if moment.outlook.thought.blended else _ghosts(history, frame)
    found += [Line("sample", one.path, 0.65) for one in moment.outlook.samples]
    found += _denoising(moment.outlook)
    if moment.whisker is not None:
        path = moment.whisker.path
        later = 1.0 if moment.outlook.thought.blended else MEANT
        found += [Line("plan", path[moment.sure :], later), Line("plan", path[: moment.sure + 1])]
    return [one for one in found if len(one.points) > 1]


def kinds_of(history: History) -> list[str]:
    """The kinds of lines that any frame of a history has, in the order of `COLOURS`."""
    blended = any(one.blended for one in history.thoughts.values())
    outlooks = list(history.outlooks.values())
    there = {
        "taken": True,
        "chunk": blended,
        "ghost": len(outlooks) > 1 and not all(one.thought.blended for one in outlooks),
        "sample": any(one.samples for one in outlooks),
        "denoising": any(one.denoising for one in outlooks),
        "plan": True,
    }
    simulated = any(one.whisker is not None for one in outlooks)
    return [kind for kind in COLOURS if there[kind] and (simulated or kind == "taken")]


def words_of(history: History) -> dict[str, str]:
    """What a legend says of each kind that the history has."""
    blended = any(one.blended for one in history.thoughts.values())
    return {kind: "blend" if kind == "plan" and blended else WORDS[kind] for kind in kinds_of(history)}


def _overlapping(history: History, frame: int) -> list[Line]:
    """What is still to come of every chunk that covers the frame, the older the fainter."""
    covering = [one for one in history.overlapping(frame) if one.alone is not None]
    strengths = np.linspace(0.25, 0.7, len(covering)) if len(covering) > 1 else [0.7]
    return [
        Line("chunk", _left(one.alone, frame - one.thought.frame), float(strength))
        for one, strength in zip(covering, strengths, strict=False)
    ]


def _ghosts(history: History, frame: int) -> list[Line]:
    """The plans before the present one, oldest first, all of each."""
    past = [at for at in history.asked if at < history.asked_before(frame)][-GHOSTS:]
    paths = [one.path for at in past if (one := history.outlooks[at].whisker) is not None]
    return [Line("ghost", path, 0.65 * (1 - (len(paths) - place - 1) / GHOSTS)) for place, path in enumerate(paths)]


def _denoising(outlook: Outlook) -> list[Line]:
    """From noise, faint, towards the answer."""
    count = len(outlook.denoising)
    return [Line("denoising", one.path, 0.2 + 0.5 * place / count) for place, one in enumerate(outlook.denoising)]


def _left(whisker: Whisker | None, frames: int) -> Vector:
    return np.zeros((0, 3)) if whisker is None else whisker.after(frames).path
