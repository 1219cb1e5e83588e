"""studio ablate: one thing at a time on the same episodes, and many comparisons are not taken for one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from curation.errors import UsageError
from tests.studio.conftest import Studio, studio
from tests.training.policies import tiny_act
from tests.training.runs import asked, begun, trained
from training.ablate import holm, usual, variations
from training.paired import mcnemar

__all__ = ["studio"]


def test_what_is_varied_is_said_in_one_way() -> None:
    found = variations(("n_action_steps=1,10", "ensemble=0.01,off", "blind=each", "servo=hardware"), ("top", "wrist"))
    assert [each.words for each in found] == [
        "n_action_steps 1", "n_action_steps 10", "ensemble 0.01", "ensemble off", "blind top", "blind wrist",
        "servo hardware",
    ]  # fmt: skip
    assert found[0].value == 1
    assert [each.words for each in usual(20, 10, ())] == [
        "n_action_steps 1", "n_action_steps 5", "n_action_steps 20", "ensemble 0.01", "latency 100", "latency 300",
        "servo hardware",
    ]  # fmt: skip
    for word, says in (("servos=x", "Did you mean servo"), ("servo", "NAME=VALUE"), ("n_action_steps=x", "whole")):
        with pytest.raises(UsageError, match=says):
            variations((word,), ())


def test_many_comparisons_of_nothing_seldom_find_anything() -> None:
    rng = np.random.default_rng(0)
    wrong = plain = 0
    for _ in range(2000):
        counts = rng.multinomial(60, (0.2, 0.2, 0.6), size=12)
        p = {str(number): mcnemar(int(a), int(b)) for number, (a, b, _) in enumerate(counts)}
        wrong += any(holm(p).values())
        plain += min(p.values()) < 0.05
    assert wrong / 2000 <= 0.05
    assert plain / 2000 > 0.2  # without it one in five ablations would have "found" something
    assert holm({"a": 0.001, "b": 0.04, "c": 0.03}) == {"a": True, "b": False, "c": False}


def test_every_variation_is_evaluated_on_the_same_episodes(studio: Studio, home: Path, lerobot: None) -> None:
    policy = tiny_act(home / "tiny/train/checkpoints/000010/pretrained_model", cameras=(), privileged=True)
    words = (str(policy), "--at", "0.337", "-0.015", "-n", "2", "--limit", "0.5", "--batch", "2", "--device", "cpu")
    vary = ("n_action_steps=5", "latency=200", "servo=hardware", "blind=overhead_cam")
    said = studio("ablate", *words, "--vary", *vary, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    by_change = {each["change"]: each for each in told["varied"]}
    assert list(by_change) == [
        "n_action_steps 5",
        "latency 200",
        "servo hardware",
        "blind overhead_cam",
    ]
    assert "is no camera of this policy" in by_change["blind overhead_cam"]["why_not"]
    done = [each for each in told["varied"] if each["paired"]]
    assert len({each["folder"] for each in done} | {told["base"]["folder"]}) == 4
    assert all(each["paired"]["neither"] + each["paired"]["both"] == 2 for each in done)
    for each in done:
        rows = [json.loads(line) for line in (Path(each["folder"]) / "rows.jsonl").read_text().splitlines()]
        assert [row["index"] for row in rows] == [0, 1]
    settings = json.loads((Path(by_change["latency 200"]["folder"]) / "evaluation.json").read_text())["settings"]
    assert settings["latency"] == "200"
    # Nothing is run twice.
    again = studio("ablate", *words, "--vary", "n_action_steps=5")
    assert "2 of 2 episodes are there already" in again.err
    assert "n_action_steps 5" in again.out
    assert "Holm" in again.out


@pytest.mark.slow
def test_a_recipe_is_trained_anew_with_another_setting(studio: Studio, home: Path, arm: Path, lerobot: None) -> None:
    data = Path(shutil.copytree(arm, home.parent / "arm"))
    run = begun(home / "base", data, asked(steps=2))
    assert trained(run) == 0
    words = ("base", "--at", "0.337", "-0.015", "-n", "2", "--limit", "1", "--batch", "2", "--device", "cpu")
    more = ("--width", "64", "--height", "48", "--other-scene", "--retrain", "chunk_size=4,8", "--force", "--json")
    said = studio("ablate", *words, *more)
    assert said.code == 0, said.err
    told = json.loads(said.out)["retrained"]
    assert [each["change"] for each in told] == ["as it was", "chunk_size 4", "chunk_size 8"]
    for value in (4, 8):
        model = home / f"base-chunk_size{value}/train/checkpoints/last/pretrained_model/config.json"
        config = json.loads(model.read_text())
        assert (config["chunk_size"], config["n_action_steps"]) == (value, min(5, value))
    again = studio("ablate", *words, *more)
    assert again.code == 0
    assert "base-chunk_size4 is trained already" in again.err
