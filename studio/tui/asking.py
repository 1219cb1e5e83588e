"""Commands that are asked in a process of their own: what they load is heavy, and this one's output is a screen."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

CLI = ("-m", "studio.cli")
PARSE = ("-c", "import sys; from studio.cli import parsed; parsed(sys.argv[1], sys.argv[2:])")
"""Only says whether a command's words are its own."""
LONGEST_S = 60.0
"""Time for a command to say what is wrong with its words [s]."""
TIMED_OUT = -1
"""Code of an answer that did not come in time, or that nobody waited for."""


@dataclass(frozen=True)
class Answer:
    """What a command said.

    Attributes:
        code: its exit code.
        out: its result.
        wrong: why it refused, in a sentence; "" if it did not.
    """

    code: int
    out: str
    wrong: str


class Asking:
    """One command at a time; the next question lets go of the one before."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[str] | None = None

    def ask(self, words: Sequence[str], longest_s: float, how: Sequence[str] = CLI) -> Answer:
        """Wait for a command's answer. For threads.

        Args:
            words: of the command, its name first.
            longest_s: time it has [s].
            how: what runs it.
        """
        child = self._child = subprocess.Popen(
            [sys.executable, *how, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        try:
            out, said = child.communicate(timeout=longest_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            return Answer(TIMED_OUT, "", f"No answer in {longest_s:g} s.")
        return Answer(child.returncode, out, complaint(words[0], said))

    def stop(self) -> None:
        """Let go of a question that nobody waits for any more."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()


def complaint(verb: str, said: str) -> str:
    """Why a command refused, from what it said on stderr."""
    lines = said.strip().splitlines()
    if not lines or not lines[0].startswith("╭"):
        return lines[-1].removeprefix(f"studio {verb}: ") if lines else ""
    # tyro draws a box: a title, what is wrong, a rule, help.
    told = [line.strip(" │") for line in lines[1:]]
    return " ".join(told[: next((at for at, line in enumerate(told) if not line.strip("─╰╯")), len(told))])


def what_is_wrong(words: Sequence[str]) -> str:
    """What a command says of words that are none of its."""
    return Asking().ask(words, LONGEST_S, PARSE).wrong or "These answers are no command."
