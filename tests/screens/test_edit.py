"""The edit screen shows what the command would do, and starts just that."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from curation.errors import UsageError
from studio.cli import parsed
from studio.jobs import Jobs
from studio.tui import asking, edit
from studio.tui.edit_form import CHOOSE, DROP, FILTER, SPLIT, TRIM, Edit, questions, words_of
from studio.tui.state import Place
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, typed, until


def place(shelf: Path, *names: str, **said: object) -> Place:
    roots = tuple(Path("datasets") / name for name in names)
    return Place("edit", shelf / names[0], Edit(roots, **said))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", SIZES)
async def test_what_would_become_of_it(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, place(shelf, "pos2", where="success x<0.3"), size=SIZES[size]) as pilot:
        await until(pilot, lambda: "Ready" in text_of(pilot.app))
        snapshots.matches(pilot.app, f"edit-{size}")


async def test_enter_starts_the_command_that_is_shown(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(shelf, place(shelf, "pos2"), jobs=jobs, size=(200, 50)) as pilot:
        await press(pilot, "down", "down")
        await typed(pilot, "success")
        await until(pilot, lambda: "Ready" in text_of(pilot.app))
        shown = text_of(pilot.app)
        assert "missed_goal" in shown
        line = shown[shown.index("$ studio") + 2 :].splitlines()[0].strip()
        await press(pilot, "enter")
        assert "jobs" in text_of(pilot.app).splitlines()[0]
        (job,) = jobs.all()
        assert job.command == line
        await until(pilot, lambda: jobs.get(job.id).state.over)
        assert jobs.get(job.id).code == 0, job.log()
    assert (tmp_path / "datasets/pos2-edited/meta/info.json").is_file()
    import shutil

    shutil.rmtree(tmp_path / "datasets/pos2-edited")


@pytest.mark.parametrize(
    ("also", "far", "words"),
    [("", "x", "farther-than"), ("", "0.07", "from what"), ("nobody", "", "nobody"), ("pos2", "", "twice")],
)
async def test_what_would_be_refused_is_named(open_studio: Open, shelf: Path, also: str, far: str, words: str) -> None:
    async with open_studio(shelf, place(shelf, "pos2")) as pilot:
        await press(pilot, "down")
        await typed(pilot, also)
        await press(pilot, "down", "down")
        await typed(pilot, far)
        await pilot.pause(0.4)
        await settled(pilot)
        shown = " ".join(text_of(pilot.app).split())
        assert words in shown
        assert "Ready" not in shown
        await press(pilot, "enter")
        assert "› edit" in text_of(pilot.app).splitlines()[0]


async def test_marked_episodes_are_dropped_and_the_filter_is_taken_along(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2"), size=(200, 50)) as pilot:
        await until(pilot, lambda: "id-0" in text_of(pilot.app) or "keyboard" in text_of(pilot.app))
        await press(pilot, "space", "e")
        await until(pilot, lambda: "Ready" in text_of(pilot.app))
        shown = text_of(pilot.app)
        assert "studio drop datasets/pos2 id-0 --to pos2-edited -y" in shown
        assert "- 1 episodes of pos2 are left out" in shown
        snapshots.matches(pilot.app, "edit-drop-200x50")


def test_a_look_at_a_plan_leaves_the_output_of_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other threads print is not swallowed while answers are read."""
    outputs: list[object] = []
    real = asking.subprocess.Popen

    def run(*words: Any, **more: Any) -> Any:
        outputs.append((sys.stdout, sys.stderr))
        return real(*words, **more)

    monkeypatch.setattr(asking.subprocess, "Popen", run)
    before = (sys.stdout, sys.stderr)
    with pytest.raises(UsageError, match="farther-than"):
        edit.preview_of(["merge", "a", "--farther-than", "x", "--to", "b"], narrow=True)
    assert outputs == [before]


def answers_of(edit: Edit, **said: str) -> dict[str, str]:
    return {question.name: question.value for question in questions(edit)} | said


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "merge a --to a-edited -y"),
        (
            {"kind": CHOOSE, "also": "b c", "where": "-lazy success", "far": "0.07", "others": "b", "copies": "yes"},
            "merge a b c '--where=-lazy success' --from b --farther-than 0.07 --no-duplicates --to a-edited -y",
        ),
        ({"gripper": "0..100:0..1", "rename": "x:y u:v", "leave": "k", "allow": "scene", "twice": "first"},
         "merge a --gripper 0..100:0..1 --rename x:y u:v --drop-feature k --allow scene --duplicates first "
         "--to a-edited -y"),
        ({"relabel": "pick it up", "reencode": "yes"}, "merge a --relabel 'pick it up' --reencode --to a-edited -y"),
        ({"kind": FILTER, "where": "score>=0.5", "controls": "both", "near": "0.3 0 0.1"},
         "filter a '--where=score>=0.5' --near 0.3 0 0.1 --controls both --to a-edited -y"),
        ({"kind": TRIM, "trim": "after success", "amount": "0.5"}, "trim a --after-success 0.5 --to a-edited -y"),
        ({"kind": TRIM, "trim": "phase", "amount": "reach lift"}, "trim a --phase reach lift --to a-edited -y"),
        ({"kind": SPLIT}, "split a train=0.8 test=0.2 --together episode --seed 0 --to a-edited -y"),
        ({"kind": DROP}, "drop a id-1 id-2 --to a-edited -y"),
    ],
)  # fmt: skip
def test_answers_are_words_that_the_command_takes(said: dict[str, str], line: str) -> None:
    edit = Edit((Path("a"),), marked=("id-1", "id-2"))
    words = words_of(edit, answers_of(edit, **{"kind": CHOOSE, **said}))
    assert words == shlex.split(line)
    _, options = parsed(words[0], words[1:])
    assert (options.into.to, options.into.yes) == ("a-edited", True)


def test_what_is_missing_is_named() -> None:
    edit = Edit((Path("a"),))
    with pytest.raises(UsageError, match="Name the new dataset"):
        words_of(edit, answers_of(edit, to=" "))
    with pytest.raises(UsageError, match="How much"):
        words_of(edit, answers_of(edit, kind=TRIM, amount=" "))
