"""The picture in the terminal."""

from __future__ import annotations

import re

import numpy as np
import pytest

from curation.errors import UsageError
from recorders.world.scene import Scene
from studio.preview import half_blocks, preview, require_terminal


def test_two_pixels_a_cell() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24] = (255, 0, 0)
    lines = half_blocks(image, columns=32, lines=40).split("\n")
    assert len(lines) == 12
    assert {len(re.findall("▀", line)) for line in lines} == {32}
    assert len(half_blocks(image, columns=200, lines=10).split("\n")) <= 10
    assert "38;2;255;0;0;48;2;255;0;0" in lines[0]
    assert "38;2;0;0;0;48;2;0;0;0" in lines[-1]


def test_not_without_a_terminal() -> None:
    with pytest.raises(UsageError, match="stderr is not one"):
        require_terminal()
    with preview(False, Scene()) as watch:
        assert watch(None) is None  # type: ignore[func-returns-value, arg-type]
