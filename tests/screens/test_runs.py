"""The ledger on screen: what was trained on what, what came of it, what differs, and the way on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from curation.errors import UsageError
from studio import cli
from studio.jobs import Jobs
from studio.tui.runs_read import RunsRead, filtered
from studio.tui.state import Place
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, typed, until
from tests.screens.trainings import GONE, grow, made
from tests.training.evaluations import write_evaluation

RUNS = Place("runs")


@pytest.fixture
def runs(shelf: Path, tmp_path: Path) -> Path:
    """Five trainings in every state with two evaluations, and a folder that is damaged."""
    home, data = tmp_path / "runs", shelf / "pos2"
    first = made(home, data, "first", reached=2000, kept=(1000, 2000), group="recipe", minute=1)
    made(home, data, "near", reached=700, kept=(700,), state="stopped", where="x<0.3", seed=1, minute=2)
    made(home, data, "gone", reached=300, kept=(200,), state="running", pid=GONE, minute=3)
    made(home, data, "out-of-memory", state="failed", minute=4)
    made(home, data, "now", reached=1240, kept=(1000,), state="running", pid=os.getpid(), minute=5)
    same = {"group": "recipe", "scene": first.read()["scene"]}
    write_evaluation(home, "first", [index % 3 > 0 for index in range(60)], key="k1", step=1000, **same)
    write_evaluation(home, "first", [index % 5 > 0 for index in range(40)], key="k2", step=2000, **same)
    (home / "torn").mkdir()
    (home / "torn/run.json").write_text('{"version')
    (home / "first/evaluations/bad").mkdir()
    (home / "first/evaluations/bad/evaluation.json").write_text("[")
    return home


def words(app: object) -> str:
    return " ".join(text_of(app).split())


async def to(pilot: Any, name: str) -> None:
    """Put the cursor on a line."""
    await press(pilot, "home")
    for _ in range(20):
        if pilot.app.screen.chosen.folder.name == name:
            return
        await press(pilot, "down")
    raise AssertionError(f"{name} is not listed")


@pytest.mark.parametrize("size", SIZES)
async def test_the_ledger(open_studio: Open, shelf: Path, runs: Path, size: str) -> None:
    async with open_studio(shelf, RUNS, size=SIZES[size]) as pilot:
        snapshots.matches(pilot.app, f"runs-{size}")
        shown = text_of(pilot.app)
        for state in ("done", "stopped", "killed", "failed", "running", "damaged"):
            assert state in shown
        assert "32 of 40   65-90 %" in shown
        assert "40 of 60   54-77 %" in shown


async def test_nothing_yet_names_the_next_step(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, RUNS) as pilot:
        snapshots.matches(pilot.app, "runs-empty-80x24")
        assert "studio train DATASET --to NAME" in text_of(pilot.app)
        await press(pilot, "space", "d", "s", "r", "m")
        await press(pilot, "n")
        assert "› train" in text_of(pilot.app)


async def test_the_filter(open_studio: Open, shelf: Path, runs: Path) -> None:
    async with open_studio(shelf, RUNS, size=(120, 30)) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "state:stopped")
        assert [entry.folder.name for entry in pilot.app.screen.query_one("#runs").items] == ["near"]
        pilot.app.screen.query_one("#filter").value = "colour:red"
        await settled(pilot)
        assert "There is no colour: to filter by" in text_of(pilot.app)
        pilot.app.screen.query_one("#filter").value = "first kind:evaluation"
        await settled(pilot)
        assert "0 trainings · 3 evaluations" in text_of(pilot.app)


async def test_what_differs_is_what_the_command_says(
    open_studio: Open, shelf: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_studio(shelf, RUNS) as pilot:
        await to(pilot, "near")
        await press(pilot, "space")
        await to(pilot, "first")
        await press(pilot, "space", "d")
        snapshots.matches(pilot.app, "runs-diff-80x24")
        shown = words(pilot.app)
        await press(pilot, "escape")
        assert "› runs" in text_of(pilot.app)
    assert cli.run(["runs", "near", "first"]) == 0
    said = [
        line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith(("recipe.", "dataset."))
    ]
    assert said
    assert all(name in shown for name in said)
    assert "Too few trainings of near (1) and recipe (1)" in shown.replace("│ │ ", "").replace(" │ │", "")


async def test_lines_lead_to_their_screens(open_studio: Open, shelf: Path, runs: Path) -> None:
    async with open_studio(shelf, RUNS) as pilot:
        for name, screen in (("near", "training › near"), ("torn", "training › torn"), ("k1", "evaluation"),
                             ("bad", "evaluation")):  # fmt: skip
            await to(pilot, name)
            await press(pilot, "enter")
            assert f"› {screen}" in text_of(pilot.app).splitlines()[0]
            await press(pilot, "escape")
            assert "› runs" in text_of(pilot.app).splitlines()[0]
        await to(pilot, "k2")
        await press(pilot, "e")
        assert "› evaluate" in text_of(pilot.app).splitlines()[0]
        assert "first@002000" in words(pilot.app)


async def test_keys_start_the_commands_that_they_name(
    open_studio: Open, shelf: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []

    class Started:
        id = "job-1"

    monkeypatch.setattr(Jobs, "start", lambda self, argv: started.append(list(argv)) or Started())
    async with open_studio(shelf, RUNS, notes=False) as pilot:
        await to(pilot, "near")
        await press(pilot, "r", "escape")
        await to(pilot, "first")
        await press(pilot, "m", "escape")
        await to(pilot, "now")
        await press(pilot, "r", "m")
        await to(pilot, "torn")
        await press(pilot, "r", "m", "s", "e", "space")
    assert started == [["train", "--resume", "near"], ["report", "first"]], (
        "others have nothing to go on with or report"
    )


async def test_a_process_that_trains_nothing_is_never_stopped(open_studio: Open, shelf: Path, runs: Path) -> None:
    async with open_studio(shelf, RUNS) as pilot:
        await to(pilot, "now")
        await press(pilot, "s")
        assert "is not being trained on this machine" in words(pilot.app).replace("▌ ", "")


async def test_what_changes_on_disk_is_seen(
    open_studio: Open, shelf: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.runs_screen.POLL_S", 0.2)
    async with open_studio(shelf, RUNS) as pilot:
        await to(pilot, "near")
        made(runs, shelf / "pos2", "another", reached=40, state="stopped", minute=9)
        await until(pilot, lambda: "another" in text_of(pilot.app))
        assert pilot.app.screen.chosen.folder.name == "near"


def test_only_what_changed_is_read_again(runs: Path, shelf: Path) -> None:
    ledger = RunsRead(runs)
    before = {entry.folder: entry for entry in ledger.entries()}
    changed = next(entry.line for entry in before.values() if entry.folder.name == "near")
    assert changed is not None
    time.sleep(0.01)
    grow(changed.run, 700, 800)
    after = {entry.folder: entry for entry in ledger.entries()}
    read_again = {folder.name for folder, entry in after.items() if before[folder] is not entry}
    assert read_again == {"near", "now"}, "what runs is looked at anew, for its process may be gone"
    assert after[changed.run.folder].line.step == 800  # type: ignore[union-attr]


def test_a_filter_is_words_that_occur(runs: Path) -> None:
    entries = RunsRead(runs).entries()

    def fitting(text: str) -> list[str]:
        return [entry.folder.name for entry in entries if filtered(text)(entry)]

    assert fitting("gone") == ["gone"]
    assert fitting("state:damaged kind:training") == ["torn"]
    assert fitting("run:first kind:training") == ["first"]
    assert len(fitting("")) == len(entries)
    with pytest.raises(UsageError, match="run:, policy:"):
        filtered("colour:red")
