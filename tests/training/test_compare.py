"""studio compare: it states its level, refuses what is no pair, and may say that nobody knows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.studio.conftest import Studio, studio
from tests.training.evaluations import PLACEMENTS, SCENE, write_evaluation, write_run
from tests.training.policies import tiny_act
from training.checkpoint_card import digest

__all__ = ["studio"]


def outcomes(rate: float, n: int, seed: int) -> list[bool]:
    return [bool(good) for good in np.random.default_rng(seed).random(n) < rate]


def test_two_checkpoints_are_compared_by_the_exact_paired_test(studio: Studio, home: Path) -> None:
    write_evaluation(home, "good", [True] * 32 + [False] * 8)
    write_evaluation(home, "bad", [True] * 14 + [False] * 26)
    said = studio("compare", "good", "bad")
    assert said.code == 0, said.err
    assert "40 shared episodes" in said.out
    assert "seed 7, jitter 20 mm, yaw free, limit 10 s, servo ideal, scene 4955572ef34e46e4" in said.out
    assert "Level: two checkpoints" in said.out
    assert "A  good@000100: 32 of 40 episodes, 95 % CI" in said.out
    assert "A is better." in said.out
    assert "one training: says nothing about the recipe" in said.out
    told = json.loads(studio("compare", "bad", "good", "--json").out)
    assert (told["level"], told["better"], told["paired"]["only_b"]) == ("checkpoint", "B", 18)
    assert told["paired"]["p"] == pytest.approx(2 / 2**18)


def test_two_checkpoints_of_one_training_need_no_word_about_recipes(studio: Studio, home: Path) -> None:
    write_evaluation(home, "one", outcomes(0.5, 30, 0), key="k1", step=100)
    write_evaluation(home, "one", outcomes(0.5, 30, 1), key="k2", step=200)
    said = studio("compare", "one@000100", "one@200")
    assert said.code == 0, said.err
    assert "Inconclusive" in said.out
    assert "more shared episodes" in said.out
    assert "recipe" not in said.out


def test_three_trainings_each_are_compared_with_the_training_as_the_unit(studio: Studio, home: Path) -> None:
    for seed in range(3):
        write_evaluation(home, f"a-s{seed}", outcomes(0.85, 60, seed), group="a", train_seed=seed)
        write_evaluation(home, f"b-s{seed}", outcomes(0.35, 60, 10 + seed), group="b", train_seed=seed)
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert (told["level"], told["better"]) == ("recipe", "A")
    assert told["recipes"]["low"] > 0
    assert len(told["a"]["evaluations"]) == 3
    text = studio("compare", "a", "b").out
    assert "Level: two recipes; the training is the unit." in text
    assert "3 trainings: " in text
    assert "A is the better recipe." in text


def test_trainings_that_scatter_are_inconclusive_where_episodes_alone_would_decide(studio: Studio, home: Path) -> None:
    for seed, (one, other) in enumerate([(0.95, 0.4), (0.5, 0.9), (0.9, 0.35)]):
        write_evaluation(home, f"a-s{seed}", outcomes(one, 80, seed), group="a", train_seed=seed)
        write_evaluation(home, f"b-s{seed}", outcomes(other, 80, 10 + seed), group="b", train_seed=seed)
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert (told["level"], told["better"]) == ("recipe", None)
    assert "more trainings of each would tell" in studio("compare", "a", "b").out
    assert json.loads(studio("compare", "a-s0", "b-s0", "--json").out)["better"] == "A"


def test_a_copy_of_a_training_counts_once_and_is_named(studio: Studio, home: Path) -> None:
    for number in range(3):
        write_evaluation(home, f"p{number}", [True] * 36 + [False] * 4, group="p", train_seed=0)
        write_evaluation(home, f"q{number}", [True] * 8 + [False] * 32, group="q", train_seed=number)
    said = studio("compare", "p", "q")
    assert said.code == 0, said.err
    assert (
        "p1@000100 is the same training as p0@000100 (recipe, data and seed are equal) and does not count" in said.out
    )
    assert "A is one training: says nothing about the recipe; 2 more are needed." in said.out
    assert json.loads(studio("compare", "p", "q", "--json").out)["better"] is None


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        ({"data": "xyz"}, "dataset is abc and xyz"),
        ({"batch_size": 16}, "batch_size is not said and 16"),
        ({"settings": {"policy.chunk_size": 20}}, "settings.policy.chunk_size is 40 and 20"),
    ],
)
def test_a_group_of_several_recipes_is_refused_and_the_difference_named(
    studio: Studio, home: Path, recipe: dict[str, object], says: str
) -> None:
    for seed in range(3):
        write_run(home, f"a{seed}", "a", seed=seed, **(recipe if seed == 2 else {}))
        write_evaluation(home, f"a{seed}", outcomes(0.9, 40, seed), group="a", train_seed=seed)
        write_evaluation(home, f"b{seed}", outcomes(0.1, 40, 9 + seed), group="b", train_seed=seed)
    said = studio("compare", "a", "b")
    assert said.code == 2
    assert "a is no group of one recipe: a0@000100 and a2@000100 differ" in said.err
    assert says in said.err


def test_a_group_is_compared_at_a_step_that_all_of_it_has(studio: Studio, home: Path) -> None:
    for seed in range(3):
        write_evaluation(home, f"a{seed}", outcomes(0.9, 40, seed), group="a", train_seed=seed)
        write_evaluation(home, f"b{seed}", outcomes(0.1, 40, 9 + seed), group="b", train_seed=seed, step=90 + seed)
    write_evaluation(home, "a0", outcomes(0.1, 40, 50), key="k2", group="a", step=200)
    said = studio("compare", "a", "b")
    assert said.code == 2
    assert "b is no group of one recipe: b0@000090 and b1@000091 differ: step is 90 and 91" in said.err
    for seed in range(3):
        write_evaluation(home, f"b{seed}", outcomes(0.1, 40, 9 + seed), key="k2", group="b", train_seed=seed)
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert told["a"]["checkpoints"] == ["a0@000100", "a1@000100", "a2@000100"]
    assert told["better"] == "A"


def test_groups_of_unequal_size_are_compared_too(studio: Studio, home: Path) -> None:
    for seed in range(5):
        write_evaluation(home, f"a{seed}", outcomes(0.9, 40, seed), group="a", train_seed=seed)
        if seed < 3:
            write_evaluation(home, f"b{seed}", outcomes(0.2, 40, 9 + seed), group="b", train_seed=seed)
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert (told["recipes"]["trainings_a"], told["recipes"]["trainings_b"], told["better"]) == (5, 3, "A")
    text = studio("compare", "b", "a").out
    assert "B is the better recipe." in text
    assert "The verdict is a t test on the trainings' rates (Welch)" in text
    assert "up to one verdict in five is then wrong" in text


def test_an_ablated_evaluation_stands_for_nothing_and_is_never_quoted_unsaid(studio: Studio, home: Path) -> None:
    changed = {"n_action_steps": 20, "ensemble": None, "batch": 8, "blind": ["overhead_cam"], "latency": "300"}
    for name, good in (("a", 18), ("b", 4)):
        write_evaluation(home, name, [True] * good + [False] * (20 - good))
        write_evaluation(home, name, [False] * 20, key="k2", settings=changed, when="2026-02-01T00:00:00")
    assert "A is better." in studio("compare", "a", "b").out
    told = json.loads(studio("map", "a", "--json").out)
    assert told["maps"][0]["feasible"]["k"] == 18
    text = studio("compare", str(home / "a/evaluations/k2"), str(home / "b/evaluations/k2")).out
    assert "not as trained: blind overhead_cam, latency 300" in text
    assert "not as trained: blind overhead_cam, latency 300" in studio("runs", "a").out


def test_the_ledger_shows_no_best_of_several_but_the_largest_as_trained(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True], key="k1", seed=8, when="2026-03-01T00:00:00")
    write_evaluation(home, "a", [True] * 30, key="k2", seed=9, settings={"blind": ["wrist_cam"]})
    write_evaluation(home, "a", [True] * 40, key="k3", seed=10)
    write_evaluation(home, "a", [True] * 18 + [False] * 2, key="k4")
    race = [{"checkpoint": "000100", "evaluation": "k3"}, {"checkpoint": "000050", "evaluation": "k9"}]
    (home / "a/best.json").write_text(json.dumps({"checkpoint": "000100", "race": race}))
    said = studio("runs").out
    assert "18 of 20 [70-97 %] at step 100" in said
    assert "best" not in said
    assert "a@000100: placements at 0.337 -0.015, seed 7, jitter 20 mm" in said
    for words in ("1 of 1", "30 of 30", "40 of 40"):
        assert words not in said
    every = studio("runs", "a").out
    assert "30 of 30 [89-100 %] at step 100 (not as trained)" in every
    assert "40 of 40 [91-100 %] at step 100 (chosen on these)" in every
    # What a checkpoint was chosen by is said wherever it is compared.
    write_evaluation(home, "b", [False] * 40, seed=10)
    assert "a@000100 raced on these episodes (studio sweep)" in studio("compare", "a", "b").out


def test_where_every_evaluation_changed_something_one_has_to_be_named(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 9, key="k1", settings={"latency": "100"})
    write_evaluation(home, "a", [True] * 9, key="k2", trained={"n_action_steps": 20}, settings={"n_action_steps": 5})
    said = studio("map", "a")
    assert said.code == 2
    assert "No evaluation of a drove it as it was trained" in said.err
    assert "k2 (n_action_steps 5)" in said.err
    assert studio("map", str(home / "a/evaluations/k2")).code == 0


def test_weights_that_were_overwritten_do_not_count(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 40, key="k1", checkpoint_digest="old")
    write_evaluation(home, "a", [False] * 20, key="k2", when="2026-02-01T00:00:00", checkpoint_digest="new", seed=8)
    write_evaluation(home, "b", [True] * 40)
    said = studio("compare", "a", "b")
    assert said.code == 2
    assert "placements seed is 8 and 7" in said.err
    write_evaluation(home, "b", [True] * 20, key="k2", seed=8)
    said = studio("compare", "a", "b")
    assert "evaluations of a that do not count, as their weights were overwritten since: 1" in said.out
    assert "B is better." in said.out


def test_fewer_than_three_trainings_say_nothing_about_a_recipe(studio: Studio, home: Path) -> None:
    for seed in range(3):
        write_evaluation(home, f"a-s{seed}", outcomes(0.9, 40, seed), group="a", train_seed=seed)
    write_evaluation(home, "b", outcomes(0.1, 40, 9))
    said = studio("compare", "a", "b")
    assert said.code == 0, said.err
    assert "B is one training: says nothing about the recipe; 2 more are needed." in said.out
    assert "Inconclusive." in said.out
    told = json.loads(studio("compare", "a-s0,a-s1", "b", "--json").out)
    assert told["trainings_missing"] == {"A": 1, "B": 2}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"scene": {**SCENE, "fingerprint": "other"}}, "scene is 4955572ef34e46e4 and other"),
        ({"limit_frames": 600}, "time limit is 10.0 and 20.0"),
        ({"placements": {**PLACEMENTS, "jitter": 0.0}}, "placements jitter is 0.02 and 0.0"),
        ({"versions": {"mujoco": "3.9.0"}}, "MuJoCo is 3.8.1 and 3.9.0"),
        ({"seed": 8}, "placements seed is 7 and 8"),
    ],
)
def test_what_is_no_pair_is_refused_and_the_difference_named(
    studio: Studio, home: Path, changes: dict[str, object], says: str
) -> None:
    write_evaluation(home, "a", outcomes(0.5, 20, 0))
    write_evaluation(home, "b", outcomes(0.5, 20, 1), **changes)  # type: ignore[arg-type]
    said = studio("compare", "a", "b")
    assert said.code == 2
    assert says in said.err


def test_other_episodes_under_the_same_words_are_refused(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", outcomes(0.5, 20, 0))
    folder = write_evaluation(home, "b", outcomes(0.5, 20, 1))
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    rows[3]["x"] += 0.001
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    said = studio("compare", "a", "b")
    assert said.code == 2
    assert "Episode 3 is another one in b@000100" in said.err


def test_infeasible_unshared_and_torn_rows_do_not_count(studio: Studio, home: Path) -> None:
    folder = write_evaluation(home, "a", [True] * 20, infeasible=(0, 1))
    write_evaluation(home, "b", [False] * 15, infeasible=(0, 1))
    with (folder / "rows.jsonl").open("a") as file:
        file.write('{"index": 20, "se')
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert (told["episodes"], told["infeasible"], told["unshared"]) == (13, 2, 5)


def test_the_same_settings_are_compared_where_there_are_several(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 20, key="k1")
    write_evaluation(home, "a", [False] * 20, key="k2", settings={"n_action_steps": 40})
    write_evaluation(home, "b", [True] * 20, key="k1", settings={"n_action_steps": 40})
    told = json.loads(studio("compare", "a", "b", "--json").out)
    assert told["better"] == "B"
    assert told["a"]["evaluations"][0].endswith("k2")
    text = studio("compare", str(home / "a/evaluations/k1"), "b").out
    assert "n_action_steps is 20 and 40" in text


def test_two_policies_as_they_were_trained_come_before_two_that_were_changed_alike(studio: Studio, home: Path) -> None:
    for name, own, good in (("a", 20, 18), ("b", 40, 4)):
        trained = {"trained": {"n_action_steps": own, "ensemble": None, "tasks": [], "scenes": []}}
        rows = [True] * good + [False] * (20 - good)
        write_evaluation(home, name, rows, settings={"n_action_steps": own, "batch": own}, **trained)
        later = {"when": "2026-02-01T00:00:00", "settings": {"n_action_steps": 10, "batch": 8}}
        write_evaluation(home, name, [False] * 20, key="k2", **later, **trained)
    said = studio("compare", "a", "b").out
    assert "A is better." in said
    assert "n_action_steps is 20 and 40" in said
    assert "not driven as" not in said
    changed = studio("compare", str(home / "a/evaluations/k1"), str(home / "b/evaluations/k2")).out
    assert "b@000100 was not driven as it was trained: n_action_steps 10" in changed


def test_clean_success_can_be_what_counts(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 20)
    write_evaluation(home, "b", [False] * 20)
    told = json.loads(studio("compare", "a", "b", "--by", "clean", "--json").out)
    assert told["paired"]["only_a"] == 15


def test_a_checkpoint_is_found_by_its_weights_whatever_it_was_called(studio: Studio, home: Path, lerobot: None) -> None:
    folder = tiny_act(home.parent / "elsewhere", cameras=(), privileged=True)
    write_evaluation(home, "a", [True] * 20, checkpoint="a@last", checkpoint_digest=digest(folder), privileged=True)
    write_evaluation(home, "b", [False] * 20)
    said = studio("compare", str(folder), "b")
    assert said.code == 0, said.err
    assert "A  a@000100: 20 of 20" in said.out
    assert "a@000100 sees the block's pose, as no robot does: this is no result" in said.out


def test_refusals(studio: Studio, home: Path) -> None:
    write_evaluation(home, "a", [True] * 20)
    write_run(home, "fresh")
    for words, says in (
        (("a", "nobody"), "Unknown run, group or evaluation 'nobody'. Valid: a, fresh"),
        (("a", "fresh"), "No episode of fresh was evaluated yet"),
        (("a", "a"), "are the same evaluation"),
        (("a", "a@000300"), "was not evaluated; steps that were: 100"),
    ):
        said = studio("compare", *words)
        assert said.code == 2, says
        assert says in said.err
