"""Where blocks were asked to be, turned into placements: one way for every command.

Every draw comes from the episode's own seed, so an episode can be placed again without its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from curation.errors import UsageError
from curation.frames import Placement
from curation.targets import Target

from .rollout import Start
from .world import reach
from .world.scene import Scene

PLACEMENT_STREAM = 0


@dataclass(frozen=True, kw_only=True)
class Placing:
    """What the person asked for; exactly one of `at`, `box` (with or without `grid`) and `targets`.

    Attributes:
        at: one position x, y [m].
        box: x low, x high, y low, y high [m]: uniform inside, or a lattice with `grid`.
        grid: columns along x and rows along y over `box`.
        targets: positions in order.
        jitter: uniform noise per axis [m].
        yaw: heading [deg], or "free" for any.
    """

    at: tuple[float, float] | None = None
    box: tuple[float, float, float, float] | None = None
    grid: tuple[int, int] | None = None
    targets: tuple[Target, ...] = ()
    jitter: float = 0.0
    yaw: float | Literal["free"] = "free"

    def __post_init__(self) -> None:
        asked = [name for name in ("at", "box", "targets") if getattr(self, name)]
        if len(asked) != 1:
            said = " and ".join(f"--{name}" for name in asked) or "none"
            raise UsageError(f"Say where the block goes in exactly one way: --at, --box or --targets; got {said}.")
        if self.grid and not self.box:
            raise UsageError("--grid needs the --box it is laid over.")
        if self.grid and min(self.grid) < 1:
            raise UsageError(f"--grid {self.grid[0]} {self.grid[1]} must be at least 1 1.")
        if not 0 <= self.jitter <= 1:
            raise UsageError(f"--jitter {self.jitter} is outside 0 to 1 metres.")
        if self.yaw != "free" and not -360 <= self.yaw <= 360:
            raise UsageError(f"--yaw {self.yaw} is outside -360 to 360 degrees; or say free.")
        if self.box and not (self.box[0] <= self.box[1] and self.box[2] <= self.box[3]):
            raise UsageError(f"--box {' '.join(map(str, self.box))} must be X-low X-high Y-low Y-high.")

    @property
    def cells(self) -> int:
        """Positions in the grid or target list; 0 where there is none."""
        return len(self.targets) or (self.grid[0] * self.grid[1] if self.grid else 0)

    def target(self, index: int) -> Target | None:
        """The target that attempt `index` is of when targets are taken in turn; None without targets."""
        return self.targets[index % len(self.targets)] if self.targets else None

    def nominal(self, index: int, target: Target | None = None) -> tuple[float, float, float | None] | None:
        """The position asked for attempt `index`, before jitter; None where it is drawn from the box.

        Args:
            index: number of the attempt.
            target: the position of the list that it is of; by default the one whose turn it is.
        """
        if self.at:
            return (*self.at, None)
        target = target or self.target(index)
        if target:
            return target.x, target.y, target.rotation
        if self.grid and self.box:
            columns, rows = self.grid
            column, row = index % columns, (index // columns) % rows
            return _along(*self.box[:2], column, columns), _along(*self.box[2:], row, rows), None
        return None


def start(placing: Placing, scene: Scene, seed: int, index: int, target: Target | None = None) -> Start:
    """The start of attempt `index`: its own seed, and a placement drawn from that.

    Jitter and box draws that land where the block cannot be recorded are drawn again.

    Raises:
        UsageError: if the asked position itself cannot be recorded; names the nearest one that can.
    """
    own = attempt_seed(seed, index)
    rng = np.random.default_rng([own, PLACEMENT_STREAM])
    nominal = placing.nominal(index, target)
    if nominal is not None:
        _require_valid(scene, Placement(nominal[0], nominal[1], nominal[2] or 0.0))
    for redraws in range(1000):
        placement = _draw(placing, nominal, rng)
        if not reach.problems(scene, placement):
            return Start(own, placement, redraws)
    raise UsageError(f"No recordable position found for attempt {index}: the asked region lies out of reach or view.")


def start_as_asked(placing: Placing, seed: int, index: int) -> Start:
    """The start of trial `index` of an evaluation: as `start`, but never moved, drawn again or refused."""
    own = attempt_seed(seed, index)
    rng = np.random.default_rng([own, PLACEMENT_STREAM])
    return Start(own, _draw(placing, placing.nominal(index), rng))


def cells_without(placing: Placing, asked: Iterable[Any]) -> list[tuple[float, float]]:
    """Positions of a grid for which no episode was asked and kept, in order; metres."""
    done = {(round(float(a[0]), 6), round(float(a[1]), 6)) for a in asked if a}
    nominal = [placing.nominal(index) for index in range(placing.cells)]
    wanted = [(round(n[0], 6), round(n[1], 6)) for n in nominal if n]
    return [cell for cell in wanted if cell not in done]


def require_recordable(placing: Placing, scene: Scene, seed: int) -> None:
    """Check every asked position before anything is made.

    Raises:
        UsageError: naming the first that cannot be recorded and the nearest one that can.
    """
    if seed < 0:
        raise UsageError(f"--seed {seed} must not be negative.")
    for index in range(max(1, placing.cells)):
        start(placing, scene, seed, index)


def attempt_seed(seed: int, index: int) -> int:
    """The seed of attempt `index` of a session with a base seed."""
    low, high = np.random.SeedSequence([seed, index]).generate_state(2)
    # 63 bits: they fit the dataset's int64 column, and two of a million attempts practically never share one.
    return int(low) | (int(high) & 0x7FFFFFFF) << 32


def _draw(placing: Placing, nominal: tuple[float, float, float | None] | None, rng: np.random.Generator) -> Placement:
    if nominal is None:
        assert placing.box is not None
        x, y = rng.uniform(*placing.box[:2]), rng.uniform(*placing.box[2:])
        asked_yaw = None
    else:
        x, y, asked_yaw = nominal
    dx, dy = rng.uniform(-placing.jitter, placing.jitter, 2)
    free = rng.uniform(-180.0, 180.0)
    yaw = asked_yaw if asked_yaw is not None else free if placing.yaw == "free" else placing.yaw
    return Placement(round(float(x + dx), 6), round(float(y + dy), 6), round(float(yaw), 4))


def _require_valid(scene: Scene, placement: Placement) -> None:
    found = reach.problems(scene, placement)
    if found:
        near = reach.nearest_valid(scene, placement)
        way_out = f" The nearest recordable position is --at {near.x:g} {near.y:g}." if near else ""
        raise UsageError(f"A block at ({placement.x:g}, {placement.y:g}) is {' and '.join(found)}.{way_out}")


def _along(low: float, high: float, step: int, count: int) -> float:
    return (low + high) / 2 if count == 1 else low + (high - low) * step / (count - 1)
