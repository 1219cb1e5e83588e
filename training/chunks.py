"""A chunk of actions in execution, and what it says about the policy that made it."""

from __future__ import annotations

from copy import copy

import numpy as np

from curation.frames import JOINTS, Vector

FEWEST_FRAMES = 60
"""Frames that an episode's chunks must reach over before their span is judged: two seconds at 30 fps."""
NARROW = 0.1
"""Share of the demonstrations' span below which actions are suspected to be normalised still (assumed): normalised
ones span about 4 units where demonstrations span about 100 degrees."""
STILL_DEG = 5.0
"""Joints that demonstrations moved by less say nothing [deg]."""
BODY = 5
"""Joints before the gripper."""


class Plan:
    """One world's chunk: which action is next, and when the policy is asked again.

    The policy is asked once `n_action_steps` actions of a chunk are over. While it thinks, the arm goes on with what is
    left of the old chunk, and holds its last target after that. When the answer comes, actions that were due while the
    arm moved are passed over; those due while it held are not, since it still stands where it was seen.

    Attributes:
        chunk: in execution, shape (T, 6); None before the first.
        at: index of its next action.
    """

    def __init__(self, n_action_steps: int, hold: Vector) -> None:
        self.chunk: Vector | None = None
        self.at = 0
        self._n = n_action_steps
        self._hold = hold
        self._coming: Vector | None = None
        self._lost = 0
        self._moved = 0

    @property
    def due(self) -> bool:
        """Whether the policy is to be asked in this frame."""
        return self._coming is None and (self.chunk is None or self.at >= min(self._n, len(self.chunk)))

    @property
    def sure(self) -> int:
        """Frames from this one on whose targets are settled before the policy is asked again."""
        # Chunks are never written into, so that a shallow copy is another plan.
        plan, frames = copy(self), 0
        while not plan.due:
            plan.next()
            frames += 1
        return frames

    def ahead(self) -> Vector:
        """Targets from this frame on if nobody asked the policy again, shape (H, 6)."""
        plan, found = copy(self), []
        while plan._coming is not None or (plan.chunk is not None and plan.at < len(plan.chunk)):
            found.append(plan.next())
        return np.array(found).reshape(-1, len(JOINTS))

    def renewed(self, n_action_steps: int) -> Plan:
        """A plan without a chunk that holds where this one would: it is due at once."""
        return Plan(n_action_steps, self._hold)

    def answer(self, chunk: Vector, lost: int = 0) -> None:
        """What the policy says to this frame's observation, and after how many frames it says so.

        Args:
            chunk: shape (T, 6).
            lost: frames.
        """
        self._coming, self._lost, self._moved = chunk, lost, 0

    def next(self) -> Vector:
        """This frame's target, shape (6,)."""
        if self._coming is not None:
            if self._lost == 0:
                self.chunk, self.at, self._coming = self._coming, self._moved, None
            else:
                self._lost -= 1
        if self.chunk is not None and self.at < len(self.chunk):
            self._hold = self.chunk[self.at]
            self.at += 1
            self._moved += 1
        return self._hold


class Span:
    """How far an episode's actions reach, against the demonstrations.

    Args:
        demonstrated: highest less lowest action of the demonstrations, shape (6,).
    """

    def __init__(self, demonstrated: Vector) -> None:
        self._demonstrated = demonstrated[:BODY]
        self._low = np.full(BODY, np.inf)
        self._high = np.full(BODY, -np.inf)
        self._frames = 0

    def see(self, chunk: Vector, frame: int) -> None:
        """A chunk, shape (T, 6), whose first action is of that frame; actions that are no numbers say nothing."""
        chunk = chunk[np.isfinite(chunk).all(axis=1)]
        if not len(chunk):
            return
        self._low = np.minimum(self._low, chunk[:, :BODY].min(axis=0))
        self._high = np.maximum(self._high, chunk[:, :BODY].max(axis=0))
        self._frames = max(self._frames, frame + len(chunk))

    @property
    def share(self) -> float | None:
        """Of the demonstrations' span, median over the joints that moved; None while it is too early to say."""
        moved = self._demonstrated >= STILL_DEG
        if self._frames < FEWEST_FRAMES or not moved.any():
            return None
        return float(np.median((self._high - self._low)[moved] / self._demonstrated[moved]))


def narrow(share: float | None) -> str:
    """A line for people where actions span only such a share of the demonstrations' span; else ""."""
    if share is None or share >= NARROW:
        return ""
    return (
        f"The policy's actions span {100 * share:.1f} % of what the demonstrations did. Denormalised? Look at the "
        "statistics beside policy_postprocessor.json; or it has learnt to stand still."
    )
