"""A recording from the command line, driven by a device that a test moves."""

from __future__ import annotations

import re
import subprocess
import threading
import time

from tests.end_to_end.commands import BIN


class Recording:
    """`studio record` beside this test, and what it says.

    Args:
        words: of the command.
        surroundings: its environment.
        keys: where it reads keys from, a file descriptor.
    """

    def __init__(self, words: tuple[str, ...], surroundings: dict[str, str], keys: int = subprocess.DEVNULL) -> None:
        self._process = subprocess.Popen(
            [BIN / "studio", "record", *words],
            stdin=keys, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings,
        )  # fmt: skip
        self.said = ""
        self._heard = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def says(self, pattern: str, within_s: float = 60.0) -> None:
        """Wait until it says this, after what it was waited for last."""
        assert self.told(pattern, within_s), f"{pattern} was not said:\n{self.said}"

    def told(self, pattern: str, within_s: float) -> bool:
        """Whether it says this in time."""
        end = time.monotonic() + within_s
        while not (found := re.search(pattern, self.said[self._heard :])):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        self._heard += found.end()
        return True

    def ends(self) -> int:
        """Its exit code."""
        code = self._process.wait(timeout=60)
        self._listener.join(timeout=10)
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
