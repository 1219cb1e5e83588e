"""How success grows with the number of demonstrations: nested random subsets, and what came of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from curation.errors import UsageError
from curation.palette import MUTED

from .bootstrap import GroupRate
from .sheet import BLUE, Chart, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_STEPS = (1, 2, 5)


@dataclass(frozen=True)
class Point:
    """One amount of data at one step of training.

    Attributes:
        episodes: trained on.
        step: of the checkpoints.
        last: whether it is the last checkpoint of each training.
        rate: over the trainings, each with its own subset and seed.
    """

    episodes: int
    step: int
    last: bool
    rate: GroupRate


def usual_counts(total: int) -> tuple[int, ...]:
    """1, 2, 5, 10, 20, 50 and on below the total, and the total."""
    counts = [factor * 10**power for power in range(len(str(total))) for factor in _STEPS]
    return (*(count for count in counts if count < total), total)


def nested(indices: Sequence[int], counts: Sequence[int], seed: int) -> dict[int, tuple[int, ...]]:
    """Random subsets, each part of the next larger one, so that steps of the curve differ by the added episodes only.

    The first so many of a dataset would be one session, one operator, one corner of the table.

    Args:
        indices: of all episodes.
        counts: how many each subset has.
        seed: of the order.

    Raises:
        UsageError: a count is below 1 or above what there is, or stands there twice.
    """
    if not counts or min(counts) < 1 or max(counts) > len(indices) or len(set(counts)) < len(counts):
        raise UsageError(
            f"--counts {' '.join(map(str, counts))} must be different numbers from 1 to {len(indices)}, the episodes."
        )
    order = np.random.default_rng(seed).permutation(len(indices))
    return {count: tuple(sorted(indices[int(which)] for which in order[:count])) for count in sorted(counts)}


def picture(points: Sequence[Point], title: str, note: str) -> Picture:
    """Success against episodes trained on, with intervals: the last checkpoints in ink, earlier ones faint."""
    sheet = Sheet(1000, 560)
    sheet.text(40, 22, title, 26)
    counts = sorted({point.episodes for point in points})
    low, high = math.log10(counts[0]) - 0.1, math.log10(counts[-1]) + 0.1
    chart = Chart(sheet, 80, 110, 960, 440, (low, high), (0.0, 1.0))
    chart.axes("", "success [%] against episodes trained on, 95 % intervals", x_ticks=[], scale=(1, 100))
    for count in counts:
        right, _ = chart.at(math.log10(count), 0)
        sheet.text(right, chart.bottom + 8, str(count), 15, MUTED, "ma")
    for point in points:
        if not point.last:
            sheet.disc(*chart.at(math.log10(point.episodes), point.rate.mean), 4, (*BLUE, 70))
    last = sorted((point for point in points if point.last), key=lambda point: point.episodes)
    chart.line([(math.log10(point.episodes), point.rate.mean) for point in last], BLUE, 1.5)
    for point in last:
        chart.error(math.log10(point.episodes), point.rate.low, point.rate.mean, point.rate.high, BLUE)
    sheet.disc(46, 494, 5, BLUE)
    used = sheet.text(60, 494, "last checkpoint", 15, anchor="lm")
    sheet.disc(96 + used, 494, 4, (*BLUE, 70))
    sheet.text(110 + used, 494, "earlier ones", 15, anchor="lm")
    sheet.text(40, 520, note, 14, MUTED)
    return sheet.finished()
