"""The map of the table from above: where the arm reaches, where episodes began and will begin, where things are now."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from textual import events

from curation.frames import Image
from curation.palette import Colour
from curation.yields import side_of
from recorders.world.scene import Scene

from .braille import braille
from .cells import CellGrid
from .halfblocks import Glyph, packed, write
from .table_ground import FEW, FULL, Ground, draw_areas, draw_lines, free, numbers
from .table_kinds import WHOLE, Kind, Window

Glyphs = dict[tuple[int, int], Glyph]


@dataclass(frozen=True)
class Spot:
    """A position on the table.

    Attributes:
        x, y: in the robot's base frame [m].
        kind: what it is.
        label: written beside it where there is room.
    """

    x: float
    y: float
    kind: Kind
    label: str = ""


MARKS: dict[str, Glyph] = {
    "masked": Glyph("◌", (150, 158, 170)),
    "infeasible": Glyph("◇", (150, 158, 170)),
    "saved": Glyph("●", (76, 195, 138)),
    "failed": Glyph("×", (240, 113, 107), bold=True),
    "mixed": Glyph("◐", (242, 178, 92)),
    "planned": Glyph("○", (178, 188, 202)),
    "close": Glyph("○", (240, 178, 70), bold=True),
    "next": Glyph("◉", (255, 255, 255), bold=True, ground=(43, 92, 150)),
}
"""What every kind looks like; of two in one cell the one further down is seen."""
TIP = Glyph("┼", (255, 255, 255), bold=True)
CURSOR = Glyph("┼", (255, 214, 120), bold=True)
_CROSS: Colour = (112, 98, 66)
_RING: Colour = (242, 178, 92)
_NEAR: Colour = (128, 88, 40)
_NEAR_SHARE = 0.38
_RATES: tuple[Colour, ...] = ((214, 66, 60), (222, 152, 66), (46, 150, 100))
"""Of a share: none, half, all."""
_SHARE = 0.55
_BLOCKS: dict[str, Colour] = {"cube": (232, 72, 62), "duplo": (240, 240, 232)}
_SHIFT = 4
"""Binary digits of fractions of a pixel that OpenCV draws with."""
_FINE = 4
"""The block's edges are asked at so many points across a pixel."""
LEAST_PX = 3.0
"""A block whose shorter side is shorter than this is one character [px]."""


class TableMap(CellGrid):
    """Shows one scene's table as the overhead camera sees it: up = +x, right = -y."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._scene: Scene | None = None
        self._spots: Sequence[Spot] = ()
        self._block: tuple[float, float, float] | None = None
        self._tip: tuple[float, float] | None = None
        self._cursor: tuple[float, float] | None = None
        self._radius = 0.0
        self._window: Window = WHOLE
        self._mixing = False
        self._shades: Sequence[tuple[float, float, float]] = ()

    def set_scene(self, scene: Scene) -> None:
        """Show the table of another scene."""
        self._scene = scene
        self._draw()

    def show(
        self,
        spots: Iterable[Spot],
        *,
        block: tuple[float, float, float] | None = None,
        tip: tuple[float, float] | None = None,
        cursor: tuple[float, float] | None = None,
        radius: float = 0.0,
        window: Window = WHOLE,
        mixing: bool = False,
        shades: Sequence[tuple[float, float, float]] = (),
    ) -> None:
        """Show positions and things.

        Args:
            spots: positions; of two in one cell the more important is seen.
            block: x, y [m] and yaw [deg].
            tip: of the gripper, x, y [m].
            cursor: x, y [m].
            radius: of a ring about the cursor and of a shade about saved positions [m]; 0 for neither.
            window: what is on the map at least.
            shades: x, y [m] of squares on the table and a share, 0 to 1, from red to green.
            mixing: whether a cell with saved and failed ones is a mixed one, where else the failed are seen.
        """
        self._spots, self._block, self._tip = tuple(spots), block, tip
        self._cursor, self._radius = cursor, radius
        self._window, self._mixing, self._shades = window, mixing, tuple(shades)
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """Draw the table for another size."""
        self._draw()

    def place(self, line: int, column: int) -> tuple[float, float]:
        """x, y of a cell's middle [m]."""
        return Ground(self.size.height, self.size.width, self._window).place(line, column)

    def _draw(self) -> None:
        width, height = self.size
        if self._scene is None or width < 2 or height < 2:
            self.put(None)
            return
        ground = Ground(height, width, self._window)
        colours = self.app.console.color_system
        look = FEW if colours in ("standard", "windows") else FULL
        pixels = draw_areas(self._scene, ground, look).copy()
        self._shade(pixels, ground)
        self._shade_squares(pixels, ground)
        glyphs = draw_lines(self._scene, ground, look) | self._cross(ground) | self._ring(ground)
        glyphs |= numbers(ground, look)
        glyphs |= spot_glyphs(self._spots, ground, mixing=self._mixing)
        self._draw_block(pixels, ground, glyphs)
        if self._tip is not None:
            _put(glyphs, ground, self._tip, TIP)
        self.put(packed(pixels, colours, drawing=True), glyphs=glyphs)

    def _shade(self, pixels: Image, ground: Ground) -> None:
        """Tint what is nearer than the radius to a saved position."""
        if self._radius <= 0 or self._scene is None:
            return
        mask = np.zeros(pixels.shape[:2], np.uint8)
        for spot in self._spots:
            if spot.kind == "saved" and math.isfinite(spot.x + spot.y):
                centre, radius = _fixed(ground.at(spot.x, spot.y)), round(self._radius * ground.scale * 2**_SHIFT)
                cv2.circle(mask, centre, radius, 255, -1, cv2.LINE_AA, _SHIFT)
        mask[~free(self._scene, ground)] = 0
        _tint(pixels, mask * (_NEAR_SHARE / 255), _NEAR)

    def _shade_squares(self, pixels: Image, ground: Ground) -> None:
        """Tint a square of whole cells about each place by its share."""
        side = ground.scale * side_of([(x, y) for x, y, _ in self._shades])
        across, along = int((side - 1) / 2), int((side / 2 - 1) / 2)
        for x, y, share in self._shades:
            cell = ground.cell(x, y)
            if cell is not None:
                line, column = cell
                mask = np.zeros(pixels.shape[:2], np.float64)
                first, left = max(0, 2 * (line - along)), max(0, column - across)
                mask[first : 2 * (line + along + 1), left : column + across + 1] = _SHARE
                _tint(pixels, mask, _ramp(share))

    def _ring(self, ground: Ground) -> Glyphs:
        """A thin circle about the cursor."""
        if self._cursor is None or self._radius <= 0:
            return {}
        x, y = ground.points(2)
        away = np.hypot(x - self._cursor[0], y - self._cursor[1])
        thin = abs(away - self._radius) * ground.scale * 2 <= 0.5
        return {cell: Glyph(dots, _RING) for cell, dots in braille(thin).items()}

    def _cross(self, ground: Ground) -> Glyphs:
        """Hair lines through the cursor over the whole map."""
        if self._cursor is None or (cell := ground.cell(*self._cursor)) is None:
            return {}
        line, column = cell
        cross = {(line, other): Glyph("─", _CROSS) for other in range(ground.columns)}
        cross |= {(other, column): Glyph("│", _CROSS) for other in range(ground.lines)}
        return cross | {cell: CURSOR}

    def _draw_block(self, pixels: Image, ground: Ground, glyphs: Glyphs) -> None:
        """To scale and turned; one character where that would be a blot."""
        if self._block is None or self._scene is None:
            return
        x, y, yaw = self._block
        along, across = self._scene.block_half[:2]
        colour = _BLOCKS[self._scene.block]
        if 2 * min(along, across) * ground.scale < LEAST_PX:
            _put(glyphs, ground, (x, y), Glyph("◆" if 22.5 < yaw % 90 < 67.5 else "■", colour, bold=True))
            return
        away_x, away_y = (points - middle for points, middle in zip(ground.points(_FINE), (x, y), strict=True))
        turn = math.radians(yaw)
        ahead = abs(away_x * math.cos(turn) + away_y * math.sin(turn)) <= along
        aside = abs(away_y * math.cos(turn) - away_x * math.sin(turn)) <= across
        covered = (ahead & aside).reshape(2 * ground.lines, _FINE, ground.columns, _FINE).mean(axis=(1, 3))
        _tint(pixels, covered, colour)


