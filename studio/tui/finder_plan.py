"""Positions in the making: a cursor on the table, what is wrong with it, and the list so far. Knows no Textual."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from curation.coverage import nearest
from curation.frames import Placement
from curation.targets import Target
from recorders.world import reach
from recorders.world.scene import Scene

CLOSE_M = 0.07
"""A position nearer than this to a recorded one adds little that is new [m]."""
HERE_M = 0.006
"""A target this near to the cursor is the one under it [m]."""
TURN_DEG = 15.0
"""Step of the rotation [deg]."""
FREE_EVERY = 90.0
"""Rotation after which "free" follows: a cube looks the same every quarter turn [deg]."""


@dataclass(frozen=True)
class Near:
    """The nearest of some points: distance [m] and which."""

    distance: float
    index: int


@dataclass
class Plan:
    """What the finder shows and changes; every change can be undone.

    Attributes:
        scene: what stands where.
        data: recorded placements, shape (M, 2) [m].
        targets: positions so far.
        x, y: the cursor [m].
        rotation: of the next target [deg]; None is free.
        saved: whether the list is what was read or written last.
    """

    scene: Scene
    data: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))
    targets: tuple[Target, ...] = ()
    x: float = 0.30
    y: float = 0.10
    rotation: float | None = None
    saved: bool = True
    _before: list[tuple[Target, ...]] = field(default_factory=list)

    def move(self, dx: float, dy: float) -> None:
        """Move the cursor, inside the camera's view [m]."""
        x_low, x_high, y_low, y_high = reach.view(self.scene)
        self.x = round(min(x_high, max(x_low, self.x + dx)), 4)
        self.y = round(min(y_high, max(y_low, self.y + dy)), 4)

    def to(self, x: float, y: float) -> None:
        """Put the cursor somewhere [m]."""
        self.x, self.y = x, y
        self.move(0.0, 0.0)

    def turn(self) -> None:
        """The next rotation: free, 0, 15, ... 75, free."""
        if self.rotation is None:
            self.rotation = 0.0
        else:
            turned = self.rotation + TURN_DEG
            self.rotation = None if turned >= FREE_EVERY else turned

    def problems(self) -> list[str]:
        """Why nothing can be recorded at the cursor."""
        return reach.problems(self.scene, Placement(self.x, self.y))

    def allowed(self, x: float, y: float) -> bool:
        """Whether a block can be recorded at a point [m]."""
        return not reach.problems(self.scene, Placement(x, y))

    def taken(self) -> NDArray[np.float64]:
        """Recorded placements and targets, shape (M, 2) [m]."""
        return np.concatenate([self.data, np.array([(t.x, t.y) for t in self.targets]).reshape(-1, 2)])

    def near_data(self) -> Near | None:
        """The nearest recorded placement."""
        return self._near(self.data)

    def near_target(self) -> Near | None:
        """The nearest target."""
        return self._near(np.array([(t.x, t.y) for t in self.targets]).reshape(-1, 2))

    def here(self) -> int | None:
        """Index of the target under the cursor."""
        near = self.near_target()
        return near.index if near is not None and near.distance <= HERE_M else None

    def add(self, points: Sequence[tuple[float, float]], note: str = "") -> int:
        """Append the points that can be recorded; returns how many."""
        good = [point for point in points if self.allowed(*point)]
        made = [Target(id="", x=round(x, 4), y=round(y, 4), rotation=self.rotation, note=note) for x, y in good]
        if made:
            self._change((*self.targets, *made))
        return len(made)

    def remove(self) -> bool:
        """Remove the target under the cursor."""
        here = self.here()
        if here is None:
            return False
        self._change(self.targets[:here] + self.targets[here + 1 :])
        return True

    def turn_here(self) -> None:
        """Rotate the target under the cursor, and the next ones."""
        self.turn()
        here = self.here()
        if here is not None:
            turned = replace(self.targets[here], rotation=self.rotation, id="")
            self._change((*self.targets[:here], turned, *self.targets[here + 1 :]))

    def undo(self) -> bool:
        """Take the last change back."""
        if not self._before:
            return False
        self.targets = self._before.pop()
        self.saved = False
        return True

    def step(self, by: int) -> int | None:
        """Put the cursor on the next target; returns which."""
        if not self.targets:
            return None
        here = self.here()
        place = (here + by) % len(self.targets) if here is not None else 0
        self.to(self.targets[place].x, self.targets[place].y)
        return place

    def read(self, targets: tuple[Target, ...]) -> None:
        """Take over a list that was read."""
        self._change(targets)
        self.saved = True

    def close(self) -> set[int]:
        """Indices of targets that are nearer than `CLOSE_M` to a recorded placement."""
        if not self.targets or not len(self.data):
            return set()
        distance, _ = nearest(np.array([(t.x, t.y) for t in self.targets]), self.data)
        return {index for index, d in enumerate(distance) if d < CLOSE_M}

    def _change(self, targets: tuple[Target, ...]) -> None:
        self._before.append(self.targets)
        self.targets = targets
        self.saved = False

    def _near(self, points: NDArray[np.float64]) -> Near | None:
        if not len(points):
            return None
        distances = np.hypot(points[:, 0] - self.x, points[:, 1] - self.y)
        index = int(np.argmin(distances))
        return Near(float(distances[index]), index) if math.isfinite(distances[index]) else None
