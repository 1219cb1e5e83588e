"""Joints over time, as thin lines."""

from __future__ import annotations

import numpy as np
import pytest

from recorders.world.units import HIGH, LOW
from studio.tui.widgets.braille import braille, curve
from studio.tui.widgets.joint_plot import ACTION, CURSOR, NAMES, STATE, JointPlot, layout, span
from tests.widgets.conftest import Alone, cells, text

TIME = np.arange(120) / 30
STATE_VALUES = np.column_stack([joint * 10 + 5 * np.sin(TIME + joint) for joint in range(6)])
ACTION_VALUES = STATE_VALUES + 3.0


def test_dots_are_where_the_mask_is() -> None:
    mask = np.zeros((8, 4), np.bool_)
    mask[0, 0] = mask[3, 1] = mask[7, 3] = True
    assert braille(mask) == {(0, 0): chr(0x2800 | 0x01 | 0x80), (1, 1): chr(0x2800 | 0x80)}


def test_a_curve_is_connected_and_ends_at_its_ends() -> None:
    mask = curve(TIME, np.linspace(0, 1, 120), 0.0, 1.0, 4, 10)
    assert mask.shape == (16, 20)
    assert mask.any(axis=0).all()
    assert mask[15, 0]
    assert mask[0, 19]
    touching = [(mask[:, a][:, None] & mask[:, a + 1][None, :]).nonzero() for a in range(19)]
    assert all(np.abs(np.subtract(*pair)).min() <= 1 for pair in touching)


@pytest.mark.parametrize("frames", [40, 400, 6000])
def test_no_spike_is_lost(frames: int) -> None:
    value = np.zeros(frames)
    value[frames // 3] = 1.0
    mask = curve(np.arange(frames) / 30, value, 0.0, 1.0, 5, 20)
    assert mask[:3].any()
    assert abs(mask[:3].any(axis=0).argmax() - 40 / 3) <= 2


def test_gaps_and_nothing_draw_nothing_wrong() -> None:
    assert not curve(TIME, np.full(120, np.nan), 0.0, 1.0, 2, 5).any()
    holes = np.linspace(0, 1, 120)
    holes[30:60] = np.nan
    assert curve(TIME, holes, 0.0, 1.0, 2, 5).any(axis=0).all()
    assert curve(TIME[:1], np.array([0.5]), 0.0, 1.0, 2, 5).any()


@pytest.mark.parametrize(
    ("size", "boxes", "lefts"),
    [((88, 21), 6, {0, 44}), ((88, 40), 6, {0}), ((120, 9), 6, {0, 40, 80}), ((38, 9), 1, {0}), ((30, 20), 6, {0})],
)
def test_six_plots_where_there_is_room(size: tuple[int, int], boxes: int, lefts: set[int]) -> None:
    found = layout(*size)
    assert len(found) == boxes
    assert {box.column for box in found} == lefts
    taken = [
        (line, column)
        for box in found
        for line in range(box.line, box.line + box.lines)
        for column in range(box.column, box.column + box.columns)
    ]
    assert len(taken) == len(set(taken))
    assert max(line for line, _ in taken) < size[1]
    assert max(column for _, column in taken) < size[0]


def test_an_axis_holds_its_values_and_does_not_blow_up_noise() -> None:
    low, high = span(np.array([3.0, 3.001, np.nan]))
    assert low < 3.0 < 3.001 < high
    assert high - low >= 7.9
    assert span(np.array([np.nan])) == (0.0, 8.0)


async def test_titles_tell_the_values_at_the_cursor(alone: Alone) -> None:
    async with alone(plot := JointPlot(), 88, 22):
        plot.show(TIME, STATE_VALUES, ACTION_VALUES, 2.0)
        lines = text(plot)
        for joint, name in enumerate(NAMES):
            title = lines[plot_line(joint)]
            assert name in title
            assert f"{STATE_VALUES[60, joint]:.1f}" in title
            assert f"{ACTION_VALUES[60, joint]:.1f}" in title
        assert "2.0 s" in lines[-1]
        assert "4.0 s" in lines[-1]
        assert "measured" in lines[-1]
        assert {cell[1] for line in cells(plot) for cell in line} >= {STATE, ACTION, CURSOR}


def plot_line(joint: int) -> int:
    return layout(88, 21)[joint].line


async def test_the_cursor_moves_through_every_plot(alone: Alone) -> None:
    async with alone(plot := JointPlot(), 88, 22):
        plot.show(TIME, STATE_VALUES, ACTION_VALUES, 0.0)

        def columns() -> set[int]:
            return {column for line in cells(plot)[:-1] for column, cell in enumerate(line) if cell[1] == CURSOR}

        first = columns()
        assert first == {5, 49}
        plot.move(4.0)
        assert columns() == {42, 87 - 1}


async def test_little_room_gives_one_plot_of_all_joints(alone: Alone) -> None:
    async with alone(plot := JointPlot(), 40, 9):
        apart = LOW + (HIGH - LOW) * (np.arange(6) + 0.5) / 6 + np.zeros((120, 1))
        plot.show(TIME, apart, apart, 1.0)
        lines = text(plot)
        assert all(name in lines[0] for name in NAMES)
        assert len({cell[1] for line in cells(plot)[1:-1] for cell in line if cell[0] != " "} - {CURSOR}) == 6


@pytest.mark.parametrize("size", [(8, 2), (12, 4), (200, 50)])
async def test_every_size_and_no_data_are_fine(alone: Alone, size: tuple[int, int]) -> None:
    async with alone(plot := JointPlot(), *size):
        plot.show([], [], [], 0.0)
        assert "no joi" in "".join(text(plot))
        plot.show(TIME[:1], STATE_VALUES[:1], ACTION_VALUES[:1], 0.0)
        assert len(cells(plot)) == size[1]
