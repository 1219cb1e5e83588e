"""The table as a dataset stores it says what the arm's own reach says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from curation.errors import DataError
from curation.frames import Placement
from curation.table import NoTable, Table
from recorders.session import scene_card
from recorders.table_card import table_card
from recorders.world import reach
from recorders.world.scene import Scene

SCENES = (Scene(), Scene(block="duplo", bowl="tray", overhead_fov=58.0), Scene(width=320, height=320))


@pytest.mark.parametrize("scene", SCENES, ids=["standard", "tray", "square"])
def test_places_are_judged_as_the_recorder_judges_them(scene: Scene) -> None:
    table = Table.of(json.loads(json.dumps(scene_card(scene))), Path("set"))
    rng = np.random.default_rng(0)
    points = rng.uniform([-0.05, -0.45], [0.55, 0.45], (1500, 2))
    allowed = table.allowed(points)
    assert 150 < allowed.sum() < 1350
    differing = [
        point for point, mine in zip(points, allowed) if mine != (not reach.problems(scene, Placement(*point)))
    ]
    for x, y in differing:  # within half a millimetre of an edge both are right
        around = [Placement(x + dx, y + dy) for dx in (-5e-4, 0, 5e-4) for dy in (-5e-4, 0, 5e-4)]
        assert len({bool(reach.problems(scene, near)) for near in around}) == 2
    assert len(differing) <= 3


def test_the_lattice_is_all_of_the_recordable_area() -> None:
    table = Table.from_card(table_card(Scene()))
    assert table.allowed(table.lattice).all()
    rng = np.random.default_rng(1)
    x_low, x_high, y_low, y_high = table.box
    share = table.allowed(rng.uniform([x_low, y_low], [x_high, y_high], (20000, 2))).mean()
    area = (x_high - x_low) * (y_high - y_low)
    assert len(table.lattice) * 0.005**2 == pytest.approx(area * share, rel=0.02)


def test_problems_are_named() -> None:
    table = Table.from_card(table_card(Scene()))
    assert table.problems(0.3, 0.1) == []
    assert table.problems(0.217, -0.225) == ["in or too close to the bowl"]
    assert table.problems(0.9, 0.0) == ["out of the arm's reach", "outside a camera's view"]


def test_tables_that_are_none() -> None:
    with pytest.raises(NoTable, match="no reach and no view"):
        Table.of({"scene": {}}, Path("set"))
    for card in (
        {},
        {"reach": [[0, 0]], "views": {"a": [0, 1, 0, 1]}, "margin": 0},
        {**table_card(Scene()), "views": 3},
    ):
        with pytest.raises(DataError, match="cannot be read"):
            Table.of({"table": card}, Path("set"))
