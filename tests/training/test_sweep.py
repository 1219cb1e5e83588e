"""A sweep says which checkpoint is best, how surely, and how it does where nobody chose it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studio.conftest import Studio, studio
from tests.training.evaluations import write_run
from tests.training.policies import tiny_act
from training.checkpoint_card import resolve

assert studio
QUICK = ("--limit", "0.5", "--batch", "4", "--device", "cpu", *("--width", "64", "--height", "48"))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    write_run(folder, "a")
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


def test_a_checkpoint_alone_wins_and_one_that_is_not_there_is_named(home: Path, studio: Studio) -> None:
    done = studio("sweep", "a", *QUICK, "--steps", "200", "--fresh", "2", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["why"] == "nobody else raced"
    assert resolve("a@best", home) == resolve("a@200", home)
    refused = studio("sweep", "a", "--steps", "250")
    assert refused.code == 2
    assert "no checkpoint of step 250; it has 000100, 000200, 000300" in refused.err
