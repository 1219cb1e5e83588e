"""Whether blocks lie at the very same places in two lists: who learned at a placement proves nothing there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curation.errors import UsageError
from curation.frames import Placement
from curation.store import Store
from recorders.placements import start, start_as_asked
from studio.steps import Step
from studio.verbs.evaluate import episode_count

Places = NDArray[np.float64]
"""Shape (N, 3): x, y [m], heading [deg]; a heading that nobody knows is NaN, and like any."""
NEAR_M, NEAR_DEG = 1e-4, 0.1
"""Nearer than this is the same place: what a positions file and a classifier's list of places are written to."""
ROUNDING_M = 1e-9
"""Places written to a tenth of a millimetre are not a bit farther apart than that."""


def evaluated(steps: Sequence[Step]) -> Places:
    """Where the evaluations of a chain put blocks; all its evaluations are at the same placements."""
    from studio import cli

    words = next(step.words for step in steps if step.words[0] == "evaluate")
    options = cli.parsed(words[0], list(words[1:]))[1]
    placing = options.where.placing()
    count = episode_count(options, placing)
    return _places(start_as_asked(placing, options.seed, index).placement for index in range(count))


def attempted(step: Step) -> Places:
    """Where a step that generates so many episodes, kept or not, puts blocks."""
    from studio import cli

    asked = cli.parsed(step.words[0], list(step.words[1:]))[1].recording
    placing = asked.where.placing()
    return _places(start(placing, asked.scene, asked.seed, index).placement for index in range(asked.episodes))


def recorded(root: Path, ids: Iterable[str] | None = None) -> Places:
    """Where blocks lay in a dataset, or in some of its episodes, as far as that is known."""
    wanted = None if ids is None else set(ids)
    rows = [row for row in Store.open(root).rows() if wanted is None or row.episode_id in wanted]
    found = np.array([(row.x, row.y, row.yaw_deg) for row in rows], np.float64).reshape(-1, 3)
    return found[np.isfinite(found[:, :2]).all(axis=1)]


def anyhow(positions: Iterable[tuple[float, float]]) -> Places:
    """Positions x, y [m] whatever the heading."""
    return np.array([(x, y, np.nan) for x, y in positions], np.float64).reshape(-1, 3)


def coinciding(some: Places, others: Places) -> int:
    """How many of `some` lie where one of `others` does."""
    found = 0
    for place in some:
        near = np.hypot(*(others[:, :2] - place[:2]).T) <= NEAR_M + ROUNDING_M
        turned = np.abs((others[:, 2] - place[2] + 180.0) % 360.0 - 180.0)
        found += bool((near & (np.isnan(turned) | (turned <= NEAR_DEG))).any())
    return found


def require_apart(what: str, some: Places, where: str, others: Places, way_out: str) -> None:
    """Refuse places that are the same.

    Args:
        what, some: a list, such as "evaluation episodes".
        where, others: another, such as "attempts that are learned from".
        way_out: what to ask instead.

    Raises:
        UsageError: some of them are.
    """
    if same := coinciding(some, others):
        raise UsageError(
            f"{same} of {len(some)} {what} would be at the very placements of {where}: it would be tried where it "
            f"learned. {way_out}"
        )


def _places(placements: Iterable[Placement]) -> Places:
    return np.array([(one.x, one.y, one.yaw_deg) for one in placements], np.float64).reshape(-1, 3)
