"""Small real datasets, made once by the real command line."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from curation.store import Store
from tests.end_to_end.commands import Commands, Said

SMALL = ("--at", "0.337", "-0.015", "--jitter", "0.02", "--width", "128", "--height", "96")


@dataclass(frozen=True)
class Made:
    """A dataset and what its making said."""

    root: Path
    said: tuple[Said, ...]

    @property
    def store(self) -> Store:
        return Store.open(self.root)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Commands:
    return Commands(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="session")
def plain(commands: Commands) -> Made:
    """Four successes and, resumed with a limit of two seconds, a failure."""
    four = commands.studio("generate", "-n", "4", *SMALL, "--to", "plain", "--json")
    resume = ("--resume", "--keep", "all", "--limit", "2", "--json")
    fifth = commands.studio("generate", "-n", "5", *SMALL, "--to", "plain", *resume)
    return Made(commands.home / "plain", (four, fifth))


@pytest.fixture(scope="session")
def distracted(commands: Commands) -> Made:
    """Two successes with a second block on the table."""
    said = commands.studio("generate", "-n", "2", *SMALL, "--distractors", "1", "--to", "distracted")
    return Made(commands.home / "distracted", (said,))


@pytest.fixture(scope="session")
def lerobot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """`lerobot.datasets` with its caches in a temporary folder."""
    cache = str(tmp_path_factory.mktemp("cache"))
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        import datasets
        import lerobot.datasets

        patch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
        yield lerobot.datasets
