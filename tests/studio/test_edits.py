"""Edits on the command line: shown, asked about, applied, told."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from curation.fingerprint import fingerprint
from curation.origins import origin_of
from curation.provenance import read_provenance
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


def test_what_an_edit_does_not_carry_is_named(studio: Studio, sets: Path) -> None:
    make_packed(sets / "theirs", [[4, 4]], ["pick", ("pick", "place")], others={"grade": ["a", "b"]})
    (sets / "theirs/meta/boxes.json").write_text("{}")
    words = ["trim", "theirs", "--frames", "0", "3", "--episodes", "1", "--to"]
    said = studio("plan", "theirs", "packed")
    assert "- meta/boxes.json of theirs is not carried" in said.out
    assert 'task "place": 2' in said.out
    said = studio(*words, "one", "-y")
    assert "grade of 1 episodes of theirs is not carried" in said.err
    assert len(json.loads(studio(*words, "two", "-y", "--json").out)["lost"]) == 2


def test_trim_names_what_it_does_not_trim_as_asked(studio: Studio, sets: Path) -> None:
    said = studio("trim", "a", "--frames", "2", "7", "--to", "one", "-y")
    assert "episode 1: has no frame 6, so it ends there instead of at 7." in said.err
    make_ours(sets / "failed", [8], ["pick"], outcome="timeout", success=False)
    studio("merge", "a", "failed", "--to", "mixed", "-y")
    said = studio("trim", "mixed", "--after-success", "0", "--to", "two", "-y")
    assert "episode 2: stays whole: did not succeed." in said.err
    assert [e.length for e in Store.open(sets / "two").episodes] == [7, 5, 8]
    said = studio("trim", "failed", "--after-success", "0", "--to", "three", "-y")
    assert said.code == 2
    assert "nothing to trim" in said.err
    assert "did not succeed" in said.err


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
    make_ours(sets / "many", [4] * 10, ["pick"] * 10, x=0.15)
    said = studio("split", "many", "train=0.8", "test=0.2", "--seed", "4", "--to", "many", "-y", "--json")
    assert [part["episodes"] for part in json.loads(said.out)] == [8, 2]
    ids = [{row.episode_id for row in Store.open(sets / f"many-{part}").rows()} for part in ("train", "test")]
    assert not ids[0] & ids[1]
    said = studio("split", "many", "train=0.5", "test=0.5", "--together", "position", "--to", "other", "-y")
    assert said.code == 2
    assert "cannot be divided" in said.err
    said = studio("filter", "many", "a", "--near", "0.15", "0", "0.001", "--controls", "random", "--to", "near", "-y")
    assert said.code == 0, said.err
    assert Store.open(sets / "near").total_episodes == Store.open(sets / "near-random").total_episodes == 10
    assert "m from (0.15, 0)" in said.err


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


def test_relabelling_names_the_old_instruction(studio: Studio, sets: Path) -> None:
    def tasks(name: str) -> list[str]:
        return [episode.task for episode in Store.open(sets / name).episodes]

    said = studio("merge", "packed", "--relabel", "place:put: away", "--to", "one", "-y")
    assert said.code == 0, said.err
    assert tasks("one") == ["pick", "put: away"]
    # Without asking, what becomes of instructions and columns is shown all the same.
    assert 'task "place": 1 -> 0' in said.err
    said = studio("merge", "one", "--relabel", "put: away:place", ":both: of them", "--to", "two", "-y")
    assert said.code == 0, said.err
    assert tasks("two") == ["both: of them"] * 2
    said = studio("merge", "packed", "--relabel", "plaice:put away", "--to", "x", "-y")
    assert said.code == 2
    assert "Unknown task 'plaice'" in said.err
    assert "gripper from 0..100 to 0..1" in studio("gripper", "a", "0..100:0..1", "--to", "pi0", "-y").err


def test_datasets_of_one_name_are_told_apart(studio: Studio, sets: Path) -> None:
    for place in ("x", "y"):
        (sets / place).mkdir()
    (sets / "a").rename(sets / "x/set")
    (sets / "b").rename(sets / "y/set")
    first, second = str(sets / "x/set"), str(sets / "y/set")
    told = json.loads(studio("plan", first, second, "--where", "frames<7", "--json").out)
    assert told["dropped"] == {first: 1, second: 1}
    assert [name for name, _ in told["parents"]] == [first, second]


def test_controls_belong_to_plans_and_merges_too(studio: Studio, sets: Path) -> None:
    made = ("a", "b", "--where", "frames>7", "--controls", "random", "--seed", "3")
    said = studio("plan", *made, "--save", str(sets / "r.json"), "--json")
    assert said.code == 0, said.err
    assert json.loads(said.out)["controls"]["random"]["after"]["episodes"] == 2
    assert studio("filter", *made, "--to", "kept", "-y").code == 0
    assert studio("apply", str(sets / "r-random.json"), "--to", "again").code == 0
    assert fingerprint(sets / "again") == fingerprint(sets / "kept-random")
    assert studio("merge", *made, "--to", "merged", "-y").code == 0
    assert fingerprint(sets / "merged-random") == fingerprint(sets / "again")


def test_a_filter_takes_what_it_was_told_to_take(studio: Studio, sets: Path) -> None:
    make_ours(sets / "other", [4], ["pick"], scene="two")
    assert studio("filter", "a", "other", "--where", "success", "--to", "x", "-y").code == 3
    said = studio("filter", "a", "other", "--where", "success", "--to", "both", "-y", "--allow", "scene")
    assert said.code == 0, said.err
    assert studio("trash", "a", "--put", "0").code == 0
    for words, lengths in (([], [6]), (["--with-masked"], [8, 6])):
        name = f"masked{len(words)}"
        assert studio("filter", "a", "--where", "success", "--to", name, "-y", *words).code == 0
        assert [episode.length for episode in Store.open(sets / name).episodes] == lengths


def test_a_recipe_of_a_short_form_does_the_same_again(studio: Studio, sets: Path) -> None:
    recipe = str(sets / "r.json")
    assert studio("drop", "a", "0", "--to", "less", "-y", "--save", recipe).code == 0
    assert studio("trash", "a", "--put", "1").code == 0
    said = studio("apply", recipe, "--to", "again")
    assert said.code == 0, said.err
    assert "episode 1 of a was put into the trash since; it is taken, as was planned" in said.err
    assert fingerprint(sets / "less") == fingerprint(sets / "again")
    assert studio("drop", "a", "0", "--to", "more", "-y", "--with-masked", "--save", recipe).code == 2


def test_pieces_of_a_recording_go_to_one_part(studio: Studio, sets: Path) -> None:
    assert studio("cut", "a", "0", "2", "4", "6", "--to", "once", "-y").code == 0
    assert studio("cut", "once", "4", "2", "4", "--to", "twice", "-y").code == 0
    assert studio("split", "twice", "a=0.5", "b=0.5", "--to", "part", "-y").code == 0
    origins = [
        {origin_of(read_provenance(sets / name), row.episode_id)[0] for row in Store.open(sets / name).rows()}
        for name in ("part-a", "part-b")
    ]
    assert [len(part) for part in origins] == [1, 1]
    assert not origins[0] & origins[1]


def test_log_tells_recordings_of_others(studio: Studio, sets: Path) -> None:
    assert "(recorded by another tool)" in studio("log", "packed").out
    assert "(recorded)" in studio("log", "a").out
    assert studio("merge", "packed", "a", "--to", "both", "-y").code == 0
    lines = studio("log", "both").out.splitlines()
    assert lines[1].endswith("(recorded by another tool)")
    assert lines[2].endswith("(recorded)")
    parents = json.loads(studio("log", "both", "--json").out)["parents"]
    assert [parent["path"] for parent in parents] == [str((sets / name).resolve()) for name in ("packed", "a")]


def test_nothing_is_written_into_a_source(studio: Studio, sets: Path) -> None:
    said = studio("drop", "a", "0", "--to", str(sets / "a/less"), "-y")
    assert said.code == 2
    assert "is never changed" in said.err
    assert not (sets / "a/less").exists()


def test_what_does_not_go_along_is_named(studio: Studio, sets: Path) -> None:
    (sets / "a/meta/robot.yaml").write_text("arm: left")
    said = studio("merge", "a", "b", "--to", "both", "-y", "--json")
    assert said.code == 0, said.err
    assert "robot.yaml" in said.err
    assert "robot.yaml" in json.loads(said.out)["lost"][0]
