"""Whiskers: where a chunk of actions leads, simulated ahead in a second world with the same limits and servos."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from curation.errors import StudioError
from curation.frames import JOINTS, Vector

from .world.sim import SimWorld


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


class Foresight:
    """A second world in which chunks are tried out; the first one does not notice.

    Targets are admitted as the first world would (`SimWorld.admit`) and driven through the same physics steps and servo,
    so what is foreseen of targets that are then carried out is what comes, to the last bit.

    Args:
        world: whose scene and model it shares.
    """

    def __init__(self, world: SimWorld) -> None:
        self._world = SimWorld(world.scene, world.model, world.painter)

    def whisker(self, physics: Vector, targets: Iterable[Vector]) -> Whisker:
        """Where targets lead from a state.

        It ends early where a target is no number or the physics breaks.

        Args:
            physics: as `SimWorld.physics` returns it.
            targets: one per control period, each of shape (6,), degrees and gripper 0..100; not yet admitted.
        """
        world = self._world
        observation = world.restore(physics)
        path, joints = [world.tip()], [observation.state]
        try:
            for target in targets:
                observation = world.step(target)
                path.append(world.tip())
                joints.append(observation.state)
        except StudioError:
            pass
        return Whisker(np.array(path).reshape(-1, 3), np.array(joints).reshape(-1, len(JOINTS)))
