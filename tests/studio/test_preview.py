"""The picture in the terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time

import numpy as np
import pytest

from curation.errors import UsageError
from recorders.world.scene import Scene
from studio.preview import half_blocks, preview, require_terminal

DRIVE = """
import time
import numpy as np
from recorders.world.scene import Scene, compile_scene
from studio.preview import preview, require_terminal
if __name__ == "__main__":
    require_terminal()
    physics = np.concatenate([[0.0], compile_scene(Scene()).qpos0])
    with preview(True, Scene()) as look:
        for frame in range(400):
            physics[:2] = frame, 0.001 * frame
            look(physics)
            time.sleep(0.02)
"""


def test_two_pixels_a_cell() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:24] = (255, 0, 0)
    lines = half_blocks(image, columns=32, lines=40).split("\n")
    assert len(lines) == 12
    assert {len(re.findall("▀", line)) for line in lines} == {32}
    assert len(half_blocks(image, columns=200, lines=10).split("\n")) <= 10
    assert len(half_blocks(image, columns=200, lines=-3).split("\n")) == 1
    assert "38;2;255;0;0;48;2;255;0;0" in lines[0]
    assert "38;2;0;0;0;48;2;0;0;0" in lines[-1]


def test_not_without_a_terminal() -> None:
    with pytest.raises(UsageError, match="stderr is not one"):
        require_terminal()
    with preview(False, Scene()) as look:
        assert look([0.0]) is None


def test_the_arm_is_seen_moving_in_the_terminal() -> None:
    outer, inner = pty.openpty()
    running = subprocess.Popen([sys.executable, "-c", DRIVE], stdin=inner, stdout=subprocess.DEVNULL, stderr=inner)
    os.close(inner)
    pictures: list[bytes] = []
    shown, end = b"", time.monotonic() + 30
    while len(set(pictures)) < 4 and time.monotonic() < end:
        if select.select([outer], [], [], 0.2)[0]:
            shown += os.read(outer, 65536)
        pictures = re.findall(rb"\x1b7\x1b\[H(.*?)\x1b8", shown, re.DOTALL)
    running.kill()
    running.wait()
    os.close(outer)
    assert len(set(pictures)) >= 4
    assert b"Traceback" not in shown
