"""The command line's manners: instant help, exit codes, stdout for data only, bare names, faults in one line."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

from studio.cli import COMMANDS
from studio.paths import data_home, dataset_path
from tests.studio.conftest import Made, Studio

HEAVY = ("torch", "lerobot", "mujoco", "textual")
MANNERS = """
import json, sys
from studio import cli
try:
    code = cli.run({options})
except SystemExit as leaving:
    code = leaving.code
print(json.dumps([code or 0, sorted(set({heavy}) & set(sys.modules))]), file=sys.stderr)
"""


def loaded_by(*options: str) -> tuple[int, list[str]]:
    """Exit code, and which heavy packages a command line imports in a fresh interpreter."""
    code = MANNERS.format(options=list(options), heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert "usage: studio" in done.stdout
    exit_code, found = json.loads(done.stderr.splitlines()[-1])
    return exit_code, found


def test_help_imports_nothing_heavy() -> None:
    assert loaded_by("--help") == (0, [])


@pytest.mark.parametrize("command", ["record", "inspect"])
def test_a_commands_help_imports_no_learning(command: str) -> None:
    code, found = loaded_by(command, "--help")
    assert code == 0
    assert set(found) <= {"mujoco"}


def test_help_names_every_command(studio: Studio) -> None:
    said = studio("--help")
    assert said.code == 0
    assert all(f"  {name}" in said.out and what in said.out for name, what in COMMANDS.items())
    assert studio().code == 2
    verbs = {path.stem for path in (Path(importlib.import_module("studio.verbs").__file__ or "").parent).glob("*.py")}
    assert set(COMMANDS) <= verbs


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(studio: Studio, command: str) -> None:
    said = studio(command, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"usage: studio {command}")
    assert "--json" in said.out
    module = importlib.import_module(f"studio.verbs.{command}")
    summary = getattr(module, command.capitalize()).__doc__.split(".")[0].split(":")[0]
    assert summary in " ".join(said.out.split())
    undescribed = [line for line in said.out.splitlines() if line.startswith("│ --") and not _described(said.out, line)]
    assert not undescribed


def _described(text: str, line: str) -> bool:
    """Whether words follow an option, beside it or in the next line."""
    lines = text.splitlines()
    below = lines[lines.index(line) + 1]
    return len(line.split("  ", 2)[-1].strip("│ ")) > 0 and (line[22:].strip("│ ") != "" or below.startswith("│      "))


def test_version(studio: Studio) -> None:
    said = studio("--version")
    assert (said.code, said.out) == (0, f"teleop-studio {version('teleop-studio')}\n")


@pytest.mark.parametrize(
    ("options", "near"),
    [
        (("rerendre",), "Did you mean rerender?"),
        (("inspekt", "--help"), "Did you mean inspect?"),
        (("record", "--to", "x", "--distractor", "1"), "--distractors"),
        (("generate", "--to", "x", "--episode", "3"), "--episodes"),
        (("inspect", "x", "--vide", "x.mp4"), "--video"),
        (("record", "--to", "x", "--servo", "idael"), "ideal"),
        (("record", "--to", "x", "--keep", "sucess"), "success"),
        (("record", "--to", "x", "--operator", "exprt"), "Did you mean expert?"),
        (("record",), "--to"),
    ],
    ids=" ".join,
)
def test_what_is_not_known_is_refused_and_the_nearest_named(
    studio: Studio, options: tuple[str, ...], near: str
) -> None:
    said = studio(*options)
    assert (said.code, said.out) == (2, "")
    assert near in said.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("record", "--to", "x", "--at", "0.6", "0"), "The nearest recordable position is --at"),
        (("generate", "--to", "x", "--at", "0.3", "0", "--box", "0.2", "0.3", "0", "0.1"), "got --at and --box"),
        (("generate", "--to", "x", "--grid", "2", "2"), "--grid"),
        (("generate", "--to", "x", "--jitter", "-1"), "--jitter -1.0"),
        (("generate", "--to", "x", "-n", "0"), "--episodes 0"),
        (("generate", "--to", "x", "--limit", "0"), "--limit 0.0"),
        (("generate", "--to", "x", "--fps", "29"), "1/29 s"),
        (("generate", "--to", "x", "--friction", "2"), "friction 2.0 is outside 0.3 to 0.8"),
        (("generate", "--to", "x", "--targets", "none.json"), "none.json"),
        (("generate", "--to", "x", "--resume"), "there is no such folder"),
        (("generate", "--to", "x", "--processes", "-1"), "--processes -1"),
        (("inspect", "x"), "is not a LeRobot v3 dataset"),
        (("inspect", "x", "--video", "x.avi"), "must end in .mp4"),
        (("replay", "x"), "is not a LeRobot v3 dataset"),
        (("rerender", "x", "--to", "y"), "is not a LeRobot v3 dataset"),
        (("recover", "x", "--keep", "--discard"), "exclude each other"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_refused_before_anything_is_made(
    studio: Studio, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    said = studio(*options)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"studio {options[0]}: ")
    assert told in said.err
    assert not list(tmp_path.iterdir())


def test_bare_names_lie_under_studio_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    assert dataset_path("pos2") == tmp_path / "pos2"
    assert dataset_path("./pos2") == Path.cwd() / "pos2"
    for other in ("sets/pos2", str(tmp_path / "x" / "pos2"), "../pos2"):
        assert dataset_path(other) == Path(other)
    assert dataset_path("~/pos2") == Path.home() / "pos2"
    for unset in ("", None):
        monkeypatch.delenv("STUDIO_DATA") if unset is None else monkeypatch.setenv("STUDIO_DATA", unset)
        assert (data_home(), dataset_path("pos2")) == (Path("datasets"), Path("datasets/pos2"))


def test_a_fault_of_ours_is_one_line_and_a_file(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from studio.verbs import inspect

    def fail(*_: object) -> int:
        raise RuntimeError("the table fell over")

    monkeypatch.setattr(inspect, "inspect", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = studio("inspect", "x")
    assert (said.code, said.out, said.err.count("\n")) == (1, "", 1)
    assert said.err.startswith("studio inspect: unexpected RuntimeError: the table fell over. This is a fault of ours")
    log = next(tmp_path.glob("studio-inspect-*.log"))
    assert str(log) in said.err
    assert "Traceback" in log.read_text()
    assert "Traceback" not in said.err


def test_an_interrupt_is_130(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.verbs import inspect

    def interrupted(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect, "inspect", interrupted)
    said = studio("inspect", "x")
    assert said.code == 130
    assert "interrupted" in said.err


def test_generate_says_json_only(made: Made) -> None:
    told = json.loads(made.said.out)
    assert (Path(told["dataset"]), told["total_episodes"]) == (made.root, 1)
    assert "saved episode 0" in made.said.err
    assert "\x1b" not in made.said.err


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (("inspect", "tiny"), "episodes"),
        (("replay", "tiny"), "episodes"),
        (("recover", "tiny"), "unfinished"),
        (("doctor",), None),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_json_is_all_that_stdout_holds(made: Made, options: tuple[str, ...], key: str | None) -> None:
    said = made.commands.studio(*options, "--json")
    told = json.loads(said.out)
    assert key in told if key else isinstance(told, list)
    assert said.err == ""


def test_json_goes_on_through_a_closed_pipe(made: Made) -> None:
    """`studio inspect X | head -1` ends without a word."""
    line = f"'{sys.executable}' -m studio.cli inspect tiny | head -1"
    done = subprocess.run(
        ["bash", "-c", line],
        env=made.commands.surroundings,
        cwd=made.commands.home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("tiny")
    assert "Traceback" not in done.stderr


def test_doctor_tries_and_blames_nobody_else(made: Made) -> None:
    said = made.commands.studio("doctor")
    assert said.err == ""
    assert "FAILS" not in said.out
    assert "MUJOCO_GL=egl, both cameras at 640x480" in said.out
    assert "Cannot write" not in said.out
    assert "codec h264 " in said.out


def test_inspect_draws_a_poster(made: Made, tmp_path: Path) -> None:
    poster = tmp_path / "poster.png"
    told = json.loads(made.commands.studio("inspect", "tiny", "--poster", str(poster), "--json").out)
    assert told["poster"] == str(poster)
    assert poster.read_bytes().startswith(b"\x89PNG")
