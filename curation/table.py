"""The table that a dataset was recorded on, as meta/studio/scene.json tells it: reach, views, bowl. Metres.

Only shapes: what the arm can do was worked out when the scene was stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from curation.errors import DataError, NotADataset

Points = NDArray[np.float64]
Mask = NDArray[np.bool_]
Box = tuple[float, float, float, float]
"""x low, x high, y low, y high [m]."""

STEP = 0.005
"""Step of the lattice on which areas are measured and gaps are looked for [m]."""


class NoTable(NotADataset):
    """A dataset whose scene tells nothing about reach and view."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "it stores no reach and no view, so nothing can be said about places on its table")


@dataclass(frozen=True)
class Bowl:
    """Where no block is put: a circle or a square of half width `half`, and `gap` around it [m]."""

    x: float
    y: float
    half: float
    square: bool
    gap: float


@dataclass(frozen=True)
class Table:
    """Where a block can be recorded.

    Attributes:
        reach: corners of the arm's reach.
        views: what each fixed camera sees of the table.
        margin: how far inside a view a block's centre must be for the whole block to be seen.
        bowl: None where there is none.
    """

    reach: tuple[tuple[float, float], ...]
    views: tuple[Box, ...]
    margin: float
    bowl: Bowl | None

    @classmethod
    def of(cls, scene: Mapping[str, Any], root: Path) -> Self:
        """The table of a dataset.

        Args:
            scene: its scene.json.
            root: its folder, for the error.

        Raises:
            NoTable: the scene tells nothing about it.
            DataError: what it tells is damaged.
        """
        card = scene.get("table")
        if card is None:
            raise NoTable(root)
        try:
            return cls.from_card(card)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"The table in the scene of {root} cannot be read: {error!r}.") from error

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Self:
        """The table that a recorder described."""
        views = tuple(_box(view) for view in card["views"].values())
        reach = tuple((float(x), float(y)) for x, y in card["reach"])
        bowl = None if card.get("bowl") is None else Bowl(**card["bowl"])
        if len(reach) < 3 or not views:
            raise ValueError("reach needs three corners, and one camera a view")
        return cls(reach, views, float(card["margin"]), bowl)

    @property
    def box(self) -> Box:
        """What every camera sees of what the arm reaches."""
        xs, ys = zip(*self.reach, strict=True)
        return (
            max(min(xs), *(view[0] for view in self.views)),
            min(max(xs), *(view[1] for view in self.views)),
            max(min(ys), *(view[2] for view in self.views)),
            min(max(ys), *(view[3] for view in self.views)),
        )

    def reachable(self, points: Points) -> Mask:
        """Which of points, shape (N, 2), the arm reaches, shape (N,)."""
        x, y = np.asarray(points, float).reshape(-1, 2).T
        inside = np.zeros(len(x), bool)
        corners = np.array(self.reach)
        # A ray to the right crosses the outline an odd number of times from inside.
        for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            if ay != by:
                inside ^= ((ay > y) != (by > y)) & (x < ax + (bx - ax) * (y - ay) / (by - ay))
        return inside

    def seen(self, points: Points) -> Mask:
        """At which of points, shape (N, 2), every camera sees a whole block, shape (N,)."""
        x, y = np.asarray(points, float).reshape(-1, 2).T
        m = self.margin
        return np.all([(a + m <= x) & (x <= b - m) & (c + m <= y) & (y <= d - m) for a, b, c, d in self.views], axis=0)

    def clear(self, points: Points) -> Mask:
        """Which of points, shape (N, 2), are clear of the bowl, shape (N,)."""
        x, y = np.asarray(points, float).reshape(-1, 2).T
        if self.bowl is None:
            return np.ones(len(x), bool)
        dx, dy = np.abs(x - self.bowl.x), np.abs(y - self.bowl.y)
        away = np.maximum(dx, dy) if self.bowl.square else np.hypot(dx, dy)
        return away - self.bowl.half > self.bowl.gap

    def allowed(self, points: Points) -> Mask:
        """At which of points, shape (N, 2), a block can be recorded, shape (N,)."""
        return self.reachable(points) & self.seen(points) & self.clear(points)

    def problems(self, x: float, y: float) -> list[str]:
        """Why a block cannot be recorded at a place; empty if it can."""
        point = np.array([[x, y]])
        words = {"out of the arm's reach": self.reachable, "in or too close to the bowl": self.clear,
                 "outside a camera's view": self.seen}  # fmt: skip
        return [word for word, test in words.items() if not test(point)[0]]

    @cached_property
    def lattice(self) -> Points:
        """Every recordable point of a lattice of `STEP`, shape (N, 2)."""
        x_low, x_high, y_low, y_high = self.box
        # On whole multiples of the step, so that tables of different views share their points.
        xs = np.arange(np.ceil(x_low / STEP), np.floor(x_high / STEP) + 1) * STEP
        ys = np.arange(np.ceil(y_low / STEP), np.floor(y_high / STEP) + 1) * STEP
        points = np.stack(np.meshgrid(xs, ys, indexing="ij"), axis=-1).reshape(-1, 2)
        # Products of steps are not decimal numbers; ten nanometres make them so.
        found: Points = np.round(points[self.allowed(points)], 8)
        return found


def _box(view: Any) -> Box:
    x_low, x_high, y_low, y_high = (float(side) for side in view)
    return x_low, x_high, y_low, y_high
