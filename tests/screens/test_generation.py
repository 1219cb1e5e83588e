"""The screens of generation: asked for, followed attempt by attempt, with the yield of every position."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.layout import ATTEMPTS, NOTES, SESSION_LOCK
from curation.notes import Note, add_notes
from curation.rates import wilson
from curation.video import Encoding
from recorders.session import Session
from recorders.world.scene import Scene
from studio import yielding
from studio.cli import parsed
from studio.jobs import Jobs
from studio.tui.generate_form import questions, words_of
from studio.tui.generation_sight import GenerationWatch, shades_of, spots_of
from studio.tui.state import Place
from studio.tui.train_form import WrongAnswer
from studio.yield_words import disagreements, refusals
from tests.screens import snapshots
from tests.screens.conftest import NOW, SIZES, Open, make_set, press, text_of, until
from tests.studio.conftest import Studio, studio

assert studio
CLASSIFIER = "classifier:done@0123456789ab"
TARGETS = [["near", 0.24, 0.05, None], ["far", 0.34, 0.0, None], ["left", 0.28, 0.18, None], ["late", 0.2, -0.05, None]]
ASKED = {
    "operator": "policy:act-pos2@002000", "keep": CLASSIFIER, "audit": 0.5,
    "placements": {"kind": "targets", "targets": TARGETS, "seed": 7},
}  # fmt: skip
SAID = (0.91, 0.02, 0.88, 0.93, 0.11, 0.64, 0.07, 0.97, 0.52, 0.95, 0.31, 0.9, 0.04, 0.83)
TRUTH = "ssdsmsnshsdsms"
"""Outcomes in turn, by their first letters: of attempts 1, 2 and 8 the classifier says otherwise."""
OUTCOMES = {
    "s": "success",
    "d": "dropped_in_transport",
    "m": "missed_goal",
    "n": "never_reached",
    "h": "held_at_timeout",
}


def episode_id(attempt: int) -> str:
    """Of the accepted ones as `make_set` counts them."""
    accepted = [at for at, said in enumerate(SAID) if said >= 0.5]
    return f"id-{accepted.index(attempt)}" if attempt in accepted else f"gone-{attempt}"


def line(attempt: int) -> dict[str, Any]:
    """One attempt as the recorder logs it, at the first three targets in turn; every other one is audited."""
    name, x, y, _ = TARGETS[attempt % 3]
    kept = SAID[attempt] >= 0.5
    referee = {"by": CLASSIFIER, "probability": SAID[attempt], "threshold": 0.5, "accepts": kept}
    why = "" if kept else f"{CLASSIFIER}: {SAID[attempt]:.2f}, asked 0.5"
    return {
        "attempt": attempt, "episode_id": episode_id(attempt), "seed": attempt, "operator": ASKED["operator"], "x": x,
        "y": y, "target": name, "asked": [x, y], "keep": CLASSIFIER, "audited": attempt % 2 == 0, "status": "stopped",
        "outcome": OUTCOMES[TRUTH[attempt]], "referee": referee, "kept": kept, "why": why,
    }  # fmt: skip


LINES = [json.dumps(line(attempt)) + "\n" for attempt in range(len(SAID))]


@pytest.fixture
def tries(tmp_path: Path) -> Path:
    """A dataset that such attempts go into, with as many episodes as were accepted."""
    root = make_set(tmp_path / "own/tries", ("success",) * 9, changed=NOW)
    (root / ATTEMPTS).write_text("".join(LINES))
    (root / NOTES).unlink()
    write_yield(root)
    return root


def write_yield(root: Path, **told: Any) -> None:
    one = yielding.Found(ASKED, None, False, (), yielding.total([], {}, set()), wanted=20)
    yielding.write(root, replace(one, **told))


def words(app: Any) -> str:
    return " ".join(text_of(app).split())


@pytest.mark.parametrize("size", SIZES)
async def test_yield_by_position(open_studio: Open, tries: Path, size: str) -> None:
    write_yield(tries, precision=0.5)
    async with open_studio(tries.parent, Place("generation", tries), size=SIZES[size]) as pilot:
        await until(pilot, lambda: "14 of 20 attempts" in text_of(pilot.app))
        snapshots.matches(pilot.app, f"generation-{size}")
        shown = words(pilot.app)
        assert "accepted 64 % 9 of 14 39-84 %" in shown
        assert "precision 33 % 1 of 3 6-79 %" in shown
        assert "done below 0.5" in shown
        await press(pilot, "m")
        assert "successes of judged attempts" in text_of(pilot.app)


async def test_attempts_are_followed_as_they_are_logged(
    open_studio: Open, tries: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.generation_screen.POLL_S", 0.1)
    log = tries / ATTEMPTS
    log.write_text("")
    async with open_studio(tries.parent, Place("generation", tries)) as pilot:
        assert "no attempt is made yet" in text_of(pilot.app)
        assert "● stopped" in text_of(pilot.app)
        with (tries / SESSION_LOCK).open("ab") as held:
            import fcntl

            fcntl.flock(held, fcntl.LOCK_EX)
            for count in (1, 8, 14):
                log.write_text("".join(LINES[:count]) + LINES[0][:40])
                await until(pilot, lambda count=count: f" {count} of 20 attempts" in text_of(pilot.app))
                kept = wilson(sum(said >= 0.5 for said in SAID[:count]), count)
                assert f"{kept.k} of {count} {100 * kept.low:.0f}-{100 * kept.high:.0f} %" in words(pilot.app)
                assert "● running" in text_of(pilot.app)
                assert "Another process makes it" in text_of(pilot.app)
        await until(pilot, lambda: "● stopped" in text_of(pilot.app))
        write_yield(tries, wanted=14)
        await until(pilot, lambda: "● done" in text_of(pilot.app))
        log.write_text('{"attempt": 0}\n')
        await until(pilot, lambda: "● damaged" in text_of(pilot.app))
        await press(pilot, "m", "z", "r", "s")
        assert pilot.app.crash is None


def test_only_audited_attempts_tell_the_truth_and_people_know_better(tries: Path) -> None:
    sight = GenerationWatch(tries).look()
    assert sight.found is not None
    every = sight.found.total
    audited = range(0, len(SAID), 2)
    assert (every.base.k, every.base.n) == (sum(TRUTH[at] == "s" for at in audited), 7)
    heard = [at for at in audited if SAID[at] >= 0.5]
    assert (every.precision.k, every.precision.n) == (sum(TRUTH[at] == "s" for at in heard), len(heard))
    assert refusals(sight.lines) == {"done below 0.5": 5}
    odd = disagreements(sight.lines)
    assert (odd.k, odd.n) == (sum((SAID[at] >= 0.5) != (TRUTH[at] == "s") for at in range(14)), 14)
    assert {kind for *_, kind, _ in spots_of(sight, "kept")} == {"saved", "mixed", "planned"}
    assert len(spots_of(sight, "kept")) == 4, "the position that nobody has tried yet is there too"
    assert len(shades_of(sight, "kept")) == 3
    add_notes(tries, [Note(episode_id(2), "score", 1.0, "person")])
    again = GenerationWatch(tries).look().found
    assert again is not None
    assert again.total.precision.k == every.precision.k + 1


def test_the_command_line_shows_the_same_yield_and_locks_nothing(
    studio: Studio, tries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = studio("yields", str(tries))
    assert (text.code, text.err) == (0, "")
    assert "14 of 20 attempts made" in text.out
    assert "not kept, done below 0.5: 5/14 [16-61 %]" in text.out
    told = json.loads(studio("yields", str(tries), "--json").out)
    assert told["total"]["base"]["n"] == 7
    assert not (tries / SESSION_LOCK).exists()
    make_set(tmp_path / "other", ("success",), changed=NOW)
    refused = studio("yields", "other")
    assert (refused.code, "holds no attempts of studio generate" in refused.err) == (3, True)


def test_who_looks_whether_it_is_recorded_does_not_stop_a_recording(tmp_path: Path) -> None:
    """The look holds the lock for a moment; whoever records waits for that."""
    import fcntl
    import threading

    scene = Scene(width=32, height=24)
    Session.create(tmp_path / "set", scene, Encoding()).close()
    with (tmp_path / "set" / SESSION_LOCK).open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        threading.Timer(0.1, lambda: fcntl.flock(held, fcntl.LOCK_UN)).start()
        Session.resume(tmp_path / "set", scene).close()


# The form


def answers(to: str = "tries", policy: str = "act", **said: str) -> dict[str, str]:
    return {question.name: question.value for question in questions(to, policy)} | said


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ({}, "generate --operator policy:act --at 0.337 -0.015 --attempts 100 --jitter 0.02 --to tries"),
        ({"operator": "fumbler", "where": "grid", "attempts": "32", "keep": "all", "precision": "0.5", "seed": "3"},
         "generate --operator fumbler --box 0.20 0.36 -0.10 0.25 --grid 4 4 --attempts 32 --keep all --precision 0.5 "
         "--jitter 0.02 --seed 3 --to tries"),
        ({"actions": "8", "where": "file", "file": "gaps.json", "keep": "classifier", "classifier": "done",
          "audit": "0.5", "precision": "0.6", "force": "yes", "jitter": "0", "limit": "5", "yaw": "45"},
         "generate --operator policy:act --n-action-steps 8 --targets gaps.json --attempts 100 --keep classifier:done "
         "--audit 0.5 --precision 0.6 --force --yaw 45 --limit 5 --to tries"),
    ],
)  # fmt: skip
def test_answers_are_words_that_the_command_takes(said: dict[str, str], line: str) -> None:
    words = words_of(answers(**said))
    assert words == shlex.split(line)
    parsed(words[0], words[1:])


@pytest.mark.parametrize(
    ("said", "field"),
    [({"to": " "}, "to"), ({"policy": ""}, "policy"), ({"keep": "classifier"}, "classifier"),
     ({"attempts": "x"}, "attempts"), ({"where": "file"}, "file")],
)  # fmt: skip
def test_what_is_missing_is_named_at_its_field(said: dict[str, str], field: str) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        words_of(answers(**said))
    assert wrong.value.field == field


@pytest.mark.parametrize("size", SIZES)
async def test_what_would_be_made_is_shown(open_studio: Open, shelf: Path, size: str) -> None:
    async with open_studio(shelf, Place("generate"), size=SIZES[size], notes=False) as pilot:
        screen = pilot.app.screen
        assert "Name the dataset" in words(pilot.app)
        for field, value in (("operator", "fumbler"), ("where", "grid"), ("to", "fresh"), ("attempts", "32")):
            screen.query_one(f"#{field}").value = value
        await until(pilot, lambda: "Ready: Enter generates" in text_of(pilot.app))
        snapshots.matches(pilot.app, f"generate-{size}")
        plan = str(screen.query_one("#form-plan").render())
        assert plan == "32 attempts at 16 positions, by fumbler, kept by success"


async def test_what_the_command_refuses_is_told_and_nothing_starts(
    open_studio: Open, shelf: Path, tmp_path: Path
) -> None:
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(shelf, Place("generate"), jobs=jobs, notes=False) as pilot:
        screen = pilot.app.screen
        for field, value in (("operator", "expert"), ("to", "fresh"), ("jitter", "9")):
            screen.query_one(f"#{field}").value = value
        await until(pilot, lambda: "outside 0 to 1" in words(pilot.app))
        assert screen.query_one("#wrong-jitter").display
        await press(pilot, "enter")
        assert "› generate" in text_of(pilot.app).splitlines()[0]
        assert jobs.all() == []


@pytest.mark.slow
async def test_started_followed_stopped_and_gone_on_with(open_studio: Open, tmp_path: Path, studio: Studio) -> None:
    """A real generation in a job, from the form to the end, stopped on the way."""
    home = tmp_path / "home"
    begun = ("--operator", "fumbler", "--at", "0.3", "0.1", "--jitter", "0.02", "--to", str(home / "tries"))
    assert studio("generate", *begun, "--attempts", "1", "--width", "32", "--height", "24").code == 0
    jobs = Jobs(tmp_path / "runs")
    async with open_studio(home, Place("generate", home / "tries"), jobs=jobs, notes=False) as pilot:
        screen = pilot.app.screen
        for field, value in (("operator", "fumbler"), ("where", "at"), ("attempts", "12")):
            screen.query_one(f"#{field}").value = value
        await until(pilot, lambda: "Ready: Enter goes on" in text_of(pilot.app))
        await press(pilot, "enter")
        await until(pilot, lambda: "● running" in text_of(pilot.app), seconds=120)
        await until(pilot, lambda: "2 of 12" in text_of(pilot.app), seconds=120)
        await press(pilot, "s")
        await until(pilot, lambda: "● stopped" in text_of(pilot.app), seconds=120)
        log = (home / "tries" / ATTEMPTS).read_text()
        await press(pilot, "r")
        await until(pilot, lambda: "● done" in text_of(pilot.app), seconds=300)
        lines = [json.loads(line) for line in (home / "tries" / ATTEMPTS).read_text().splitlines()]
        assert [line["attempt"] for line in lines] == list(range(12))
        assert (home / "tries" / ATTEMPTS).read_text().startswith(log)
        good = sum(line["kept"] for line in lines)
        rate = wilson(good, 12)
        assert f"{good} of 12 {100 * rate.low:.0f}-{100 * rate.high:.0f} %" in words(pilot.app)
        await press(pilot, "t")
        assert "› triage › tries" in text_of(pilot.app).splitlines()[0]
