"""A loss curve in any room, with any losses."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studio.tui.widgets.loss_plot import HELD_OUT, KEPT, MEAN, LossPlot, Points, scale_of, smoothed, ticks
from studio.tui.widgets.table_kinds import WHOLE
from studio.tui.widgets.table_map import MARKS, Ground, Spot, spot_glyphs
from tests.widgets.conftest import Alone, cells, text

FALLING = Points(tuple(range(10, 1010, 10)), tuple(4 * math.exp(-step / 200) + 0.05 for step in range(10, 1010, 10)))


@pytest.mark.parametrize(("columns", "lines"), [(8, 2), (24, 5), (30, 8), (80, 20), (200, 50), (3, 1)])
async def test_it_fits_any_room(alone: Alone, columns: int, lines: int) -> None:
    plot = LossPlot()
    async with alone(plot, columns, lines):
        plot.show(FALLING, Points((500,), (0.6,)), (500, 1000))
        assert all(len(line) == columns for line in text(plot))


async def test_a_falling_loss_falls_from_left_to_right(alone: Alone) -> None:
    plot = LossPlot()
    async with alone(plot, 60, 20):
        plot.show(FALLING, kept=(500, 1000))
        drawn = [(line, column) for line, row in enumerate(cells(plot)) for column, cell in enumerate(row)
                 if "⠀" < cell[0] <= "⣿" and cell[1] == MEAN]  # fmt: skip
        first, last = min(drawn, key=lambda at: at[1]), max(drawn, key=lambda at: at[1])
        assert first[0] < 5 < 14 < last[0]
        shown = "\n".join(text(plot))
        assert "log scale" in shown
        assert "step 10" in shown
        assert "1000" in shown
        assert sum(cell == ("▲", KEPT, cell[2]) for row in cells(plot) for cell in row) == 3, "two, and the legend"


@pytest.mark.parametrize(
    "losses", [(1.0,), (1.0, 1.0), (0.0, 0.0), (-1.0, 2.0), (math.nan, 1.0, 2.0), (1.0, math.inf, 0.5), (math.nan,)]
)
async def test_no_loss_is_too_odd(alone: Alone, losses: tuple[float, ...]) -> None:
    plot = LossPlot()
    async with alone(plot, 40, 10):
        plot.show(Points(tuple(range(1, len(losses) + 1)), losses))
        assert "loss" in "\n".join(text(plot))


async def test_held_out_losses_are_diamonds(alone: Alone) -> None:
    plot = LossPlot()
    async with alone(plot, 60, 12):
        plot.show(FALLING, Points((500, 5000), (0.6, 0.6)))
        assert sum(cell[0] == "◆" and cell[1] == HELD_OUT for row in cells(plot)[1:] for cell in row) == 1
        plot.show(Points(), empty="nothing at all")
        assert "nothing at all" in "\n".join(text(plot))


@pytest.mark.parametrize("losses", [(0.01, 9.0), (0.5, 0.6), (1e-6, 1e3), (2.0, 2.0), (100.0, 240.0)])
@pytest.mark.parametrize("most", [2, 4, 10])
def test_ticks_are_few_and_inside(losses: tuple[float, float], most: int) -> None:
    scale = scale_of(losses)
    found = ticks(scale, most)
    assert len(found) <= most + 1
    values = scale.of(np.array(found))
    assert all(scale.low - 1e-9 <= value <= scale.high + 1e-9 for value in values)


def test_the_mean_keeps_a_constant_and_calms_noise() -> None:
    assert np.allclose(smoothed(np.full(90, 3.0)), 3.0)
    noise = np.random.default_rng(0).normal(size=300)
    assert smoothed(noise).std() < noise.std() / 2


def test_a_cell_with_both_is_neither() -> None:
    ground = Ground(10, 30)
    near = [Spot(0.3, 0.0, "saved"), Spot(0.3, 0.001, "failed"), Spot(0.301, 0.0, "failed")]
    assert spot_glyphs(near, ground, mixing=True) == {ground.cell(0.3, 0.0): MARKS["mixed"]}
    assert spot_glyphs(near, ground) == {ground.cell(0.3, 0.0): MARKS["failed"]}
    close = Ground(10, 30, (0.29, 0.31, -0.01, 0.01))
    assert MARKS["mixed"] not in spot_glyphs(near, close, mixing=True).values(), "from close they are apart"
    assert Ground(10, 30, WHOLE) == ground
