"""The table from above, without what moves on it: areas as pixels, lines and numbers as characters over them.

The map stands as the overhead camera sees it: up = +x, right = -y. Pixels are square, two to a cell.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache

import cv2
import numpy as np

from curation.frames import Image, Placement, Vector
from curation.palette import Colour
from recorders.world import props, reach
from recorders.world.kinematics import PAN_X
from recorders.world.scene import Scene

from .braille import Mask, braille
from .halfblocks import Glyph, write
from .table_kinds import WHOLE, Window

STEP = 0.005
"""Between radii at which reach is asked [m]."""
ALIKE = 28
"""Difference of two colours, 0 to 255, that a character in their cell may hide."""
BASE_X, BASE_HALF = 0.0211, (0.0435, 0.0400)
"""The arm's base plate: centre and half sizes along x and y [m], as in assets/so101.xml."""


@dataclass(frozen=True)
class Look:
    """Colours of the map.

    Attributes:
        fine: shapes are drawn so many times larger and averaged, which softens their edges.
    """

    table: Colour = (18, 21, 26)
    seen: Colour = (27, 31, 38)
    reached: Colour = (20, 32, 32)
    both: Colour = (29, 49, 47)
    reach_edge: Colour = (86, 152, 132)
    view_edge: Colour = (134, 146, 162)
    rim: Colour = (86, 146, 224)
    bowl: Colour = (36, 62, 100)
    base: Colour = (134, 144, 158)
    axis: Colour = (58, 64, 74)
    grid: Colour = (52, 61, 70)
    number: Colour = (122, 133, 148)
    fine: int = 4


FULL = Look()
FEW = Look(
    *((0, 0, 0),) * 4,
    reach_edge=(0, 170, 0),
    view_edge=(170, 170, 170),
    rim=(85, 85, 255),
    bowl=(0, 0, 170),
    base=(170, 170, 170),
    axis=(0, 0, 0),
    grid=(85, 85, 85),
    number=(170, 170, 170),
    fine=1,
)
"""In the sixteen colours, without mixtures."""


@dataclass(frozen=True)
class Ground:
    """Metres to pixels and cells on a map of a given size.

    Attributes:
        lines, columns: of the widget, in cells.
        window: what is on it at least; less than the whole table is a close-up.
    """

    lines: int
    columns: int
    window: Window = WHOLE

    @cached_property
    def scale(self) -> float:
        """Pixels per metre."""
        x_low, x_high, y_low, y_high = self.window
        return min(self.columns / (y_high - y_low), 2 * self.lines / (x_high - x_low))

    @cached_property
    def corner(self) -> tuple[float, float]:
        """x, y of the upper left corner [m]."""
        tall, wide = 2 * self.lines / self.scale, self.columns / self.scale
        x_low, x_high, y_low, y_high = self.window
        return (x_low + x_high + tall) / 2, (y_low + y_high + wide) / 2

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixels right and down of the upper left corner."""
        x_top, y_left = self.corner
        return (y_left - y) * self.scale, (x_top - x) * self.scale

    def cell(self, x: float, y: float) -> tuple[int, int] | None:
        """Line and column; None outside the map."""
        right, down = self.at(x, y)
        line, column = math.floor(down / 2), math.floor(right)
        return (line, column) if 0 <= line < self.lines and 0 <= column < self.columns else None

    def place(self, line: int, column: int) -> tuple[float, float]:
        """x, y of a cell's middle [m]."""
        x_top, y_left = self.corner
        return x_top - (2 * line + 1) / self.scale, y_left - (column + 0.5) / self.scale

    def points(self, fine: int) -> tuple[Vector, Vector]:
        """x, shape (rows, 1), and y, shape (1, columns), of the middles of `fine` points a pixel [m]."""
        x_top, y_left = self.corner
        step = 1 / (self.scale * fine)
        rows, columns = np.arange(2.0 * self.lines * fine), np.arange(1.0 * self.columns * fine)
        x = np.asarray(x_top - (rows[:, None] + 0.5) * step, np.float64)
        y = np.asarray(y_left - (columns[None, :] + 0.5) * step, np.float64)
        return x, y


