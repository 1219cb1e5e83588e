"""Whiskers are simulated ahead in a second world with the same limits, servos and physics steps."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from curation.errors import StudioError
from curation.frames import JOINTS, Vector

from .whisker import Whisker
from .world.sim import SimWorld


class Foresight:
    """A second world in which chunks are tried out; the first one does not notice.

    Targets are admitted as the first world would (`SimWorld.admit`) and driven through the same physics steps and
    servo, so what is foreseen of targets that are then carried out is what comes, to the last bit.

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
        state = world.restore(physics).state
        path, joints = [world.tip()], [state]
        try:
            for target in targets:
                world.drive(target)
                path.append(world.tip())
                joints.append(world.observe().state)
        except StudioError:
            pass
        return Whisker(np.array(path).reshape(-1, 3), np.array(joints).reshape(-1, len(JOINTS)))
