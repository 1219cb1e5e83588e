"""The joints of an episode over time: what was measured and what was commanded, as thin lines.

Where there is room every joint has a plot and an axis of its own; else all measured joints share one plot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from textual import events

from curation.frames import Vector
from curation.palette import Colour
from recorders.world.units import HIGH, LOW

from .braille import braille, curve
from .cells import CellGrid
from .halfblocks import Glyph, write

NAMES = ("pan", "lift", "elbow", "flex", "roll", "grip")
UNITS = ("°", "°", "°", "°", "°", "%")
COLOURS: tuple[Colour, ...] = (
    (114, 174, 242), (242, 178, 92), (76, 195, 138), (240, 113, 107), (190, 150, 240), (225, 225, 120),
)  # fmt: skip
"""Of the joints where they share one plot."""
STATE, ACTION, CURSOR, PREDICTED = (114, 174, 242), (196, 146, 82), (255, 214, 120), (76, 195, 138)
INK, MUTED, FAINT = (214, 220, 228), (128, 138, 152), (66, 75, 88)
LEAST_SPAN = 8.0
"""A joint that moves less is drawn as nearly still [deg, or percent of the gripper]."""
AXIS = 5
"""Cells of the numbers beside a plot."""
LEAST_LINES, LEAST_COLUMNS = 3, 24
"""Smallest plot of one joint, its title included."""
GOOD_LINES = 5
"""Where plots would be lower than this, they rather stand beside each other."""

Glyphs = dict[tuple[int, int], Glyph]


@dataclass(frozen=True)
class _Box:
    """Where a plot is, in cells: its first line and column, and its size."""

    line: int
    column: int
    lines: int
    columns: int


@dataclass(frozen=True)
class _Data:
    time: Vector
    state: Vector
    action: Vector
    predicted: Vector | None = None
    notes: tuple[str, ...] = ()


class JointPlot(CellGrid):
    """Lines of state and action per joint, with a cursor.

    Args:
        empty: words shown while there is nothing to plot.
    """

    def __init__(self, empty: str = "no joints yet", **more: Any) -> None:
        super().__init__(**more)
        self._empty = empty
        self._data: _Data | None = None
        self._cursor = 0.0
        self._curves: tuple[Any, Glyphs] | None = None

    def show(
        self,
        time: ArrayLike,
        state: ArrayLike,
        action: ArrayLike,
        cursor: float,
        predicted: ArrayLike | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        """Show an episode.

        Args:
            time: of the frames [s], shape (N,); without any, the words for nothing.
            state: measured joints, shape (N, 6), degrees and gripper 0..100.
            action: commanded joints, shape (N, 6).
            cursor: time that is marked [s].
            predicted: joints as a policy foretold them, shape (N, 6); drawn beneath the others.
            notes: a few characters on every joint, in its title instead of the commanded value.
        """
        times, states, actions = (np.asarray(values, np.float64) for values in (time, state, action))
        foretold = None if predicted is None else np.asarray(predicted, np.float64)
        self._data = _Data(times, states, actions, foretold, notes) if len(times) else None
        self._curves = None
        self.move(cursor)

    def move(self, cursor: float) -> None:
        """Mark another time [s]; the lines are not drawn again."""
        self._cursor = cursor
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the plots out anew."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        grid, data = self.ground(), self._data
        if grid is None:
            self.put(None)
            return
        if data is None:
            self.put_words(grid, self._empty, MUTED)
            return
        boxes = layout(width, height - 1)
        if self._curves is None or self._curves[0] != (width, height):
            drawn = _plots(data, boxes) if len(boxes) > 1 else _overlay(data, boxes[0])
            self._curves = ((width, height), drawn)
        now = int(np.clip(np.searchsorted(data.time, self._cursor - 1e-6), 0, len(data.time) - 1))
        glyphs = self._curves[1] | _cursors(self._curves[1], data, boxes, self._cursor)
        glyphs |= _titles(data, boxes, now) if len(boxes) > 1 else _names(data, boxes[0], now)
        self.put(grid, glyphs=glyphs | _foot(data, boxes, width, height - 1, self._cursor))


def layout(width: int, height: int) -> list[_Box]:
    """Six boxes below and beside each other, in as few columns as leave good room; one box where six do not fit."""
    fitting = [
        across for across in (1, 2, 3, 6) if height // (6 // across) >= LEAST_LINES and width // across >= LEAST_COLUMNS
    ]
    if not fitting:
        return [_Box(0, 0, height, width)]
    across = next((across for across in fitting if height // (6 // across) >= GOOD_LINES), fitting[-1])
    down = 6 // across
    tops = [row * height // down for row in range(down + 1)]
    lefts = [column * width // across for column in range(across + 1)]
    return [
        _Box(tops[row], lefts[column], tops[row + 1] - tops[row], lefts[column + 1] - lefts[column] - (across > 1))
        for row in range(down)
        for column in range(across)
    ]


def span(values: Vector) -> tuple[float, float]:
    """Lower and upper edge of an axis that holds finite values."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 0.0, LEAST_SPAN
    low, high = float(known.min()), float(known.max())
    more = max(0.06 * (high - low), (LEAST_SPAN - (high - low)) / 2)
    return low - more, high + more


