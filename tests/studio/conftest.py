"""The faces in this process, and one small dataset made by the real command line."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from studio import cli
from tests.end_to_end.commands import Commands, Said


@dataclass(frozen=True)
class Ended:
    """What a command said in this process, and its exit code."""

    code: int
    out: str
    err: str


Studio = Callable[..., Ended]


@pytest.fixture
def studio(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Studio]:
    """Run a command line in this process, with an empty STUDIO_DATA."""
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")
    before = signal.getsignal(signal.SIGTERM)

    def run(*options: str) -> Ended:
        try:
            code = cli.run(list(options))
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    yield run
    signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class Made:
    """A dataset of one tiny episode by its bare name, where it is, and what its making said."""

    name: str
    root: Path
    said: Said
    commands: Commands


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    commands = Commands(tmp_path_factory.mktemp("studio"))
    size = ("--width", "32", "--height", "24")
    said = commands.studio("generate", "-n", "1", "--at", "0.25", "0.1", *size, "--to", "tiny", "--json")
    return Made("tiny", commands.home / "tiny", said, commands)
