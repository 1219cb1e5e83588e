"""What happened when in an episode: grasps, lifts, drops, releases, success, out of what the judge knew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curation.errors import UnknownChoice
from curation.frames import Phase

if TYPE_CHECKING:
    from .world.judge import Judge

KINDS = ("grasp", "lift", "drop", "release", "success")
_UP = (Phase.LIFT, Phase.TRANSPORT)


@dataclass(frozen=True)
class Mark:
    """What the judge knew in one frame.

    Attributes:
        phase: what the arm was doing.
        grasps: how often the block was between both jaws so far.
        fumbles: how often it was lost so far, elsewhere than over the bowl.
        success: whether the episode had succeeded.
    """

    phase: Phase
    grasps: int
    fumbles: int
    success: bool


@dataclass(frozen=True)
class Event:
    """One of `KINDS`, seen first in a frame."""

    frame: int
    kind: str


def mark_of(judge: Judge) -> Mark:
    """What a judge knows now."""
    return Mark(judge.phase, len(judge.grasps), judge.fumbles, judge.success_s is not None)


def events(marks: Sequence[Mark]) -> list[Event]:
    """Every event of an episode in order.

    A drop is a block lost while it was off the table, elsewhere than over the bowl; a release is one let go of over it.

    Args:
        marks: of its frames from 0 on, and of its end.
    """
    return [Event(frame, kind) for frame in range(1, len(marks)) for kind in _between(marks[frame - 1], marks[frame])]


def next_event(found: Sequence[Event], frame: int, kind: str | None = None, *, back: bool = False) -> Event | None:
    """The nearest event after a frame, or before it; None if there is none.

    Raises:
        UnknownChoice: there is no such kind.
    """
    if kind is not None and kind not in KINDS:
        raise UnknownChoice("event", kind, KINDS)
    fitting = [event for event in found if kind in (None, event.kind)]
    if back:
        return next((event for event in reversed(fitting) if event.frame < frame), None)
    return next((event for event in fitting if event.frame > frame), None)


def _between(before: Mark, after: Mark) -> list[str]:
    lost, up = after.fumbles > before.fumbles, before.phase in _UP
    happened = {
        "grasp": after.grasps > before.grasps,
        "lift": not up and after.phase in _UP,
        "drop": lost and up,
        "release": not lost and up and after.phase is Phase.RELEASE,
        "success": after.success and not before.success,
    }
    return [kind for kind in KINDS if happened[kind]]
