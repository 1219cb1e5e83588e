"""The map of the table: what stands where, cell by cell."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from curation.frames import Placement
from recorders.world import props, reach
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene
from studio.tui.widgets.table_ground import FULL, Ground, draw_areas, draw_lines, reached_at
from studio.tui.widgets.table_map import MARKS, Spot, TableMap
from tests.widgets.conftest import Alone, cells, text

SIZES = [(30, 10), (80, 30), (200, 20), (20, 40)]
SMALL, LARGE = Ground(10, 30), Ground(30, 80)
SCENE = Scene()


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_up_is_away_from_the_base_and_right_is_negative_y(columns: int, lines: int) -> None:
    ground = Ground(lines, columns)
    middle, ahead, right = (ground.at(x, y) for x, y in ((0.2, 0.0), (0.3, 0.0), (0.2, -0.1)))
    assert ahead[1] < middle[1]
    assert ahead[0] == middle[0]
    assert right[0] > middle[0]
    assert right[1] == middle[1]
    # Pixels are square: ten centimetres are as many across as down.
    assert right[0] - middle[0] == pytest.approx(middle[1] - ahead[1])


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_the_usual_table_is_on_every_map_and_cells_know_their_places(columns: int, lines: int) -> None:
    ground = Ground(lines, columns)
    for x in (-0.05, 0.2, 0.60):
        for y in (-0.49, 0.0, 0.41):
            cell = ground.cell(x, y)
            assert cell is not None
            there = ground.place(*cell)
            assert abs(there[0] - x) <= 1.001 / ground.scale
            assert abs(there[1] - y) <= 0.501 / ground.scale
    assert ground.cell(5.0, 0.0) is None


def test_the_tint_is_what_reach_says() -> None:
    rng = np.random.default_rng(0)
    points = np.column_stack([rng.uniform(-0.05, 0.6, 1500), rng.uniform(-0.5, 0.42, 1500)])
    tinted = reached_at(points[:, 0], points[:, 1])
    for (x, y), inside in zip(points, tinted, strict=True):
        if reach.reachable(Placement(x, y)) != inside:
            around = {
                reach.reachable(Placement(x + 0.006 * math.cos(turn), y + 0.006 * math.sin(turn)))
                for turn in np.linspace(0, 2 * math.pi, 8)
            }
            assert around == {True, False}, f"{x:.3f}, {y:.3f} is not at the limit"
    assert 0.2 < tinted.mean() < 0.7


@pytest.mark.parametrize("kind", ["round", "tray"])
def test_things_have_their_colours_where_they_stand(kind: str) -> None:
    scene = Scene(bowl=kind)  # type: ignore[arg-type]
    pixels = draw_areas(scene, LARGE, FULL)

    def colour(x: float, y: float) -> tuple[int, ...]:
        right, down = LARGE.at(x, y)
        return tuple(int(part) for part in pixels[int(down), int(right)])

    assert colour(*props.BOWL_CENTRE) == FULL.bowl
    assert colour(0.0, 0.0) == FULL.base
    assert colour(0.30, 0.0) == FULL.both
    assert colour(0.20, 0.33) == FULL.reached  # beyond the camera's left edge
    assert colour(0.55, 0.0) == FULL.seen
    assert colour(0.55, 0.40) == FULL.table
    corner = 0.95 * props.TRAY_HALF
    in_corner = colour(props.BOWL_CENTRE[0] + corner, props.BOWL_CENTRE[1] + corner)
    assert (in_corner == FULL.both) is (kind == "round")


def test_the_map_agrees_with_the_overhead_camera() -> None:
    small = Scene(width=160, height=120)
    painter = Painter(small, compile_scene(small))
    photo = painter.draw(painter.model.qpos0)["overhead_cam"].astype(int)
    painter.close()
    down, right = np.nonzero(photo[..., 2] - photo[..., 0] > 60)
    x_low, x_high, y_low, y_high = reach.view(small)
    x = x_high - (down.mean() + 0.5) / 120 * (x_high - x_low)
    y = y_high - (right.mean() + 0.5) / 160 * (y_high - y_low)
    # The bowl is 4 cm tall and leans outwards in the picture.
    assert math.dist((x, y), props.BOWL_CENTRE) < 0.02


def test_the_background_is_drawn_once() -> None:
    draw_areas.cache_clear()
    draw_lines.cache_clear()
    for _ in range(3):
        draw_areas(SCENE, SMALL, FULL)
        draw_lines(SCENE, SMALL, FULL)
    assert draw_areas.cache_info().misses == draw_lines.cache_info().misses == 1
    with pytest.raises(ValueError, match="read-only"):
        draw_areas(SCENE, SMALL, FULL)[0, 0] = 0


async def shown(alone: Alone, columns: int, lines: int, *spots: Spot, **more: object) -> list[list[tuple]]:
    table = TableMap()
    async with alone(table, columns, lines):
        table.set_scene(SCENE)
        table.show(spots, **more)  # type: ignore[arg-type]
        return cells(table)


@pytest.mark.parametrize(("columns", "lines"), SIZES)
@pytest.mark.parametrize("kind", MARKS)
async def test_a_spot_is_one_character_in_its_cell(alone: Alone, kind: str, columns: int, lines: int) -> None:
    found = await shown(alone, columns, lines, Spot(0.337, -0.015, kind))  # type: ignore[arg-type]
    cell = Ground(lines, columns).cell(0.337, -0.015)
    assert cell is not None
    assert found[cell[0]][cell[1]][:2] == (MARKS[kind].character, MARKS[kind].colour)


async def test_of_spots_in_one_cell_the_one_that_matters_is_seen(alone: Alone) -> None:
    kinds = list(MARKS)
    for first, second in pairwise(kinds):
        for spots in ([first, second], [second, first]):
            found = await shown(alone, 30, 10, *(Spot(0.3, 0.1, kind) for kind in spots))  # type: ignore[arg-type]
            line, column = SMALL.cell(0.3, 0.1) or (0, 0)
            assert found[line][column][:2] == (MARKS[second].character, MARKS[second].colour)


async def test_spots_that_are_nowhere_or_off_the_map_do_no_harm(alone: Alone) -> None:
    plain = await shown(alone, 30, 10)
    assert await shown(alone, 30, 10, Spot(float("nan"), 0.0, "saved"), Spot(9.0, 9.0, "failed")) == plain


async def test_labels_stand_beside_their_spots_and_never_over_others(alone: Alone) -> None:
    found = await shown(alone, 80, 30, Spot(0.3, 0.1, "planned", "here"))
    line, column = LARGE.cell(0.3, 0.1) or (0, 0)
    words = "".join(cell[0] for cell in found[line])
    assert words[column + 2 : column + 6] == "here"
    beside = LARGE.place(line, column + 3)
    found = await shown(alone, 80, 30, Spot(0.3, 0.1, "planned", "here"), Spot(*beside, "saved"))
    words = "".join(cell[0] for cell in found[line])
    assert words[column - 5 : column - 1] == "here"
    assert words[column + 3] == MARKS["saved"].character


async def test_block_and_tip_are_seen_over_the_spot_they_are_on(alone: Alone) -> None:
    found = await shown(alone, 30, 10, Spot(0.3, 0.1, "next"), block=(0.3, 0.1, 0.0))
    line, column = SMALL.cell(0.3, 0.1) or (0, 0)
    assert found[line][column] == ("■", (232, 72, 62), MARKS["next"].ground)
    found = await shown(alone, 30, 10, block=(0.3, 0.1, 45.0))
    assert found[line][column][0] == "◆"
    found = await shown(alone, 30, 10, block=(0.3, 0.1, 45.0), tip=(0.3, 0.1))
    assert found[line][column][0] == "┼"


async def test_a_large_map_shows_the_block_to_scale_and_turned(alone: Alone) -> None:
    async def red(yaw: float) -> np.ndarray:
        found = await shown(alone, 300, 110, block=(0.3, 0.1, yaw))
        return np.array([[cell[1] == (232, 72, 62) or cell[2] == (232, 72, 62) for cell in line] for line in found])

    straight, turned = await red(0.0), await red(45.0)
    side = 0.025 * Ground(110, 300).scale
    assert abs(straight.any(axis=0).sum() - side) <= 1.5
    assert straight.any(axis=0).sum() < turned.any(axis=0).sum() <= side * math.sqrt(2) + 1


async def test_the_ring_is_as_far_from_the_cursor_as_asked(alone: Alone) -> None:
    found = await shown(alone, 80, 30, cursor=(0.28, 0.1), radius=0.07)
    ring = [
        (line, column)
        for line, row in enumerate(found)
        for column, cell in enumerate(row)
        if cell[1] == (242, 178, 92) and 0x2800 < ord(cell[0]) < 0x2900
    ]
    away = [math.dist(LARGE.place(*cell), (0.28, 0.1)) for cell in ring]
    assert len(ring) > 20
    assert 0.07 - 1.5 / LARGE.scale < min(away) <= max(away) < 0.07 + 1.5 / LARGE.scale
    line, column = LARGE.cell(0.28, 0.1) or (0, 0)
    assert found[line][column][0] == "┼"
    assert found[line][2][0] == "─" or found[line][0][0] == "─"


async def test_what_is_too_near_to_saved_positions_is_shaded_where_a_block_could_be_put(alone: Alone) -> None:
    plain = await shown(alone, 80, 30, Spot(0.3, 0.1, "saved"), cursor=(0.3, 0.3))
    shaded = await shown(alone, 80, 30, Spot(0.3, 0.1, "saved"), cursor=(0.3, 0.3), radius=0.07)

    def ground(x: float, y: float) -> bool:
        line, column = LARGE.cell(x, y) or (0, 0)
        return plain[line][column][2] == shaded[line][column][2]

    assert not ground(0.34, 0.08)
    assert ground(0.40, 0.02)
    far = await shown(alone, 80, 30, Spot(0.46, 0.0, "saved"), radius=0.07)
    line, column = LARGE.cell(0.50, 0.0) or (0, 0)
    assert far[line][column][2] == (await shown(alone, 80, 30))[line][column][2], "out of reach, yet shaded"


async def test_only_the_cells_of_what_moved_are_drawn_again(alone: Alone) -> None:
    drawn: list[int] = []

    class Counted(TableMap):
        def render_line(self, y: int):  # type: ignore[no-untyped-def]
            drawn.append(y)
            return super().render_line(y)

    async with alone(table := Counted(), 80, 30) as pilot:
        table.set_scene(SCENE)
        table.show([], tip=(0.30, 0.10))
        await pilot.pause()
        drawn.clear()
        table.show([], tip=(0.30, 0.05))
        await pilot.pause()
        assert set(drawn) == {(LARGE.cell(0.30, 0.10) or (0, 0))[0]}


async def test_numbers_name_the_grid(alone: Alone) -> None:
    async with alone(table := TableMap(), 80, 30):
        table.set_scene(SCENE)
        lines = text(table)
    for x in (0.1, 0.3, 0.5):
        line, _ = LARGE.cell(x, 0.0) or (0, 0)
        assert f"{x:.1f}" in lines[line][:6]
    _, column = LARGE.cell(0.2, -0.2) or (0, 0)
    assert lines[-1][column - 2 : column + 2] == "-0.2"
    assert lines[0].lstrip().startswith("x")


async def test_sixteen_colours_are_enough_for_a_map(alone: Alone) -> None:
    table = TableMap()
    async with alone(table, 80, 30, "standard"):
        table.set_scene(SCENE)
        table.show([Spot(0.3, 0.1, "saved")])
        found = cells(table)
    grounds = {cell[2] for line in found for cell in line}
    assert grounds <= {(0, 0, 0), (0, 0, 170), (85, 85, 255), (170, 170, 170)} | {cell[2] for cell in found[-1]}
    line, column = LARGE.cell(0.3, 0.1) or (0, 0)
    assert found[line][column][0] == "●"


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (7, 3)])
async def test_the_smallest_map_fails_nothing(alone: Alone, size: tuple[int, int]) -> None:
    table = TableMap()
    async with alone(table, *size):
        table.set_scene(SCENE)
        table.show([Spot(0.3, 0.1, "next", "x")], block=(0.3, 0.1, 1.0), tip=(0.2, 0.0), cursor=(0.1, 0.1), radius=0.1)
        assert len(cells(table)) == size[1]
