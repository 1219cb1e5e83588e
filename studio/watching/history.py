"""The history of a watched episode: every frame, every thought, what happened when. One thing for all faces.

It is the same whether a session is still going (`Session.history`) or it was read from a folder (`files.read_history`),
where thoughts are read one by one when somebody looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from curation.frames import Vector
from recorders.events import Event, Mark, events
from training.thought import GRIPPER, Thought, disagreement, votes
from training.tracking import Tracked, foretold, tracked

from .moment import Moment, Outlook


@dataclass(frozen=True)
class Columns:
    """Numbers by frame: N actions, and M states, which is N, or N + 1 once the episode ended.

    Attributes:
        state: measured joints, shape (M, 6), degrees and gripper 0..100.
        physics: shape (M, P), as `SimWorld.physics` returns it.
        tip: the tool point in the base frame [m], shape (M, 3).
        action: admitted targets, shape (N, 6).
        marks: what the judge knew, M of them.
    """

    state: Vector
    physics: Vector
    tip: Vector
    action: Vector
    marks: tuple[Mark, ...]


class Thoughts(Mapping[int, Thought]):
    """The thoughts of outlooks, by the frame they were asked in."""

    def __init__(self, outlooks: Mapping[int, Outlook]) -> None:
        self._outlooks = outlooks

    def __getitem__(self, frame: int) -> Thought:
        return self._outlooks[frame].thought

    def __iter__(self) -> Iterator[int]:
        return iter(self._outlooks)

    def __len__(self) -> int:
        return len(self._outlooks)


class History(Sequence[Moment]):
    """Moments of one episode, 0 to N - 1.

    Args:
        told: everything said of the episode once: `watch.json`.
        columns: numbers by frame.
        outlooks: by the frame in which the policy was asked.
    """

    def __init__(self, told: dict[str, Any], columns: Columns, outlooks: Mapping[int, Outlook]) -> None:
        self.told = told
        self.columns = columns
        self.outlooks = outlooks
        self.thoughts = Thoughts(outlooks)

    def __len__(self) -> int:
        return len(self.columns.action)

    def __getitem__(self, frame: Any) -> Any:
        """A moment; of a slice, a list of them.

        Raises:
            IndexError: there is no such frame.
        """
        if isinstance(frame, slice):
            return [self[at] for at in range(*frame.indices(len(self)))]
        at = frame + len(self) if frame < 0 else frame
        if not 0 <= at < len(self):
            raise IndexError(f"frame {frame} of {len(self)}")
        columns = self.columns
        return Moment(
            frame=at,
            time=at / self.fps,
            state=columns.state[at],
            action=columns.action[at],
            physics=columns.physics[at],
            tip=columns.tip[at],
            phase=columns.marks[at].phase,
            outlook=self.outlooks[self.asked_before(at)],
        )

    @property
    def fps(self) -> int:
        return int(self.told["fps"])

    @property
    def path(self) -> Vector:
        """The way really taken by the tool point [m], shape (M, 3)."""
        return self.columns.tip

    @cached_property
    def asked(self) -> tuple[int, ...]:
        """Frames in which the policy was asked."""
        return tuple(sorted(self.outlooks))

    def asked_before(self, frame: int) -> int:
        """The last frame, this one included, in which the policy was asked."""
        return self.asked[int(np.searchsorted(self.asked, frame, side="right")) - 1]

    @cached_property
    def events(self) -> list[Event]:
        """What happened when; an event in frame N is of the episode's end."""
        return events(self.columns.marks)

    @cached_property
    def chunks(self) -> dict[int, Vector]:
        """Every answer by the frame in which the policy was asked; see `Thought.timed`."""
        return {frame: self.thoughts[frame].timed for frame in self.asked}

    def overlapping(self, frame: int) -> list[Outlook]:
        """Outlooks whose chunks cover a frame, oldest first: what ensembling blends, and ghosts otherwise."""
        near = [at for at in self.asked if at <= frame]
        return [
            one for one in map(self.outlooks.__getitem__, near) if frame - one.thought.frame < len(one.thought.chunk)
        ]

    def votes(self, joint: int = GRIPPER) -> Vector:
        """What every chunk that covers a frame says for it, shape (N, T); see `training.thought.votes`."""
        return votes(self.chunks, len(self), joint)

    def disagreement(self) -> Vector:
        """Standard deviation over those chunks per joint, shape (N, 6)."""
        return disagreement(self.chunks, len(self))

    def foretold(self, ahead: int = 0) -> Vector:
        """What the plan in force said for each frame, so many frames before, shape (N, 6)."""
        return foretold(self.thoughts, len(self), ahead)

    def tracked(self) -> tuple[Tracked, ...]:
        """Lag and error of every joint."""
        return tracked(self.columns.action, self.columns.state, self.foretold())
