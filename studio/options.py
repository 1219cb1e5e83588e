"""Options that several commands share, as the command line spells them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro

from curation.coverage import RADIUS, Points, placements_of
from curation.errors import UsageError
from curation.store import Store
from curation.targets import read_targets
from recorders.placements import Placing
from studio.paths import dataset_path

Episodes = Annotated[int | None, tyro.conf.arg(aliases=["-n"])]
Name = tyro.conf.Positional[str]
Names = tyro.conf.Positional[tuple[str, ...]]
From = Annotated[tuple[str, ...], tyro.conf.arg(name="from")]


@dataclass(frozen=True, kw_only=True)
class Where:
    """Where the block is placed; one of --at, --box and --targets, by default --at 0.217 0.225."""

    at: tuple[float, float] | None = None
    """One position: X Y in metres."""
    box: tuple[float, float, float, float] | None = None
    """Anywhere inside: X-low X-high Y-low Y-high in metres."""
    grid: tuple[int, int] | None = None
    """A lattice of NX by NY positions over --box, in order."""
    targets: Path | None = None
    """A positions file: {"positions": [{"x", "y", "rotation", "note"}]}; see `studio targets`."""
    jitter: float = 0.0
    """Uniform noise per axis in metres."""
    yaw: float | Literal["free"] = "free"
    """Heading in degrees, or "free" for any."""
    from_: From = ()
    """Datasets; asked positions near their placements are named beforehand."""
    farther_than: float = RADIUS
    """What counts as near, in metres."""

    def placing(self) -> Placing:
        """The same, with the targets read."""
        listed = read_targets(self.targets) if self.targets else ()
        nothing = not (self.at or self.box or self.targets)
        return Placing(
            at=(0.217, 0.225) if nothing else self.at,
            box=self.box,
            grid=self.grid,
            targets=listed,
            jitter=self.jitter,
            yaw=self.yaw,
        )


def recorded_at(datasets: Sequence[str]) -> Points:
    """Placements of the unmasked episodes of all these datasets, shape (M, 2) [m].

    Raises:
        NotADataset: one is none.
    """
    parts = [placements_of(Store.open(dataset_path(name))) for name in datasets]
    return np.concatenate([np.zeros((0, 2)), *parts])


def process_count(asked: int) -> int:
    """How many processes to use; 0 is one per processor core.

    Raises:
        UsageError: if the number is negative.
    """
    if asked < 0:
        raise UsageError(f"--processes {asked} must be 0 (one per core) or more.")
    return asked or os.cpu_count() or 1
