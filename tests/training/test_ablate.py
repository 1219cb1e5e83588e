"""studio ablate: one thing at a time on the same episodes, and many comparisons are not taken for one."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import UsageError
from recorders.world.scene import Scene, fingerprint
from studio.console import Console
from studio.retrained import changed_recipe, groups_of, pairs_of
from tests.studio.conftest import Studio, studio
from tests.training.evaluations import write_evaluation
from tests.training.policies import tiny_act
from tests.training.runs import asked, begun, trained
from training.ablate import holm, tarone, usual, variations
from training.compare import compare_recipes
from training.evaluated import Evaluation, read_evaluation
from training.paired import mcnemar
from training.recipe import Recipe
from training.runs import Run

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
    wrong = plain = exact = 0
    for _ in range(2000):
        counts = rng.multinomial(60, (0.2, 0.2, 0.6), size=12)
        p = {str(number): mcnemar(int(a), int(b)) for number, (a, b, _) in enumerate(counts)}
        wrong += any(holm(p).values())
        exact += any(
            tarone(p, {str(number): mcnemar(int(a + b), 0) for number, (a, b, _) in enumerate(counts)}).values()
        )
        plain += min(p.values()) < 0.05
    assert wrong / 2000 <= 0.05
    assert exact / 2000 <= 0.06
    assert plain / 2000 > 0.2  # without it one in five ablations would have "found" something
    assert tarone({"a": 0.002, **{str(n): 1.0 for n in range(48)}}, {"a": 0.002, **{str(n): 1.0 for n in range(48)}})[
        "a"
    ]
    assert not tarone({"a": 0.03, "b": 0.04}, {"a": 0.0, "b": 0.0})["a"]
    assert holm({"a": 0.001, "b": 0.04, "c": 0.03}) == {"a": True, "b": False, "c": False}


def test_every_variation_is_evaluated_on_the_same_episodes(studio: Studio, home: Path, lerobot: None) -> None:
    policy = tiny_act(home / "tiny/train/checkpoints/000010/pretrained_model", cameras=(), privileged=True)
    world = Scene()
    scene = {"fingerprint": fingerprint(world), "scene": asdict(world)}
    (policy / "studio.json").write_text(json.dumps({"version": 1, "run": "tiny", "step": 10, "scene": scene}))
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
    assert [read_evaluation(Path(each["folder"])).changes for each in done] == [
        ("n_action_steps 5",), ("latency 200",), ("another scene than the trained one",),
    ]  # fmt: skip
    assert read_evaluation(Path(told["base"]["folder"])).changes == ()
    settings = json.loads((Path(by_change["latency 200"]["folder"]) / "evaluation.json").read_text())["settings"]
    assert settings["latency"] == "200"
    # Nothing is run twice.
    again = studio("ablate", *words, "--vary", "n_action_steps=5")
    assert "2 of 2 episodes are there already" in again.err
    assert "n_action_steps 5" in again.out
    assert "Holm" in again.out


def finished(home: Path, data: Path, name: str, group: str, seed: int, **recipe: Any) -> Run:
    """A training that says it is done, with a checkpoint."""
    run = begun(home / name, data, asked(steps=4, seed=seed), **recipe)
    run.update(group=group, state="done")
    folder = run.checkpoints / "000004/pretrained_model"
    tiny_act(folder, cameras=(), privileged=True, seed=seed)
    (folder / "studio.json").write_text(
        json.dumps({"version": 1, "run": name, "group": group, "step": 4, "seed": seed})
    )
    return run


def test_changed_recipes_are_compared_with_the_whole_group_as_it_was(home: Path, arm: Path, lerobot: None) -> None:
    for seed in range(3):
        run = finished(home, arm, f"base-s{seed}", "base", seed)
        other = changed_recipe(Recipe.from_json(run.read()["recipe"]), "chunk_size", "8").as_json()
        finished(home, arm, f"base-s0-chunk_size8-seed{seed}", "base-s0-chunk_size8", seed, settings=other["settings"])
    finished(home, arm, "base-s9", "base", 9, steps=5)

    def evaluation(folder: str) -> Evaluation:
        good = 4 if "chunk_size8" in folder else 36
        made = write_evaluation(home, Path(folder).name, [True] * good + [False] * (40 - good), step=4)
        return read_evaluation(made)

    said = io.StringIO()
    groups = groups_of("base-s0", ("chunk_size=8",), 3, evaluation, Console(err=said), force=False)
    assert {words: [one.run for one in found] for words, found in groups.items()} == {
        "as it was": ["base-s0", "base-s1", "base-s2"],
        "chunk_size 8": [f"base-s0-chunk_size8-seed{seed}" for seed in range(3)],
    }
    assert "base-s9 is in the group, and not of its recipe and data: left out." in said.getvalue()
    (pair,) = pairs_of(groups)
    assert pair.words == "as it was less chunk_size 8"
    assert pair.found is not None
    assert pair.found.difference == pytest.approx(0.8)


def test_pairs_of_many_equal_recipes_are_seldom_told_apart() -> None:
    rng, wrong, plain = np.random.default_rng(1), 0, 0
    for _ in range(150):
        recipes = [rng.random((3, 40)) < rng.normal(0.6, 0.1, (3, 1)) for _ in range(5)]
        p = {f"{a} {b}": compare_recipes(recipes[a], recipes[b]).p for b in range(5) for a in range(b)}
        wrong += any(holm(p).values())
        plain += min(p.values()) < 0.05
    assert wrong / 150 <= 0.08
    assert plain / 150 > 0.12  # one by one, an ablation of nothing would find something too often


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
