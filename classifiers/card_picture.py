"""The calibration card as one picture: what it said and what was true, and what that means for a filter."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from classifiers.card import Card
from curation.atomic import write_aside
from curation.palette import FAINT, INK, PAPER, Colour, font

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw as Draw

Box = tuple[float, float, float, float]

WIDTH, HEIGHT, EDGE = 1500, 620, 70
GOOD: Colour = (38, 148, 103)
BAD: Colour = (205, 52, 48)
BAND: Colour = (214, 232, 222)
PANEL = 370
"""Side of a panel [px]."""


def draw_card(card: Card, path: Path) -> None:
    """Write the picture as PNG.

    Raises:
        CannotWrite: the disk refused.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((EDGE, 24), f"{card.classifier}: {len(card.tested)} unseen episodes", INK, font=font(26))
    draw.text((EDGE, 62), f"AUROC {card.auroc}", INK, font=font(18))
    top = 140.0
    lefts = [EDGE + 100 + at * (PANEL + 90) for at in range(3)]
    boxes = [(left, top, left + PANEL, top + PANEL) for left in lefts]
    _outcomes(draw, boxes[0], card)
    _calibration(draw, boxes[1], card)
    _precision(draw, boxes[2], card)
    out = BytesIO()
    image.save(out, "PNG")
    write_aside(path, out.getvalue())


def _outcomes(draw: Draw, box: Box, card: Card) -> None:
    """Every episode as a tick at its probability, one row per outcome."""
    words = sorted({one.outcome for one in card.tested}, key=lambda word: (word != "success", word))
    _axes(draw, box, "what it says of each episode", "probability of a success", rows=False)
    left, top, right, bottom = box
    step = (bottom - top) / max(1, len(words))
    cut = left + card.threshold * (right - left)
    draw.line((cut, top, cut, bottom), INK, 2)
    for row, word in enumerate(words):
        middle = top + (row + 0.5) * step
        draw.text((left - 8, middle), word.replace("_", " "), INK, font=font(14), anchor="rm")
        for one in card.tested:
            if one.outcome == word:
                x = left + one.probability * (right - left)
                draw.line((x, middle - 0.3 * step, x, middle + 0.3 * step), GOOD if one.success else BAD, 2)


def _calibration(draw: Draw, box: Box, card: Card) -> None:
    """What came true over what was said, with intervals."""
    _axes(draw, box, "of what it says, so much comes true", "probability it says")
    left, top, right, bottom = box
    draw.line((left, bottom, right, top), FAINT, 3)
    for one in card.curve:
        x = left + one.said * (right - left)
        ends = [bottom - value * (bottom - top) for value in (one.true.low, one.true.high)]
        draw.line((x, ends[0], x, ends[1]), INK, 2)
        y = bottom - one.true.k / one.true.n * (bottom - top)
        draw.ellipse((x - 6, y - 6, x + 6, y + 6), GOOD)
        draw.text((x, bottom - 14), str(one.true.n), INK, font=font(12), anchor="mm")


def _precision(draw: Draw, box: Box, card: Card) -> None:
    """Precision of what is kept over how often whoever drives succeeds."""
    _axes(draw, box, "of what it keeps, so much are successes", "share of attempts that succeed")
    left, top, right, bottom = box
    bases = np.linspace(0.02, 0.98, 49)
    rows = [card.rates.precision_at(float(base)) for base in bases]
    known = [(base, row) for base, row in zip(bases, rows, strict=True) if not any(math.isnan(value) for value in row)]
    if not known:
        draw.text(((left + right) / 2, (top + bottom) / 2), "unknown", INK, font=font(18), anchor="mm")
        return

    def place(base: float, value: float) -> tuple[float, float]:
        return left + base * (right - left), bottom - value * (bottom - top)

    lower, upper = ([place(base, row[at]) for base, row in known] for at in (1, 2))
    draw.polygon([*lower, *reversed(upper)], BAND)
    draw.line([place(base, row[0]) for base, row in known], GOOD, 4)


def _axes(draw: Draw, box: Box, title: str, below: str, *, rows: bool = True) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, (255, 255, 255), FAINT)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = left + share * (right - left), bottom - share * (bottom - top)
        draw.line((x, top, x, bottom), FAINT)
        draw.text((x, bottom + 14), f"{100 * share:.0f} %", INK, font=font(13), anchor="mm")
        if rows:
            draw.line((left, y, right, y), FAINT)
            draw.text((left - 8, y), f"{100 * share:.0f}", INK, font=font(13), anchor="rm")
    draw.text((left, top - 16), title, INK, font=font(16), anchor="ls")
    draw.text(((left + right) / 2, bottom + 40), below, INK, font=font(14), anchor="mm")
