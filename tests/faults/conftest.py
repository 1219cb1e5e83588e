"""What the fault tests share: LeRobot, warm, a small recorded dataset, and commands in this process."""

from __future__ import annotations

import os
import shutil
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

import recorders as recorders  # chooses how MuJoCo draws, before it is imported
from curation.fingerprint import fingerprint
from studio import cli
from tests.faults.harness import SMALL, Here, Said, can_mount, check_with_store, studio


@pytest.fixture(scope="session")
def lerobot(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """`lerobot.datasets`, imported once, with its caches in a temporary folder."""
    os.environ["HF_DATASETS_CACHE"] = str(tmp_path_factory.mktemp("hf"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import datasets
        import lerobot.datasets

        datasets.disable_progress_bars()
    return lerobot.datasets


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of two short episodes; tests work on copies."""
    root = tmp_path_factory.mktemp("faults") / "two"
    done = studio("record", "-n", 2, "--keep", "all", "--limit", 0.6, "--to", root, *SMALL)
    assert done.code == 0, done.err
    return root


@pytest.fixture
def data(two: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    root = tmp_path / "data"
    shutil.copytree(two, root)
    return root


@pytest.fixture(scope="session")
def disks() -> None:
    """Needs file systems of its own; where that is not permitted, says so. In CI that is a failure."""
    if why := can_mount():
        if os.environ.get("CI"):
            pytest.fail(f"In CI nothing may be skipped, but here one {why}")
        pytest.skip(why)


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str]) -> Iterator[Here]:
    """Run a command in this process, for those that refuse before they start others."""
    before = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> Said:
        capsys.readouterr()
        code = cli.run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Said(code, out.splitlines(), err.splitlines())

    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def untouched(data: Path) -> Iterator[Path]:
    """The dataset, which after the test is what it was."""
    before = fingerprint(data)
    yield data
    assert fingerprint(data) == before
    check_with_store(data)
