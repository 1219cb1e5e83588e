"""What is learned from, and what it is tried on, never share a placement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UsageError
from curation.store import Store
from curation.targets import Target, write_targets
from recorders.placements import start
from studio.coinciding import coinciding
from studio.experimenting import steps_of as experiment_steps
from studio.fresh import require_fresh_attempts, require_fresh_experiment, require_fresh_loop
from studio.improving import Source, steps_of
from studio.options import Where
from studio.verbs.experiment import Filter
from studio.verbs.improve import Improve, loop_of
from tests.training.chains import PLACED, asked, carded, source

__all__ = ["source"]


def test_an_experiment_is_never_tried_where_anything_was_learned(source: Source, home: Path) -> None:
    def look(box: Where = PLACED, **more: Any) -> None:
        plan = asked(**{"placed": box, "episodes": 9, "attempts": 20, **more})
        require_fresh_experiment(plan, source, experiment_steps(plan, source))

    look()
    grid = Where(box=(0.24, 0.32, 0.0, 0.1), grid=(3, 3), yaw=0.0)
    with pytest.raises(UsageError, match="9 of 9 evaluation episodes would be at the very placements of attempts"):
        look(grid)
    look(replace(grid, jitter=0.005))
    look(replace(grid, yaw="free"))
    rows = Store.open(Path(source.data)).rows()
    there = Where(at=(rows[0].x, rows[0].y), yaw=rows[0].yaw_deg)
    with pytest.raises(UsageError, match=r"9 of 9 evaluation episodes .* demonstrations in .*--eval-seed"):
        look(there)
    # What `studio generate --operator fumbler --box B` made with its own seed, and what an experiment would again.
    for seed, fits in ((0, True), (3000, False)):
        places = [start(PLACED.placing(), source.scene, seed, index).placement for index in range(30)]
        carded(home, positions=[(round(one.x, 4), round(one.y, 4)) for one in places])
        if fits:
            look(classifier="done")
        else:
            with pytest.raises(UsageError, match=r"20 of 20 attempts .* classifier done learned from.*another --seed"):
                look(classifier="done")
    # Those of recordings and of evaluations are 0 and 1000.
    assert len({0, 1000, Improve(run="base", to="x").seed, Filter(run="base", to="x").seed}) == 4


def test_a_loop_never_tries_where_it_made_attempts(source: Source, arm: Path, home: Path, tmp_path: Path) -> None:
    fixed = replace(PLACED, jitter=0.0)
    grid = replace(fixed, box=(0.24, 0.32, 0.0, 0.1), grid=(2, 2))
    loop = loop_of(Improve(run="base", to="loop", placed=fixed, spread=0.0))
    with pytest.raises(UsageError, match="5 attempts at each position that are copies"):
        require_fresh_loop(loop, source, steps_of(loop, source))
    loop = loop_of(Improve(run="base", to="loop", placed=grid, spread=0.0, per_position=1))
    steps = steps_of(loop, source)
    require_fresh_loop(loop, source, steps)
    named = {step.name: step for step in steps}
    loop.folder.mkdir()
    for x, refused in ((0.32, True), (0.3203, False)):
        write_targets(loop.folder / "r1-targets.json", [Target("", x, 0.1)])
        if refused:
            with pytest.raises(UsageError, match=r"1 of 1 attempts .* evaluation episodes.*Begin anew"):
                require_fresh_attempts(loop, steps, named["r1-generate"])
        else:
            require_fresh_attempts(loop, steps, named["r1-generate"])
    # However they came to lie there: what was made is looked at before anything learns from it.
    row = Store.open(arm).rows()[0]
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets/loop-r1-attempts").symlink_to(arm)
    require_fresh_attempts(loop, steps, named["r1-filter"])
    there = replace(fixed, box=None, at=(row.x, row.y), yaw=row.yaw_deg)
    loop = loop_of(Improve(run="base", to="loop", placed=there, episodes=1))
    with pytest.raises(UsageError, match="1 of 4 attempts"):
        require_fresh_attempts(loop, steps_of(loop, source), named["r1-filter"])
    with pytest.raises(UsageError, match=r"1 of 1 evaluation episodes .* demonstrations"):
        require_fresh_loop(loop, source, steps_of(loop, source))


def test_the_same_place_is_the_same_to_a_tenth_of_a_millimetre_and_of_a_degree() -> None:
    here = np.array([[0.3, 0.1, 179.98]])
    for other, same in (
        ((0.3, 0.1, -179.98), True), ((0.30009, 0.1, 180.0), True), ((0.30011, 0.1, 180.0), False),
        ((0.3, 0.1, 179.8), False), ((0.3, 0.1, np.nan), True),
    ):  # fmt: skip
        assert coinciding(here, np.array([other])) == same
    assert coinciding(here, np.zeros((0, 3))) == 0
