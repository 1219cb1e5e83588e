"""The real program on a real pseudo-terminal: it starts without a command, and leaves in order whatever ends it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pty = pytest.importorskip("pty")
ON_TERMINAL = (
    "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])"
)


class Terminal:
    """`studio` without a command, as the leader of a terminal's session."""

    def __init__(self, home: Path, runs: Path) -> None:
        self.master, slave = os.openpty()
        surroundings = {**os.environ, "TERM": "xterm-256color", "STUDIO_DATA": str(home), "STUDIO_RUNS": str(runs)}
        surroundings.pop("TEXTUAL_DRIVER", None)
        self.running = subprocess.Popen(
            [sys.executable, "-c", ON_TERMINAL, str(slave), "-m", "studio.cli"],
            pass_fds=[slave],
            env=surroundings,
            stdin=subprocess.DEVNULL,
        )
        os.close(slave)
        self.said = b""

    def until(self, words: bytes, seconds: float = 30.0) -> None:
        end = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < end, self.said[-2000:]
            if select.select([self.master], [], [], 0.2)[0]:
                self.said += os.read(self.master, 65536)

    def hang_up(self) -> None:
        os.close(self.master)
        self.master = -1

    def close(self) -> None:
        if self.running.poll() is None:
            self.running.kill()
        self.running.wait()
        if self.master >= 0:
            self.hang_up()


@pytest.fixture
def terminal(shelf: Path, tmp_path: Path) -> Iterator[Terminal]:
    shown = Terminal(shelf, tmp_path / "runs")
    shown.until(b"night-shift")
    yield shown
    shown.close()


def test_q_leaves_and_gives_the_terminal_back(terminal: Terminal) -> None:
    os.write(terminal.master, b"q")
    terminal.until(b"\x1b[?1049l")
    assert terminal.running.wait(timeout=20) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_in_order(terminal: Terminal, number: signal.Signals) -> None:
    terminal.running.send_signal(number)
    terminal.until(b"\x1b[?1049l")
    assert terminal.running.wait(timeout=20) == 0


def test_a_terminal_that_goes_away_ends_it(terminal: Terminal) -> None:
    """A closed window or a broken connection: nothing may be left that holds a dataset."""
    terminal.hang_up()
    assert terminal.running.wait(timeout=20) == 0
