"""A chain goes on wherever a kill left it, does nothing twice, and is never quietly another one."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from curation.atomic import if_free
from curation.errors import DataError, StudioError, TargetExists, UsageError
from curation.store import Store
from studio.chain import LOCK, Chain, opened, planned, shown, work
from studio.console import Console
from studio.steps import Step, going_on
from tests.curation.placed import placed

PLACES = [(0.22, 0.20), (0.32, 0.00), (0.30, 0.10)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("chain")
    placed(home / "one", PLACES, failures=[1], length=3)
    placed(home / "two", PLACES[:1], length=3)
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path / "data")
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def steps(home: Path) -> list[Step]:
    file = str(home / "runs/loop/gaps.json")
    return [
        Step("gaps", ("targets", "make", file, "--gaps", "2", "--from", "one"), files=(file,)),
        Step("kept", ("filter", "one", "--where", "success", "-y", "--to", "kept"), dataset="kept"),
        Step("all", ("merge", "kept", "two", "-y", "--to", "all"), dataset="all"),
        Step("look", ("episodes", "all")),
    ]


def begin(home: Path, **about: int) -> Chain:
    return planned(home / "runs/loop", steps(home), about or {"rounds": 1})


def times(chain: Chain) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (chain.folder / "steps").iterdir()}


def test_every_step_runs_once_whatever_a_kill_left(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chain = begin(home)
    work(chain, Console())
    assert Store.open(home / "data/all").total_episodes == 3
    assert [one["episode_id"] for one in chain.result("look")] == ["one-0", "one-2", "two-0"]
    assert chain.result("kept")["episodes"] == 2
    whole, first = times(chain), {name: chain.result(name) for name in ("gaps", "look")}
    work(begin(home), Console())
    assert times(chain) == whole
    assert "4 of 4 steps are done already" in capsys.readouterr().err
    data = (home / "data/all/meta/info.json").stat().st_mtime_ns
    for step in chain.steps:
        # A kill between what a step did and that it was remembered, and then one in its midst.
        for undo in (True, False):
            (chain.folder / "steps" / f"{step.name}.json").unlink()
            if not undo and step.files:
                Path(step.files[0]).unlink()
            assert [one.name for one in chain.left] == [step.name]
            work(begin(home), Console())
            assert not chain.left
    assert (home / "data/all/meta/info.json").stat().st_mtime_ns == data
    assert {name: chain.result(name) for name in first} == first
    assert opened(chain.folder).steps == chain.steps


def test_a_step_that_fails_is_named_and_keeps_what_was_done(home: Path) -> None:
    none = ("filter", "one", "--where", "x>9", "-y", "--to", "no")
    chain = planned(home / "runs/loop", [*steps(home)[:1], Step("none", none, dataset="no")], {})
    with pytest.raises(StudioError, match="step none: No episode passes: x>9") as error:
        work(chain, Console())
    assert error.value.exit_code == 2
    assert [step.name for step in chain.left] == ["none"]
    unknown = planned(home / "runs/other", [Step("odd", ("filter", "one", "--wher", "x"))], {})
    with pytest.raises(StudioError, match=r"Step odd ended with exit code 2: studio filter one --wher x\."):
        work(unknown, Console())


def test_a_chain_ends_well_where_nothing_passes_a_step_that_may_end_it(home: Path) -> None:
    none = Step("none", ("filter", "one", "--where", "x>9", "-y", "--to", "no"), dataset="no", ends=True)
    first, last = steps(home)[0], Step("look", ("episodes", "no"))
    chain = planned(home / "runs/loop", [first, none, last], {})
    for _ in range(2):
        work(chain, Console())
        chain = opened(chain.folder)
        assert chain.ended == none
        assert not chain.left
        assert [chain.done(step) for step in chain.steps] == [True, True, False]


def test_another_plan_is_refused_and_what_differs_is_named(home: Path) -> None:
    begin(home)
    before = (home / "runs/loop/plan.json").read_bytes()
    with pytest.raises(UsageError, match="another plan: rounds 1 there, 2 here"):
        begin(home, rounds=2)
    planned(home / "runs/deep", [], {"asked": {"n": 1, "m": 1}})
    with pytest.raises(UsageError, match="another plan: n 1 there, 2 here"):
        planned(home / "runs/deep", [], {"asked": {"n": 2, "m": 1}})
    assert (home / "runs/loop/plan.json").read_bytes() == before
    assert shown(steps(home)).splitlines()[-1] == "  4  studio episodes all"


def test_a_version_that_plans_other_commands_ends_a_chain_with_those_it_began_with(home: Path) -> None:
    first = begin(home)
    other = [*steps(home)[:3], Step("look", ("episodes", "one", "--json"))]
    again = planned(home / "runs/loop", other, {"rounds": 1}, {"x": 1})
    assert again == first
    assert again.steps == tuple(steps(home))
    path = first.folder / "plan.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(DataError, match=r"another version of the studio \(1, this one reads 2\)"):
        begin(home)


def test_nothing_that_was_there_before_is_taken_for_a_step_s_own(home: Path) -> None:
    with pytest.raises(TargetExists, match="one"):
        planned(home / "runs/new", [Step("again", ("filter", "two", "-y", "--to", "one"), dataset="one")], {})
    (home / "runs/full").mkdir(parents=True)
    (home / "runs/full/mine.txt").write_text("mine")
    with pytest.raises(TargetExists, match="full"):
        planned(home / "runs/full", steps(home), {})
    assert (home / "runs/full/mine.txt").read_text() == "mine"


def test_what_came_to_lie_there_since_is_neither_adopted_nor_removed(home: Path) -> None:
    chain = begin(home)
    for step, path in (
        (Step("r", ("generate", "--to", "new"), dataset="new"), home / "data/new"),
        (Step("t", ("train", "one", "--to", "run"), runs=("run",)), home / "runs/run"),
        (chain.steps[1], home / "data/kept"),
        (chain.steps[0], home / "runs/loop/gaps.json"),
    ):
        path.mkdir(parents=True)
        (path / "mine.txt").write_text("mine")
        with pytest.raises(TargetExists, match=f"Step {step.name} of .* did not make it: move it away"):
            work(replace(chain, steps=(step,)), Console())
        assert (path / "mine.txt").read_text() == "mine"
        shutil.rmtree(path)
    # Nor is what was put there by hand after a step failed and left nothing.
    none = Step("none", ("filter", "one", "--where", "x>9", "-y", "--to", "kept"), dataset="kept")
    with pytest.raises(StudioError, match="No episode passes"):
        work(replace(chain, steps=(none,)), Console())
    shutil.copytree(home / "data/two", home / "data/kept")
    with pytest.raises(TargetExists, match="kept already exists"):
        work(replace(chain, steps=(none,)), Console())


def test_two_never_work_on_one_chain(home: Path) -> None:
    chain = begin(home)
    with if_free(chain.folder / LOCK) as ours:
        assert ours is not None
        with pytest.raises(UsageError, match="Somebody is working"):
            work(chain, Console())
    assert len(chain.left) == 4


def test_what_was_begun_is_gone_on_with_in_its_command_s_way(home: Path) -> None:
    left = home / "left"
    record = Step("r", ("generate", "--to", "one"), dataset="one")
    assert going_on(record, left) == ("generate", "--to", "one", "--resume")
    (home / "data/empty").mkdir()
    fresh = Step("r", ("generate", "--to", "empty"), dataset="empty")
    assert going_on(fresh, left) == ("generate", "--to", "empty")
    (home / "data/empty").mkdir()
    (home / "data/empty/note.txt").write_text("mine")
    assert going_on(fresh, left) == ("generate", "--to", "empty")
    assert (home / "data/empty.left-1/note.txt").read_text() == "mine"
    train = Step("t", ("train", "one", "--to", "run"), runs=("run",))
    assert going_on(train, left) == train.words
    run = home / "runs/run"
    run.mkdir(parents=True)
    (run / "run.json").write_text(json.dumps(TOLD | {"state": "running"}))
    assert going_on(train, left) == train.words
    assert not run.exists()
    assert (left / "run.left-1/run.json").is_file()
    run.mkdir()
    (run / "run.json").write_text(json.dumps(TOLD | {"state": "done"}))
    assert going_on(train, left) is None
    series = Step("t", ("train", "one", "--train-seeds", "2", "--to", "run"), runs=("run-seed0", "run-seed1"))
    assert going_on(series, left) == series.words


TOLD = {
    "name": "run", "group": "run", "policy": "act", "seed": 0, "steps": 1, "recipe": {},
    "dataset": {"path": "", "name": "", "fingerprint": "", "episodes": 0, "episode_ids": []},
}  # fmt: skip
