"""The loss of a training over its steps, as it falls: thin lines, a logarithmic axis, checkpoints below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from textual import events

from curation.frames import Vector

from .braille import braille, curve
from .cells import CellGrid
from .halfblocks import Glyph, write

RAW, MEAN, HELD_OUT, KEPT = (62, 92, 124), (114, 174, 242), (242, 178, 92), (76, 195, 138)
INK, MUTED, FAINT = (214, 220, 228), (128, 138, 152), (48, 56, 66)
AXIS = 8
"""Cells of the numbers beside the plot."""
LEAST_LINES, LEAST_COLUMNS = 5, 24
LOG_FROM = 3.0
"""Losses whose largest is so many times the least are drawn on a logarithmic axis."""
MEAN_FROM, MEAN_PARTS = 40, 30
"""From so many points on the mean over a thirtieth of them is drawn over the points."""

Glyphs = dict[tuple[int, int], Glyph]


@dataclass(frozen=True)
class Points:
    """Losses by step.

    Attributes:
        steps: increasing.
        losses: of each.
    """

    steps: tuple[int, ...] = ()
    losses: tuple[float, ...] = ()


NONE = Points()


class LossPlot(CellGrid):
    """Losses, those of held-out episodes as diamonds, and the steps of checkpoints."""

    def __init__(self, empty: str = "no loss yet", **more: Any) -> None:
        super().__init__(**more)
        self._empty = empty
        self._shown: tuple[Points, Points, tuple[int, ...]] = (Points(), Points(), ())

    def show(self, points: Points, held_out: Points = NONE, kept: Sequence[int] = (), empty: str = "") -> None:
        """Show a curve.

        Args:
            points: of the training.
            held_out: of episodes that are not trained on.
            kept: steps of checkpoints.
            empty: words while there is no point.
        """
        shown, words = (points, held_out, tuple(kept)), empty or self._empty
        if (shown, words) != (self._shown, self._empty) or self._grid is None:
            self._shown, self._empty = shown, words
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay it out anew."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        grid = self.ground()
        if grid is None:
            self.put(None)
            return
        points, held_out, kept = self._shown
        if not points.steps or width < LEAST_COLUMNS or height < LEAST_LINES:
            self.put_words(grid, self._empty if not points.steps else f"loss {points.losses[-1]:.4g}", MUTED)
            return
        scale = scale_of((*points.losses, *held_out.losses))
        plot = Plot(1, AXIS, height - 3, width - AXIS - 1, points.steps[0], points.steps[-1], scale)
        glyphs = _grid(plot) | _curves(plot, points) | _diamonds(plot, held_out) | _foot(plot, kept)
        self.put(grid, glyphs=glyphs | _title(plot, scale, bool(held_out.steps)))


@dataclass(frozen=True)
class Scale:
    """The upright axis.

    Attributes:
        low, high: at its ends, as drawn.
        log: whether its logarithm is drawn.
    """

    low: float
    high: float
    log: bool

    def of(self, values: Vector) -> Vector:
        """Values as they are drawn."""
        return np.log10(np.maximum(values, 1e-12)) if self.log else values


@dataclass(frozen=True)
class Plot:
    """Where the lines are, in cells, and what is at its edges."""

    line: int
    column: int
    lines: int
    columns: int
    first: int
    last: int
    scale: Scale

    def row(self, loss: float) -> int | None:
        """Line of a loss; None outside."""
        value = float(self.scale.of(np.array([loss]))[0])
        share = (self.scale.high - value) / (self.scale.high - self.scale.low)
        return self.line + min(self.lines - 1, int(share * self.lines)) if 0 <= share <= 1 else None

    def at(self, step: int) -> int | None:
        """Column of a step; None outside."""
        if not self.first <= step <= self.last:
            return None
        share = (step - self.first) / max(1, self.last - self.first)
        return self.column + round(share * (self.columns - 1))


def scale_of(losses: Sequence[float]) -> Scale:
    """An axis that holds all finite losses."""
    known = np.array([loss for loss in losses if math.isfinite(loss)] or [0.0, 1.0])
    log = bool(known.min() > 0 and known.max() / known.min() >= LOG_FROM)
    drawn = np.log10(known) if log else known
    low, high = float(drawn.min()), float(drawn.max())
    more = max(0.04 * (high - low), 1e-3 * abs(high), 1e-9)
    return Scale(low - more, high + more, log)


def ticks(scale: Scale, most: int) -> list[float]:
    """Round losses on an axis, at most so many."""
    if scale.log:
        decades = range(math.floor(scale.low) - 1, math.ceil(scale.high) + 1)
        for parts in ((1, 2, 5), (1, 3), (1,)):
            found = [part * 10.0**decade for decade in decades for part in parts]
            inside = [loss for loss in found if scale.low <= math.log10(loss) <= scale.high]
            if len(inside) <= most:
                return inside
        return inside[:: math.ceil(len(inside) / most)]
    span = scale.high - scale.low
    size = 10.0 ** math.floor(math.log10(span / most))
    step = next(size * part for part in (1, 2, 5, 10) if span / (size * part) <= most)
    return [step * number for number in range(math.ceil(scale.low / step), math.floor(scale.high / step) + 1)]


def smoothed(values: Vector) -> Vector:
    """The mean about every value, over a thirtieth of them."""
    half = max(1, len(values) // MEAN_PARTS) // 2 + 1
    sums = np.concatenate([[0.0], np.cumsum(values)])
    number = np.arange(len(values))
    low, high = np.maximum(number - half, 0), np.minimum(number + half + 1, len(values))
    mean: Vector = (sums[high] - sums[low]) / (high - low)
    return mean


def _grid(plot: Plot) -> Glyphs:
    found: Glyphs = {}
    for loss in ticks(plot.scale, max(2, plot.lines // 3)):
        line = plot.row(loss)
        if line is not None:
            found |= {(line, column): Glyph("┄", FAINT) for column in range(plot.column, plot.column + plot.columns)}
            found |= write(line, 0, f"{loss:>{AXIS - 1}.4g}"[: AXIS - 1], MUTED)
    return found


def _curves(plot: Plot, points: Points) -> Glyphs:
    steps, losses = np.array(points.steps, np.float64), np.array(points.losses, np.float64)
    if len(steps) == 1:
        line = plot.row(float(losses[0]))
        return {} if line is None else {(line, plot.column): Glyph("•", MEAN, bold=True)}
    many = len(steps) >= MEAN_FROM and bool(np.isfinite(losses).all())
    lines = [(losses, RAW if many else MEAN), *([(smoothed(losses), MEAN)] if many else [])]
    found: Glyphs = {}
    for values, colour in lines:
        mask = curve(steps, plot.scale.of(values), plot.scale.low, plot.scale.high, plot.lines, plot.columns)
        dots = braille(mask)
        found |= {(plot.line + line, plot.column + at): Glyph(sign, colour) for (line, at), sign in dots.items()}
    return found


def _diamonds(plot: Plot, held_out: Points) -> Glyphs:
    found: Glyphs = {}
    for step, loss in zip(held_out.steps, held_out.losses, strict=True):
        line, column = plot.row(loss), plot.at(step)
        if line is not None and column is not None:
            found[line, column] = Glyph("◆", HELD_OUT)
    return found


def _foot(plot: Plot, kept: Sequence[int]) -> Glyphs:
    """The axis of steps with checkpoints on it, and the numbers of its ends."""
    line = plot.line + plot.lines
    found: Glyphs = {(line, plot.column + at): Glyph("─", FAINT) for at in range(plot.columns)}
    columns = [column for step in kept if (column := plot.at(step)) is not None]
    found |= {(line, column): Glyph("▲", KEPT) for column in columns}
    end = str(plot.last)
    found |= write(line + 1, plot.column, f"step {plot.first}", MUTED)
    found |= write(line + 1, plot.column + plot.columns - len(end), end, MUTED)
    if columns and plot.columns >= 44:
        found |= write(line + 1, plot.column + plot.columns // 2 - 6, "▲ checkpoint", KEPT)
    return found


def _title(plot: Plot, scale: Scale, held_out: bool) -> Glyphs:
    found = write(0, plot.column, "loss", INK, bold=True)
    if scale.log:
        found |= write(0, plot.column + 5, "log scale", MUTED)
    if held_out:
        found |= write(0, plot.column + 16, "◆ held out", HELD_OUT)
    return found
