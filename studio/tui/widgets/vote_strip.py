"""Votes of overlapping chunks for the gripper, frame by frame, under a line of what happened when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from textual import events as textual_events

from curation.frames import Vector
from recorders.events import Event
from studio.watching.lines import CLOSED, LEAST_SPAN, OPEN

from .cells import CellGrid
from .halfblocks import Glyph, packed, write
from .joint_plot import AXIS, CURSOR, FAINT, INK, MUTED

SIGNS = {"grasp": "G", "lift": "L", "drop": "D", "release": "R", "success": "S"}


class VoteStrip(CellGrid):
    """A line of events; below it a column for each moment: the newest chunk's vote lowest, older ones above.

    Args:
        empty: words shown while there is nothing.
    """

    def __init__(self, empty: str = "no votes yet", **more: Any) -> None:
        super().__init__(**more)
        self._empty = empty
        self._votes: Vector | None = None
        self._happened: Sequence[Event] = ()
        self._asked: Sequence[int] = ()
        self._span, self._cursor = (0, 1), 0

    def show(
        self, votes: Vector, happened: Sequence[Event], asked: Sequence[int], span: tuple[int, int], cursor: int
    ) -> None:
        """Show a part of an episode.

        Args:
            votes: shape (N, T), percent of the gripper; NaN where none was cast.
            happened: events of the episode.
            asked: frames in which the policy was asked.
            span: first frame shown, and the one after the last.
            cursor: frame that is marked.
        """
        self._votes, self._happened, self._asked = votes, happened, asked
        self._span, self._cursor = span, cursor
        self._draw()

    def on_resize(self, event: textual_events.Resize) -> None:
        """Draw it anew."""
        self._draw()

    def _draw(self) -> None:
        grid, votes = self.ground(), self._votes
        if grid is None:
            self.put(None)
            return
        if votes is None or not len(votes):
            self.put_words(grid, self._empty, MUTED)
            return
        rows, width = grid.shape
        room = max(1, width - AXIS)
        if rows > 2:
            pixels, known = shades(votes, self._span, rows - 2, room)
            block = grid[2:, AXIS : AXIS + room]
            block[known] = packed(pixels, self.app.console.color_system, drawing=True)[known]
        glyphs = write(0, 0, "what", MUTED) | (write(1, 0, "grip", MUTED) if rows > 2 else {})
        self.put(grid, glyphs=glyphs | self._line(room) | self._marks(rows // 2))

    def _line(self, room: int) -> dict[tuple[int, int], Glyph]:
        """Ticks where the policy was asked, letters where something happened."""
        found = {(0, column): Glyph("─", FAINT) for column in range(AXIS, AXIS + room)}
        for frame in self._asked:
            if self._span[0] <= frame < self._span[1]:
                found[0, self._column(frame, room)] = Glyph("┴", FAINT)
        for event in self._happened:
            if self._span[0] <= event.frame <= self._span[1]:
                column = self._column(event.frame, room)
                # A grasp that lifts at once is seen as both.
                while found.get((0, column), Glyph("", FAINT)).bold:
                    column += 1
                found[0, min(column, self.size.width - 1)] = Glyph(SIGNS[event.kind], INK, bold=True)
        return found

    def _marks(self, lines: int) -> dict[tuple[int, int], Glyph]:
        room = max(1, self.size.width - AXIS)
        column = self._column(self._cursor, room)
        return {(0, column): Glyph("▼", CURSOR)} | {(line, column): Glyph("│", CURSOR) for line in range(1, lines)}

    def _column(self, frame: int, room: int) -> int:
        first, end = self._span
        return AXIS + int(np.clip((frame - first) * room / max(1, end - first), 0, room - 1))


def shades(votes: Vector, span: tuple[int, int], rows: int, columns: int) -> tuple[Any, Any]:
    """Votes as pixels: uint8 (rows, columns, 3), and which of them have any, shape (rows, columns).

    Several votes in one pixel are averaged; fewer than there are pixels are widened.

    Args:
        votes: shape (N, T).
        span: first frame, and the one after the last.
        rows, columns: of the picture; the newest chunk is in the lowest row.
    """
    first, end = span
    cast = np.isfinite(votes)
    least, most = (votes[cast].min(), votes[cast].max()) if cast.any() else (0.0, 0.0)
    # Rows are the chunks that cover a frame, the newest first, however long ago they were asked.
    votes = np.take_along_axis(votes, np.argsort(~cast, axis=1, kind="stable"), axis=1)
    ages = max(1, int(cast.sum(axis=1).max(initial=0)))
    frames = first + np.arange(columns + 1) * (end - first) / columns
    steps = np.arange(rows + 1) * ages / rows
    values = np.full((rows, columns), np.nan)
    for column in range(columns):
        start = int(frames[column])
        block = votes[start : max(start + 1, int(np.ceil(frames[column + 1])))]
        if not len(block):
            continue
        for row in range(rows):
            old = int(steps[row])
            cell = block[:, old : max(old + 1, int(np.ceil(steps[row + 1])))]
            if np.isfinite(cell).any():
                values[rows - 1 - row, column] = np.nanmean(cell)
    share = np.clip((np.nan_to_num(values) - least) / max(LEAST_SPAN, most - least), 0, 1)[..., None]
    return np.round(np.array(CLOSED) + (np.array(OPEN) - CLOSED) * share).astype(np.uint8), np.isfinite(values)
