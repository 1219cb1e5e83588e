"""The picture of a stress: survival over how far the pads gripped, and over each thing that was changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from curation.palette import MUTED
from curation.rates import Rate
from training.sheet import BLUE, GREEN, ORANGE, Chart, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

WIDTH, HEIGHT = 1360, 520
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def picture(
    name: str,
    episodes: Sequence[tuple[float | None, Rate, bool]],
    bands: Mapping[str, Sequence[tuple[float, float, Rate]]],
) -> Picture:
    """Draw it.

    Args:
        name: of the dataset.
        episodes: overlap of the grip [m], None without a grip that lifted; runs survived; whether the grip was lazy.
        bands: by the name of what was changed: low, high, and the runs that survived there.
    """
    sheet = Sheet(WIDTH, HEIGHT)
    sheet.text(40, 24, f"{name}: {len(episodes)} episodes under stress", 22)
    gripped = [(overlap, rate, lazy) for overlap, rate, lazy in episodes if overlap is not None]
    widest = 1e3 * max((overlap for overlap, *_ in gripped), default=0.01)
    chart = Chart(sheet, 90, 110, 560, 430, (0.0, max(10.0, widest * 1.1)), (0.0, 1.0))
    chart.axes("overlap of pads and block [mm]", "runs survived [%]", y_ticks=_SHARES, scale=(1.0, 100.0))
    for overlap, rate, lazy in gripped:
        chart.error(1e3 * overlap, rate.low, rate.k / rate.n, rate.high, ORANGE if lazy else GREEN)
    sheet.text(
        90, 66, "one episode each, with its 95 % interval; orange: its grip was lazy as it was recorded", 14, MUTED
    )
    _bands(sheet, bands)
    return sheet.finished()


def _bands(sheet: Sheet, bands: Mapping[str, Sequence[tuple[float, float, Rate]]]) -> None:
    """A small chart for each change, four in a row."""
    sheet.text(660, 66, "all runs, by what was changed in them", 14, MUTED)
    for number, (name, band) in enumerate(bands.items()):
        left, top = 680 + 172 * (number % 4), 110 + 190 * (number // 4)
        low, high = band[0][0], band[-1][1]
        chart = Chart(sheet, left, top, left + 118, top + 110, (low, high), (0.0, 1.0))
        ends = (round(low, 2), round(high, 2))
        chart.axes(name, "", x_ticks=ends, y_ticks=(0.0, 0.5, 1.0), scale=(1.0, 100.0), size=12)
        for start, stop, rate in band:
            if rate.n:
                chart.error((start + stop) / 2, rate.low, rate.k / rate.n, rate.high, BLUE)
