"""The scripted expert: plans once from privileged state, then follows its path open loop."""

from __future__ import annotations

import numpy as np

from curation.frames import Command, Observation, Verdict
from recorders.world import props
from recorders.world.sim import SimWorld
from recorders.world.units import from_radians, to_radians

from .path import Path, plan_pick_and_place, vary

SEED_STREAM = 1
"""Keeps the expert's random stream apart from the placement's and the modifiers'."""


class Expert:
    """A driver that sees where the block is; the one operator that may, by construction."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world
        self._path: Path | None = None
        self._frame = 0

    def begin(self, observation: Observation, seed: int) -> None:
        """Plan for the block where it lies now."""
        world = self._world
        block, yaw = world.block_pose()
        rim = props.TRAY_HEIGHT if world.scene.bowl == "tray" else props.BOWL_HEIGHT
        variation = vary(np.random.default_rng([seed, SEED_STREAM]))
        half = world.scene.block_half
        home = to_radians(observation.state)
        self._path = plan_pick_and_place(home, block, yaw, half, world.bowl_position(), rim, variation)
        self._frame = 0

    def act(self, observation: Observation) -> Command:
        """The path's next target; ends the take at once where there is no path."""
        if self._path is None:
            return Command(observation.state, "expert", Verdict.STOP)
        self._frame += 1
        target = self._path.at(self._frame / self._world.fps)
        return Command(from_radians(target), "expert")
