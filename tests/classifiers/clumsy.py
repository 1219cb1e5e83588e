"""Somebody who fails in other ways than the fumbler: slips, hesitates, misjudges a little, and stops anywhere."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from curation.episodes import StagedEpisode
from curation.frames import Command, Observation
from curation.video import Encoding
from recorders.crew import draw_take
from recorders.journal import read_journal
from recorders.operators import each
from recorders.operators.path import Path as Motion
from recorders.operators.path import plan_pick_and_place, vary
from recorders.placements import Placing, start
from recorders.session import Session
from recorders.take import Keep, run_take
from recorders.world import props
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from recorders.world.units import from_radians, to_radians

STREAM = 91
ASTRAY_M, BESIDE_M = 0.006, 0.030
"""Standard deviations of where it takes the block and the bowl to be [m]."""
STOPS, SLIPS = 0.25, 0.15
"""Shares of the episodes in which it stops anywhere, and in which its jaws go slack."""
LIMIT_S = 8.0


class Clumsy:
    """A driver that sees the block, roughly."""

    def __init__(self, world: SimWorld) -> None:
        self._world = world
        self._path: Motion | None = None
        self._frame, self._stops_s, self._slips_s, self._slack = 0, math.inf, math.inf, 0.0

    def begin(self, observation: Observation, seed: int) -> None:
        rng = np.random.default_rng([seed, STREAM])
        world, (block, yaw) = self._world, self._world.block_pose()
        block = block + np.array([*rng.normal(0, ASTRAY_M, 2), 0.0])
        by = replace(vary(rng), drop=rng.normal(0, BESIDE_M, 2), drop_height=float(rng.uniform(-0.02, 0.03)))
        home, half = to_radians(observation.state), world.scene.block_half
        self._path = plan_pick_and_place(home, block, yaw, half, world.bowl_position(), props.BOWL_HEIGHT, by)
        seconds = 0.0 if self._path is None else self._path.seconds
        self._frame = 0
        self._stops_s = float(rng.uniform(0.3, 1.0)) * seconds if rng.random() < STOPS else math.inf
        self._slips_s = float(rng.uniform(0.4, 0.9)) * seconds if rng.random() < SLIPS else math.inf
        self._slack = float(rng.uniform(0.1, 0.6))

    def act(self, observation: Observation) -> Command:
        self._frame += 1
        if self._path is None:
            return Command(observation.state, "clumsy")
        time = self._frame / self._world.fps
        target = self._path.at(min(time, self._stops_s)).copy()
        if time > self._slips_s:
            target[5] += self._slack
        return Command(from_radians(target), "clumsy")


def record_clumsy(root: Path, scene: Scene, episodes: int, box: tuple[float, float, float, float], seed: int) -> None:
    """A dataset of its attempts, whatever comes of them."""
    session, world = Session.create(root, scene, Encoding()), SimWorld(scene)
    driver = Clumsy(world)
    with closing(session), closing(world):
        for attempt in range(episodes):
            at = start(Placing(box=box, yaw="free"), scene, seed, attempt)
            journal = session.begin(at, "clumsy", attempt, {"session_seed": seed})
            limit = round(LIMIT_S * scene.fps)
            run_take(world, each(lambda _: driver), at, journal, rule=Keep.ALL, limit=limit)
            take = read_journal(journal.path)
            session.settle(take)
            staged = draw_take(take, root, scene, world.painter, session.store.encoding)
            session.save(StagedEpisode.load(staged))
