"""The picture of a map: cells with their rates and intervals as the overhead camera sees the table, training positions,
distance rings, success against distance, and two policies' difference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from curation.palette import CARD, FAINT, INK, MUTED, PAPER
from curation.table import Box, Points, Table

from .map_difference import CellDifference
from .maps import Cell, Field, Ring
from .proposals import Proposal
from .sheet import BLUE, GREEN, ORANGE, Chart, Colour, Sheet, Spot, blend, wrapped
from .unsure_map import UnsureCell

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

RATES: tuple[Colour, ...] = ((166, 54, 48), (232, 158, 116), (244, 240, 222), (134, 190, 150), (16, 104, 70))
"""0 to 1: red through paper to green; the numbers stand beside, for print and the colour-blind."""
GAINS: tuple[Colour, ...] = ((176, 84, 20), (238, 188, 144), (246, 245, 240), (150, 184, 222), (36, 84, 156))
"""B better to A better."""
DOUBTS: tuple[Colour, ...] = ((246, 245, 240), (206, 184, 222), (104, 52, 140))
"""Sure to unsure."""
UNKNOWN: Colour = (214, 212, 206)
REACH: Colour = (240, 238, 230)
BOWL: Colour = (51, 107, 179)
_BORDER = 0.03
"""Of table around everything drawn [m]."""
PANEL, HEAD, CHART = 760, 92, 290
"""Width of a map, height of its heading and of its chart [px]."""
NOTE, LINE = 15, 24
"""Size of the note at the bottom and height of its lines [px]."""


Piece = Cell | CellDifference | UnsureCell


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One map.

    Attributes:
        title: what was evaluated.
        rate: its rate in words.
        cells: pieces of the table with their success, with a difference, or with how unsure the policy was.
        rings: success against distance; empty for none.
        origins: where distances begin: the centre or the training positions, shape (M, 2) [m].
        origin_name: what those are.
        training: positions of training, shape (M, 2) [m].
        infeasible: places where the arm cannot do it, shape (K, 2) [m].
        proposals: places to try next.
        smooth: drawn instead of cells, and marked so.
        centre: of drawn rings [m]; None draws none.
    """

    title: str
    rate: str
    cells: Sequence[Piece]
    rings: Sequence[Ring] = ()
    origins: Points = field(default_factory=lambda: np.zeros((0, 2)))
    origin_name: str = "training position"
    training: Points = field(default_factory=lambda: np.zeros((0, 2)))
    infeasible: Points = field(default_factory=lambda: np.zeros((0, 2)))
    proposals: Sequence[Proposal] = ()
    smooth: Field | None = None
    centre: Spot | None = None


@dataclass(frozen=True)
class _Ground:
    """Metres to pixels: up = +x, left = +y."""

    left: float
    top: float
    x_high: float
    y_high: float
    scale: float

    def at(self, x: float, y: float) -> Spot:
        return self.left + (self.y_high - y) * self.scale, self.top + (self.x_high - x) * self.scale


def picture(panels: Sequence[Panel], table: Table | None, note: str) -> Picture:
    """All maps side by side, at most three in a row, on the same piece of table.

    Args:
        panels: at least one.
        table: reach, views and bowl; None draws none.
        note: the conditions, at the bottom.
    """
    extent = _extent(panels, table)
    scale = PANEL / (extent[3] - extent[2])
    tall = round((extent[1] - extent[0]) * scale)
    chart = CHART if any(panel.rings for panel in panels) else 0
    columns = min(3, len(panels))
    rows = math.ceil(len(panels) / columns)
    height = HEAD + tall + 30 + chart
    width = columns * (PANEL + 40) + 40
    notes = wrapped(note, width - 80, NOTE)
    sheet = Sheet(width, rows * (height + 16) + 50 + LINE * len(notes), PAPER)
    for number, panel in enumerate(panels):
        row, column = divmod(number, columns)
        left, top = 40 + column * (PANEL + 40), 16 + row * (height + 16)
        _heading(sheet, panel, left, top)
        ground = _Ground(left, top + HEAD, extent[1], extent[3], scale)
        _map(sheet, panel, table, ground, extent)
        if panel.rings:
            _chart(sheet, panel, left, top + HEAD + tall + 62, chart - 122)
    for number, line in enumerate(notes):
        sheet.text(40, sheet.height - 32 - LINE * (len(notes) - number), line, NOTE, MUTED)
    _legend(sheet, panels)
    return sheet.finished()


