"""studio improve and studio experiment filter: what they plan, that every step can be typed, and what they report."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from curation.errors import DataError, UsageError
from curation.library import put_to_trash
from curation.store import Store
from recorders.world.scene import Scene
from studio.chain import opened, planned, shown
from studio.cli import parsed
from studio.experimenting import asked_of
from studio.experimenting import steps_of as experiment_steps
from studio.improving import Source, require_as_planned, runs_of, source_of, steps_of
from studio.preregistered import register
from studio.steps import Step
from studio.training_options import Training
from studio.verbs.experiment import asked_for, known, opened_as
from studio.verbs.improve import Improve, gain, gain_lines, known_of, loop_of
from studio.words import asked_by, flags_of, recipe_words
from tests.studio.conftest import Studio, studio
from tests.training.chains import PLACED, asked, carded, source, typed
from training.recipe import Recipe

__all__ = ["source", "studio"]


def test_options_become_words_and_are_read_back() -> None:
    scene = Scene(width=64, height=48, overhead_fov=30.0, depth=True, servo="hardware", block_scale=1 / 3 + 0.5)
    words = ["base", "--to", "x", *flags_of(PLACED), *flags_of(scene)]
    found = parsed("generate", ["--to", "x", *flags_of(PLACED), *flags_of(scene)])[1].recording
    assert (found.where, found.scene) == (PLACED, scene)
    assert parsed("train", ["base", "--where=-lazy"])[1].training == Training(where="-lazy")
    assert flags_of(Training(where="-lazy")) == ["--where=-lazy"]
    assert "--overhead-fov 30" in " ".join(words)


@pytest.mark.parametrize("more", [{}, {"preset": "cpu-image"}, {"cache": True, "threads": 2, "keep_last": 3}], ids=str)
def test_a_recipe_as_words_makes_the_very_same_recipe(home: Path, arm: Path, more: dict[str, Any]) -> None:
    store = Store.open(arm)
    recipe = Training(device="cpu", seed=7, set_=("policy.chunk_size=10", "policy.n_action_steps=5"), **more).recipe(
        store
    )
    told = Recipe.from_json(json.loads(json.dumps(recipe.as_json())))
    options = parsed("train", ["arm", "--to", "x", *recipe_words(told, images=True)])[1]
    assert options.training.recipe(store) == recipe


def test_a_loop_is_planned_as_commands_that_can_be_typed(source: Source) -> None:
    loop = loop_of(Improve(run="base", to="loop", rounds=2, placed=PLACED, episodes=12, propose=3, per_position=2,
                           also="survival>=0.8"))  # fmt: skip
    steps = steps_of(loop, source)
    assert [step.name for step in steps] == [
        "r0-evaluate-base",
        "r1-map", "r1-generate", "r1-stress", "r1-filter", "r1-merge", "r1-preflight", "r1-train",
        "r1-evaluate-loop-r1", "r1-gain", "r1-compare",
        "r2-map", "r2-generate", "r2-stress", "r2-filter", "r2-merge", "r2-preflight", "r2-train",
        "r2-evaluate-loop-r2", "r2-gain", "r2-compare", "whole-compare",
    ]  # fmt: skip
    found = {step.name: typed(step) for step in steps}
    store = Store.open(Path(source.data))
    for mark in ("r1", "r2"):
        assert found[f"{mark}-train"].training.recipe(store) == source.recipe  # as many gradient steps of the same kind
        assert found[f"{mark}-filter"].choose.where == "success survival>=0.8"
    drivers = [found[f"{mark}-generate"].recording for mark in ("r1", "r2")]
    assert [one.operator for one in drivers] == ["policy:base", "policy:loop-r1"]
    assert [one.keep for one in drivers] == ["all", "all"]
    assert drivers[0].seed != drivers[1].seed
    assert [one.where.yaw for one in drivers] == [-15.0, -15.0]
    assert found["r1-stress"].where == "success"
    assert found["r2-merge"].datasets == ("loop-r1-data", "loop-r2-kept")
    evaluated = [found[name] for name in found if "evaluate" in name]
    assert len({(one.seed, one.episodes, one.where) for one in evaluated}) == 1
    assert evaluated[0].seed not in {one.seed for one in drivers}
    assert found["whole-compare"].a == "loop-r2"
    made = [path for step in steps for path in step.made]
    assert len(made) == len(set(made))
    assert "studio generate --operator policy:base --keep all --done-by judge --targets" in shown(steps)


def test_several_seeds_go_through_every_round(source: Source) -> None:
    loop = loop_of(Improve(run="base", to="loop", placed=PLACED, train_seeds=3))
    steps = {step.name: step for step in steps_of(loop, source)}
    runs = runs_of(loop, 1, source.recipe)
    assert runs == ("loop-r1-seed5", "loop-r1-seed6", "loop-r1-seed7")
    assert steps["r1-train"].runs == runs
    assert typed(steps["r1-train"]).train_seeds == 3
    assert typed(steps["r1-compare"]).a == ",".join(runs)
    assert [name for name in steps if "evaluate-loop" in name] == [f"r1-evaluate-{run}" for run in runs]


def test_pictures_that_the_data_has_not_are_left_out_of_the_attempts(source: Source) -> None:
    bare = replace(source, cameras=(), privileged=True)
    steps = {step.name: step for step in steps_of(loop_of(Improve(run="base", to="loop", placed=PLACED)), bare)}
    assert typed(steps["r1-filter"]).changes.drop_feature == ("overhead_cam", "wrist_cam")
    assert typed(steps["r1-generate"]).recording.privileged


def test_what_makes_no_sense_is_refused(source: Source, arm: Path, home: Path) -> None:
    for options, says in (
        ({"rounds": 0}, "--rounds 0"),
        ({"to": "a/b"}, "bare name"),
        ({"eval_seed": 2001}, "seed of the attempts too"),
    ):
        with pytest.raises(UsageError, match=says):
            loop_of(Improve(**{"run": "base", "to": "loop", "placed": PLACED, **options}))
    with pytest.raises(UsageError, match="none of judge, all and classifier:NAME"):
        loop_of(Improve(run="base", to="loop", placed=PLACED, keep="jugde"))
    with pytest.raises(UsageError, match="no finished training"):
        source_of("nobody")


def test_a_training_whose_episodes_are_others_now_begins_nothing(source: Source, arm: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(arm, tmp_path / "copy"))
    told = json.loads((tmp_path / "runs/base/run.json").read_text())
    told["dataset"]["path"] = str(copy)
    (tmp_path / "runs/base/run.json").write_text(json.dumps(told))
    assert source_of("base").data == str(copy)
    put_to_trash(copy, ["id-0"], "person")
    with pytest.raises(UsageError, match="holds other episodes now than base was trained on: 1 of 4 lie in the trash"):
        source_of("base")
    told["dataset"] |= {"where": "x>0", "episode_ids": told["dataset"]["episode_ids"][:3]}
    (tmp_path / "runs/base/run.json").write_text(json.dumps(told))
    with pytest.raises(UsageError, match="1 of 3 lie in the trash or no longer fit, 1 are new"):
        source_of("base")


def test_what_moves_beside_a_begun_chain_changes_nothing_of_it(
    source: Source, arm: Path, home: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(arm, tmp_path / "copy"))
    source = replace(source, data=str(copy))
    folder = carded(home)
    loop = loop_of(Improve(run="base", to="loop", placed=PLACED, keep="classifier:done", also="clean"))
    chain = planned(loop.folder, steps_of(loop, source), {}, {"loop": loop.as_json(), "source": source.as_json()})
    plan = asked(classifier="done")
    begun = planned(plan.folder, experiment_steps(plan, source), {}, known(plan, source))
    carded(home, 0.9)
    for _ in range(2):
        assert known_of(opened(loop.folder)) == (loop, source)
        assert loop.kept.query(loop.also) == "score>=0.6 clean"
        assert opened_as("exp") == (plan, source)
        assert plan.queries["classifier"] == "score>=0.6"
        assert register(plan.folder, begun.known["preregistered"], looked=False)["asked"] == json.loads(
            json.dumps(asked_of(plan, source))
        )
        # The second time it is gone, and so is a demonstration.
        shutil.rmtree(folder, ignore_errors=True)
        put_to_trash(copy, ["id-0"], "person")
    steps = {step.name: step for step in (*chain.steps, *begun.steps)}
    require_as_planned(steps["r1-train"], source, loop.kept)
    with pytest.raises(UsageError, match="1 of 4 lie in the trash"):
        require_as_planned(steps["r1-merge"], source, loop.kept)
    for name in ("attempts-score", "r1-generate"):  # which it ends, too
        with pytest.raises(DataError, match="no calibration card"):
            require_as_planned(steps[name], source, plan.kept)
    carded(home, digest="beef")
    with pytest.raises(UsageError, match=r"another one \(beef\) than was planned with \(1f2e\)"):
        require_as_planned(steps["attempts-score"], source, plan.kept)
    carded(home, 0.9)
    require_as_planned(steps["attempts-score"], source, plan.kept)


def test_the_same_command_goes_on_with_a_chain_and_another_is_refused(
    studio: Studio, source: Source, home: Path
) -> None:
    words = ("experiment", "filter", "base", "--to", "exp", *flags_of(PLACED), "-y")
    options = typed(Step("", words)).do
    plan = asked_for(options)
    planned(plan.folder, [], asked_by(options, "yes", "json"), known(plan, source))
    shutil.rmtree(home / "base")
    again = studio(*words)
    assert "preregistered" in again.err
    assert "arms.json cannot be read" in again.err  # all of its no commands are done
    other = studio(*words, "--train-seeds", "4")
    assert other.code == 2
    assert "not chosen after looking" in other.err
    assert "train_seeds by default there, 4 here" in other.err


def test_the_plan_is_shown_and_nobody_is_asked_in_a_script(studio: Studio, source: Source, home: Path) -> None:
    words = ("improve", "base", "--to", "loop", *flags_of(PLACED))
    said = studio(*words)
    assert said.code == 2
    assert "say -y" in said.err
    assert "studio train loop-r1-data --policy act --steps 30" in said.err
    assert not (home / "loop").exists()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            ("--also", "survival>=2"),
            "Step r1-filter could not .*survival>=2 never holds: survival lies between 0 and 1",
        ),
        (("--also", "score:2"), "score:2 never holds"),
        (("--also", "bogus=="), "Step r1-filter could not be done .*Unknown field 'bogus'"),
        (("--limit", "0.1"), "Step r0-evaluate-base could not be done .*--limit 0.1 is outside"),
        (("--spread", "2"), "Step r1-generate could not be done .*--jitter 2.0 is outside"),
        (("--latency", "slow"), "Step r0-evaluate-base could not be done .*slow"),
    ],
    ids=["share", "score", "field", "limit", "spread", "latency"],
)
def test_what_a_late_step_would_refuse_is_refused_before_the_first(
    studio: Studio, source: Source, home: Path, more: tuple[str, ...], says: str
) -> None:
    said = studio("improve", "base", "--to", "loop", *flags_of(PLACED), "-y", *more)
    assert said.code == 2
    assert re.search(says, said.err)
    assert not (home / "loop").exists()


def test_an_experiment_whose_evaluations_would_be_refused_is_not_begun(studio: Studio, source: Source) -> None:
    for more, says in (
        (("--limit", "0.1"), "--limit 0.1 is outside"),
        (("--at", "0.3", "0", "--yaw", "0"), "200 episodes would be at 1 different placements"),
        (("--at", "0.9", "0"), "A block at (0.9, 0) is"),
    ):
        said = studio("experiment", "filter", "base", "--to", "exp", "-y", *more)
        assert said.code == 2
        assert says in said.err
        assert "Nothing was begun." in said.err


def test_the_gain_per_added_episode_has_its_interval() -> None:
    paired = {"level": "checkpoint", "episodes": 60, "better": None,
              "paired": {"difference": 0.1, "low": -0.05, "high": 0.25}}  # fmt: skip
    told = gain(paired, 20)
    assert told["difference_per_episode"] == pytest.approx(0.005)
    assert (told["low_per_episode"], told["high_per_episode"]) == (pytest.approx(-0.0025), pytest.approx(0.0125))
    lines = gain_lines(told, "r1", "base")
    assert lines[0].endswith("(two checkpoints): inconclusive")
    assert lines[1] == "gain per added episode: +0.50 points, 95 % CI -0.25 to +1.25"
    few = gain({"level": "recipe", "episodes": 60, "better": None, "rates": []}, 20)
    assert "too few trainings" in gain_lines(few, "r1", "base")[0]


def test_a_round_that_adds_nothing_ends_the_loop_with_a_report_of_those_before(
    studio: Studio, source: Source, arm: Path, tmp_path: Path
) -> None:
    words = ("improve", "base", "--to", "loop", *flags_of(PLACED), "--rounds", "3", "--also", "x>9", "-y")
    options = typed(Step("", words))
    loop = loop_of(options)
    for name in ("r1-attempts", "r1-kept", "r2-attempts"):
        (tmp_path / f"loop-{name}").symlink_to(arm)
    known = {"loop": loop.as_json(), "source": source.as_json()}
    chain = planned(loop.folder, [], asked_by(options, "yes", "json"), known)
    told = json.loads((chain.folder / "plan.json").read_text())
    told["steps"] = [asdict(step) for step in steps_of(loop, source)]
    (chain.folder / "plan.json").write_text(json.dumps(told))
    chain = opened(chain.folder)
    compared = {"level": "checkpoint", "episodes": 60, "better": None,
                "paired": {"difference": 0.1, "low": -0.05, "high": 0.25}}  # fmt: skip
    for step in chain.steps[: [step.name for step in chain.steps].index("r2-filter")]:
        chain.remember(step, compared if step.name == "r1-compare" else None, 1.0)
    for _ in range(2):
        said = studio(*words)
        assert said.code == 0, said.err
        lines = said.out.splitlines()
        assert lines[0].startswith("round 1: 4 of 4 attempts succeeded")
        assert "+10.0 points" in lines[1]
        assert lines[3].startswith("round 2: 0 of 4 attempts passed; nothing to add (judge x>9; 4 of 4")
        assert "under another --to: another --box, more attempts" in lines[4]
        assert "studio improve loop-r1 begins with the last policy" in lines[4]
    data = json.loads((chain.folder / "report.json").read_text())
    assert [one["round"] for one in data["rounds"]] == [1]
    assert data["ended"] == {"round": 2, "attempts": 4, "succeeded": 4, "passed": 0}


def test_where_nothing_fits_stressing_stops_nothing(studio: Studio, source: Source) -> None:
    said = studio("stress", source.data, "--where", "x>9")
    assert said.code == 0, said.err
    assert said.out.endswith("fits x>9: none was stressed.\n")
