"""Pictures of predictions: time series, scatter and histograms of errors, one chart per joint."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from curation.palette import INK, MUTED

from .analysis import Fit, JointFit
from .predictions import Numbers, Predictions
from .sheet import BLUE, GREEN, ORANGE, RED, Chart, Colour, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SHOWN = 1200
"""Frames in a time series, and points in a scatter."""
BARS = 40
_VERDICTS: dict[str, Colour] = {"good": GREEN, "poor": ORANGE, "collapsed": RED, "still": MUTED}
_WIDTH = 1500
DEMONSTRATED, PREDICTED = INK, ORANGE


def timeseries(found: Predictions, fit: Fit, title: str) -> Picture:
    """Demonstrated and predicted action over the frames of the first episodes, one strip per joint."""
    tall = 118
    sheet = Sheet(_WIDTH, 116 + len(fit.joints) * (tall + 46) + 24)
    _title(sheet, title, fit)
    _key(sheet, 84)
    count = min(len(found), SHOWN)
    breaks = [int(n) for n in np.flatnonzero(np.diff(found.episode[:count])) + 1]
    for number, joint in enumerate(fit.joints):
        top = 128 + number * (tall + 46)
        wanted, guessed = found.demonstrated[:count, number], found.predicted[:count, number]
        chart = Chart(sheet, 80, top, _WIDTH - 220, top + tall, (0, max(1, count - 1)), _span(wanted, guessed))
        chart.axes("", "", x_ticks=[0, *breaks])
        sheet.text(80, top - 4, joint.name, 15, INK, "ld")
        for first, last in zip([0, *breaks], [*breaks, count], strict=True):
            chart.line([(n, float(wanted[n])) for n in range(first, last)], DEMONSTRATED, 1.6)
            chart.line([(n, float(guessed[n])) for n in range(first, last)], PREDICTED, 1.3)
        _facts(sheet, _WIDTH - 200, top, joint)
    return sheet.finished()


def scatter(found: Predictions, fit: Fit, title: str) -> Picture:
    """Predicted against demonstrated action; a perfect policy lies on the line."""
    columns, side = 3, 360
    rows = math.ceil(len(fit.joints) / columns)
    sheet = Sheet(_WIDTH, 110 + rows * (side + 96))
    _title(sheet, title, fit)
    chosen = np.linspace(0, len(found) - 1, min(len(found), SHOWN)).round().astype(int)
    for number, joint in enumerate(fit.joints):
        row, column = divmod(number, columns)
        left, top = 90 + column * 480, 136 + row * (side + 96)
        wanted, guessed = found.demonstrated[chosen, number], found.predicted[chosen, number]
        both = _span(wanted, guessed)
        chart = Chart(sheet, left, top, left + side, top + side, both, both)
        r2 = "nothing moves" if joint.r2 is None else f"R2 {joint.r2:.3f}"
        chart.axes("demonstrated", "")
        width = sheet.text(left, top - 6, f"{joint.name}  {r2}  ", 16, INK, "ld")
        sheet.text(left + width, top - 6, joint.verdict, 16, _VERDICTS[joint.verdict], "ld")
        chart.line([(both[0], both[0]), (both[1], both[1])], MUTED, 1)
        for x, y in zip(wanted, guessed, strict=True):
            sheet.disc(*chart.at(float(x), float(y)), 2, (*BLUE, 110))
    return sheet.finished()


def histograms(sets: Mapping[str, tuple[Predictions, Fit]], title: str) -> Picture:
    """Errors of each joint; sets such as training and held-out lie over one another."""
    columns, wide, tall = 3, 380, 200
    first = next(iter(sets.values()))[1]
    rows = math.ceil(len(first.joints) / columns)
    sheet = Sheet(_WIDTH, 136 + rows * (tall + 92))
    sheet.text(40, 24, title, 28)
    colours = dict(zip(sets, (BLUE, ORANGE), strict=False))
    left = 40.0
    for name, (_, fit) in sets.items():
        sheet.box(left, 74, left + 16, 90, (*colours[name], 150))
        left += 24 + sheet.text(left + 24, 82, f"{name}: {fit.frames} frames", 15, INK, "lm") + 30
    for number, joint in enumerate(first.joints):
        row, column = divmod(number, columns)
        errors = {name: found.predicted[:, number] - found.demonstrated[:, number] for name, (found, _) in sets.items()}
        edges = _edges(list(errors.values()))
        counts = {name: np.histogram(each.clip(edges[0], edges[-1]), edges)[0] / len(each)
                  for name, each in errors.items()}  # fmt: skip
        highest = max(float(each.max()) for each in counts.values())
        at = 90 + column * 480, 150 + row * (tall + 92)
        chart = Chart(sheet, at[0], at[1], at[0] + wide, at[1] + tall, (edges[0], edges[-1]), (0, highest * 1.05))
        chart.axes("predicted less demonstrated", "", scale=(1, 100))
        sheet.text(at[0], at[1] - 6, f"{joint.name}  [% of frames]", 15, INK, "ld")
        for name, each in counts.items():
            for low, high, share in zip(edges, edges[1:], each, strict=False):
                if share:
                    sheet.box(*chart.at(low, float(share)), *chart.at(high, 0.0), (*colours[name], 130))
    return sheet.finished()


def ahead(sets: Mapping[str, Fit], title: str) -> Picture:
    """Mean error by how far ahead in its chunk an action is."""
    sheet = Sheet(900, 460)
    sheet.text(40, 22, title, 24)
    longest = max(len(fit.ahead) for fit in sets.values())
    highest = max(value for fit in sets.values() for value in fit.ahead if not math.isnan(value))
    chart = Chart(sheet, 80, 120, 860, 390, (0, max(1, longest - 1)), (0, highest * 1.05 or 1.0))
    chart.axes("frames ahead in the chunk", "mean error [degrees, gripper 0 to 100]")
    left = 40.0
    for (name, fit), colour in zip(sets.items(), (BLUE, ORANGE), strict=False):
        sheet.disc(left + 8, 74, 7, colour)
        left += 24 + sheet.text(left + 24, 74, name, 15, INK, "lm") + 30
        spots = [(float(h), value) for h, value in enumerate(fit.ahead) if not math.isnan(value)]
        chart.line(spots, colour, 2)
        if len(spots) == 1:
            sheet.disc(*chart.at(*spots[0]), 5, colour)
    return sheet.finished()


def _title(sheet: Sheet, title: str, fit: Fit) -> None:
    sheet.text(40, 20, title, 28)
    words = (
        f"{fit.episodes} episodes, {fit.frames} frames, mean error {fit.mean_error:.2f}, largest {fit.max_error:.1f}"
    )
    sheet.text(_WIDTH - 40, 32, words, 16, MUTED, "ra")


def _key(sheet: Sheet, down: float) -> None:
    left = 40.0
    for words, colour in (("demonstrated", DEMONSTRATED), ("predicted", PREDICTED)):
        sheet.line([(left, down), (left + 26, down)], colour, 3)
        left += 34 + sheet.text(left + 34, down, words, 15, INK, "lm") + 24
    sheet.text(left, down, "degrees, gripper 0 to 100; ticks where an episode begins", 15, MUTED, "lm")


def _facts(sheet: Sheet, left: float, top: float, joint: JointFit) -> None:
    sheet.text(left, top, joint.verdict, 18, _VERDICTS[joint.verdict])
    r2 = "-" if joint.r2 is None else f"{joint.r2:.2f}"
    spread = "-" if joint.spread is None else f"{joint.spread:.2f}"
    skill = "-" if joint.skill is None else f"{joint.skill:.2f}"
    for row, words in enumerate((f"R2 {r2}", f"mean error {joint.mean_error:.2f}", f"largest {joint.max_error:.1f}",
                                 f"spread {spread}", f"skill {skill}")):  # fmt: skip
        sheet.text(left, top + 25 + 18 * row, words, 14, MUTED)


def _span(*values: Numbers) -> tuple[float, float]:
    low, high = min(float(v.min()) for v in values), max(float(v.max()) for v in values)
    room = max(0.5, 0.05 * (high - low))
    return low - room, high + room


def _edges(errors: Sequence[Numbers]) -> list[float]:
    """Bars about zero, as wide as all but a few errors."""
    reach = max(0.5, max(float(np.quantile(np.abs(each), 0.995)) for each in errors))
    return [float(edge) for edge in np.linspace(-reach, reach, BARS + 1)]