def _inner(box: _Box) -> _Box:
    """The part of a box that has the lines: below the title, right of the numbers."""
    return _Box(box.line + 1, box.column + AXIS, max(1, box.lines - 1), max(1, box.columns - AXIS))


def _plots(data: _Data, boxes: list[_Box]) -> Glyphs:
    found: Glyphs = {}
    for joint, box in enumerate(boxes):
        inner = _inner(box)
        lines = [(data.action, ACTION), (data.state, STATE)]
        if data.predicted is not None:
            lines.insert(0, (data.predicted, PREDICTED))
        low, high = span(np.concatenate([values[:, joint] for values, _ in lines]))
        for values, colour in lines:
            mask = curve(data.time, values[:, joint], low, high, inner.lines, inner.columns)
            found |= _moved(braille(mask), inner, colour)
        for line, value in ((inner.line, high), (inner.line + inner.lines - 1, low)):
            if inner.lines > 1 or value == high:
                found |= write(line, box.column, f"{value:>{AXIS - 1}.0f}", FAINT)
    return found


def _overlay(data: _Data, box: _Box) -> Glyphs:
    """Measured joints, each over its own range of motion."""
    inner = _Box(box.line + 1, box.column, max(1, box.lines - 1), box.columns)
    found: Glyphs = {}
    for joint in range(6):
        low, high = float(LOW[joint]), float(HIGH[joint])
        mask = curve(data.time, data.state[:, joint], low, high, inner.lines, inner.columns)
        found |= _moved(braille(mask), inner, COLOURS[joint])
    return found


def _cursors(lines: Glyphs, data: _Data, boxes: list[_Box], cursor: float) -> Glyphs:
    """An upright through every plot; lines are seen through it."""
    found: Glyphs = {}
    for box in boxes:
        inner = _inner(box) if len(boxes) > 1 else _Box(box.line + 1, box.column, max(1, box.lines - 1), box.columns)
        column = inner.column + _column(data.time, cursor, inner.columns)
        for line in range(inner.line, inner.line + inner.lines):
            under = lines.get((line, column))
            found[line, column] = Glyph(under.character if under else "│", CURSOR, bold=under is not None)
    return found


def _column(time: Vector, moment: float, columns: int) -> int:
    length = float(time[-1] - time[0])
    share = (moment - float(time[0])) / length if length > 0 else 0.0
    return int(np.clip(round(share * (columns - 1)), 0, columns - 1))


def _titles(data: _Data, boxes: list[_Box], now: int) -> Glyphs:
    found: Glyphs = {}
    for joint, box in enumerate(boxes):
        state, action, unit = data.state[now, joint], data.action[now, joint], UNITS[joint]
        column = box.column + AXIS
        found |= write(box.line, column, NAMES[joint], INK, bold=True)
        if np.isfinite(state):
            found |= write(box.line, column + 5 if data.notes else column + 6, f"{state:6.1f}{unit}", STATE)
        if data.notes:
            note = data.notes[joint][: max(0, box.columns - AXIS - 12)]
            found |= write(box.line, box.column + box.columns - len(note), note, MUTED)
        elif column + 6 + 16 <= box.column + box.columns:
            found |= write(box.line, column + 14, f"{action:6.1f}{unit}", ACTION)
    return found


def _names(data: _Data, box: _Box, now: int) -> Glyphs:
    """Names in the lines' colours, with values where there is room."""
    texts = [f"{name} {data.state[now, joint]:.0f}" for joint, name in enumerate(NAMES)]
    if sum(len(text) + 1 for text in texts) > box.columns:
        texts = list(NAMES)
    found: Glyphs = {}
    column = box.column
    for text, colour in zip(texts, COLOURS, strict=True):
        if column + len(text) > box.column + box.columns:
            break
        found |= write(box.line, column, text, colour)
        column += max(len(text) + 1, box.columns // 6 if texts[0] != NAMES[0] else 0)
    return found


def _foot(data: _Data, boxes: list[_Box], width: int, line: int, cursor: float) -> Glyphs:
    """The time axis and, where there are two lines to tell apart, which is which."""
    start = f"{round(float(data.time[0]), 1):g}"
    found = write(line, AXIS if len(boxes) > 1 else 0, start, FAINT)
    end = f"{float(data.time[-1]):.1f} s"
    found |= write(line, max(0, width - len(end)), end, FAINT)
    found |= write(line, AXIS + max(4, len(start) + 1), f"{cursor:.1f} s", CURSOR)
    if len(boxes) > 1 and width >= 48:
        found |= write(line, AXIS + 12, "━ measured", STATE) | write(line, AXIS + 24, "━ commanded", ACTION)
    if len(boxes) > 1 and data.predicted is not None and width >= 64:
        found |= write(line, AXIS + 37, "━ predicted", PREDICTED)
    return found


def _moved(dots: dict[tuple[int, int], str], box: _Box, colour: Colour) -> Glyphs:
    return {(box.line + line, box.column + column): Glyph(sign, colour) for (line, column), sign in dots.items()}