@lru_cache(maxsize=16)
def draw_areas(scene: Scene, ground: Ground, look: Look) -> Image:
    """Camera view, reach, bowl and base, uint8 (2 * lines, columns, 3); read only."""
    x, y = ground.points(look.fine)
    reached, (x_low, x_high, y_low, y_high) = reached_at(x, y), reach.view(scene)
    seen = (x >= x_low) & (x <= x_high) & (y >= y_low) & (y <= y_high)
    bowl = _bowl(x, y, scene)
    layers = (
        (seen, look.seen),
        (reached, look.reached),
        (seen & reached, look.both),
        (bowl, look.bowl),
        (bowl & ~_shrunk(bowl, look.fine), look.rim),
        (_base(x, y), look.base),
        (np.hypot(x - PAN_X, y) <= 0.018, look.axis),
    )
    fine = np.empty((*seen.shape, 3), np.uint8)
    fine[:] = look.table
    for mask, colour in layers:
        fine[mask] = colour
    pixels = np.asarray(cv2.resize(fine, (ground.columns, 2 * ground.lines), interpolation=cv2.INTER_AREA), np.uint8)
    pixels.flags.writeable = False
    return pixels


@lru_cache(maxsize=16)
def draw_lines(scene: Scene, ground: Ground, look: Look) -> dict[tuple[int, int], Glyph]:
    """Grid, limit of reach and corners of the camera view, without what bowl and base hide; read only.

    A character takes the place of its cell's two pixels, so none is where these tell something.
    """
    x, y = ground.points(2)
    reached, standing = reached_at(x, y), _bowl(x, y, scene) | _base(x, y)
    hidden = braille(standing).keys()
    lines = {cell: glyph for cell, glyph in grid(ground, look).items() if cell not in hidden}
    edge = {cell: Glyph(dots, look.reach_edge) for cell, dots in braille(reached & ~_shrunk(reached, 1)).items()}
    pixels = draw_areas(scene, ground, look).astype(np.int16)
    flat = abs(pixels[0::2] - pixels[1::2]).max(axis=2) <= ALIKE
    lines |= edge | _corners(ground, scene, look)
    inside = range(ground.lines), range(ground.columns)
    return {
        (line, column): glyph
        for (line, column), glyph in lines.items()
        if line in inside[0] and column in inside[1] and flat[line, column]
    }


@lru_cache(maxsize=16)
def free(scene: Scene, ground: Ground) -> Mask:
    """Pixels where a block can be put as far as reach and bowl go, shape (2 * lines, columns); read only."""
    x, y = ground.points(1)
    return reached_at(x, y) & ~_bowl(x, y, scene)


def reached_at(x: Vector, y: Vector) -> Mask:
    """Where the arm can grasp, on a grid of points [m]; `recorders.world.reach` is what is asked."""
    left, right = _sector()
    radius, azimuth = np.hypot(x - PAN_X, y), np.arctan2(y, x - PAN_X)
    index = np.minimum(np.round(radius / STEP).astype(np.intp), len(left) - 1)
    inside: Mask = (azimuth <= left[index]) & (azimuth >= right[index])
    return inside


@cache
def _sector() -> tuple[Vector, Vector]:
    """Reach in polar coordinates about the pan axis: for every radius, the widest azimuth to each side [rad].

    The pan joint alone turns the arm's plane, so what is reached at a radius is one arc about straight ahead. Radii
    without any have limits that nothing is within.
    """
    radii = np.arange(0.0, 0.7, STEP)
    limits = np.array([[_widest(float(radius), side) for radius in radii] for side in (1, -1)])
    return limits[0], -limits[1]


def _widest(radius: float, side: int) -> float:
    def reached(azimuth: float) -> bool:
        turn = side * azimuth
        return reach.reachable(Placement(PAN_X + radius * math.cos(turn), radius * math.sin(turn)))

    if not reached(0.0):
        return -1.0
    low, high = 0.0, math.pi
    while high - low > 0.01:
        middle = (low + high) / 2
        low, high = (middle, high) if reached(middle) else (low, middle)
    return low


