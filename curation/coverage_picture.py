"""The picture of coverage: reach, view, bowl, data, trials and proposals, to scale, as the overhead camera sees it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from curation.coverage import RADIUS, nearest
from curation.palette import CARD, INK, MUTED, PAPER, Colour, font
from curation.table import Points, Table
from curation.trials import Trials

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageDraw import ImageDraw as Draw

FINE = 3
"""Shapes are drawn this much larger and shrunk, because Pillow's have hard edges."""
BORDER = 0.05
"""Of table around everything drawn [m]."""
HEAD = 96
"""Height of the title and the legend [px]."""
REACH: Colour = (243, 240, 232)
COVERED: Colour = (198, 228, 212)
EDGE: Colour = (150, 160, 152)
BOWL: Colour = (51, 107, 179)
DATA: Colour = (24, 118, 82)
GOOD: Colour = (38, 148, 103)
FAILED: Colour = (205, 52, 48)
NEXT: Colour = (226, 116, 40)
DOT, TRIAL, RING = 0.0035, 0.0028, 0.011
"""Radii of data, trials and proposals [m]."""


@dataclass(frozen=True)
class _Ground:
    """Metres to pixels: up = +x, left = +y."""

    x_high: float
    y_high: float
    scale: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        return (self.y_high - y) * self.scale, (self.x_high - x) * self.scale + HEAD * FINE

    def disc(self, x: float, y: float, radius: float) -> tuple[float, float, float, float]:
        right, down = self.at(x, y)
        r = radius * self.scale
        return right - r, down - r, right + r, down + r


def picture(
    table: Table,
    data: Points,
    *,
    proposals: Sequence[tuple[float, float]] = (),
    trials: Trials | None = None,
    radius: float = RADIUS,
    title: str = "",
    width: int = 1200,
) -> Picture:
    """Draw the table.

    Args:
        table: on which all lies.
        data: placements, shape (M, 2) [m].
        proposals: positions to record at next, the first is 1.
        trials: of an evaluation.
        radius: within which data is taken to cover [m].
        title: at the top.
        width: [px]; the height follows.
    """
    from PIL import Image, ImageDraw

    x_low, x_high, y_low, y_high = _extent(table, data, proposals)
    ground = _Ground(x_high, y_high, width * FINE / (y_high - y_low))
    height = round((x_high - x_low) * ground.scale) + HEAD * FINE
    image = Image.new("RGB", (width * FINE, height), PAPER)
    draw = ImageDraw.Draw(image, "RGBA")
    draw.rectangle((0, HEAD * FINE, width * FINE, height), CARD)
    draw.polygon([ground.at(*corner) for corner in table.reach], REACH)
    _covered(image, table, ground, data, radius)
    draw.line([ground.at(*corner) for corner in (*table.reach, table.reach[0])], EDGE, 2 * FINE, "curve")
    _grid(draw, ground, (x_low, x_high, y_low, y_high))
    _views(draw, table, ground)
    _bowl(draw, table, ground)
    _trials(draw, ground, trials)
    for x, y in data:
        draw.ellipse(ground.disc(x, y, DOT), (*DATA, 150))
    for x, y in proposals:
        draw.ellipse(ground.disc(x, y, radius), None, (*NEXT, 110), FINE)
        draw.ellipse(ground.disc(x, y, RING), CARD, NEXT, 2 * FINE)
    small = image.resize((width, round(height / FINE)), Image.Resampling.LANCZOS)
    _words(ImageDraw.Draw(small), ground, proposals, (x_low, x_high, y_low, y_high))
    _legend(ImageDraw.Draw(small), title, radius, proposals=bool(proposals), trials=trials is not None)
    return small


def _extent(table: Table, data: Points, proposals: Sequence[tuple[float, float]]) -> tuple[float, float, float, float]:
    """What is drawn: the views, reach in front of the base, and all points that are not absurdly far."""
    reach = [(max(x, -0.1), y) for x, y in table.reach]
    views = [corner for a, b, c, d in table.views for corner in ((a, c), (b, d))]
    points = np.concatenate([reach, views, np.asarray(data).reshape(-1, 2), np.array(proposals).reshape(-1, 2)])
    (x_low, y_low), (x_high, y_high) = points.clip(-0.8, 0.8).min(axis=0), points.clip(-0.8, 0.8).max(axis=0)
    return float(x_low) - BORDER, float(x_high) + BORDER, float(y_low) - BORDER, float(y_high) + BORDER


