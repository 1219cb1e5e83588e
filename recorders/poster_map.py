"""The map of a poster: the table from above as the overhead camera shows it, image up = +x, image right = -y."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from curation.episodes import EpisodeRow
from curation.frames import Placement, Vector
from curation.names import STATE
from curation.palette import ACCENT, CARD, FAINT, INK, MUTED, Colour, font, outcome_colour
from curation.store import Store

from .world import props, reach
from .world.drawing import Painter
from .world.kinematics import PAN_X
from .world.scene import Scene, compile_scene
from .world.units import to_radians

X_LOW, X_HIGH, Y_LOW, Y_HIGH = -0.13, 0.63, -0.51, 0.45
"""What the map shows [m]."""
LATTICE = 0.01
"""Step at which reach is asked [m]; between, the limit is interpolated."""
FINE = 3
"""Shapes are drawn this much larger and shrunk, because Pillow's have hard edges."""
REACH: Colour = (233, 241, 236)
REACH_EDGE: Colour = (150, 186, 168)
BASE_X, BASE_HALF = 0.0211, (0.0435, 0.0400)
"""The arm's base plate: centre and half sizes along x and y [m], as in assets/so101.xml."""
PATH_STEP = 2
"""Every how many frames a path has a corner."""


@dataclass(frozen=True)
class Ground:
    """Metres to pixels on a map of a given width."""

    width: int

    @property
    def scale(self) -> float:
        """Pixels per metre."""
        return self.width / (Y_HIGH - Y_LOW)

    @property
    def height(self) -> int:
        return round((X_HIGH - X_LOW) * self.scale)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Pixel (right, down) of a point on the table [m]."""
        return (Y_HIGH - y) * self.scale, (X_HIGH - x) * self.scale


def draw_map(store: Store, scene: Scene, width: int) -> Image.Image:
    """Placements by outcome, paths of the gripper tip, bowl, base, reach and camera view, to scale.

    Args:
        store: a dataset of this scene.
        scene: what stands where.
        width: of the map [px]; its height follows.
    """
    fine = Ground(width * FINE)
    image = Image.new("RGB", (fine.width, fine.height), CARD)
    _reach(image, fine)
    draw = ImageDraw.Draw(image, "RGBA")
    _grid(draw, fine)
    _view(draw, fine, scene)
    _base(draw, fine)
    _bowl(draw, fine, scene)
    for row, path in zip(store.rows(), tip_paths(store, scene), strict=True):
        corners = [fine.at(x, y) for x, y, _ in path]
        draw.line(corners, (*outcome_colour(row.outcome), _faint(len(store.rows()))), FINE * 2, "curve")
    for row in store.rows():
        _placement(draw, fine, scene, row)
    small = image.resize((width, Ground(width).height), Image.Resampling.LANCZOS)
    _words(ImageDraw.Draw(small), Ground(width), scene)
    return small


def tip_paths(store: Store, scene: Scene) -> list[Vector]:
    """Positions of the tool point [m] of every episode, shape (corners, 3), from its measured joints."""
    painter = Painter(scene, compile_scene(scene))
    joints = slice(0, 6)
    paths = []
    for index in range(store.total_episodes):
        state = store.numeric(index)[STATE][::PATH_STEP]
        qpos = np.tile(painter.model.qpos0, (len(state), 1))
        # The arm is assembled first, so its six joints come first in qpos.
        qpos[:, joints] = to_radians(state)
        paths.append(np.array([painter.gripper(pose) for pose in qpos]))
    return paths


def _faint(episodes: int) -> int:
    """Opacity of a path, 0 to 255: many paths are fainter than a few."""
    return max(28, round(120 / math.sqrt(max(1.0, episodes / 4))))


def _reach(image: Image.Image, ground: Ground) -> None:
    """Where the arm can grasp, tinted, with its limit as a line."""
    xs = np.arange(X_HIGH, X_LOW - LATTICE, -LATTICE)
    ys = np.arange(Y_HIGH, Y_LOW - LATTICE, -LATTICE)
    inside = np.array([[reach.reachable(Placement(float(x), float(y))) for y in ys] for x in xs])
    rough = Image.fromarray(inside.astype(np.uint8) * 255)
    # Blurred by about a lattice step before it is cut at one half: the limit is a curve, not a staircase.
    soft = rough.resize((rough.width * 8, rough.height * 8), Image.Resampling.BICUBIC).filter(
        ImageFilter.GaussianBlur(9)
    )
    size = (round(len(ys) * LATTICE * ground.scale), round(len(xs) * LATTICE * ground.scale))
    smooth = soft.resize(size, Image.Resampling.BICUBIC)
    # A lattice point is the middle of its pixel, so the picture begins half a step outside the map.
    half = round(LATTICE * ground.scale / 2)
    field = np.asarray(smooth.crop((half, half, half + ground.width, half + ground.height)))
    pixels = np.asarray(image).copy()
    reached = field >= 128
    pixels[reached] = REACH
    pixels[_edge(reached, FINE)] = REACH_EDGE
    image.paste(Image.fromarray(pixels))


def _edge(inside: np.ndarray, thick: int) -> np.ndarray:
    """Pixels of `inside` within `thick` pixels of its border."""
    shrunk = inside.copy()
    for axis in (0, 1):
        for shift in (-thick, thick):
            shrunk &= np.roll(inside, shift, axis)
    return inside & ~shrunk


def _grid(draw: ImageDraw.ImageDraw, ground: Ground) -> None:
    for x in _tenths(X_LOW, X_HIGH):
        draw.line([ground.at(x, Y_HIGH), ground.at(x, Y_LOW)], (*INK, 22), FINE)
    for y in _tenths(Y_LOW, Y_HIGH):
        draw.line([ground.at(X_LOW, y), ground.at(X_HIGH, y)], (*INK, 22), FINE)


def _tenths(low: float, high: float) -> list[float]:
    return [tenth / 10 for tenth in range(math.ceil(low * 10), math.floor(high * 10) + 1)]


def _view(draw: ImageDraw.ImageDraw, ground: Ground, scene: Scene) -> None:
    """What the overhead camera sees, as a dashed frame."""
    x_low, x_high, y_low, y_high = reach.view(scene)
    corners = [(x_high, y_high), (x_high, y_low), (x_low, y_low), (x_low, y_high), (x_high, y_high)]
    for (x, y), (to_x, to_y) in pairwise(corners):
        _dashes(draw, ground.at(x, y), ground.at(to_x, to_y))


def _dashes(draw: ImageDraw.ImageDraw, start: tuple[float, float], end: tuple[float, float]) -> None:
    length, dash = math.dist(start, end), 12 * FINE
    dx, dy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    for step in range(math.ceil(length / (2 * dash))):
        along = step * 2.0 * dash
        to = min(along + dash, length)
        first = (start[0] + dx * along, start[1] + dy * along)
        draw.line([first, (start[0] + dx * to, start[1] + dy * to)], MUTED, 2 * FINE)


def _base(draw: ImageDraw.ImageDraw, ground: Ground) -> None:
    left, top = ground.at(BASE_X + BASE_HALF[0], BASE_HALF[1])
    right, bottom = ground.at(BASE_X - BASE_HALF[0], -BASE_HALF[1])
    draw.rounded_rectangle((left, top, right, bottom), 10 * FINE, INK)
    _disc(draw, ground, PAN_X, 0.0, 0.012, CARD)


def _bowl(draw: ImageDraw.ImageDraw, ground: Ground, scene: Scene) -> None:
    x, y = props.BOWL_CENTRE
    if scene.bowl == "tray":
        half = props.TRAY_HALF
        draw.rectangle(
            (*ground.at(x + half, y + half), *ground.at(x - half, y - half)), (*ACCENT, 60), ACCENT, 3 * FINE
        )
        return
    _disc(draw, ground, x, y, props.BOWL_RIM_RADIUS, ACCENT)
    _disc(draw, ground, x, y, props.BOWL_RIM_RADIUS - 0.004, (214, 226, 241))
    _disc(draw, ground, x, y, 0.042, (196, 213, 235))


def _disc(
    draw: ImageDraw.ImageDraw, ground: Ground, x: float, y: float, radius: float, colour: tuple[int, ...]
) -> None:
    draw.ellipse((*ground.at(x + radius, y + radius), *ground.at(x - radius, y - radius)), colour)


def _placement(draw: ImageDraw.ImageDraw, ground: Ground, scene: Scene, row: EpisodeRow) -> None:
    """The block where it was put, to scale and turned."""
    if not math.isfinite(row.x + row.y + row.yaw_deg):
        return
    colour = outcome_colour(row.outcome)
    corners = [ground.at(*point) for point in _corners(scene, row)]
    draw.polygon(corners, (*colour, 150))
    draw.line([*corners, corners[0], corners[1]], colour, 2 * FINE, "curve")


def _corners(scene: Scene, row: EpisodeRow) -> Iterable[tuple[float, float]]:
    turn = math.radians(row.yaw_deg)
    for side, end in ((1, 1), (1, -1), (-1, -1), (-1, 1)):
        along, across = side * scene.block_half[0], end * scene.block_half[1]
        yield (
            row.x + along * math.cos(turn) - across * math.sin(turn),
            row.y + along * math.sin(turn) + across * math.cos(turn),
        )


def _words(draw: ImageDraw.ImageDraw, ground: Ground, scene: Scene) -> None:
    """Labels and axis numbers."""
    _, x_high, _, y_high = reach.view(scene)
    left, top = ground.at(x_high, y_high)
    draw.text((left + 14, top + 12), "overhead camera view", MUTED, font(20))
    base_x, base_y = ground.at(BASE_X - BASE_HALF[0], 0.0)
    draw.text((base_x, base_y + 10), "arm base", INK, font(20), anchor="ma")
    bowl_x, bowl_y = ground.at(props.BOWL_CENTRE[0] - props.BOWL_RIM_RADIUS, props.BOWL_CENTRE[1])
    draw.text((bowl_x, bowl_y + 10), "tray" if scene.bowl == "tray" else "bowl", ACCENT, font(20), anchor="ma")
    _reach_word(draw, ground)
    _axis_numbers(draw, ground)


def _reach_word(draw: ImageDraw.ImageDraw, ground: Ground) -> None:
    """The word just inside the limit, to the left of the arm."""
    turn = math.radians(68)
    radii = [step * LATTICE for step in range(15, 60)]
    points = [(PAN_X + r * math.cos(turn), r * math.sin(turn)) for r in radii]
    inside: Sequence[tuple[float, float]] = [p for p in points if reach.reachable(Placement(*p))]
    if inside:
        right, down = ground.at(*inside[-1])
        draw.text((right + 26, down + 34), "reach", REACH_EDGE, font(22), anchor="lm")


def _axis_numbers(draw: ImageDraw.ImageDraw, ground: Ground) -> None:
    """Tenths of a metre along both edges; the first of each also says which axis it is."""
    for place, x in enumerate(reversed(_tenths(X_LOW, X_HIGH))):
        text = f"{x:.1f}" if place else f"x = {x:.1f} m"
        draw.text((12, ground.at(x, 0)[1] + 6), text, MUTED, font(18))
    for place, y in enumerate(reversed(_tenths(Y_LOW + 0.05, Y_HIGH))):
        text = f"{y:.1f}" if place else f"y = {y:.1f} m"
        draw.text((ground.at(0, y)[0] + 6, ground.height - 8), text, MUTED, font(18), anchor="lb")
    draw.rectangle((0, 0, ground.width - 1, ground.height - 1), outline=FAINT, width=2)
