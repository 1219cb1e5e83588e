"""Edits on the command line: shown, asked about, applied, told."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from curation.fingerprint import fingerprint
from curation.store import Store
from tests.curation.making import make_ours, make_packed
from tests.studio.conftest import Studio


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Two datasets of the studio, `a` and `b`, and one of LeRobot's kind, `packed`, at STUDIO_DATA."""
    make_ours(tmp_path / "a", [8, 6], ["pick", "pick"])
    make_ours(tmp_path / "b", [8], ["pick"])
    make_packed(tmp_path / "packed", [[4, 4]], ["pick", "place"])
    return tmp_path


def test_a_plan_is_shown_saved_and_applied(studio: Studio, sets: Path) -> None:
    said = studio(
        "plan", "a", "b", "--where", "seconds<0.25", "--rename", "wrist_cam:hand", "--save", str(sets / "r.json")
    )
    assert said.code == 0, said.err
    assert "- 1 episodes of a are left out" in said.out
    assert "+ column observation.images.hand" in said.out
    assert not (sets / "result").exists()
    done = studio("apply", str(sets / "r.json"), "--to", "result", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["episodes"] == 1
    assert studio("apply", str(sets / "r.json"), "--to", "result").code == 2
    # The same recipe on a dataset that changed since is refused.
    make_ours(sets / "c", [4], ["pick"])
    (sets / "b").rename(sets / "old")
    (sets / "c").rename(sets / "b")
    again = studio("apply", str(sets / "r.json"), "--to", "other")
    assert again.code == 2
    assert "Unknown episode" in again.err or "not what the recipe was made for" in again.err


def test_a_plan_as_json_says_everything(studio: Studio, sets: Path) -> None:
    told = json.loads(studio("plan", "a", "--gripper", "0..100:0..1", "--json").out)
    assert told["before"]["episodes"] == 2
    assert told["after"]["stats"]["action"]["max"][5] <= 1.0 < told["before"]["stats"]["action"]["max"][5]


def test_merge_keeps_every_source(studio: Studio, sets: Path) -> None:
    marks = [fingerprint(sets / name) for name in ("a", "b", "packed")]
    said = studio("merge", "a", "b", "packed", "--to", "all", "-y")
    assert said.code == 0, said.err
    assert "5 episodes" in said.out
    assert "nobody knows in which scene" in said.err
    assert [fingerprint(sets / name) for name in ("a", "b", "packed")] == marks
    assert Store.open(sets / "all").total_episodes == 5
    assert [line.split()[0] for line in studio("log", "all").out.splitlines()] == ["all", "a", "b", "packed"]
    last = studio("log", "all", "--episode", "4").out.splitlines()
    assert "from packed: episode-000001, frames 0 to 4" in last[1]


def test_what_differs_is_named_and_nothing_written(studio: Studio, sets: Path) -> None:
    make_ours(sets / "other", [4], ["pick"], scene="two")
    said = studio("merge", "a", "other", "--to", "all", "-y")
    assert said.code == 3
    assert "--allow scene" in said.err
    assert not (sets / "all").exists()
    assert studio("merge", "a", "other", "--to", "all", "-y", "--allow", "scene").code == 0


def test_a_person_is_asked(studio: Studio, sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Person(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Person("n\n"))
    said = studio("merge", "a", "b", "--to", "all")
    assert (said.code, said.out) == (0, "")
    assert "Nothing was written" in said.err
    monkeypatch.setattr("sys.stdin", Person("y\n"))
    assert "3 episodes" in studio("merge", "a", "b", "--to", "all").out
    monkeypatch.setattr("sys.stdin", io.StringIO())
    said = studio("merge", "a", "b", "--to", "more")
    assert said.code == 2
    assert "-y" in said.err


def test_short_forms(studio: Studio, sets: Path) -> None:
    def episodes(name: str) -> list[int]:
        return [episode.length for episode in Store.open(sets / name).episodes]

    for words, lengths in (
        (["drop", "a", "0"], [6]),
        (["drop", "a", "--where", "frames<7"], [8]),
        (["trim", "a", "--frames", "2", "6"], [4, 4]),
        (["trim", "a", "--phase", "transport", "transport", "--episodes", "0"], [4, 6]),
        (["trim", "a", "--after-success", "0"], [7, 5]),
        (["cut", "a", "0", "4"], [4, 4, 6]),
        (["relabel", "a", "put it away"], [8, 6]),
        (["gripper", "a", "0..100:0..1"], [8, 6]),
        (["rename", "a", "wrist_cam:hand"], [8, 6]),
        (["filter", "a", "b", "--where", "frames>7"], [8, 8]),
    ):
        name = f"result-{'-'.join(words[:1])}-{len(list(sets.iterdir()))}"
        said = studio(*words, "--to", name, "-y")
        assert said.code == 0, said.err
        assert episodes(name) == lengths, words
    assert {e.task for e in Store.open(next(sets.glob("result-relabel-*"))).episodes} == {"put it away"}


def test_split_and_filter_with_controls(studio: Studio, sets: Path) -> None:
    make_ours(sets / "many", [4] * 10, ["pick"] * 10, x=0.25)
    said = studio("split", "many", "train=0.8", "test=0.2", "--seed", "4", "--to", "many", "-y", "--json")
    assert [part["episodes"] for part in json.loads(said.out)] == [8, 2]
    ids = [{row.episode_id for row in Store.open(sets / f"many-{part}").rows()} for part in ("train", "test")]
    assert not ids[0] & ids[1]
    said = studio("split", "many", "train=0.5", "test=0.5", "--together", "position", "--to", "other", "-y")
    assert said.code == 2
    assert "cannot be divided" in said.err
    said = studio("filter", "many", "a", "--near", "0.25", "0", "0.001", "--controls", "random", "--to", "near", "-y")
    assert said.code == 0, said.err
    assert Store.open(sets / "near").total_episodes == Store.open(sets / "near-random").total_episodes == 10
    assert "m from (0.25, 0)" in said.err


def test_diff_names_what_changed(studio: Studio, sets: Path) -> None:
    studio("merge", "a", "b", "--to", "ab", "-y")
    studio("drop", "ab", "0", "--to", "less", "-y")
    studio("trim", "less", "--episodes", "1", "--frames", "1", "8", "--to", "short", "-y")
    studio("relabel", "short", "put it away", "--to", "last", "-y")
    told = json.loads(studio("diff", "a", "ab", "--json").out)
    assert (told["same"], len(told["came"]), told["gone"], told["changed"]) == (2, 1, [], [])
    told = json.loads(studio("diff", "ab", "last", "--json").out)
    assert (told["same"], len(told["gone"])) == (0, 1)
    assert [episode["what"] for episode in told["changed"]] == [
        ["task 'pick' became 'put it away'"],
        ["8 frames became 7", "task 'pick' became 'put it away'"],
    ]
    assert "1 went" in studio("diff", "ab", "last").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["merge", "--to", "x"], "at least one dataset"),
        (["merge", "a", "a", "--to", "x"], "twice"),
        (["merge", "a", "nobody", "--to", "x"], "there is no such folder"),
        (["merge", "a", "b", "--to", "packed"], "already exists"),
        (["drop", "a", "--to", "x"], "Which episodes"),
        (["drop", "a", "7", "--to", "x"], "Unknown episode '7'"),
        (["drop", "a", "0", "1", "--to", "x"], "leaves no episode"),
        (["trim", "a", "--to", "x"], "--idle"),
        (["trim", "a", "--frames", "5", "2", "--to", "x"], "cannot be trimmed"),
        (["trim", "a", "--idle", "5", "--to", "x"], "nothing to trim"),
        (["split", "a", "train=1", "--to", "x"], "at least two parts"),
        (["split", "a", "train=1", "test=-1", "--to", "x"], "NAME=SHARE"),
        (["gripper", "a", "0..1:0..100", "--to", "x"], "in 0..100"),
        (["gripper", "a", "0..100:0..5", "--to", "x"], "Unknown gripper unit"),
        (["rename", "a", "nobody:x", "--to", "x"], "Unknown feature"),
        (["relabel", "a", "", "--to", "x"], "empty"),
        (["filter", "a", "--near", "9", "9", "0.1", "--to", "x"], "No episode passes"),
        (["apply", "nothing.json", "--to", "x"], "no recipe"),
    ],
)
def test_what_makes_no_sense_is_refused(studio: Studio, sets: Path, words: list[str], told: str) -> None:
    said = studio(*words, *([] if words[0] == "apply" else ["-y"]))
    assert said.code == 2, said.err
    assert told in said.err
    assert not (sets / "x").exists()
