"""A sweep says which checkpoint is best, how surely, and how it does where nobody chose it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.studio.conftest import Studio, studio
from tests.training.evaluations import write_run
from tests.training.policies import tiny_act
from training.checkpoint_card import resolve
from training.evaluated import read_evaluation
from training.sequential import Race

assert studio
QUICK = ("--limit", "0.5", "--batch", "4", "--device", "cpu", *("--width", "64", "--height", "48"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    run = write_run(folder, "a") / "run.json"
    run.write_text(json.dumps(json.loads(run.read_text()) | {"scene": {}}))  # so that no world is another one
    for step in (100, 200, 300):
        place = folder / f"a/train/checkpoints/{step:06d}/pretrained_model"
        tiny_act(place, cameras=(), privileged=True, seed=step)
        (place / "studio.json").write_text(json.dumps({"version": 1, "run": "a", "group": "a", "step": step}))
    monkeypatch.setenv("STUDIO_RUNS", str(folder))
    monkeypatch.chdir(tmp_path)
    return folder


def test_an_undecided_race_says_so_and_its_choice_is_tried_on_fresh_seeds(home: Path, studio: Studio) -> None:
    done = studio("sweep", "a", *QUICK, "--most", "12", "--fresh", "4")
    assert done.code == 0, done.err
    best = json.loads((home / "a/best.json").read_text())
    assert (best["checkpoint"], best["decided"]) == ("000300", False), "of equals the last"
    assert best["fresh"]["n"] == 4
    assert best["fresh_seed"] != best["seed"]
    assert [entry["checkpoint"] for entry in best["race"]] == ["000100", "000200", "000300"]
    assert "as nobody is known to be better" in done.out
    assert resolve("a@best", home) == resolve("a@300", home)
    files = sorted((home / "a/evaluations").glob("*/rows.jsonl"))
    before = [file.read_bytes() for file in files]
    seeds = [{json.loads(line)["seed"] for line in rows.splitlines()} for rows in before]
    assert sorted(map(len, seeds))[0] == 4, "the winner's fresh episodes"
    assert sum(bool(seeds[0] & other) for other in seeds) in (1, 3), "the race is on shared placements, the test is not"
    assert studio("sweep", "a", *QUICK, "--most", "12", "--fresh", "4").code == 0
    assert [file.read_bytes() for file in files] == before, "what was run is not run again"


def test_so_few_episodes_that_nobody_could_be_beaten_are_run_all_the_same(home: Path, studio: Studio) -> None:
    done = studio("sweep", "a", *QUICK, "--most", "2", "--fresh", "1")
    assert done.code == 0, done.err
    best = json.loads((home / "a/best.json").read_text())
    assert [entry["n"] for entry in best["race"]] == [2, 2, 2]
    assert not best["decided"]


def test_a_race_over_a_grid_covers_it_in_random_order_and_the_winner_is_tried_at_other_placements(
    home: Path, studio: Studio
) -> None:
    box = ("--box", "0.10", "0.42", "-0.30", "0.35", "--grid", "2", "5")
    done = studio("sweep", "a", *QUICK, *box, "--steps", "200", "300", "--most", "10", "--fresh", "6")
    assert done.code == 0, done.err
    best = json.loads((home / "a/best.json").read_text())
    folders = [home / "a/evaluations" / entry["evaluation"] for entry in best["race"]]
    rows = [[json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()] for folder in folders]
    cells = [row["cell"] for row in sorted(rows[0], key=lambda row: row["index"])]
    assert sorted(cells) == sorted(f"{column},{row}" for row in range(5) for column in range(2))
    assert cells != [f"{index % 2},{index // 2}" for index in range(10)], "not one edge of the table after another"
    stored = json.loads((folders[0] / "evaluation.json").read_text())["placements"]
    assert [target[0] for target in stored["targets"]] == cells, "the order is stored"
    fresh = [json.loads(line) for line in (Path(best["evaluation"]) / "rows.jsonl").read_text().splitlines()]
    assert [row["cell"] for row in fresh] != cells[:6]
    place = ("x", "y", "yaw_deg")
    assert not {tuple(row[each] for each in place) for row in fresh} & {
        tuple(r[each] for each in place) for r in rows[0]
    }
    # What is out of reach is counted, and beside it what the arm can do.
    feasible = sum(row["feasible"] for row in rows[0])
    assert 0 < feasible < 10
    assert (best["race"][0]["n"], best["race"][0]["all"]["n"]) == (feasible, 10)
    assert (best["fresh"]["n"], best["fresh_all"]["n"]) == (sum(row["feasible"] for row in fresh), 6)
    assert f"of {feasible} feasible episodes" in done.out
    assert "of 10 at all places" in done.out
    # What a checkpoint was chosen by is no result, and is nothing that studio evaluate would go on with.
    assert {read_evaluation(folder).raced for folder in folders} == {True}
    assert not read_evaluation(Path(best["evaluation"])).raced
    assert studio("sweep", "a", *QUICK, "--steps", "200", "--fresh", "2").code == 0
    assert {read_evaluation(folder).raced for folder in folders} == {True}, "chosen by once is chosen by"
    said = studio("evaluate", "a@best", *QUICK, *box, "-n", "2")
    assert said.code == 0, said.err
    assert "are there already" not in said.err
    assert "a checkpoint was chosen by these episodes" in studio("runs", "a").out
    shown = json.loads(studio("map", "a", "--json").out)["maps"][0]
    assert shown["folder"] not in map(str, folders)


@pytest.mark.parametrize(
    "words", [("--at", "0.337", "-0.015"), ("--box", "0.2", "0.4", "-0.1", "0.1", "--grid", "5", "5")]
)
def test_placements_of_which_there_are_no_others_are_refused(
    home: Path, studio: Studio, words: tuple[str, ...]
) -> None:
    done = studio("sweep", "a", *QUICK, *words, "--yaw", "0", "--most", "12", "--fresh", "24")
    assert done.code == 2
    assert "placements that it was not chosen by" in done.err
    assert not (home / "a/evaluations").exists()


def test_best_is_not_found_once_its_weights_were_overwritten(home: Path, studio: Studio) -> None:
    assert studio("sweep", "a", *QUICK, "--steps", "200", "--fresh", "2").code == 0
    tiny_act(home / "a/train/checkpoints/000200/pretrained_model", cameras=(), privileged=True, seed=9)
    said = studio("evaluate", "a@best", *QUICK, "-n", "1")
    assert said.code == 2
    assert "has other weights now" in said.err


def false_claims(better: int, worse: int, most: int, times: int) -> float:
    """How often a race over a grid, in random order, finds the worse of two candidates better."""
    rng, wrong = np.random.default_rng(3), 0
    for _ in range(times):
        race, order = Race(("worse", "better"), most), rng.permutation(better + worse)
        for index, cell in enumerate(order[:most]):
            race.add("worse", index, bool(cell < worse))
            race.add("better", index, bool(cell >= worse))
            if race.standing.state != "continue":
                break
        wrong += race.standing.winner == "worse"
    return wrong / times


def test_a_race_over_cells_in_random_order_is_seldom_wrong() -> None:
    assert false_claims(25, 24, 49, 400) <= 0.05


def test_a_checkpoint_alone_wins_and_one_that_is_not_there_is_named(home: Path, studio: Studio) -> None:
    done = studio("sweep", "a", *QUICK, "--steps", "200", "--fresh", "2", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["why"] == "nobody else raced"
    assert resolve("a@best", home) == resolve("a@200", home)
    refused = studio("sweep", "a", "--steps", "250")
    assert refused.code == 2
    assert "no checkpoint of step 250; it has 000100, 000200, 000300" in refused.err
