"""Whiskers: where a chunk of actions leads."""

from __future__ import annotations

from dataclasses import dataclass

from curation.frames import Vector


@dataclass(frozen=True)
class Whisker:
    """The way of the arm while it carries out H targets; row 0 is where it is before the first of them.

    Attributes:
        path: of the tool point in the base frame [m], shape (H + 1, 3).
        joints: as they would be measured, shape (H + 1, 6), degrees and gripper 0..100.
    """

    path: Vector
    joints: Vector

    def __len__(self) -> int:
        return len(self.path) - 1

    def after(self, frames: int) -> Whisker:
        """What is left of it once so many of its targets are over; at least the last point."""
        start = min(frames, len(self))
        return Whisker(self.path[start:], self.joints[start:])
