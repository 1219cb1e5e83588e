"""episodes, note, trash: what people do with episodes, without a screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.fingerprint import fingerprint
from curation.layout import TRASH
from curation.library import entries
from curation.store import Store
from tests.end_to_end.commands import Commands
from tests.studio.conftest import Studio

SIZE = ("--width", "32", "--height", "24")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two episodes, and one attempt that failed its time limit and lies in the trash."""
    commands = Commands(tmp_path_factory.mktemp("episodes"))
    commands.studio("generate", "-n", "2", "--at", "0.25", "0.1", *SIZE, "--to", "set")
    commands.studio("generate", "-n", "3", "--at", "0.25", "0.1", *SIZE, "--to", "set", "--resume", "--limit", "1",
                    code=1)  # fmt: skip
    return commands.home / "set"


@pytest.fixture
def root(recorded: Path, tmp_path: Path) -> Path:
    import shutil

    shutil.copytree(recorded, tmp_path / "set")
    return tmp_path / "set"


def test_episodes_lists_all_and_filters(studio: Studio, root: Path) -> None:
    said = studio("episodes", "set")
    assert said.code == 0
    assert "success" in said.out
    assert "discarded" in said.out
    found = json.loads(studio("episodes", "set", "--where", "outcome:success x>0.2", "--json").out)
    assert [entry["index"] for entry in found] == [0, 1]
    assert json.loads(studio("episodes", "set", "--where", "discarded -saved", "--json").out)
    wrong = studio("episodes", "set", "--where", "outcom:success")
    assert wrong.code == 2
    assert "Did you mean outcome?" in wrong.err


def test_notes_are_kept_and_change_nothing_else(studio: Studio, root: Path) -> None:
    before = fingerprint(root)
    assert studio("note", "set", "0", "1", "--text", "late grasp", "--score", "0.25").code == 0
    assert studio("note", "set", entries(root)[0].episode_id[:8], "--score", "0.75").code == 0
    first, second = entries(root)[:2]
    assert (first.score, second.score) == (0.75, 0.25)
    assert first.comments == second.comments == ("late grasp",)
    assert fingerprint(root) == before
    assert json.loads(studio("episodes", "set", "--where", "score>0.5", "--json").out)[0]["index"] == 0


def test_trash_excludes_and_restores(studio: Studio, root: Path) -> None:
    before = fingerprint(root)
    said = studio("trash", "set", "--put", "0")
    assert said.code == 0
    assert "masked" in said.out
    assert [entry.state for entry in entries(root)[:2]] == ["masked", "saved"]
    assert studio("trash", "set", "--restore", "0").code == 0
    assert [entry.state for entry in entries(root)[:2]] == ["saved", "saved"]
    assert fingerprint(root) == before
    assert Store.open(root).total_episodes == 2


def test_what_was_said_goes_along_into_another_look(studio: Studio, root: Path) -> None:
    assert studio("trash", "set", "--put", "1").code == 0
    assert studio("note", "set", "0", "--text", "late grasp").code == 0
    assert studio("rerender", "set", "--to", "dark", "--ground", "dark", "--processes", "1").code == 0
    redrawn = entries(root.with_name("dark"))
    assert [(entry.state, entry.comments) for entry in redrawn] == [("saved", ("late grasp",)), ("masked", ())]


def test_a_discarded_take_comes_back_as_an_episode(studio: Studio, root: Path) -> None:
    take = next(entry for entry in entries(root) if entry.state == "discarded")
    said = studio("trash", "set", "--restore", take.episode_id[:10])
    assert said.code == 0, said.err
    store = Store.open(root)
    assert store.rows()[2].episode_id == take.episode_id
    assert store.episode(2).length == take.frames == 30
    assert not (root / TRASH / f"{take.episode_id}.jsonl").exists()
    assert [entry.state for entry in entries(root)[:3]] == ["saved"] * 3


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("note", "set", "0"), "Say what is noted"),
        (("note", "set", "0", "--score", "2"), "outside 0 to 1"),
        (("note", "set", "7", "--text", "x"), "Unknown episode '7'"),
        (("trash", "set", "--put", "9"), "Unknown episode '9'. Valid: 0 to 1"),
        (("trash", "set", "--restore", "0"), "does not lie in the trash"),
        (("trash", "set", "--put", "0", "--restore", "0"), "at once"),
        (("episodes", "nowhere"), "not a LeRobot v3 dataset"),
        (("targets", "make", "t.json"), "exactly one pattern"),
        (("targets", "make", "t.json", "--grid", "2", "2", "--random", "3"), "exactly one pattern"),
        (("targets", "add", "t.json", "0.6", "0"), "The nearest recordable position is 0."),
        (("targets", "make", "t.json", "--grid", "2", "2", "--box", "0.8", "0.9", "0", "0.1"), "None of 4 positions"),
        (("targets", "make", "t.json", "--gaps", "0"), "at least 1"),
        (("targets", "check", "t.json"), "cannot be read"),
    ],
)
def test_refusals(studio: Studio, root: Path, words: tuple[str, ...], says: str) -> None:
    said = studio(*words)
    assert said.code == 2
    assert says in said.err
    assert "Traceback" not in said.err


def test_targets_are_made_by_pattern_and_added_to(
    studio: Studio, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = {
        "grid": ("--grid", "3", "2"),
        "ring": ("--ring", "0.28", "0.1", "0.05", "6"),
        "random": ("--random", "8", "--seed", "3"),
        "gaps": ("--gaps", "5", "--from", "set"),
    }
    for name, pattern in made.items():
        said = studio("targets", "make", f"{name}.json", *pattern, "--json")
        assert said.code == 0, said.err
        listed = json.loads(said.out)
        assert listed
        assert json.loads((tmp_path / f"{name}.json").read_text())["positions"]
    wide = studio("targets", "make", "wide.json", "--grid", "2", "1", "--box", "0.25", "0.8", "0.1", "0.1")
    assert "(0.8, 0.1) is left out: out of the arm's reach" in wide.err
    few = studio("targets", "make", "few.json", "--gaps", "9", "--farther-than", "0.2", "--from", "set")
    assert few.code == 0
    assert "of 9 gaps are 0.2 m from data" in few.err
    assert studio("targets", "check", "gaps.json", "--from", "set").code == 0
    none = studio("targets", "check", "gaps.json", "--from", "set", "--farther-than", "2", "--write", "none.json")
    assert (none.code, "No position passes" in none.err) == (2, True)
    assert not (tmp_path / "none.json").exists()
    assert studio("targets", "make", "grid.json", "--grid", "1", "1").code == 2
    before = len(json.loads((tmp_path / "grid.json").read_text())["positions"])
    assert studio("targets", "add", "grid.json", "0.31", "0.07", "--yaw", "20", "--note", "edge").code == 0
    assert len(json.loads((tmp_path / "grid.json").read_text())["positions"]) == before + 1
