"""How sure a classifier is that it is done, all along an episode, under the pictures of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from textual import events

from .braille import braille, curve
from .cells import CellGrid
from .halfblocks import Glyph, write

SURE, DONE, JUDGE = (114, 174, 242), (76, 195, 138), (242, 178, 92)
INK, MUTED, FAINT = (214, 220, 228), (128, 138, 152), (66, 75, 88)
LEAST_LINES, LEAST_COLUMNS = 3, 24
AXIS = 4
"""Cells of the numbers beside the curve."""

Glyphs = dict[tuple[int, int], Glyph]


@dataclass(frozen=True)
class Sureness:
    """What is drawn.

    Attributes:
        frames: at which the classifier was asked, increasing.
        probability: at each, 0 to 1.
        length: frames of the episode.
        fps: frames per second.
        end: of the whole episode, which may end after the last of `frames`.
        threshold: from which it means a success.
        done: frame at which it has been sure for long enough; None if never.
        judged_s: time at which the judge spoke of a success [s]; None if it did not, or was not there.
    """

    frames: Sequence[int]
    probability: Sequence[float]
    length: int
    fps: int
    end: float
    threshold: float
    done: int | None = None
    judged_s: float | None = None


class DoneCurve(CellGrid):
    """A line of words, and the curve below it between two columns."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._shown: Sureness | None = None
        self._words = ""
        self._ends = (0, 0)

    def show(self, shown: Sureness | None, words: str = "") -> None:
        """Show a curve, or words where there is none."""
        self._shown, self._words = shown, words
        self._draw()

    def span(self, left: int, right: int) -> None:
        """Where the first and the last frame are [cells]."""
        if (left, right) != self._ends:
            self._ends = (left, right)
            self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw it anew."""
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        grid = self.ground()
        if grid is None:
            self.put(None)
            return
        shown = self._shown
        left, right = max(AXIS, self._ends[0]), min(width - AXIS - 1, self._ends[1])
        if shown is None or not len(shown.frames) or height < LEAST_LINES or right - left < LEAST_COLUMNS:
            self.put_words(grid, self._words, MUTED)
            return
        self.put(grid, glyphs=_drawn(shown, _Box(1, left, height - 1, right - left + 1)))


@dataclass(frozen=True)
class _Box:
    """Where the curve is, in cells."""

    line: int
    column: int
    lines: int
    columns: int

    def row(self, share: float) -> int:
        return self.line + min(self.lines - 1, int((1.0 - share) * self.lines))

    def at(self, frame: float, length: int) -> int:
        return self.column + round(min(1.0, frame / max(1, length - 1)) * (self.columns - 1))


def _drawn(shown: Sureness, box: _Box) -> Glyphs:
    line = box.row(shown.threshold)
    found: Glyphs = {(line, box.column + at): Glyph("┄", FAINT) for at in range(box.columns)}
    found |= write(line, box.column - AXIS, f"{shown.threshold:.2g}".rjust(AXIS - 1), MUTED)
    for frame, colour in ((shown.done, DONE), (_judged(shown), JUDGE)):
        if frame is not None:
            column = box.at(frame, shown.length)
            found |= {(box.line + down, column): Glyph("│", colour) for down in range(box.lines)}
    # The curve is known from the first asked frame on, and lies where that is in time.
    first, last = (box.at(frame, shown.length) for frame in (shown.frames[0], shown.frames[-1]))
    time, sure = np.array(shown.frames, np.float64), np.array(shown.probability, np.float64)
    dots = braille(curve(time, sure, 0.0, 1.0, box.lines, max(1, last - first + 1)))
    found |= {(box.line + down, first + at): Glyph(sign, SURE, bold=True) for (down, at), sign in dots.items()}
    found |= write(box.row(shown.end), box.column + box.columns + 1, f"{shown.end:.2f}"[:AXIS], INK, bold=True)
    return found | _title(shown, box)


def _title(shown: Sureness, box: _Box) -> Glyphs:
    done = "never done" if shown.done is None else f"│ done at {shown.done / shown.fps:.1f} s"
    parts = [("how sure it is of a success", MUTED), (done, DONE if shown.done is not None else MUTED)]
    if shown.judged_s is not None:
        parts.append((f"│ the judge at {shown.judged_s:.1f} s", JUDGE))
    found: Glyphs = {}
    column = box.column
    for words, colour in parts:
        found |= write(box.line - 1, column, words, colour)
        column += len(words) + 2
    return found


def _judged(shown: Sureness) -> float | None:
    return None if shown.judged_s is None else shown.judged_s * shown.fps
