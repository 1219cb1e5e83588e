"""An episode as it is made, frame by frame, with all that is needed to go back to any of them and go on from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.errors import UsageError
from curation.frames import Command, Ending, Frame, Observation, Status, Vector
from recorders.events import Mark, mark_of
from recorders.foresight import Foresight
from recorders.rollout import Midway, Start, rollout
from recorders.whisker import Whisker
from recorders.world.sim import SimWorld, Snapshot
from training.thinking import Thinker
from training.thought import Thought

from .history import Columns
from .moment import Outlook

ANCHORS = 15
"""Frames between two states that are kept of a policy which remembers pictures; what lies between is run again."""


@dataclass(frozen=True)
class Anchor:
    """World and thinker before a frame was acted on."""

    world: Snapshot
    thinker: Thinker
    memory: Any


@dataclass
class _LookedOn:
    """The loop's operator: a thinker, with somebody who looks on."""

    begin: Callable[[Sequence[Observation], Sequence[int]], None]
    act: Callable[[Sequence[Observation | None]], list[Command | None]]


class Tape:
    """Makes one episode.

    Args:
        world: it is in; no one else steps it.
        thinker: drives.
        start: of the episode.
        limit: most frames.
        whiskers: simulate ahead what is thought.

    Attributes:
        thinker: who drives now.
        ending: how the episode ended; None while it goes on.
        outlooks: by the frame in which the policy was asked.
    """

    def __init__(self, world: SimWorld, thinker: Thinker, start: Start, *, limit: int, whiskers: bool) -> None:
        self.thinker = thinker
        self.ending: Ending | None = None
        self.outlooks: dict[int, Outlook] = {}
        self._world, self._start, self._limit = world, start, limit
        self._foresight = Foresight(world) if whiskers else None
        self._frames: list[Frame] = []
        self._tips: list[Vector] = []
        self._marks: list[Mark] = []
        self._anchors: dict[int, Anchor] = {}
        self._end: tuple[Vector, Vector, Vector, Mark] | None = None
        self._successor: tuple[int, Thinker] | None = None
        self._loop = self._looked_on(None)

    def __len__(self) -> int:
        return len(self._frames)

    def grow(self) -> bool:
        """One more frame; False at the end.

        Raises:
            StudioError: the policy failed.
        """
        event = next(self._loop, None)
        if event is None:
            return False
        if isinstance(event[1], Frame):
            self._frames.append(event[1])
            return True
        self.ending = event[1]
        if self.ending.status is not Status.FAILED:
            world = self._world
            self._end = (world.observe().state, world.physics(), np.array(world.tip()), mark_of(world.judge))
        if self.thinker.failure is not None:
            raise self.thinker.failure
        return False

    @property
    def acting(self) -> int:
        """The frame that was acted on last, or is being acted on; -1 before the first."""
        return len(self._tips) - 1

    def anchor(self, frame: int) -> tuple[int, Anchor]:
        """The last one that leads to a frame that was made, and its own frame."""
        since = max(at for at in self._anchors if at <= frame)
        return since, self._anchors[since]

    def rewind(self, frame: int, thinker: Thinker | None = None) -> None:
        """Make a frame anew; later ones are gone.

        Args:
            frame: one that was made.
            thinker: takes over in it and asks at once; None lets the one go on who drove then.

        Raises:
            UsageError: the policy keeps a memory that cannot be brought back; nothing has changed.
        """
        self.require_rewindable()
        since, anchor = self.anchor(frame)
        self._loop.close()
        # It also says again which cameras are blind, whoever was made since.
        anchor.thinker.recall(anchor.memory)
        self.thinker, self._successor = anchor.thinker, None if thinker is None else (frame, thinker)
        self._forget_from(since)
        self._loop = self._looked_on(Midway([self._world.recall(anchor.world)], since))
        while len(self) <= frame and self.grow():
            pass

    def require_rewindable(self) -> None:
        """Refuse to bring back a policy that cannot be.

        Raises:
            UsageError: this one.
        """
        model = self.thinker.operator.model
        if not model.rewindable:
            raise UsageError(
                f"{model.kind} remembers inside its networks, so no past frame can be gone on from. Looking back "
                "works; for other settings watch it anew."
            )

    def columns(self) -> Columns:
        """Numbers by frame so far."""
        count, end = len(self), self._end
        return Columns(
            state=np.array([*(one.observation.state for one in self._frames), *([end[0]] if end else [])]),
            physics=np.array([*(one.physics for one in self._frames), *([end[1]] if end else [])]),
            tip=np.array([*self._tips[:count], *([end[2]] if end else [])]),
            action=np.array([one.command.action for one in self._frames]),
            marks=(*self._marks[:count], *([end[3]] if end else [])),
        )

    def _looked_on(self, midway: Midway | None) -> Any:
        operator = _LookedOn(self.thinker.begin, self._act)
        return rollout([self._world], operator, [self._start], limit=self._limit, midway=midway)

    def _act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        """Keep what going back needs, then let the thinker act."""
        frame, snapshot = len(self), self._world.snapshot()
        # Where the policy failed, the frame was begun before.
        del self._tips[frame:], self._marks[frame:]
        self._tips.append(np.array(self._world.tip()))
        self._marks.append(mark_of(snapshot.judge))
        taken_over = self._taken_over(frame)
        thinker = self.thinker
        if taken_over or thinker.operator.model.chunked or frame % ANCHORS == 0:
            self._anchors[frame] = Anchor(snapshot, thinker, thinker.remember())
        commands = thinker.act(observations)
        if thinker.thought is not None and thinker.thought.frame == frame:
            self.outlooks[frame] = self._outlook(thinker.thought, snapshot.physics)
        return commands

    def _taken_over(self, frame: int) -> bool:
        """Whether another thinker takes over in this frame."""
        if self._successor is None or self._successor[0] != frame:
            return False
        memory, self.thinker = self.thinker.remember(), self._successor[1]
        self.thinker.recall(memory, anew=True)
        self._successor = None
        return True

    def _outlook(self, thought: Thought, physics: Vector) -> Outlook:
        foresight = self._foresight
        if foresight is None:
            return Outlook(thought)

        def led(targets: Vector) -> Whisker:
            return foresight.whisker(physics, targets)

        whisker = led(thought.plan)
        alone = whisker if np.array_equal(thought.plan, thought.chunk) else led(thought.chunk)
        return Outlook(thought, whisker, alone, tuple(map(led, thought.samples)), tuple(map(led, thought.denoising)))

    def _forget_from(self, frame: int) -> None:
        self.ending = self._end = None
        del self._frames[frame:], self._tips[frame:], self._marks[frame:]
        self.outlooks = {at: one for at, one in self.outlooks.items() if at < frame}
        self._anchors = {at: one for at, one in self._anchors.items() if at < frame}
