"""The ledger: what was asked of trainings, what differs between two, and what came of it, with intervals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.fingerprint import fingerprint
from curation.store import Store
from studio import cli
from tests.training.runs import asked
from training.ledger import differences, ledger
from training.runs import Run
from training.task import prepared


def made(home: Path, data: Path, name: str, *, group: str = "", seed: int = 0, **options: Any) -> Run:
    """A run that says it is done."""
    store = Store.open(data)
    training = asked(steps=20, seed=seed, **options)
    chosen, recipe = training.chosen(store), training.recipe(store)
    run = prepared(home / name, group or name, chosen, recipe, fingerprint(store), where=training.where, forced=())
    run.progress.write_text('{"step": 10, "loss": 0.5, "at": 1}\n{"step": 20, "loss": 0.25, "at": 2}\n{"step": 3')
    run.update(state="done")
    return run


def evaluated(run: Run, successes: int, of: int) -> None:
    folder = run.folder / "evaluations" / "aa"
    folder.mkdir(parents=True)
    told = {"version": 1, "key": "aa", "run": run.name, "group": run.read()["group"], "step": 20, "when": "2026-01-01"}
    (folder / "evaluation.json").write_text(json.dumps(told))
    rows = [{"index": n, "x": 0.3, "y": 0.0, "success": n < successes, "feasible": True} for n in range(of)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_the_ledger_tells_loss_and_rate_with_its_interval(
    arm: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["runs"]) == 0
    assert "Nothing was trained yet" in capsys.readouterr().out
    evaluated(made(home, arm, "a"), 9, 10)
    made(home, arm, "b").update(state="running", pid=2**22 + 1)
    (home / "broken").mkdir()
    (home / "broken" / "run.json").write_text("{")
    assert [(line.told["name"], line.state, line.loss) for line in ledger(home)] == [
        ("a", "done", 0.25),
        ("b", "killed", 0.25),
    ]
    assert cli.run(["runs"]) == 0
    said = capsys.readouterr().out
    assert "9 of 10 [60-98 %] at step 20" in said
    assert "arm (4 episodes)" in said
    assert cli.run(["runs", "--markdown"]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "| --- | --- | --- | --- | --- | --- | --- | --- |"


@pytest.mark.parametrize(
    "text", ['{"recipe": {}}', '{"recipe": {}, "dataset": 7}', "[]"], ids=["empty", "no dataset", "a list"]
)
def test_one_damaged_run_is_said_to_be_and_hides_no_other(
    arm: Path, home: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    made(home, arm, "a")
    made(home, arm, "b")
    (home / "b/run.json").write_text(text)
    assert cli.run(["runs"]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1].startswith("a    act")
    assert told.out.splitlines()[2].split() == ["b", "-", "-", "-", "-", "-", "damaged", "-"]
    assert "b/run.json" in told.out
    for words in (["runs", "b"], ["train", "--resume", "b"]):
        assert cli.run(words) == 3
        said = capsys.readouterr().err
        assert "b/run.json" in said
        assert "unexpected" not in said


def test_two_runs_differ_in_what_was_asked_and_nothing_else(
    arm: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a = made(home, arm, "a")
    b = made(home, arm, "b", seed=1, where="x<0.25", set_=("policy.chunk_size=20",))
    apart = {name: (one, other) for name, one, other in differences(a.read(), b.read())}
    assert apart == {
        "recipe.seed": (0, 1),
        "recipe.settings.policy.chunk_size": ("10", "20"),
        "dataset.episodes": (4, 3),
        "dataset.frames": (234, 177),
        "dataset.where": ("", "x<0.25"),
    }
    assert cli.run(["runs", "a", "b"]) == 0
    said = capsys.readouterr().out
    assert "Too few trainings of a (1) and b (1): this says nothing about the recipe" in said
    assert "recipe.settings.policy.chunk_size  10" in said
    assert cli.run(["runs", "a", "b", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][1]["name"] == "b"
    assert cli.run(["runs", "a", "x"]) == 2


def test_three_trainings_of_each_recipe_are_enough(arm: Path, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for group in ("one", "two"):
        for seed in range(3):
            made(home, arm, f"{group}-seed{seed}", group=group, seed=seed)
    assert cli.run(["runs", "one-seed0", "two-seed0"]) == 0
    assert "says nothing" not in capsys.readouterr().out
    # The same seed again is the same training again.
    for name in ("a", "b", "c"):
        made(home, arm, f"copy-{name}", group="copies")
    assert cli.run(["runs", "one-seed0", "copy-a"]) == 0
    assert "Too few trainings of copies (1)" in capsys.readouterr().out
