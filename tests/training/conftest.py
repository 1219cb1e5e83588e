"""One small dataset, a folder for runs, and LeRobot's caches in a temporary folder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.curation.checks.arm import record


@pytest.fixture(scope="session")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four episodes of an arm with two cameras of 48x64. Never written to."""
    root = tmp_path_factory.mktemp("training") / "arm"
    record(root)
    return root


@pytest.fixture(scope="session")
def lerobot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """LeRobot's Arrow copies go to a temporary folder; the smallest models are fastest on one thread."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("HF_DATASETS_CACHE", str(tmp_path_factory.mktemp("arrow")))
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
        import datasets
        import torch

        patch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path_factory.mktemp("arrow"))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield
        torch.set_num_threads(threads)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs' home, in an empty folder that commands start in; it does not exist yet."""
    monkeypatch.setenv("STUDIO_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"
