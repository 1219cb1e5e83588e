"""Positions in a random order: a grid or list taken in order would try one edge of the table first."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from curation.targets import Target
from recorders.placements import Placing
from studio.options import Where


@dataclass(frozen=True, kw_only=True)
class Shuffled(Where):
    """The same places as another `Where`; a grid and a list as a list in an order drawn from a seed.

    What is evaluated on them stores the list, so the order lies beside the rows.
    """

    order_seed: int = 0

    @classmethod
    def of(cls, where: Where, seed: int) -> Shuffled:
        """A `Where` in the order of a seed."""
        return cls(**{each.name: getattr(where, each.name) for each in fields(Where)}, order_seed=seed)

    def placing(self) -> Placing:
        """As the plain one, every position once before any comes again."""
        plain = super().placing()
        if not plain.cells:
            return plain
        order = np.random.default_rng(self.order_seed).permutation(plain.cells)
        listed = plain.targets or _grid(plain)
        return replace(plain, box=None, grid=None, targets=tuple(listed[int(which)] for which in order))


def _grid(plain: Placing) -> tuple[Target, ...]:
    """Cells of a grid, called COLUMN,ROW as in an evaluation in order."""
    assert plain.grid is not None
    columns = plain.grid[0]
    found = []
    for index in range(plain.cells):
        nominal = plain.nominal(index)
        assert nominal is not None
        found.append(Target(f"{index % columns},{index // columns}", nominal[0], nominal[1], None, ""))
    return tuple(found)
