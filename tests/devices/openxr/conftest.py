from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.openxr.runtime import Runtime, build


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("openxr"))


@pytest.fixture
def runtime(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """A headset that is on, with both controllers at rest."""
    monkeypatch.setenv("XR_RUNTIME_JSON", str(manifest))
    monkeypatch.setenv("STUDIO_TEST_XR", str(tmp_path / "headset"))
    made = Runtime(tmp_path / "headset")
    yield made
    made.close()
