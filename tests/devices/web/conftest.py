"""A headset's page for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.devices.web.heard import Heard


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heard]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    made = Heard()
    yield made
    made.source.close()
