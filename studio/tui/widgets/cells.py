"""A widget whose content is a grid of half-block pixels with characters over it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from .halfblocks import Glyph, Glyphs, Packed, changed, strip, write

LEAST_COLUMNS, LEAST_LINES = 8, 2
"""Below this a plot is not drawn."""


class CellGrid(Widget):
    """Shows a grid; only cells that differ from those shown before are drawn and sent to the terminal again."""

    _grid: Packed | None = None
    _glyphs: Glyphs = MappingProxyType({})
    _lines: Mapping[int, Mapping[int, Glyph]] = MappingProxyType({})
    _at: tuple[int, int] = (0, 0)

    def put(self, grid: Packed | None, at: tuple[int, int] = (0, 0), glyphs: Glyphs | None = None) -> None:
        """Show another grid.

        Args:
            grid: shape (2 * lines, columns), or None for nothing.
            at: line and column of its first cell.
            glyphs: characters over it.
        """
        before, glyphs_before, at_before = self._grid, self._glyphs, self._at
        self._grid, self._at, self._glyphs = grid, at, glyphs or {}
        by_line: defaultdict[int, dict[int, Glyph]] = defaultdict(dict)
        for (line, column), glyph in self._glyphs.items():
            by_line[line][column] = glyph
        self._lines = by_line
        if before is None or grid is None or before.shape != grid.shape or at != at_before:
            self.refresh()
            return
        top, left = at
        spans = [Region(left + first, top + line, end - first, 1) for line, first, end in changed(before, grid)]
        if glyphs_before != self._glyphs:
            differ = {
                cell
                for cell in glyphs_before.keys() | self._glyphs.keys()
                if glyphs_before.get(cell) != self._glyphs.get(cell)
            }
            spans += [Region(left + column, top + line, 1, 1) for line, column in differ]
        if spans:
            self.refresh(*spans)

    def ground(self) -> Packed | None:
        """An empty grid of the widget's size, on what lies behind it; None where nothing could be read in it."""
        width, height = self.size
        if width < LEAST_COLUMNS or height < LEAST_LINES:
            return None
        red, green, blue = self.background_colors[1].rgb
        return np.full((2 * height, width), (red << 16) | (green << 8) | blue, np.uint32)

    def put_words(self, grid: Packed, words: str, colour: tuple[int, int, int]) -> None:
        """Show a grid with one line of words in its middle, cut where it is too narrow."""
        lines, width = grid.shape[0] // 2, grid.shape[1]
        start = max(0, (width - len(words)) // 2)
        self.put(grid, glyphs=write(lines // 2, start, words[:width], colour))

    def render_line(self, y: int) -> Strip:
        """One line of cells, blank where the grid does not reach."""
        if self._grid is None:
            return self.nothing(y)
        (top, left), rows = self._at, len(self._grid)
        line = y - top
        if not 0 <= line < rows // 2:
            return Strip.blank(self.size.width, self.rich_style)
        row = strip(self._grid[2 * line].tolist(), self._grid[2 * line + 1].tolist(), self._lines.get(line, {}))
        return self.beside(row, left)

    def nothing(self, y: int) -> Strip:
        """One line while there is no grid."""
        return Strip.blank(self.size.width, self.rich_style)

    def beside(self, row: Strip, left: int) -> Strip:
        """A strip with blanks at its sides, as wide as the widget."""
        width = self.size.width
        if row.cell_length == width:
            return row
        ground = self.rich_style
        sides = [Strip.blank(left, ground), row, Strip.blank(width - left - row.cell_length, ground)]
        return Strip.join([side for side in sides if side.cell_length])
