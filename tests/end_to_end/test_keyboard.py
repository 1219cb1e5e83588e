"""Driving by keys from a plain command, without the screens."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from curation.layout import TAKES
from curation.notes import masked, read_notes
from curation.store import Store
from tests.end_to_end.commands import BIN, Commands
from tests.end_to_end.tmux import Terminal, require_tmux

SMALL = ("--width", "64", "--height", "48")


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Run `studio` words in a terminal, which stays and then says the exit code."""
    require_tmux()
    made: list[Terminal] = []
    surroundings = Commands(tmp_path).surroundings
    kept = {name: surroundings[name] for name in ("STUDIO_DATA", "PATH", "HOME") if name in surroundings}

    def run(*words: str) -> Terminal:
        line = shlex.join([str(BIN / "studio"), *words])
        shell = ["sh", "-c", f'trap : INT; {line}; echo "exit code $?"; sleep 60']
        made.append(Terminal(tmp_path, 100, 30, shell, {**kept, "LC_ALL": "C.UTF-8"}))
        return made[-1]

    yield run
    for terminal in made:
        terminal.end()


def test_drive_save_undo_stop(command: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = command("record", "--operator", "keyboard", "--to", "mine", "--at", "0.337", "-0.015", "-n", "5", *SMALL)
    terminal.shows("keys: terminal")
    terminal.shows("READY", within_s=60)
    for key in "iijo":
        terminal.type(key)
        time.sleep(0.2)
    terminal.shows("RECORDING")
    terminal.type("Right")
    terminal.shows("kept")
    terminal.shows("saved episode 0")
    terminal.type("u")
    terminal.shows("put to the trash")
    terminal.type("i")
    terminal.shows("RECORDING")
    time.sleep(0.5)
    terminal.type("d")
    terminal.shows("Why\\? 1 slipped")
    terminal.type("2")
    terminal.shows("Discarded: bad grasp")
    terminal.type("Escape")
    terminal.shows("mine holds 0 episodes")
    terminal.shows("exit code 0")
    root = tmp_path / "mine"
    store = Store.open(root)
    assert store.total_episodes == 1
    assert masked(read_notes(root)) == {store.rows()[0].episode_id}
    assert store.numeric(0)["action"][:, 1].max() > store.numeric(0)["action"][0, 1] + 1.0


def test_an_interrupt_leaves_an_unfinished_take_and_the_terminal_as_it_was(
    command: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = command("record", "--operator", "keyboard", "--to", "mine", *SMALL)
    terminal.shows("READY", within_s=60)
    terminal.type("i")
    terminal.shows("RECORDING")
    time.sleep(0.5)
    terminal.type("C-c")
    terminal.shows("interrupted")
    terminal.shows("exit code 130")
    assert len(list((tmp_path / "mine" / TAKES).glob("*.jsonl"))) == 1


def test_practice_needs_no_dataset(command: Callable[..., Terminal], tmp_path: Path) -> None:
    terminal = command("record", "--operator", "keyboard", "--to", "mine", "--practice", *SMALL)
    terminal.shows("READY", within_s=60)
    terminal.type("i")
    terminal.shows("RECORDING")
    time.sleep(0.8)
    terminal.type("Right")
    terminal.shows("READY")
    terminal.type("Escape")
    terminal.shows("nothing was recorded")
    terminal.shows("exit code 0")
    assert not (tmp_path / "mine").exists()
