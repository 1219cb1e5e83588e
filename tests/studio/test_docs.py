"""Every `studio` command that the documentation shows is one that the command line takes."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recorders.placements import require_recordable
from studio import cli
from studio.cli import COMMANDS
from tests.studio.conftest import Studio

ROOT = Path(__file__).parents[2]
DOCUMENTS = [path for path in sorted(ROOT.glob("*.md")) if "```bash" in path.read_text(encoding="utf-8")]


def lines_of(text: str) -> Iterator[str]:
    """Command lines of the ```bash blocks, continued lines joined."""
    for block in re.findall(r"```bash\n(.*?)```", text, flags=re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def studio_calls(line: str) -> Iterator[list[str]]:
    """The options of every `studio` call in a line of shell."""
    words = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    words.whitespace_split = True
    call: list[str] | None = None
    for word in words:
        if call is None:
            call = [] if word == "studio" else None
        elif re.fullmatch(r"[|&;<>()]+", word):
            yield call
            call = None
        else:
            call.append(word)
    if call is not None:
        yield call


CALLS = [
    pytest.param(call, id=f"{document.name}: studio {' '.join(call)}")
    for document in DOCUMENTS
    for line in lines_of(document.read_text(encoding="utf-8"))
    for call in studio_calls(line)
]
CALLS.append(pytest.param(shlex.split(cli._help().rpartition("  studio ")[2]), id="the help's example"))


def test_the_reader_reads_shell() -> None:
    shell = "$ A=1 uv run studio inspect 'my set' --json | jq . && studio doctor  # really\nstudio \\\n  --version > x"
    text = f"```bash\n{shell}\n```"
    calls = [call for line in lines_of(text) for call in studio_calls(line)]
    assert calls == [["inspect", "my set", "--json"], ["doctor"], ["--version"]]
    assert (ROOT / "README.md") in DOCUMENTS


@pytest.mark.parametrize("call", CALLS)
def test_a_shown_command_parses(studio: Studio, monkeypatch: pytest.MonkeyPatch, call: list[str]) -> None:
    got: list[Any] = []
    call = call or ["tui"]  # the bare word opens the screens
    if call[0] in COMMANDS:
        module = importlib.import_module(f"studio.verbs.{call[0]}")
        monkeypatch.setattr(module, call[0], lambda options, console: got.append(options) or 0)
    said = studio(*call)
    assert said.code == 0, said.err
    for options in got:
        asked = getattr(options, "recording", None)
        if asked is not None and not asked.where.targets:
            require_recordable(asked.where.placing(), asked.scene, asked.seed)
