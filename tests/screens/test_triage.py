"""Triage: episodes by score, a person's word with one key, and nothing that is lost by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from classifiers.card_file import CARD
from classifiers.card_json import card_json
from curation.layout import json_bytes
from curation.library import entries
from curation.notes import Note, add_notes, read_notes
from curation.store import Store
from curation.verdicts import Verdict, verdict
from studio.jobs import Jobs
from studio.tui.courses import Course, Courses
from studio.tui.state import Place
from studio.tui.widgets.film_strip import FilmStrip
from studio.tui.widgets.rows import Rows
from tests.classifiers.test_card import made
from tests.classifiers.toys import toy
from tests.screens import snapshots
from tests.screens.conftest import SIZES, Open, press, text_of, typed, until
from tests.studio.conftest import Studio, studio

assert studio
BY = made().classifier
SCORES = (0.97, 0.04, 0.91, 0.83, 0.47, 0.08, 0.99, 0.31, 0.88, 0.02, 0.62, 0.55)
"""Of twelve episodes, of which the even ones succeed: 3, 4 and 11 are on the wrong side of one half."""
BEST_FIRST = [6, 0, 2, 8, 3, 10, 11, 4, 7, 5, 1, 9]


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data home with a dataset that a classifier has scored. Do not change it."""
    home = tmp_path_factory.mktemp("scored")
    toy(home / "tries", len(SCORES), operator="fumbler")
    add_notes(home / "tries", [Note(f"tries-{at}", "score", said, BY) for at, said in enumerate(SCORES)])
    return home


@pytest.fixture
def own(scored: Path, tmp_path: Path) -> Path:
    """The same dataset for a test to change, in a data home of its own, and the classifier's card."""
    folder = tmp_path / "runs/done"
    folder.mkdir(parents=True)
    (folder / CARD).write_bytes(json_bytes(card_json(made())))
    return Path(shutil.copytree(scored / "tries", tmp_path / "own/tries"))


def said(root: Path) -> dict[int, str]:
    """Every verdict, by the episode's number."""
    return {entry.index: told.value for entry in entries(root) if (told := verdict(entry)) and entry.index is not None}


def listed(app: Any) -> list[int]:
    return [entry.index for entry in app.screen.query_one(Rows).items]


