"""A recording from the command line, driven by a device that a test moves."""

from __future__ import annotations

import re
import subprocess
import threading
import time

import numpy as np

from curation.frames import Placement
from recorders.operators.path import Path as Way
from recorders.world.scene import Scene
from recorders.world.sim import SimWorld
from tests.end_to_end.commands import BIN
from tests.operators.controller.phantom import Phantom, expert_path

TRIES = 3
SMALL = ("--width", "64", "--height", "48")
AT = ("--at", "0.337", "-0.015", "--yaw", "30")


def expert_way(seed: int) -> Way:
    """A motion of the expert's for the block at `AT`."""
    world = SimWorld(Scene(width=64, height=48))
    world.reset(0, Placement(0.337, -0.015, 30.0))
    way = expert_path(world, seed)
    world.close()
    return way


def phantom(seed: int = 0, tremble: float = 0.0005) -> Phantom:
    """A hand with a controller that makes that motion, trembling [m]."""
    return Phantom(expert_way(seed), np.random.default_rng(seed), tremble)


class Recording:
    """`studio record` beside this test, and what it says.

    Args:
        words: of the command.
        surroundings: its environment.
        keys: where it reads keys from, a file descriptor.
    """

    def __init__(self, words: tuple[str, ...], surroundings: dict[str, str], keys: int = subprocess.DEVNULL) -> None:
        self._process = subprocess.Popen(
            [BIN / "studio", "record", *words],
            stdin=keys, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=surroundings,
        )  # fmt: skip
        self.said = ""
        self._heard = 0
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def says(self, pattern: str, within_s: float = 60.0) -> None:
        """Wait until it says this, after what it was waited for last."""
        assert self.told(pattern, within_s), f"{pattern} was not said:\n{self.said}"

    def told(self, pattern: str, within_s: float) -> bool:
        """Whether it says this in time."""
        end = time.monotonic() + within_s
        while not (found := re.search(pattern, self.said[self._heard :])):
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        self._heard += found.end()
        return True

    def ends(self) -> int:
        """Its exit code."""
        code = self._process.wait(timeout=60)
        self._listener.join(timeout=10)
        return code

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._listener.join(timeout=10)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line
