"""The train form: what preflight finds is shown with what mends it, and nothing starts while it refuses."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from studio.cli import parsed
from studio.jobs import Jobs
from studio.tui.state import Place
from studio.tui.train_form import GO_ON, Training, WrongAnswer, preflight_words, questions, words_of
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, settled, text_of, until
from tests.screens.trainings import made


def answers(begin: Training = Training(), **said: str) -> dict[str, str]:
    return {question.name: question.value for question in questions(begin)} | said


@pytest.mark.parametrize("size", SIZES)
async def test_errors_refuse_and_name_what_mends_them(
    open_studio: Open, shelf: Path, tmp_path: Path, size: str
) -> None:
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(shelf, Place("train", shelf / "pos2"), jobs=jobs, size=SIZES[size], notes=False) as pilot:
        await until(pilot, lambda: "Nothing is started" in text_of(pilot.app), seconds=120)
        snapshots.matches(pilot.app, f"train-{size}")
        assert "✗ " in text_of(pilot.app)
        assert "→ " in text_of(pilot.app)
        await press(pilot, "enter")
        assert "› train ›" in text_of(pilot.app)
        assert jobs.all() == []


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("dataset", "", "Name the dataset"),
        ("to", " ", "Name the training"),
        ("to", "there", "there is there already"),
        ("to", "jobs", "cannot name a training"),
        ("steps", "many", "'many' is not a whole number of at least 1"),
        ("batch_size", "0", "'0' is not a whole number of at least 1"),
        ("where", "x<<3", "x<<3"),
    ],
)
async def test_a_wrong_answer_is_named_at_its_field(
    open_studio: Open, shelf: Path, tmp_path: Path, field: str, value: str, says: str
) -> None:
    (tmp_path / "runs/there").mkdir(parents=True)
    async with open_studio(shelf, Place("train", shelf / "pos2"), notes=False) as pilot:
        pilot.app.screen.query_one(f"#{field}").value = value
        await settled(pilot)
        told = pilot.app.screen.query_one(f"#wrong-{field}")
        assert told.display
        assert says in str(told.render())
        assert "cannot be trained yet" in text_of(pilot.app)
        await press(pilot, "enter")
        assert "› train" in text_of(pilot.app).splitlines()[0]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [("more", "chunk", "not KEY=VALUE"), ("resize", "small", "not HEIGHTxWIDTH"), ("dataset", "nobody", "nobody")],
)
async def test_what_the_command_refuses_is_told(
    open_studio: Open, shelf: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: str, says: str
) -> None:
    monkeypatch.setattr("studio.tui.train.WAIT_S", 0.01)
    async with open_studio(shelf, Place("train", shelf / "pos2"), notes=False) as pilot:
        pilot.app.screen.query_one(f"#{field}").value = value
        told = pilot.app.screen.query_one(f"#wrong-{field}")
        await until(pilot, lambda: told.display and says in str(told.render()), seconds=60)
        assert says.split()[-1] in text_of(pilot.app), "it is in sight"


async def test_a_training_that_stopped_is_offered_to_go_on(open_studio: Open, shelf: Path, tmp_path: Path) -> None:
    made(tmp_path / "runs", shelf / "pos2", "mine", reached=400, kept=(200, 400), state="stopped")
    made(tmp_path / "runs", shelf / "pos2", "lost", reached=400, state="stopped")
    jobs = Jobs(tmp_path / "runs")
    begin = Place("train", None, Training(resume="mine"))
    async with open_studio(shelf, begin, jobs=jobs, notes=False, size=(200, 50)) as pilot:
        shown = " ".join(text_of(pilot.app).split())
        assert "goes on from checkpoint 000400" in shown
        assert "$ studio train --resume mine" in shown
        assert "Ready: Enter goes on" in shown
        pilot.app.screen.query_one("#resume").value = "lost"
        await settled(pilot)
        assert "It has no whole checkpoint" in text_of(pilot.app)
        await press(pilot, "enter")
        assert jobs.all() == []


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "train pos2 --to act-pos2"),
        ({"policy": "diffusion", "steps": "200", "batch_size": "4", "seed": "3", "train_seeds": "3"},
         "train pos2 --policy diffusion --steps 200 --batch-size 4 --seed 3 --to act-pos2 --train-seeds 3"),
        ({"weights": "hf:lerobot/smolvla_base", "where": "x<0.3 -lazy", "device": "cpu", "cache": "yes"},
         "train pos2 --weights hf:lerobot/smolvla_base '--where=x<0.3 -lazy' --device cpu --cache --to act-pos2"),
        ({"preset": "cpu-image", "resize": "96x128", "more": "a=1 b.c=2"},
         "train pos2 --preset cpu-image --resize 96x128 --set a=1 b.c=2 --to act-pos2"),
    ],
)  # fmt: skip
def test_answers_are_words_that_the_commands_take(
    said: dict[str, str], line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = words_of(answers(Training(Path("datasets/pos2")), **said))
    assert words == shlex.split(line)
    _, train = parsed(words[0], words[1:])
    asked = preflight_words(answers(Training(Path("datasets/pos2")), **said))
    _, preflight = parsed(asked[0], asked[1:])
    assert train.training == preflight.training, "what preflight looks at is what is trained"
    assert preflight.json


def test_going_on_takes_more_steps(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "runs", shelf / "pos2", "mine", reached=40)
    words = words_of(answers(kind=GO_ON, resume="mine", steps="900"))
    assert words == ["train", "--resume", "mine", "--steps", "900"]
    with pytest.raises(WrongAnswer, match="There is no training yours"):
        words_of(answers(kind=GO_ON, resume="yours"))


async def test_a_filter_of_the_library_is_taken_along(open_studio: Open, shelf: Path) -> None:
    async with open_studio(shelf, Place("library", shelf / "pos2")) as pilot:
        pilot.app.screen.query_one("#filter").value = "success x<0.3"
        await press(pilot, "l")
        assert "› train › pos2" in text_of(pilot.app)
        assert pilot.app.screen.query_one("#where").value == "success x<0.3"
