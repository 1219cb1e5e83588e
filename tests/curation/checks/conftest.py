"""A clean dataset, recorded once and copied for each fault."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.curation.checks.arm import record


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never written to."""
    root = tmp_path_factory.mktemp("checks") / "clean"
    record(root)
    return root


@pytest.fixture
def copy(clean: Path, tmp_path: Path) -> Callable[[], Path]:
    """A copy that may be ruined."""

    def make() -> Path:
        return Path(shutil.copytree(clean, tmp_path / "copy"))

    return make
