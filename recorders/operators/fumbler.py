"""The expert gone wrong on purpose: failures of every kind, and near misses, for a success classifier to learn.

About half of its episodes are the expert's own. Which way an episode goes is drawn from its seed. Whatever came of it,
it stands there for a while and then ends the take, so that neither an episode's length nor where the arm is at its end
tells much of its success.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from curation.frames import JOINTS, Command, Observation, Vector, Verdict
from recorders.world import props
from recorders.world.sim import SimWorld
from recorders.world.units import from_radians, to_radians

from .expert import SEED_STREAM
from .path import CLOSING, FREEING, LIFTING, OVER, Path, Variation, Waypoint, plan_pick_and_place, vary

WAY_STREAM = 3
"""Keeps the choice of the way apart from the expert's random stream."""
SUCCESS_SHARE = 0.45
"""Share of the episodes that are the expert's own; a few of the others succeed by luck."""
HOME_SHARE = 0.5
"""Share of the episodes at whose end it goes back to where it began."""
ON_THE_RIM = -0.034
"""Extra height of a release that presses the block onto the rim, where it stays as long as a jaw is near [m]."""
LINGERS_S = (0.1, 1.5)
"""How long it stands still before it ends the take [s]."""
LEAVES_S = 1.0
"""Least time in which it goes back, or stands still instead [s]; enough for the judge to be content."""


class Fumbler:
    """A driver that sees the block, as the expert does, and spoils what it plans.

    Attributes:
        way: how the present episode is spoiled; "" is not at all.
    """

    def __init__(self, world: SimWorld) -> None:
        self._world = world
        self._path: Path | None = None
        self._after = Path(np.zeros(len(JOINTS)), [])
        self._frame = 0
        self._frozen_s = math.inf
        self._opens_s = math.inf
        self.way = ""

    def begin(self, observation: Observation, seed: int) -> None:
        """Choose a way and plan for the block where it lies now."""
        rng = np.random.default_rng([seed, WAY_STREAM])
        variation = vary(np.random.default_rng([seed, SEED_STREAM]))
        world = self._world
        block, yaw = world.block_pose()
        self.way = "" if rng.random() < SUCCESS_SHARE else _way(rng)
        block, variation = _astray(self.way, rng, block, variation)
        rim = props.TRAY_HEIGHT if world.scene.bowl == "tray" else props.BOWL_HEIGHT
        home, half = to_radians(observation.state), world.scene.block_half
        self._path = plan_pick_and_place(home, block, yaw, half, world.bowl_position(), rim, variation)
        self._frame = 0
        self._frozen_s = self._opens_s = math.inf
        if self._path is not None:
            self._frozen_s = _when(FROZEN, self.way, rng, self._path)
            self._opens_s = _when(OPENED, self.way, rng, self._path)
            self._after = _after(rng, self._path, home)

    def act(self, observation: Observation) -> Command:
        """The spoiled path's next target; ends the take after it, and at once where there is none."""
        self._frame += 1
        time = self._frame / self._world.fps
        if self._path is None or time > self._path.seconds + self._after.seconds:
            return Command(observation.state, "fumbler", Verdict.STOP)
        if min(time, self._frozen_s) < self._path.seconds:
            target = self._path.at(min(time, self._frozen_s)).copy()
        else:
            target = self._after.at(time - self._path.seconds)
        if time > self._opens_s:
            target[5] = self._path.at(math.inf)[5]
        return Command(from_radians(target), "fumbler")


FROZEN: dict[str, tuple[int, float, float]] = {
    "short": (1, 0.0, 1.0),
    "hovers": (CLOSING, 0.0, 0.05),
    "holds low": (OVER + 1, 1.0, 1.0),
    "holds over the bowl": (FREEING, 0.0, 0.05),
    "half let go": (FREEING, 0.10, 0.45),
    "holds on the rim": (FREEING, 0.05, 0.45),
    "lets go on the rim": (FREEING, 0.45, 0.80),
}
"""Ways that stand still: in which move, and between which shares of it."""
OPENED: dict[str, tuple[int, float, float]] = {"drops": (OVER, 0.05, 0.6), "drops early": (LIFTING, 0.3, 0.9)}
"""Ways that let go too early: in which move, and between which shares of it."""
WAYS = (*FROZEN, *OPENED, "on the rim", "beside the bowl", "beside the block")
OFTEN = {"lets go on the rim": 4.0, "on the rim": 2.0, "beside the bowl": 2.0}
"""How much likelier than another a way is: a block on the rim, or against it, with the arm gone looks most like a
success, and lies on the rim after less than half of the attempts to leave it there (measured: 17 of 40)."""


def _way(rng: np.random.Generator) -> str:
    weight = np.array([OFTEN.get(way, 1.0) for way in WAYS])
    return WAYS[int(rng.choice(len(WAYS), p=weight / weight.sum()))]


def _after(rng: np.random.Generator, path: Path, home: Vector) -> Path:
    """What comes after a path: back to the start, or nothing, and standing still."""
    end = path.at(math.inf)
    to = home if rng.random() < HOME_SHARE else end
    return Path(end, [Waypoint(to, LEAVES_S, float(rng.uniform(*LINGERS_S)))])


def _when(ways: dict[str, tuple[int, float, float]], way: str, rng: np.random.Generator, path: Path) -> float:
    """Time at which it happens [s]; never for other ways."""
    if way not in ways:
        return math.inf
    move, least, most = ways[way]
    start, end = path.span(move)
    return start + (end - start) * float(rng.uniform(least, most))


def _astray(way: str, rng: np.random.Generator, block: Vector, variation: Variation) -> tuple[Vector, Variation]:
    """Where the block is taken to be, and a variation that releases elsewhere [m]."""
    bearing = float(rng.uniform(-math.pi, math.pi))
    aside = np.array([math.cos(bearing), math.sin(bearing)])

    def lowered(drop: Vector) -> tuple[Vector, Variation]:
        return block, replace(variation, drop=drop, drop_height=ON_THE_RIM)

    ways: dict[str, Callable[[], tuple[Vector, Variation]]] = {
        "on the rim": lambda: lowered(aside * rng.uniform(0.056, 0.070)),
        "holds on the rim": lambda: lowered(aside * rng.uniform(0.050, 0.072)),
        "lets go on the rim": lambda: lowered(aside * rng.uniform(0.050, 0.072)),
        "beside the bowl": lambda: (block, replace(variation, drop=aside * rng.uniform(0.070, 0.110))),
        "beside the block": lambda: (block + np.append(aside * rng.uniform(0.020, 0.045), 0.0), variation),
        "holds low": lambda: (block, replace(variation, drop_height=-0.040)),
    }
    return ways[way]() if way in ways else (block, variation)