def _heading(sheet: Sheet, panel: Panel, left: float, top: float) -> None:
    sheet.text(left, top + 8, panel.title, 26)
    sheet.text(left, top + 48, panel.rate, 18, MUTED)


def _extent(panels: Sequence[Panel], table: Table | None) -> Box:
    corners: list[tuple[float, float]] = []
    for panel in panels:
        for each in panel.cells:
            cell = _cell(each)
            corners += [
                (cell.x - cell.tall / 2, cell.y - cell.wide / 2),
                (cell.x + cell.tall / 2, cell.y + cell.wide / 2),
            ]
        corners += [(float(x), float(y)) for x, y in (*panel.training, *panel.infeasible)]
        corners += [(p.x, p.y) for p in panel.proposals]
        if panel.smooth is not None:
            corners += [(float(x), float(y)) for x, y in panel.smooth.points]
    if table is not None and table.bowl is not None:
        bowl = table.bowl
        corners += [(bowl.x - bowl.half, bowl.y - bowl.half), (bowl.x + bowl.half, bowl.y + bowl.half), (0.0, 0.0)]
    points = np.array(corners).clip(-0.8, 0.8)
    (x_low, y_low), (x_high, y_high) = points.min(axis=0) - _BORDER, points.max(axis=0) + _BORDER
    # A map of one spot would be all spot.
    grow = max(0.0, 0.3 - float(y_high - y_low)) / 2
    return float(x_low), float(x_high), float(y_low) - grow, float(y_high) + grow


def _map(sheet: Sheet, panel: Panel, table: Table | None, ground: _Ground, extent: Box) -> None:
    x_low, x_high, y_low, y_high = extent
    sheet.box(*ground.at(x_high, y_high), *ground.at(x_low, y_low), CARD)
    if table is not None:
        inside = [(min(max(x, x_low), x_high), min(max(y, y_low), y_high)) for x, y in table.reach]
        sheet.polygon([ground.at(x, y) for x, y in inside], REACH)
    for tenth in _tenths(x_low, x_high):
        sheet.line([ground.at(tenth, y_high), ground.at(tenth, y_low)], FAINT)
        sheet.text(ground.at(tenth, y_high)[0] + 4, ground.at(tenth, 0)[1] - 2, f"x {tenth:.1f}", 12, MUTED, "ld")
    for tenth in _tenths(y_low, y_high):
        sheet.line([ground.at(x_high, tenth), ground.at(x_low, tenth)], FAINT)
        sheet.text(ground.at(0, tenth)[0] + 3, ground.at(x_low, 0)[1] - 3, f"y {tenth:.1f}", 12, MUTED, "ld")
    if panel.smooth is not None:
        _field(sheet, panel.smooth, ground)
    else:
        for each in panel.cells:
            sheet.box(*_corners(each, ground), _says(each)[2])
    if table is not None and table.bowl is not None:
        bowl = table.bowl
        x, y = ground.at(bowl.x, bowl.y)
        half = bowl.half * ground.scale
        if bowl.square:
            sheet.box(x - half, y - half, x + half, y + half, (*BOWL, 40), BOWL, 2)
        else:
            sheet.disc(x, y, half, (*BOWL, 40), BOWL, 2)
        sheet.text(x, y, "bowl", 13, BOWL, "mm")
    _marks(sheet, panel, ground, extent)
    if panel.smooth is None:
        for each in panel.cells:
            _words(sheet, each, ground)