def _covered(image: Picture, table: Table, ground: _Ground, data: Points, radius: float) -> None:
    """Tint what is recordable and within the radius of data."""
    if not len(data):
        return
    from PIL import Image

    wide, tall = image.width // FINE, (image.height - HEAD * FINE) // FINE
    right, down = np.meshgrid(np.arange(wide) + 0.5, np.arange(tall) + 0.5)
    scale = ground.scale / FINE
    points = np.stack([ground.x_high - down / scale, ground.y_high - right / scale], axis=-1).reshape(-1, 2)
    inside = table.allowed(points)
    # Many episodes lie at one place: distances are asked of places.
    inside[inside] = nearest(points[inside], np.unique(np.round(data, 4), axis=0))[0] <= radius
    mask = Image.fromarray(inside.reshape(tall, wide).astype(np.uint8) * 255)
    size = (image.width, image.height - HEAD * FINE)
    image.paste(COVERED, (0, HEAD * FINE), mask.resize(size, Image.Resampling.BILINEAR))


def _grid(draw: Draw, ground: _Ground, box: tuple[float, float, float, float]) -> None:
    x_low, x_high, y_low, y_high = box
    for x in _tenths(x_low, x_high):
        draw.line([ground.at(x, y_high), ground.at(x, y_low)], (*INK, 20), FINE)
    for y in _tenths(y_low, y_high):
        draw.line([ground.at(x_high, y), ground.at(x_low, y)], (*INK, 20), FINE)


def _tenths(low: float, high: float) -> list[float]:
    return [tenth / 10 for tenth in range(math.ceil(low * 10), math.floor(high * 10) + 1)]


def _views(draw: Draw, table: Table, ground: _Ground) -> None:
    """What each camera sees, as a dashed frame."""
    for x_low, x_high, y_low, y_high in table.views:
        corners = [(x_high, y_high), (x_high, y_low), (x_low, y_low), (x_low, y_high), (x_high, y_high)]
        for start, end in pairwise(corners):
            for first, last in _dashes(ground.at(*start), ground.at(*end)):
                draw.line([first, last], MUTED, 2 * FINE)


def _dashes(
    start: tuple[float, float], end: tuple[float, float]
) -> Iterable[tuple[tuple[float, float], tuple[float, float]]]:
    count = max(1, round(math.dist(start, end) / (18 * FINE)))
    for step in range(count):
        a, b = step / count, (step + 0.55) / count
        yield (
            (start[0] + (end[0] - start[0]) * a, start[1] + (end[1] - start[1]) * a),
            (start[0] + (end[0] - start[0]) * b, start[1] + (end[1] - start[1]) * b),
        )


def _bowl(draw: Draw, table: Table, ground: _Ground) -> None:
    if table.bowl is None:
        return
    shape = draw.rectangle if table.bowl.square else draw.ellipse
    shape(ground.disc(table.bowl.x, table.bowl.y, table.bowl.half), (*BOWL, 40), BOWL, 2 * FINE)


def _trials(draw: Draw, ground: _Ground, trials: Trials | None) -> None:
    """Successes as green dots, failures as red crosses, so that colour is not needed to tell them."""
    if trials is None:
        return
    for (x, y), success in zip(trials.points, trials.success, strict=True):
        left, up, right, down = ground.disc(x, y, TRIAL)
        if success:
            draw.ellipse((left, up, right, down), None, GOOD, FINE)
        else:
            draw.line([(left, up), (right, down)], FAILED, FINE)
            draw.line([(left, down), (right, up)], FAILED, FINE)


def _words(
    draw: Draw, ground: _Ground, proposals: Sequence[tuple[float, float]], box: tuple[float, float, float, float]
) -> None:
    for number, (x, y) in enumerate(proposals, start=1):
        right, down = ground.at(x, y)
        draw.text((right / FINE, down / FINE), str(number), INK, font(15), anchor="mm")
    x_low, x_high, y_low, y_high = box
    for x in _tenths(x_low, x_high):
        draw.text((8, ground.at(x, 0.0)[1] / FINE), f"x {x:.1f}", MUTED, font(14), anchor="lm")
    for y in _tenths(y_low, y_high):
        draw.text((ground.at(x_low, y)[0] / FINE, ground.at(x_low, y)[1] / FINE - 6), f"y {y:.1f}", MUTED, font(14),
                  anchor="md")  # fmt: skip


def _legend(draw: Draw, title: str, radius: float, *, proposals: bool, trials: bool) -> None:
    draw.text((16, 12), title, INK, font(24), anchor="la")
    said = [("episode", DATA), (f"within {100 * radius:.1f} cm of one", COVERED), ("reach", REACH)]
    said += [("bowl", BOWL)]
    said += [("success", GOOD), ("failure", FAILED)] if trials else []
    said += [("proposed", NEXT)] if proposals else []
    right = 16.0
    for words, colour in said:
        draw.ellipse((right, 60, right + 16, 76), colour, EDGE)
        draw.text((right + 24, 68), words, INK, font(17), anchor="lm")
        right += 24 + draw.textlength(words, font(17)) + 28
    draw.text((right, 68), "dashed: camera view", INK, font(17), anchor="lm")
