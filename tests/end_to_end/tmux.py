"""A person at a terminal: keys typed through tmux, the screen read back as text."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

SOON_S = 20.0


def require_tmux() -> None:
    """Fail where the set-up should have brought tmux."""
    assert shutil.which("tmux"), "tmux is missing: apt-get install -y tmux, or make setup"


class Terminal:
    """One tmux session of a given size, running one program.

    Args:
        folder: for the socket, and where the program starts.
        columns, lines: size.
        command: the program and its words.
        environment: set for it.
    """

    def __init__(
        self, folder: Path, columns: int, lines: int, command: list[str], environment: Mapping[str, str]
    ) -> None:
        self._socket = str(folder / "tmux.sock")
        words = [f"{name}={value}" for name, value in environment.items()]
        # tmux needs the size before the program asks for it.
        self._run("-f", "/dev/null", "new-session", "-d", "-s", "s", "-x", str(columns), "-y", str(lines),
                  "-c", str(folder), "env", *words, *command)  # fmt: skip
        self._run("set-option", "-g", "status", "off")
        # A lone Escape is told at once.
        self._run("set-option", "-s", "escape-time", "0")
        self._run("resize-window", "-t", "s", "-x", str(columns), "-y", str(lines))

    def type(self, *keys: str) -> None:
        """Press keys, named as tmux names them."""
        self._run("send-keys", "-t", "s", *keys)

    def write(self, text: str) -> None:
        """Type a text letter by letter."""
        self._run("send-keys", "-t", "s", "-l", text)

    def text(self) -> str:
        """What is on the screen now; the last screen once the program has ended."""
        return self._run("capture-pane", "-p", "-t", "s", check=False)

    def shows(self, pattern: str, *, within_s: float = SOON_S) -> re.Match[str]:
        """Wait until the screen matches."""
        return self.until(lambda text: re.search(pattern, text), pattern, within_s)

    def until(self, look: Callable[[str], re.Match[str] | None], what: str, within_s: float) -> re.Match[str]:
        """Wait until a look at the screen finds something."""
        end = time.monotonic() + within_s
        while True:
            text = self.text()
            if found := look(text):
                return found
            assert time.monotonic() < end, f"waited {within_s:g} s for {what}:\n{text}"
            time.sleep(0.05)

    @property
    def running(self) -> bool:
        return subprocess.run([*self._tmux, "has-session", "-t", "s"], capture_output=True, check=False).returncode == 0

    def end(self) -> None:
        """Close the session, whatever runs in it."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    @property
    def _tmux(self) -> list[str]:
        return ["tmux", "-S", self._socket]

    def _run(self, *words: str, check: bool = True) -> str:
        done = subprocess.run([*self._tmux, *words], capture_output=True, encoding="utf-8", timeout=20, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout
