"""The panels of the calibration card's picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from classifiers.card import Card, HeldOut
from curation.palette import CARD, FAINT, INK, MUTED, Colour, font

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw as Draw

Box = tuple[float, float, float, float]
Bar = tuple[str, float, float, float, str]
"""A name, a value with the ends of its interval, and what is written beside it."""

GOOD: Colour = (38, 148, 103)
BAD: Colour = (205, 52, 48)
BAND: Colour = (214, 232, 222)
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)
MARGIN_M = 0.02
"""Kept free around the outermost placements of the map [m]."""


def outcomes(draw: Draw, box: Box, card: Card) -> None:
    """Every episode as a tick at its probability, one row per outcome."""
    words = sorted({one.outcome for one in card.tested}, key=lambda word: (word != "success", word))
    _axes(draw, box, "what it says of each episode", "probability of a success", rows=False)
    left, top, right, bottom = box
    step = (bottom - top) / max(1, len(words))
    cut = left + card.threshold * (right - left)
    draw.line((cut, top, cut, bottom), INK, 2)
    for row, word in enumerate(words):
        middle = top + (row + 0.5) * step
        draw.text((left - 8, middle), word.replace("_", " "), INK, font=font(13), anchor="rm")
        for one in card.tested:
            if one.outcome == word:
                x = left + one.probability * (right - left)
                half = min(0.35 * step, 26)
                draw.line((x, middle - half, x, middle + half), GOOD if one.success else BAD, 2)


def calibration(draw: Draw, box: Box, card: Card) -> None:
    """What came true over what was said, with intervals."""
    _axes(draw, box, "of what it says, so much comes true", "probability it says (below: episodes)")
    left, top, right, bottom = box
    draw.line((left, bottom, right, top), FAINT, 3)
    for number, one in enumerate(card.curve):
        x = left + one.said * (right - left)
        ends = [bottom - value * (bottom - top) for value in (one.true.low, one.true.high)]
        draw.line((x, ends[0], x, ends[1]), INK, 2)
        y = bottom - one.true.k / one.true.n * (bottom - top)
        draw.ellipse((x - 6, y - 6, x + 6, y + 6), GOOD)
        # Two heights, because neighbours may be near.
        draw.text((x, bottom - 14 - 14 * (number % 2)), str(one.true.n), MUTED, font=font(12), anchor="mm")


def precision(draw: Draw, box: Box, card: Card) -> None:
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


def table(draw: Draw, box: Box, card: Card) -> None:
    """Where the blocks began, up is +x; what it got wrong is crossed out."""
    left, top, right, bottom = box
    draw.rectangle(box, CARD, FAINT)
    _title(draw, box, "where the block began; crossed: it errs")
    known = [one for one in card.tested if math.isfinite(one.x + one.y)]
    if not known:
        draw.text(((left + right) / 2, (top + bottom) / 2), "nobody knows", INK, font=font(18), anchor="mm")
        return
    low = np.min([(one.x, one.y) for one in known], axis=0) - MARGIN_M
    high = np.max([(one.x, one.y) for one in known], axis=0) + MARGIN_M
    scale = (right - left) / float((high - low).max())
    middle = (low + high) / 2
    for one in sorted(known, key=lambda one: _errs(one, card)):
        # The picture's right is -y, as the overhead camera shows it.
        x = (left + right) / 2 - (one.y - middle[1]) * scale
        y = (top + bottom) / 2 - (one.x - middle[0]) * scale
        colour = GOOD if one.success else BAD
        if _errs(one, card):
            draw.line((x - 7, y - 7, x + 7, y + 7), INK, 3)
            draw.line((x - 7, y + 7, x + 7, y - 7), INK, 3)
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), colour)
    wrong = sum(_errs(one, card) for one in known)
    said = f"x {low[0]:.2f} to {high[0]:.2f} m, y {low[1]:.2f} to {high[1]:.2f} m; {wrong} of {len(known)} wrong"
    draw.text(((left + right) / 2, bottom + 20), said, MUTED, font=font(13), anchor="mm")


def told_apart(draw: Draw, box: Box, card: Card) -> None:
    """Counterfactual pairs, and what it keeps of each outcome that is none."""
    bars: list[Bar] = [
        (f"block {what}", rate.k / max(1, rate.n), rate.low, rate.high, f"{rate.k} of {rate.n}")
        for what, rate in card.pairs.items()
    ]
    if card.stops is not None:
        rates = {"done seen in time": card.stops.seen, "done too early": card.stops.early}
        rates["done in a failure"] = card.stops.wrong
        bars += [(what, r.k / max(1, r.n), r.low, r.high, f"{r.k} of {r.n}") for what, r in rates.items()]
    _bars(draw, box, "told apart from a success; when it is done", "share of episodes", bars)


def enough(draw: Draw, box: Box, card: Card) -> None:
    """AUROC of the controls and in other looks; the line is a coin."""
    found = [*card.controls.items(), *card.looks.items()]
    bars = [(what, one.value, one.low, one.high, f"{one.value:.2f}") for what, one in found]
    _bars(draw, box, "what should not be enough; other looks", "AUROC", bars)
    left, top, right, bottom = box
    draw.line(((left + right) / 2, top, (left + right) / 2, bottom), INK, 1)


def _errs(one: HeldOut, card: Card) -> bool:
    return (one.probability >= card.threshold) != one.success


def _bars(draw: Draw, box: Box, title: str, below: str, bars: Sequence[Bar]) -> None:
    """A bar for each value from 0 to 1, with its interval."""
    _axes(draw, box, title, below, rows=False)
    left, top, right, bottom = box
    step = (bottom - top) / max(6, len(bars))
    for row, (name, value, low, high, told) in enumerate(bars):
        middle = top + (row + 0.5) * step
        if math.isnan(value):
            continue
        ends = [left + share * (right - left) for share in (low, high)]
        draw.rectangle((left, middle - 0.22 * step, left + value * (right - left), middle + 0.22 * step), BAND)
        draw.line((ends[0], middle, ends[1], middle), INK, 2)
        at = left + value * (right - left)
        draw.ellipse((at - 5, middle - 5, at + 5, middle + 5), GOOD)
        draw.text((left - 8, middle - 8), name, INK, font=font(12), anchor="rm")
        draw.text((left - 8, middle + 8), told, MUTED, font=font(12), anchor="rm")


def _axes(draw: Draw, box: Box, title: str, below: str, *, rows: bool = True) -> None:
    left, top, right, bottom = box
    draw.rectangle(box, CARD, FAINT)
    for share in GRID:
        x, y = left + share * (right - left), bottom - share * (bottom - top)
        draw.line((x, top, x, bottom), FAINT)
        draw.text((x, bottom + 14), f"{100 * share:.0f} %", INK, font=font(13), anchor="mm")
        if rows:
            draw.line((left, y, right, y), FAINT)
            draw.text((left - 8, y), f"{100 * share:.0f}", INK, font=font(13), anchor="rm")
    _title(draw, box, title)
    draw.text(((left + right) / 2, bottom + 38), below, MUTED, font=font(13), anchor="mm")


def _title(draw: Draw, box: Box, title: str) -> None:
    draw.text((box[0], box[1] - 14), title, INK, font=font(15), anchor="ls")