def _marks(sheet: Sheet, panel: Panel, ground: _Ground, extent: Box) -> None:
    for x, y in panel.infeasible:
        right, down = ground.at(float(x), float(y))
        for slope in (-3, 3):
            sheet.line([(right - 3, down - slope), (right + 3, down + slope)], (*MUTED, 120), 1)
    if panel.centre is not None:
        for ring in panel.rings:
            _circle(sheet, ground, panel.centre, ring.high, extent)
        sheet.disc(*ground.at(*panel.centre), 4, INK)
    for x, y in panel.training:
        sheet.disc(*ground.at(float(x), float(y)), 3.5, (*BLUE, 190), CARD, 1)
    for number, proposal in enumerate(panel.proposals, start=1):
        right, down = ground.at(proposal.x, proposal.y)
        sheet.disc(right, down, 11, CARD, ORANGE, 2)
        sheet.text(right, down, str(number), 12, INK, "mm")


def _circle(sheet: Sheet, ground: _Ground, centre: Spot, radius: float, extent: Box) -> None:
    """A dashed circle, where it is on the map."""
    x_low, x_high, y_low, y_high = extent
    angles = np.linspace(0, 2 * math.pi, 145)
    spots = [(centre[0] + radius * math.cos(a), centre[1] + radius * math.sin(a)) for a in angles]
    for number, (start, end) in enumerate(pairwise(spots)):
        on_map = all(x_low <= x <= x_high and y_low <= y <= y_high for x, y in (start, end))
        if on_map and number % 2:
            sheet.line([ground.at(*start), ground.at(*end)], INK, 1.2)
    top = (centre[0] + radius, centre[1])
    if x_low <= top[0] <= x_high:
        right, down = ground.at(*top)
        sheet.box(right - 20, down - 8, right + 20, down + 8, (*CARD, 220))
        sheet.text(right, down, f"{100 * radius:g} cm", 12, INK, "mm")


def _cell(each: Piece) -> Cell:
    return each if isinstance(each, Cell) else each.cell


