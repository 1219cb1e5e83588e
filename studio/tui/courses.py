"""What a classifier says all along episodes, asked in a process of its own and remembered."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Course:
    """One episode.

    Attributes:
        frames: at which it was asked, increasing.
        probability: of a success, from the pictures up to there.
        done: the frame at which it has been sure for long enough; None if never.
        end: of a success, from the episode's last pictures: its verdict, which is asked after the last of `frames`.
    """

    frames: tuple[int, ...]
    probability: tuple[float, ...]
    done: int | None
    end: float


class Courses:
    """Asks about the episodes that are wanted, the most wanted first; never waits.

    Args:
        root: of the dataset.
        by: the classifier, as its notes name it.
        tell: called in the reading thread whenever there is more.

    Attributes:
        by: the classifier.
        known: courses by episode id; only grows, so any thread may look.
        wrong: why it can say nothing more; "" while it can.
    """

    def __init__(self, root: Path, by: str, tell: Callable[[], object]) -> None:
        self.by = by
        self.known: dict[str, Course] = {}
        self.wrong = ""
        self._words = (str(root), by)
        self._tell = tell
        self._wanted: list[str] = []
        self._lock = threading.Lock()
        self._asked: str | None = ""
        self._child: subprocess.Popen[str] | None = None
        self._closed = False

    def want(self, ids: Sequence[str]) -> None:
        """Ask about these, instead of what was wanted before."""
        with self._lock:
            self._wanted = [name for name in ids if name not in self.known]
            starts = self._child is None and bool(self._wanted) and not self._closed
            if starts:
                self._child = self._start()
        if starts:
            threading.Thread(target=self._read, name="courses", daemon=True).start()
        else:
            self._ask()

    def close(self) -> None:
        """Ask nothing more."""
        self._closed = True
        if self._child is not None:
            self._child.kill()

    def _start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "studio.courses_process", *self._words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
        )

    def _read(self) -> None:
        """Take answers until the process ends."""
        child = self._child
        assert child is not None
        assert child.stdout is not None
        with child:
            for line in child.stdout:
                with suppress(ValueError):
                    self._take(json.loads(line))
                if self._closed:
                    break
                self._tell()
                self._ask()
        if not self._closed:
            self.wrong = self.wrong or f"The classifier's process ended with code {child.returncode}."
            self._tell()

    def _take(self, told: dict[str, Any]) -> None:
        if "wrong" in told:
            self.wrong = str(told["wrong"])
        if "frames" in told:
            course = Course(tuple(told["frames"]), tuple(told["probability"]), told["done_frame"], told["at_end"])
            self.known[str(told["episode_id"])] = course
        with self._lock:
            # Its first line, or the answer: it waits for the next question.
            self._asked = None

    def _ask(self) -> None:
        """Hand on the most wanted one, if nothing is being worked on."""
        with self._lock:
            name = next((name for name in self._wanted if name not in self.known), None)
            if name is None or self._asked is not None or self._child is None or self._child.stdin is None:
                return
            self._asked = name
            # It may have ended since; then its reader says so.
            with suppress(OSError, ValueError):
                self._child.stdin.write(f"{name}\n")
                self._child.stdin.flush()
