"""A new user at a terminal: from an empty folder to a dataset that passes every check, by key strokes alone."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curation.notes import masked, read_notes
from curation.store import Store
from tests.end_to_end.commands import BIN, Commands
from tests.end_to_end.tmux import Terminal, require_tmux

SIZES = ((80, 24), (200, 50))
BLOCK, BOWL = (0.337, -0.015), (0.217, -0.225)
JAW_M = 0.010
"""The middle between the open jaws lies this far beside the tool point, to the right of the hand as it starts."""
STEP_M = 0.0065
"""Way of one tap at the pace a take begins with [m]."""
TAPS_PER_S = 12


class Pilot:
    """Drives by what the screen says, tap by tap, as a person does.

    Args:
        terminal: shows the record screen.
    """

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.pace = 1.0

    def tip(self) -> tuple[float, float, float, float]:
        """Where the screen says the tool point is x, y, z [m], and how far the jaws are open."""
        found = self.terminal.shows(r"tip +(-?\d+) +(-?\d+) +(-?\d+) mm +grip +(\d+)")
        x, y, z, opening = (int(part) for part in found.groups())
        return x / 1000, y / 1000, z / 1000, opening

    def tap(self, key: str, times: int = 1) -> None:
        """Press a key so many times, as fast as a finger does."""
        for _ in range(times):
            self.terminal.type(key)
            time.sleep(1 / TAPS_PER_S)

    def slower(self, halvings: int = 1) -> None:
        """Choose a lower pace, or with a negative number a higher one."""
        self.tap("-" if halvings > 0 else "=", abs(halvings))
        self.pace *= 0.5**halvings

    def go(self, axis: int, where: float, near_m: float = 0.003) -> None:
        """Bring one coordinate of the tool point to a place: look, press, look again."""
        plus, minus = (("i", "k"), ("j", "l"), ("y", "h"))[axis]
        for _ in range(40):
            time.sleep(0.35)  # the arm stands and the screen has caught up
            off = where - self.tip()[axis]
            if abs(off) <= near_m:
                return
            self.tap(plus if off > 0 else minus, min(25, max(1, round(abs(off) / (STEP_M * self.pace)))))
        raise AssertionError(f"axis {axis} does not reach {where}:\n{self.terminal.text()}")

    def jaws(self, opening: float) -> None:
        """Open or close the jaws, until they are there or the block stops them."""
        before = -1.0
        for _ in range(40):
            time.sleep(0.3)
            now = self.tip()[3]
            if abs(now - opening) <= 6 or now == before:
                return
            before = now
            self.tap("o" if opening > now else "c", min(12, max(1, int(abs(opening - now) / 7))))

    def pick_and_place(self) -> None:
        """From home to the block in the bowl."""
        self.tap("o", 5)  # the first stroke begins the take
        self.terminal.shows("RECORDING")
        self.jaws(45)
        self.go(1, BLOCK[1] + JAW_M)
        self.go(0, BLOCK[0])
        self.slower()
        self.go(1, BLOCK[1] + JAW_M, 0.002)
        self.go(0, BLOCK[0], 0.002)
        self.go(2, 0.015, 0.003)
        self.jaws(0)
        self.slower(-1)
        self.go(2, 0.125, 0.02)
        self.go(1, BOWL[1] + JAW_M, 0.008)
        self.go(0, BOWL[0], 0.008)
        self.go(2, 0.08, 0.01)
        self.tap("o", 6)


@pytest.fixture(params=SIZES, ids=lambda size: "x".join(map(str, size)))
def terminal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Terminal]:
    require_tmux()
    columns, lines = request.param
    surroundings = {**Commands(tmp_path).surroundings, "TERM": "xterm-256color", "STUDIO_RUNS": str(tmp_path / "runs")}
    kept = {name: surroundings[name] for name in ("STUDIO_DATA", "STUDIO_RUNS", "TERM", "PATH", "HOME", "LANG")
            if name in surroundings}  # fmt: skip
    made = Terminal(tmp_path, columns, lines, [str(BIN / "studio")], {**kept, "LC_ALL": "C.UTF-8"})
    try:
        yield made
    finally:
        made.end()


def test_choose_drive_save_undo_restore_discard_stop(terminal: Terminal, tmp_path: Path) -> None:
    terminal.shows("No datasets here yet")
    terminal.type("n")
    terminal.shows("new recording")
    fill_the_form(terminal, "mine")
    terminal.type("Enter")
    terminal.shows("READY", within_s=60)
    terminal.shows(r"block at 0\.337 -0\.015")

    Pilot(terminal).pick_and_place()
    terminal.shows("success", within_s=15)
    terminal.type("Right")
    terminal.shows("1( of 3)? kept")
    terminal.shows("READY")
    terminal.type("u")
    terminal.shows("0( of 3)? kept")
    terminal.type("U")
    terminal.shows("1( of 3)? kept")

    terminal.type("i")
    terminal.shows("RECORDING")
    time.sleep(1.0)
    terminal.type("Left")
    terminal.shows("why.*slipped")
    terminal.type("1")
    terminal.shows("Discarded: slipped")
    terminal.type("Escape")
    terminal.shows("holds 1 episode", within_s=60)
    terminal.type("Escape")
    terminal.shows("Datasets in")
    terminal.type("q")
    end = time.monotonic() + 20
    while terminal.running and time.monotonic() < end:
        time.sleep(0.1)
    assert not terminal.running, terminal.text()

    root = tmp_path / "mine"
    store = Store.open(root)
    assert [row.outcome for row in store.rows()] == ["success"]
    assert (store.rows()[0].x, store.rows()[0].y, store.rows()[0].operator) == (*BLOCK, "keyboard")
    assert masked(read_notes(root)) == set()
    said = Commands(tmp_path).studio("inspect", str(root)).out
    assert re.search(r"1 of 2 attempts", said)
    from lerobot.datasets.lerobot_dataset import LeRobotDataset

    opened = LeRobotDataset("local/mine", root=root)
    assert (opened.num_episodes, len(opened)) == (1, store.episode(0).length)
    assert opened[len(opened) - 1]["observation.images.wrist_cam"].shape == (3, 480, 640)


def fill_the_form(terminal: Terminal, name: str) -> None:
    """Name a dataset; the keyboard and (0.337, -0.015) are there already. Yaw 0, three episodes, and stop by hand."""
    terminal.write(name)
    yaw = ["Down"] * 4 + ["BSpace"] * 4 + ["0"]
    episodes = ["Down"] + ["BSpace"] * 2 + ["3"]
    by_hand = ["Down"] * 2 + ["Right"]
    for key in (*yaw, *episodes, *by_hand):
        terminal.type(key)
        time.sleep(0.1)
    terminal.shows(r"--at 0\.337 -0\.015 --yaw 0")