def _corners(each: Piece, ground: _Ground) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a cell [px], with a gap to the next."""
    cell = _cell(each)
    left, top = ground.at(cell.x + cell.tall / 2, cell.y + cell.wide / 2)
    right, bottom = ground.at(cell.x - cell.tall / 2, cell.y - cell.wide / 2)
    return left + 1, top + 1, right - 1, bottom - 1


def _words(sheet: Sheet, each: Piece, ground: _Ground) -> None:
    left, top, right, bottom = _corners(each, ground)
    first, second, colour = _says(each)
    ink = CARD if sum(colour) < 400 else INK
    size = round(min(20.0, (right - left) / 3.6, (bottom - top) / 2.6))
    if size >= 8:
        middle = (left + right) / 2
        sheet.text(middle, (top + bottom) / 2 - size * 0.1, first, size, ink, "md")
        # A letter is about half as wide as it is high.
        small = min(max(8, round(size * 0.7)), int((right - left) / (0.52 * len(second))))
        if small >= 6:
            sheet.text(middle, (top + bottom) / 2 + size * 0.15, second, small, ink, "ma")
    if isinstance(each, CellDifference) and each.better:
        sheet.box(left + 1, top + 1, right - 1, bottom - 1, None, INK, 2.5)


def _says(each: Piece) -> tuple[str, str, Colour]:
    """Two lines and a colour: k of n with its interval, a difference with its, or degrees with how many say them."""
    if isinstance(each, UnsureCell):
        if not each.n:
            return "-", "no episode", UNKNOWN
        words = f"n {each.n}, {each.least:.1f}-{each.most:.1f}"
        return f"{each.middle:.1f}", words, blend(each.share, DOUBTS)
    if isinstance(each, CellDifference):
        if not each.n:
            return "-", "no episode", UNKNOWN
        words = f"{100 * each.low:+.0f} to {100 * each.high:+.0f}"
        return f"{100 * each.difference:+.0f}", words, blend((each.difference + 1) / 2, GAINS)
    if not each.rate.n:
        return "-", "infeasible" if each.infeasible else "no episode", UNKNOWN
    rate = each.rate
    return f"{rate.k}/{rate.n}", f"{100 * rate.low:.0f}-{100 * rate.high:.0f} %", blend(rate.k / rate.n, RATES)


def _field(sheet: Sheet, field: Field, ground: _Ground) -> None:
    """Squares of the smoothed rate, the paler the less is known."""
    half = 0.0025
    certain = (1 - field.spread / max(float(field.spread.max()), 1e-9)).clip(0, 1)
    for (x, y), mean, sure in zip(field.points, field.mean, certain, strict=True):
        colour = blend(0.15 + 0.85 * float(sure), (UNKNOWN, blend(float(mean), RATES)))
        sheet.box(*ground.at(float(x) + half, float(y) + half), *ground.at(float(x) - half, float(y) - half), colour)


def _chart(sheet: Sheet, panel: Panel, left: float, top: float, height: float) -> None:
    highest = panel.rings[-1].high
    chart = Chart(sheet, left + 44, top, left + PANEL - 10, top + height, (0.0, highest), (0.0, 1.0))
    label = f"success [%] against distance [cm] to the {panel.origin_name}, 95 % intervals"
    chart.axes("", label, x_ticks=[0.0, *(ring.high for ring in panel.rings)], scale=(100.0, 100.0))
    for ring in panel.rings:
        middle = (ring.low + ring.high) / 2
        if ring.rate.n:
            chart.error(middle, ring.rate.low, ring.rate.k / ring.rate.n, ring.rate.high, GREEN)
            sheet.text(chart.at(middle, 0)[0], chart.bottom + 22, f"{ring.rate.k}/{ring.rate.n}", 13, INK, "ma")
        else:
            sheet.text(chart.at(middle, 0)[0], chart.bottom + 22, "none", 13, MUTED, "ma")


def _legend(sheet: Sheet, panels: Sequence[Panel]) -> None:
    right, down = 40.0, float(sheet.height - 20)
    items: list[tuple[str, Colour]] = []
    if any(len(panel.training) for panel in panels):
        items.append(("training position", BLUE))
    if any(panel.proposals for panel in panels):
        items.append(("proposed", ORANGE))
    if any(len(panel.infeasible) for panel in panels):
        items.append(("x: infeasible", MUTED))
    for words, colour in items:
        sheet.disc(right + 6, down, 5, colour)
        right += 18 + sheet.text(right + 16, down, words, 14, INK, "lm") + 20
    if any(isinstance(each, Cell) for panel in panels for each in panel.cells):
        right = _ramp(sheet, right, down, RATES, "0 %", "100 %")
    if any(isinstance(each, CellDifference) for panel in panels for each in panel.cells):
        right = _ramp(sheet, right, down, GAINS, "B better", "A better; framed: told apart, all cells counted")
    doubts = [each for panel in panels for each in panel.cells if isinstance(each, UnsureCell)]
    if doubts:
        low, top = f"{doubts[0].low:.2f}", f"{doubts[0].top:.2f} deg; median, n, least-most of the episodes"
        right = _ramp(sheet, right, down, DOUBTS, low, top)
    if any(panel.smooth is not None for panel in panels):
        sheet.text(right, down, "smoothed; grey: not known", 14, INK, "lm")


def _ramp(sheet: Sheet, left: float, down: float, stops: Sequence[Colour], low: str, high: str) -> float:
    left += sheet.text(left, down, low, 14, INK, "lm") + 6
    for step in range(60):
        sheet.box(left + 2 * step, down - 6, left + 2 * step + 2, down + 6, blend(step / 59, stops))
    return left + 128 + sheet.text(left + 128, down, high, 14, INK, "lm") + 24


def _tenths(low: float, high: float) -> list[float]:
    return [tenth / 10 for tenth in range(math.ceil(low * 10), math.floor(high * 10) + 1)]