def words(app: Any) -> str:
    return " ".join(text_of(app).split())


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The classifier is not asked for its curve: that takes a process with PyTorch."""
    monkeypatch.setattr("studio.tui.triage.SETTLE_S", 1e6)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.usefixtures("unasked")
async def test_by_score_with_pictures_card_and_curve(open_studio: Open, own: Path, size: str) -> None:
    async with open_studio(own.parent, Place("triage", own), size=SIZES[size], notes=False) as pilot:
        await press(pilot, "a", "x", "r", "down")
        strip = pilot.app.screen.query_one(FilmStrip)
        await until(pilot, lambda: strip.done and "3 of 12 looked at" in text_of(pilot.app))
        assert "done looks at it ..." in text_of(pilot.app)
        asked = Courses(own, BY, lambda: None)
        asked.known["tries-3"] = Course(tuple(range(4, 45, 4)), tuple(0.08 * at for at in range(11)), 36, 0.8)
        pilot.app.screen._curve.asked = asked
        pilot.app.screen._show_course()
        await until(pilot, lambda: "│ done at 1.2 s" in text_of(pilot.app))
        snapshots.matches(pilot.app, f"triage-{size}")
        assert (strip.shown[0], strip.shown[-1]) == (0, 44)
        assert "28 of 30 79-98 %" in words(pilot.app)


@pytest.mark.usefixtures("unasked")
async def test_one_key_decides_and_goes_on_and_undo_gives_back(open_studio: Open, own: Path) -> None:
    add_notes(own, [Note("tries-0", "score", 0.25, "ann")])
    before = [episode.row for episode in Store.open(own).episodes]
    async with open_studio(own.parent, Place("triage", own)) as pilot:
        assert listed(pilot.app) == BEST_FIRST
        assert "1 of 12 looked at" in text_of(pilot.app)
        await press(pilot, "a", "a", "r", "x")
        assert said(own) == {6: "accepted", 0: "accepted", 2: "rejected", 8: "undecided"}
        assert "4 of 12 looked at" in text_of(pilot.app)
        assert listed(pilot.app) == BEST_FIRST, "what one is going through does not move"
        await press(pilot, "u", "u", "u")
        assert {entry.index: entry.scored_by for entry in entries(own)}[0] == "ann"
        assert said(own) == {6: "accepted", 0: "rejected"}
        assert {entry.index: entry.score for entry in entries(own)}[0] == 0.25, "what ann said counts again"
        assert pilot.app.screen.query_one(Rows).item.index == 0
        await press(pilot, "u", "u")
        assert said(own) == {0: "rejected"}
    assert [episode.row for episode in Store.open(own).episodes] == before
    assert all(entry.state == "saved" for entry in entries(own))
    assert [note.by for note in read_notes(own) if note.value == 0.25] == ["ann", "ann"]


@pytest.mark.usefixtures("unasked")
async def test_disputed_doubtful_and_unseen_ones_are_found(open_studio: Open, own: Path) -> None:
    async with open_studio(own.parent, Place("triage", own, "x<0.4"), notes=False) as pilot:
        await press(pilot, "d")
        assert listed(pilot.app) == [3, 11, 4]
        assert "≠ 3 only" in text_of(pilot.app)
        assert "0 of 3 looked at" in text_of(pilot.app)
        await press(pilot, "s", "s")
        assert listed(pilot.app) == [4, 11, 3], "the most doubtful first"
        await press(pilot, "d", "h", "x", "a")
        assert listed(pilot.app)[:3] == [10, 7, 3], "whoever was looked at is gone, the next one is there"
        assert "2 of 12 looked at" in text_of(pilot.app)
        await press(pilot, "slash", *["backspace"] * 5)
        await typed(pilot, "score>0.9")
        assert set(listed(pilot.app)) == {0, 2, 6}


@pytest.mark.usefixtures("unasked")
async def test_f_asks_for_the_filter_with_what_was_decided(open_studio: Open, own: Path, tmp_path: Path) -> None:
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(own.parent, Place("library", own), jobs=jobs, size=(200, 50), notes=False) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "index>2")
        await press(pilot, "enter", "s")
        assert "› triage › tries" in text_of(pilot.app).splitlines()[0]
        assert listed(pilot.app) == [at for at in BEST_FIRST if at > 2]
        await press(pilot, "r", "end", "a", "f")
        await until(pilot, lambda: "Ready" in text_of(pilot.app))
        shown = text_of(pilot.app)
        line = shown[shown.index("$ studio") + 2 :].splitlines()[0].strip()
        assert line.startswith("studio filter datasets/tries '--where=index>2 score>=0.5'")
        await press(pilot, "enter")
        (job,) = jobs.all()
        assert job.command == line
        await until(pilot, lambda: jobs.get(job.id).state.over)
    made = entries(tmp_path / "datasets/tries-edited")
    kept = {int(entry.episode_id.removeprefix("tries-")) for entry in made}
    good = {at for at, score in enumerate(SCORES) if at > 2 and score >= 0.5}
    assert kept == good - {6} | {9}


async def test_without_a_card_nothing_is_promised(open_studio: Open, own: Path, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "runs/done")
    async with open_studio(own.parent, Place("triage", own), notes=False) as pilot:
        card = str(pilot.app.screen.query_one("#triage-card").render())
        assert "! Its calibration card cannot be read" in card
        assert "no curve without the classifier" in text_of(pilot.app)


def test_the_command_line_lists_and_decides_the_same(
    studio: Studio, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_RUNS", str(own.parent.parent / "runs"))

    def told(*asked: str) -> list[dict[str, Any]]:
        return list(json.loads(studio("episodes", str(own), *asked, "--json").out))

    assert [one["index"] for one in told("--sort", "score")] == BEST_FIRST
    assert [one["index"] for one in told("--sort", "doubt", "--disputed")] == [4, 11, 3]
    assert studio("note", str(own), "3", "--score", "0").code == 0
    assert studio("note", str(own), "4", "5", "--undecided").code == 0
    assert said(own) == {3: "rejected", 4: "undecided", 5: "undecided"}
    assert [one["index"] for one in told("--where", "looked")] == [3, 4, 5]
    assert len(told("--where=-looked")) == 9
    assert "3 of 12 looked at" in studio("episodes", str(own)).out
    assert "rejected; judge says failure" in studio("episodes", str(own), "--disputed").out
    assert studio("note", str(own), "3", "4", "--take-back").code == 0
    assert said(own) == {5: "undecided"}
    assert {one["index"]: one["score"] for one in told()}[3] == 0.83, "the classifier's score counts again"
    refused = studio("note", str(own), "3", "--undecided", "--score", "1")
    assert (refused.code, "different things" in refused.err) == (2, True)
    refused = studio("episodes", str(own), "--disputed", "--no-lazy")
    assert (refused.code, "leave other filters" in refused.err) == (2, True)


def test_the_word_of_the_classifier_that_kept_a_take_counts_until_somebody_knows_better(tmp_path: Path) -> None:
    referee = {"by": BY, "probability": 0.9, "threshold": 0.5, "accepts": True}
    toy(tmp_path / "kept", 3, length=5, extra={"referee": referee})
    toy(tmp_path / "odd", 1, length=5, extra={"referee": {"by": BY}})
    add_notes(tmp_path / "kept", [Note("kept-1", "score", 0.0, "ann"), Note("kept-2", "score", 0.3, BY)])
    found = [(one.score, one.scored_by, one.predicted) for one in entries(tmp_path / "kept")]
    assert found == [(0.9, BY, 0.9), (0.0, "ann", 0.9), (0.3, BY, 0.3)]
    assert [one.score for one in entries(tmp_path / "odd")] == [None]


async def test_a_real_classifier_scores_and_says_when_it_is_done(
    open_studio: Open, tmp_path: Path, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trained, carded and asked by the real commands; its curve comes from a process of its own."""
    import torch

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    home = tmp_path / "home"
    toy(home / "attempts", 24)
    toy(home / "others", 4, operator="somebody", session=9)
    done = studio("classifier", str(home / "attempts"), "--epochs", "1", "--no-controls", "--to", "done")
    assert done.code == 0, done.err
    assert studio("score", str(home / "others"), "--by", "done").code == 0
    torch.set_num_threads(threads)
    async with open_studio(home, Place("triage", home / "others"), size=(120, 40), notes=False) as pilot:
        best = pilot.app.screen.query_one(Rows).items[0]
        await until(pilot, lambda: "how sure it is of" in text_of(pilot.app), seconds=120)
        asked = pilot.app.screen._curve.asked
        course = asked.known[best.episode_id]
        assert course.frames[-1] == 43, "a look; the end is the frame after"
        assert course.end == pytest.approx(best.predicted, abs=0.02)
        await until(pilot, lambda: len(asked.known) == 4, seconds=60)
    only = json.loads(studio("score", str(home / "others"), "--by", "done", "--frames", "--only", "1", "--json").out)
    assert [one["episode_id"] for one in only["episodes"]] == ["others-1"]
    assert Verdict.ACCEPTED not in {verdict(entry) for entry in entries(home / "others")}
