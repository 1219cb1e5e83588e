"""What cannot be asked is refused in one clear line with the right exit code, and nothing that was there is touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.faults.harness import (
    BAD_DATA,
    SMALL,
    USAGE,
    Here,
    counted,
)

# The target.


@pytest.mark.parametrize("verb", ["record", "generate"])
def test_new_data_over_old(here: Here, untouched: Path, verb: str) -> None:
    here(verb, "--to", untouched, *SMALL).refuses(USAGE, str(untouched), "never overwritten", "--resume")


def test_rerender_over_old(here: Here, untouched: Path, two: Path) -> None:
    here("rerender", two, "--to", untouched).refuses(USAGE, str(untouched), "never overwritten")


@pytest.mark.parametrize("verb", ["record", "generate"])
def test_resume_where_nothing_is(here: Here, tmp_path: Path, verb: str) -> None:
    here(verb, "--resume", "--to", tmp_path / "no", *SMALL).refuses(USAGE, "no such folder", "leave --resume away")
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("command", [("replay",), ("recover",), ("rerender", "--to", "/nowhere/new"), ("inspect",)])
def test_reading_where_nothing_is(here: Here, tmp_path: Path, command: tuple[str, ...]) -> None:
    verb, *more = command
    here(verb, tmp_path / "no", *more).refuses(USAGE, str(tmp_path / "no"), "no such folder")
    (tmp_path / "no").mkdir()
    here(verb, tmp_path / "no", *more).refuses(USAGE, str(tmp_path / "no"), "not a LeRobot v3 dataset")


@pytest.mark.parametrize(
    "command",
    [
        ("replay", "DATA"),
        ("recover", "DATA"),
        ("rerender", "DATA", "--to", "NEW"),
        ("record", "--resume", "--to", "DATA", *SMALL),
    ],
)
def test_a_dataset_without_studio_data(here: Here, data: Path, tmp_path: Path, command: tuple[str, ...]) -> None:
    shutil.rmtree(data / "meta/studio")
    names = {"DATA": data, "NEW": tmp_path / "new"}
    here(*(names.get(word, word) for word in command)).refuses(USAGE, str(data), "was not recorded by the studio")
    assert not (tmp_path / "new").exists()
    assert counted(data) == 2


@pytest.mark.parametrize("verb", ["replay", "rerender"])
def test_a_dataset_whose_physics_a_foreign_tool_dropped(data: Path, tmp_path: Path, here: Here, verb: str) -> None:
    shutil.rmtree(data / "meta/studio/frames")
    more = ("--to", tmp_path / "new", "--processes", 1) if verb == "rerender" else ()
    here(verb, data, *more).refuses(BAD_DATA, "physics", "missing")
    assert not (tmp_path / "new").exists()


# The settings.


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("--fps", 20), ["fps is 30, asked 20"]),
        (("--look", "nice"), ["look is fast, asked nice"]),
        (("--servo", "hardware"), ["servo is ideal, asked hardware"]),
        (("--block", "duplo", "--bowl", "tray"), ["block is cube, asked duplo", "bowl is round, asked tray"]),
        (("--fps", 20, "--look", "nice", "--servo", "hardware", "--friction", 0.4),
         ["fps is 30, asked 20", "look is fast, asked nice", "servo is ideal, asked hardware",
          "friction is 0.5, asked 0.4"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["record", "generate"])
def test_resume_with_other_settings(here: Here, untouched: Path, verb: str, asked: tuple, named: list[str]) -> None:
    line = here(verb, "--resume", "-n", 3, "--to", untouched, *SMALL, *asked).refuses(USAGE, str(untouched), *named)
    assert line.count(", asked ") == len(named)


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("--operator", "exprt"), ["'exprt'", "Valid: expert", "Did you mean expert?"]),
        (("--noise", 99), ["--noise 99", "0 to 20"]),
        (("-n", 0), ["--episodes 0"]),
        (("--limit", 0), ["--limit 0"]),
        (("--fps", 29), ["1/29 s", "Valid fps"]),
        (("--width", 63), ["63x48", "even"]),
        (("--at", 0.7, 0), ["out of the arm's reach", "nearest recordable position is --at"]),
        (("--at", 0.2, 0.2, "--box", 0.2, 0.3, 0, 0.1), ["--at and --box"]),
        (("--targets", "/nowhere.json"), ["/nowhere.json", "Expected"]),
    ],
)
@pytest.mark.parametrize("verb", ["record", "generate"])
def test_what_cannot_be_asked(here: Here, tmp_path: Path, verb: str, asked: tuple, named: list[str]) -> None:
    here(verb, "--to", tmp_path / "new", *SMALL, *asked).refuses(USAGE, *named)
    assert not (tmp_path / "new").exists()


def test_an_unknown_command(here: Here) -> None:
    said = here("recrod")
    assert said.code == USAGE
    assert len(said.err) == 1
    assert "'recrod'" in said.err[0]
    assert "Did you mean record?" in said.err[0]


def test_rerender_cannot_change_what_happened(here: Here, untouched: Path, tmp_path: Path) -> None:
    here("rerender", untouched, "--to", tmp_path / "new", "--distractors", 9).refuses(USAGE, "distractors 9")
    assert not (tmp_path / "new").exists()
