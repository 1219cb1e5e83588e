"""Faults planted in the screen while a take runs: the recording goes on, the arm stands, nothing is lost."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from curation.store import Store
from recorders.sidecar import read_sidecar
from studio.tui.run import SOON_S
from tests.end_to_end.commands import ROOT, Commands
from tests.end_to_end.test_tui import fill_the_form
from tests.end_to_end.tmux import Terminal, require_tmux

PLANTED = {
    "F6": "planted in a handler",
    "F7": "planted in a worker",
    "F8": "planted in render",
    "F9": "division by zero",
}


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    require_tmux()
    surroundings = Commands(tmp_path).surroundings | {
        "STUDIO_RUNS": str(tmp_path / "runs"),
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),
        "LC_ALL": "C.UTF-8",
    }
    kept = ("STUDIO_DATA", "STUDIO_RUNS", "PYTHONPATH", "PATH", "HOME", "TMPDIR", "LC_ALL")
    environment = {name: surroundings[name] for name in kept if name in surroundings}
    made = Terminal(tmp_path, 100, 30, [sys.executable, str(ROOT / "tests/end_to_end/planted.py")], environment)
    try:
        yield made
    finally:
        made.end()


def seconds(terminal: Terminal) -> float:
    """How far the take is, as the screen says."""
    return float(terminal.shows(r"RECORDING +([\d.]+) of")[1])


def test_planted_faults_never_end_a_take(terminal: Terminal, tmp_path: Path) -> None:
    terminal.shows("No datasets here yet")
    terminal.type("n")
    terminal.shows("new recording")
    fill_the_form(terminal, "mine")
    terminal.type("Enter")
    terminal.shows("READY", within_s=60)
    terminal.type("i")
    before = seconds(terminal)
    for key, words in PLANTED.items():
        terminal.type("j", "j", "j")  # the arm moves when the screen fails
        terminal.type(key)
        terminal.shows(words)
        now = seconds(terminal)
        assert now >= before
        before = now
        time.sleep(SOON_S + 0.5)  # a screen that fails again sooner is not opened a third time
    # A screen that hangs is no crash; the booth hears nothing of it and lets go of the keys.
    terminal.type("j", "j", "F10")
    time.sleep(2.0)
    assert seconds(terminal) > before + 1.5
    time.sleep(1.0)
    terminal.type("Right")
    terminal.shows("1( of 3)? kept")
    terminal.type("Escape")
    terminal.shows("holds 1 episode", within_s=60)
    terminal.type("Escape")
    terminal.shows("Datasets in")

    episode = Store.open(tmp_path / "mine").episode(0)
    take = read_sidecar(episode.frames)
    assert len(take) == episode.length > 30 * 4
    # No frame is missing, and none waited for a screen: a restart takes much longer than this.
    assert np.diff(take.wall_s).max() < 0.25
    late = take.late.mean()
    assert late < 0.05, late
    # After each fault the arm stood: the last second moved nothing.
    assert np.ptp(take.action[-25:], axis=0).max() < 1e-6
    logs = [path.read_text() for path in tmp_path.glob("studio-tui-*.log")]
    assert all(any(re.search(words, log) for log in logs) for words in PLANTED.values())