def _ramp(share: float) -> Colour:
    """From red over amber to green."""
    first, second = (_RATES[0], _RATES[1]) if share < 0.5 else (_RATES[1], _RATES[2])
    part = 2 * share - (share >= 0.5)
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


def spot_glyphs(spots: Sequence[Spot], ground: Ground, *, mixing: bool = False) -> Glyphs:
    """Marks of positions, and labels where nothing else stands; see `TableMap.show`."""
    order = {kind: rank for rank, kind in enumerate(MARKS)}
    glyphs: Glyphs = {}
    labels: list[tuple[int, int, Spot]] = []
    for spot in sorted(spots, key=lambda spot: order[spot.kind]):
        cell = ground.cell(spot.x, spot.y) if math.isfinite(spot.x + spot.y) else None
        if cell is None:
            continue
        mixed = mixing and spot.kind == "failed" and glyphs.get(cell) in (MARKS["saved"], MARKS["mixed"])
        glyphs[cell] = MARKS["mixed" if mixed else spot.kind]
        if spot.label:
            labels.append((*cell, spot))
    for line, column, spot in reversed(labels):
        size = len(spot.label)
        for start in (column + 2, column - 1 - size):
            cells = [(line, start + offset) for offset in range(-1, size + 1)]
            others = [cell for cell in cells if cell in glyphs and cell != (line, column)]
            if start >= 0 and start + size <= ground.columns and not others:
                glyphs |= write(line, start, spot.label, MARKS[spot.kind].colour)
                break
    return glyphs


def _tint(pixels: Image, share: NDArray[np.floating], colour: Colour) -> None:
    """Mix a share of a colour, 0 to 1 for every pixel, into pixels."""
    pixels[:] = (pixels + (np.array(colour) - pixels) * share[:, :, None]).astype(np.uint8)


def _put(glyphs: Glyphs, ground: Ground, at: tuple[float, float], glyph: Glyph) -> None:
    """Set a character; what stood in its cell is still told by the colour behind it."""
    cell = ground.cell(*at)
    if cell is not None:
        glyphs[cell] = replace(glyph, ground=glyphs[cell].ground if cell in glyphs else None)


def _fixed(point: tuple[float, float]) -> tuple[int, int]:
    """A point in OpenCV's fixed point numbers, whose pixels have their middles at whole numbers."""
    return round((point[0] - 0.5) * 2**_SHIFT), round((point[1] - 0.5) * 2**_SHIFT)
