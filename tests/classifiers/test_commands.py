"""The way of a person: a classifier from labelled episodes, its card, scores of other episodes. At toy size."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from curation.library import put_to_trash
from curation.notes import read_notes
from curation.store import Store
from studio import cli
from tests.classifiers.toys import succeeds, toy
from tests.studio.conftest import Studio, studio

assert studio
EPISODES = 32


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with attempts, others' attempts, and a classifier trained on the first."""
    home = tmp_path_factory.mktemp("classifying")
    toy(home / "attempts", EPISODES)
    toy(home / "others", 8, operator="somebody", session=9)
    with pytest.MonkeyPatch.context() as patch:
        import torch

        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        patch.setenv("STUDIO_DATA", str(home))
        patch.setenv("STUDIO_RUNS", str(home / "runs"))
        assert cli.run(["classifier", "attempts", "--epochs", "3", "--no-controls", "--to", "done"]) == 0
        yield home
        torch.set_num_threads(threads)


@pytest.fixture
def here(home: Path, monkeypatch: pytest.MonkeyPatch, studio: Studio) -> Studio:
    monkeypatch.setenv("STUDIO_DATA", str(home))
    monkeypatch.setenv("STUDIO_RUNS", str(home / "runs"))
    return studio


def told(here: Studio, *words: str) -> Any:
    ended = here(*words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def test_its_card_is_about_places_it_has_not_seen(home: Path, here: Studio) -> None:
    card = told(here, "card", "done")
    learned = told_by(home)["learned"]
    seen = {one for dataset in learned["datasets"] for one in dataset["episodes"]}
    assert len(seen) + len(card["tested"]) == EPISODES
    assert not seen & {one[1] for one in card["tested"]}
    assert card["new"]["new positions"]["n"] == len(card["tested"])
    assert card["auroc"]["value"] > 0.95
    assert card["pairs"] == {}, "there is no physics to draw the block elsewhere"


def told_by(home: Path) -> Any:
    return json.loads((home / "runs/done/classifier.json").read_bytes())


def test_what_it_learned_from_never_counts_again(home: Path, here: Studio) -> None:
    for path in ("card.json", "card.md", "card.png"):
        (home / "runs/done" / path).rename(home / path)
    try:
        card = told(here, "card", "done", "--on", "attempts", "others", "--threshold", "0.6")
        again = here("card", "done", "--on", "attempts", "--threshold", "0.7").out
    finally:
        for path in ("card.json", "card.md", "card.png"):
            (home / path).rename(home / "runs/done" / path)
    seen = {one for dataset in told_by(home)["learned"]["datasets"] for one in dataset["episodes"]}
    # The others move as the first eight attempts do, so they are copies of those, known or held out.
    assert card["passed_over"] == len(seen) + 8
    assert {one[1] for one in card["tested"]}.isdisjoint(seen)
    assert (card["threshold"], card["earlier"]) == (0.6, [])
    assert "probability 0.7 on, the 2nd threshold looked at on these episodes (earlier: 0.6)" in again


def test_scores_are_notes_with_its_id_and_change_nothing_else(home: Path, here: Studio) -> None:
    root = home / "others"
    before = [episode.row for episode in Store.open(root).episodes]
    said = told(here, "score", "others", "--by", "classifier:done")
    notes = read_notes(root)
    assert {note.by for note in notes} == {said["by"]}
    assert said["by"].startswith("classifier:done@")
    assert {note.kind for note in notes} == {"score"}
    right = [(one["score"] >= 0.5) == succeeds(at) for at, one in enumerate(said["scores"])]
    assert sum(right) >= 7
    assert [episode.row for episode in Store.open(root).episodes] == before
    assert told(here, "score", "others", "--by", "done")["scores"] == []
    assert len(read_notes(root)) == 8
    before = here("score", "others", "--by", "done").out
    assert before.startswith(f"All 8 episodes were scored by {said['by']} before")
    assert len(told(here, "score", "others", "--by", "done", "--again")["scores"]) == 8


def test_frame_by_frame_it_says_when_it_is_done_and_notes_nothing(home: Path, here: Studio) -> None:
    before = read_notes(home / "others")
    said = told(here, "score", "others", "--by", "done", "--frames")
    assert all(len(one["frames"]) == len(one["probability"]) == 11 for one in said["episodes"])
    assert read_notes(home / "others") == before


def test_of_nothing_nothing_is_said(home: Path, here: Studio) -> None:
    root = toy(home / "none", 1).root
    one = here("classifier", "none", "--to", "new")
    assert (one.code, "1 success and 0 failures are too few to learn from" in one.err) == (3, True)
    left = here("classifier", "attempts", "--hold-out", "0.9", "--to", "new")
    assert (left.code, "held out for the card, are too few to learn from" in left.err) == (3, True)
    assert "at its end" in here("score", "none", "--by", "done", "--frames").out
    put_to_trash(root, ["none-0"], "person")
    for more in ((), ("--frames",)):
        said = here("score", "none", "--by", "done", *more)
        assert said.code == 0
        assert "none has no episode outside the trash" in said.out
        assert "success" not in said.out
    assert read_notes(root)[-1].kind == "mask"
    assert told(here, "score", "none", "--by", "done", "--frames")["episodes"] == []


def test_nothing_is_scored_without_a_card(home: Path, here: Studio) -> None:
    card = home / "runs/done/card.json"
    held = card.read_bytes()
    card.unlink()
    try:
        ended = here("score", "others", "--by", "done", "--again")
        assert (ended.code, "nothing is judged without one" in ended.err) == (3, True)
    finally:
        card.write_bytes(held)


def test_nothing_is_rewarded_without_a_card(home: Path, here: Studio) -> None:
    card = home / "runs/done/card.json"
    held = card.read_bytes()
    card.unlink()
    try:
        ended = here("hil", "done", "--demos", "others", "--to", "smoke")
        assert (ended.code, "nothing is judged without one" in ended.err) == (3, True)
    finally:
        card.write_bytes(held)


def test_a_port_that_is_taken_and_a_world_of_other_pictures_are_named(home: Path, here: Studio) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = str(other.getsockname()[1])
        ended = here("hil", "done", "--demos", "others", "--to", "smoke", "--port", port)
        assert (ended.code, f"--port {port} cannot be used" in ended.err) == (2, True)
    ended = here("hil", "done", "--demos", "others", "--to", "smoke")
    assert (ended.code, "at 64x48 and 30 fps, its scene draws 640x480" in ended.err) == (2, True)
    assert not (home / "runs/smoke").exists()


def test_other_cameras_are_named(home: Path, here: Studio) -> None:
    renamed = home / "renamed"
    assert here("rename", "others", "wrist_cam:hand", "--to", str(renamed), "-y").code == 0
    smoke = ("hil", "done", "--demos", str(renamed), "--to", "smoke")
    for words in (("score", str(renamed), "--by", "done"), ("card", "done", "--on", str(renamed)), smoke):
        ended = here(*words)
        assert ended.code == 3
        assert "lacks the camera wrist_cam that done looks through; it has hand, overhead_cam" in ended.err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("classifier", "--to", "new"), "at least one dataset"),
        (("classifier", "attempts", "--to", "done"), "Choose another --to"),
        (("classifier", "attempts", "--to", "new", "--hold-out", "0"), "Only with --on"),
        (("classifier", "attempts", "--to", "new", "--threshold", "1"), "not between 0 and 1"),
        (("classifier", "attempts", "--to", "new", "--cut-out", "front=0,0,1,1"), "camera"),
        (("classifier", "attempts", "--to", "new", "--cut-out", "wrist_cam=0,0,1"), "TOP,LEFT,HEIGHT,WIDTH"),
        (("classifier", "others", "--to", "new"), "4 successes and 4 failures are too few to learn from"),
        (("card", "nobody"), "calibration card"),
        (("score", "others", "--by", "nobody"), "is no classifier"),
        (("hil", "nobody", "--demos", "others", "--to", "new"), "is no classifier"),
        (("hil", "done", "--demos", "others", "--to", "done"), "Choose another --to"),
        (("hil", "done", "--demos", "others", "--to", "new", "--steps", "0"), "--steps 0 must be at least 1"),
        (("hil", "done", "--demos", "others", "--to", "new", "--interventions", "2"), "outside 0 to 1"),
        (("hil", "done", "--demos", "others", "--to", "new", "--port", "70000"), "outside 0 to 65535"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(
    here: Studio, home: Path, words: tuple[str, ...], why: str
) -> None:
    ended = here(*words)
    assert ended.code in (2, 3)
    assert why in ended.err
    assert not (home / "runs/new").exists()
