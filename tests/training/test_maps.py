"""studio map: cells and rings count what was evaluated, proposals go where little is known, pictures show it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from curation.coverage import grid
from curation.errors import UsageError
from curation.frames import Placement
from curation.targets import read_targets
from curation.trials import Trials, read_trials
from recorders.world import reach
from tests.curation.placed import TABLE
from tests.studio.conftest import Studio, studio
from tests.training.evaluations import write_evaluation, write_run
from training.contest import contest
from training.evaluated import read_evaluation
from training.map_difference import cell_differences
from training.maps import cells, ring_edges, rings, trials_of
from training.proposals import propose

__all__ = ["studio"]
CENTRE = (0.3, 0.1)
BOX = (0.12, 0.42, -0.10, 0.35)


def evaluated(home: Path, run: str, reaches: float, seed: int, side: int = 7, times: int = 10) -> Path:
    """A grid of places, each tried several times with jitter, by a policy that reaches so far about the centre."""
    rng, luck = np.random.default_rng(5), np.random.default_rng(seed)
    asked = [place for place in grid(BOX, side, side) for _ in range(times)]
    places = [(round(x + rng.uniform(-0.01, 0.01), 5), round(y + rng.uniform(-0.01, 0.01), 5)) for x, y in asked]
    away = np.array([math.dist(place, CENTRE) for place in places])
    success = luck.random(len(places)) < 0.95 / (1 + np.exp((away - reaches) / 0.02))
    infeasible = [i for i, (x, y) in enumerate(places) if not reach.reachable(Placement(x, y))]
    success[infeasible] = False
    folder = write_evaluation(home, run, [bool(s) for s in success], places=places, infeasible=infeasible)
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    for row, (x, y) in zip(rows, asked):
        row |= {"asked_x": x, "asked_y": y, "cell": f"{x:g}_{y:g}"}
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_cells_are_those_of_the_grid_and_count_every_episode(home: Path) -> None:
    rows = read_evaluation(evaluated(home, "a", 0.1, 1)).rows
    found = cells(rows)
    assert len(found) == 49
    assert sum(cell.rate.n + cell.infeasible for cell in found) == 490
    assert sum(cell.rate.k for cell in found) == sum(row.success for row in rows)
    assert {(cell.x, cell.y) for cell in found} == set(grid(BOX, 7, 7))
    assert (found[0].tall, found[0].wide) == (pytest.approx(0.05), pytest.approx(0.075))
    best = max(found, key=lambda cell: cell.rate.k)
    assert math.dist((best.x, best.y), CENTRE) < 0.1


def test_scattered_episodes_are_counted_in_squares(home: Path) -> None:
    rng = np.random.default_rng(0)
    places = [(float(x), float(y)) for x, y in zip(rng.uniform(0.2, 0.4, 80), rng.uniform(-0.1, 0.1, 80))]
    rows = read_evaluation(write_evaluation(home, "a", [True] * 80, places=places)).rows
    found = cells(rows, 0.1)
    assert sum(cell.rate.n for cell in found) == 80
    for row in rows:
        mine = [cell for cell in found if abs(row.x - cell.x) <= 0.05 and abs(row.y - cell.y) <= 0.05]
        assert len(mine) == 1


def test_rings_hold_every_feasible_episode_once(home: Path) -> None:
    rows = read_evaluation(evaluated(home, "a", 0.1, 1)).rows
    trials = trials_of(rows)
    found = rings(trials, np.array([CENTRE]))
    assert sum(ring.rate.n for ring in found) == len(trials) == sum(row.feasible for row in rows)
    assert found[0].rate.k / found[0].rate.n > 0.8
    assert found[-1].rate.k / max(found[-1].rate.n, 1) < 0.1
    assert ring_edges(np.array([0.12])) == pytest.approx([0.0, 0.05, 0.10, 0.15])
    assert ring_edges(np.array([0.12]), (0.05, 0.2)) == [0.0, 0.05, 0.2]


def test_proposals_go_where_little_is_known_and_spread() -> None:
    rng = np.random.default_rng(0)
    known = TABLE.lattice[TABLE.lattice[:, 1] > 0.0]
    points = known[rng.integers(len(known), size=400)]
    trials = Trials(points, np.ones(400, bool))
    lattice = TABLE.lattice[::4]
    found = propose(lattice, trials, 6)
    assert all(place.y < 0.0 for place in found)
    apart = [math.dist((a.x, a.y), (b.x, b.y)) for i, a in enumerate(found) for b in found[:i]]
    assert min(apart) > 0.05
    # Where all was tried equally often, it is the edge of success that is not known.
    everywhere = TABLE.lattice[rng.integers(len(TABLE.lattice), size=1500)]
    edge = propose(lattice, Trials(everywhere, everywhere[:, 0] > 0.3), 1)[0]
    assert abs(edge.x - 0.3) < 0.05


def test_no_place_is_proposed_twice_and_attempts_go_to_the_edge_of_success() -> None:
    rng = np.random.default_rng(1)
    lattice = TABLE.lattice[np.linalg.norm(TABLE.lattice - (0.337, -0.015), axis=1) < 0.06]
    points = lattice[rng.integers(len(lattice), size=60)]
    near = Trials(points, np.linalg.norm(points - (0.337, -0.015), axis=1) < 0.03)
    for aim in ("doubt", "edge"):
        found = propose(lattice, near, 15, aim)
        assert len({(place.x, place.y) for place in found}) == 15
    away = [math.dist((place.x, place.y), (0.337, -0.015)) for place in found]
    assert 0.015 < np.median(away) < 0.045
    with pytest.raises(UsageError, match="recordable places"):
        propose(lattice, near, len(lattice) + 1)


def test_a_map_is_told_drawn_and_proposed_from(studio: Studio, home: Path, tmp_path: Path) -> None:
    write_run(home, "a", positions=[CENTRE])
    folder = evaluated(home, "a", 0.12, 1)
    words = ("--center", *map(str, CENTRE), "--rings", "0.05", "0.1", "0.2", "0.3")
    said = studio("map", "a", *words, "--picture", "a.png", "--propose", "5", "--to", "next.json", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    shown = told["maps"][0]
    rows = read_evaluation(folder).rows
    assert (shown["feasible"]["n"], shown["all"]["n"]) == (sum(row.feasible for row in rows), 490)
    assert shown["feasible"]["k"] == shown["all"]["k"]
    assert [ring["high"] for ring in shown["rings"]] == [0.05, 0.1, 0.2, 0.3]
    assert shown["crossing"]["whole"]["low"] < 0.12 < shown["crossing"]["whole"]["high"]
    assert shown["training_positions"] == [list(CENTRE)]
    targets = read_targets(tmp_path / "next.json")
    assert [(t.x, t.y) for t in targets] == [(p["x"], p["y"]) for p in told["proposals"]]
    assert all(TABLE.problems(t.x, t.y) == [] for t in targets)
    with Image.open(tmp_path / "a.png") as drawn:
        assert drawn.format == "PNG"
        # Both ends of the ramp are on it: a map of chance or of one colour would not have them.
        colours = {colour for _, colour in drawn.getcolors(1 << 24)}
        assert {(16, 104, 70), (166, 54, 48)} <= colours
    text = studio("map", "a").out
    assert "cells (x, y in metres)" in text
    assert "distance to the nearest training position" in text
    assert "95 % CI" in text


def test_what_a_map_reads_coverage_reads_too(home: Path) -> None:
    folder = evaluated(home, "a", 0.1, 1)
    trials, mine = read_trials(folder / "rows.jsonl"), trials_of(read_evaluation(folder).rows)
    assert np.array_equal(trials.points, mine.points)
    assert np.array_equal(trials.success, mine.success)
    assert trials.infeasible == mine.infeasible


def test_two_policies_and_their_difference(studio: Studio, home: Path, tmp_path: Path) -> None:
    evaluated(home, "a", 0.2, 1)
    evaluated(home, "b", 0.08, 2)
    said = studio("map", "a", "b", "--difference", "--picture", "ab.png", "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert len(told["maps"]) == 2
    better = [cell for cell in told["difference"] if cell["better"]]
    assert better
    assert {cell["better"] for cell in better} == {"A"}
    assert all(0.05 < math.dist((cell["x"], cell["y"]), CENTRE) < 0.25 for cell in better)
    with Image.open(tmp_path / "ab.png") as drawn:
        assert drawn.width > 2300
    assert "A - B on" in studio("map", "a", "b", "--difference").out
    assert studio("map", "a", "b", "--smooth", "--picture", "smooth.png").code == 0


def test_cells_of_equal_policies_are_seldom_told_apart(home: Path) -> None:
    """Of 49 cells two or three differ at 5 % by themselves; all of a map together is looked at here."""
    found = alone = 0
    for trial in range(12):
        one = read_evaluation(evaluated(home, f"a{trial}", 0.15, 100 + trial))
        other = read_evaluation(evaluated(home, f"b{trial}", 0.15, 200 + trial))
        cells_ = cell_differences(contest("a", [one], "b", [other]))
        found += any(cell.better for cell in cells_)
        alone += any(cell.p < 0.05 for cell in cells_)
    assert found <= 2
    assert alone >= 1 + found


def test_the_difference_of_groups_has_the_training_as_its_unit(studio: Studio, home: Path) -> None:
    for seed in range(3):
        for name, reaches in (("a", 0.3), ("b", 0.02)):
            write_run(home, f"{name}{seed}", name, seed=seed)
            # The first training of each says nothing: both fail everywhere.
            evaluated(home, f"{name}{seed}", -1.0 if seed == 0 else reaches, 10 * seed)
    said = studio("map", "a", "b", "--difference", "--json")
    assert said.code == 0, said.err
    told = {(cell["x"], cell["y"]): cell for cell in json.loads(said.out)["difference"]}
    near = min(told, key=lambda place: abs(math.dist(place, CENTRE) - 0.1))
    assert told[near]["difference"] > 0.5, "not that of the first trainings, which is 0"
    assert not any(cell["better"] for cell in told.values()), "three trainings of which one fails tell nothing"
    assert "3 and 3 trainings as the unit" in studio("map", "a", "b", "--difference").out
    refused = studio("map", "a0,a1", "b0,b1", "--difference")
    assert refused.code == 2
    assert "or at least 3 of each; got 2 and 2" in refused.err


def test_what_was_evaluated_at_proposed_places_adds_to_the_map(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 20, key="k1")
    proposed = {"kind": "targets", "targets": [["t", 0.25, 0.1, None]], "seed": 9, "jitter": 0.0, "yaw": "free"}
    later = {"placements": proposed, "when": "2026-02-01T00:00:00", "places": [(0.25, 0.1)] * 8, "seed": 9}
    write_evaluation(home, "a", [False] * 8, key="k2", **later)
    write_evaluation(home, "a", [False] * 8, key="k3", **later, settings={"blind": ["wrist_cam"]})
    shown = json.loads(studio("map", "a", "--json").out)["maps"][0]
    assert [Path(each).name for each in shown["pool"]] == ["k2", "k1"]
    assert shown["episodes"] == 28
    assert sum(cell["rate"]["n"] for cell in shown["cells"]) == 28
    text = studio("map", "a").out
    assert "20 of 20 episodes" in text
    assert "0 of 8 episodes" in text
    assert "cells of 2 evaluations" in text


def test_refusals(studio: Studio, home: Path, tmp_path: Path) -> None:
    write_evaluation(home, "a", [True] * 20)
    (tmp_path / "there.png").write_text("mine")
    for words, says in (
        ((), "at least one run"),
        (("a", "--difference"), "two policies"),
        (("a", "--rings"), "--rings needs --center"),
        (("a", "--to", "t.json"), "--propose K"),
        (("a", "--cell", "0"), "positive"),
        (("a", "--picture", "there.png"), "never overwritten"),
        (("a", "--center", "0.3", "0", "--rings", "0.2", "0.1"), "rising"),
        (("a", "--propose", "2", "--box", "0.8", "0.9", "0", "0.1"), "0 recordable places"),
    ):
        said = studio("map", *words)
        assert said.code == 2, (says, said.err)
        assert says in said.err