def _shrunk(inside: Mask, by: int) -> Mask:
    """A shape without its border of so many points; the edge of the map is no border."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    shrunk: Mask = cv2.erode(inside.astype(np.uint8), kernel, borderValue=1) > 0
    return shrunk


def _bowl(x: Vector, y: Vector, scene: Scene) -> Mask:
    right, ahead = x - props.BOWL_CENTRE[0], y - props.BOWL_CENTRE[1]
    inside: Mask = np.hypot(right, ahead) <= props.BOWL_RIM_RADIUS
    if scene.bowl == "tray":
        inside = (abs(right) <= props.TRAY_HALF) & (abs(ahead) <= props.TRAY_HALF)
    return inside


def _base(x: Vector, y: Vector) -> Mask:
    inside: Mask = (abs(x - BASE_X) <= BASE_HALF[0]) & (abs(y) <= BASE_HALF[1])
    return inside


def spacing(ground: Ground) -> float:
    """From one line of the grid to the next [m]: 0.1, or 0.2 where lines would be crowded; less on a close-up."""
    finer = () if ground.window == WHOLE else (0.01, 0.02, 0.05)
    return next((step for step in (*finer, 0.1) if step * ground.scale >= 7), 0.2)


def grid(ground: Ground, look: Look) -> dict[tuple[int, int], Glyph]:
    """Lines every 10 or 20 cm, closer together on a close-up."""
    lines = {cell[0] for cell in _marks(ground, along_x=True).values()}
    columns = {cell[1] for cell in _marks(ground, along_x=False).values()}
    found = {(line, column): Glyph("─", look.grid) for line in lines for column in range(ground.columns)}
    found |= {(line, column): Glyph("│", look.grid) for line in range(ground.lines) for column in columns}
    found |= {(line, column): Glyph("┼", look.grid) for line in lines for column in columns}
    return found


@lru_cache(maxsize=16)
def numbers(ground: Ground, look: Look) -> dict[tuple[int, int], Glyph]:
    """Metres at the grid, along the left and the lower edge; the first of each says which axis it is; read only."""
    wide = ground.columns >= 40
    digits = 1 if spacing(ground) >= 0.1 else 2
    found: dict[tuple[int, int], Glyph] = {}
    first = "x " if wide else ""
    for x, (line, _) in _marks(ground, along_x=True).items():
        if line < ground.lines - 1:
            found |= write(line, 0, f"{first or '  ' * wide}{x:.{digits}f}", look.number)
            first = ""
    first = "y " if wide else ""
    for y, (_, column) in _marks(ground, along_x=False).items():
        text = f"{y:.{digits}f}" if y else "0"
        start = column - (text.find(".") if y else 0) - len(first)
        if start >= 3 + digits and start + len(first + text) <= ground.columns:
            found |= write(ground.lines - 1, start, first + text, look.number)
            first = ""
    return found


def _marks(ground: Ground, *, along_x: bool) -> dict[float, tuple[int, int]]:
    """Where the grid meets the edges: its metres that are on the map, from the upper left on, and their cells."""
    middle = ground.place(ground.lines // 2, ground.columns // 2)
    step = spacing(ground)
    most = round(2.0 / step)
    found: dict[float, tuple[int, int]] = {}
    for number in range(most, -most - 1, -1):
        metres = round(number * step, 2)
        cell = ground.cell(metres, middle[1]) if along_x else ground.cell(middle[0], metres)
        if cell is not None:
            found[metres] = cell
    return found


def _corners(ground: Ground, scene: Scene, look: Look) -> dict[tuple[int, int], Glyph]:
    """The corners of what the overhead camera sees."""
    x_low, x_high, y_low, y_high = reach.view(scene)
    left, top = (math.floor(edge) for edge in ground.at(x_high, y_high))
    right, bottom = (math.floor(edge) for edge in ground.at(x_low, y_low))
    across, down = max(1, round(0.04 * ground.scale)), max(1, round(0.02 * ground.scale))
    found: dict[tuple[int, int], str] = {}
    for line, inwards, signs in ((top // 2, 1, "┏┓"), (bottom // 2, -1, "┗┛")):
        for column, aside, sign in ((left, 1, signs[0]), (right, -1, signs[1])):
            found |= {(line, column + aside * step): "━" for step in range(1, across + 1)}
            found |= {(line + inwards * step, column): "┃" for step in range(1, down + 1)}
            found[line, column] = sign
    return {cell: Glyph(sign, look.view_edge) for cell, sign in found.items()}
