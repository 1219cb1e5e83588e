"""The quality meter: how a take in progress will look as training data, a few numbers per frame and no pictures."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from curation.frames import Frame, Placement, Vector

from .world.servo import STEP_LIMIT_DEG_PER_S
from .world.units import HIGH, LOW


class Level(StrEnum):
    """How good a reading is."""

    GOOD = "good"
    FAIR = "fair"
    BAD = "bad"


@dataclass(frozen=True)
class Gauge:
    """One reading of the meter.

    Attributes:
        name: for people.
        value: in `unit`; NaN if there is nothing to tell yet.
        unit: of the value.
        level: green, amber or red.
        means: what a red one says about the take.
    """

    name: str
    value: float
    unit: str
    level: Level
    means: str


LATE_FAIR, LATE_BAD = 0.002, 0.01
"""Share of late frames; `inspect` notes the second."""
HEADROOM_FAIR, HEADROOM_BAD = 0.5, 0.1
"""Share of the period that the slowest percent of frames left free."""
JUMP_SHARE = 0.97
"""A target that moves by this share of the world's step limit was cut off by it: a jump (assumed)."""
JUMPS_BAD = 3
JERK_FAIR, JERK_BAD = 15.0, 40.0
"""Jerk of the body joints' targets, root mean square [1000 deg/s^3]: the scripted expert makes 4 to 6, keys at pace 1
as much (measured)."""
IDLE_DEG = 0.02
"""A frame in which no target moves by more than this is idle [deg]."""
IDLE_FAIR, IDLE_BAD = 0.35, 0.6
"""Share of idle frames (assumed): policies trained on much waiting learn to wait."""
IDLE_FROM_S = 3.0
"""Before this the share says little [s]."""
MARGIN_FAIR, MARGIN_BAD = 2.0, 0.2
"""Distance of a body joint's target to its limit [deg] (assumed)."""
PLACED_FAIR_M, PLACED_BAD_M = 0.015, 0.03
"""Distance of the block from the planned position when the take began [m]: jitter explains the first."""
SQUEEZE_FRAMES = 5
"""Frames for which a force lasts that counts as a squeeze: the jaws' impact is over sooner."""
SQUEEZE_FAIR_N, SQUEEZE_BAD_N = 65.0, 95.0
"""Lasting normal force of the jaws on the block [N]: a held cube feels 45 to 52 (measured); more means that it is
wedged against the table or the bowl."""
WORK_FRAMES = 300
"""Frames over which headroom is told: ten seconds at 30 fps."""


class Meter:
    """Accumulates the readings of one take.

    Args:
        fps: of the world.
        planned: where the block was to be; None if nowhere in particular.
        placed: where it was put.
    """

    def __init__(self, fps: int, planned: tuple[float, float] | None, placed: Placement) -> None:
        self._fps = fps
        self._away = None if planned is None else math.hypot(placed.x - planned[0], placed.y - planned[1])
        self._recent: list[Vector] = []
        self._work: list[float] = []
        self._frames = self._late = self._jumps = self._idle = 0
        self._jerk_squares = 0.0
        self._margin = math.inf
        self._squeeze = 0.0
        self._forces = [0.0] * SQUEEZE_FRAMES

    def see(self, frame: Frame, force: float, work_s: float | None) -> None:
        """Take in one frame.

        Args:
            frame: of the rollout.
            force: of the jaws on the block now [N].
            work_s: how long the last frame's work took [s]; None if it is not known.
        """
        self._frames += 1
        self._late += frame.late
        self._forces = [*self._forces[1:], force]
        self._squeeze = max(self._squeeze, min(self._forces))
        if work_s is not None:
            self._work = [*self._work[1 - WORK_FRAMES :], work_s]
        action = frame.command.action
        self._margin = min(self._margin, float(np.minimum(action - LOW, HIGH - action)[:5].min()))
        self._recent = [*self._recent[-3:], action]
        if len(self._recent) > 1:
            self._steps()

    def gauges(self) -> tuple[Gauge, ...]:
        """Every reading, in the order people look at them."""
        fps, frames = self._fps, max(1, self._frames)
        idle = self._idle / max(frames, IDLE_FROM_S * fps)
        jerk = math.sqrt(self._jerk_squares / frames) * fps**3 / 1000.0
        found = [
            _falling("headroom", 100 * self._headroom(), "%", 100 * HEADROOM_FAIR, 100 * HEADROOM_BAD,
                     "this machine cannot keep the pace"),
            _rising("late", float(self._late), f"/{self._frames}", LATE_FAIR * frames, max(1.0, LATE_BAD * frames),
                    "time in the data is not time as it was"),
            _rising("jumps", float(self._jumps), "", 0.0, JUMPS_BAD - 1.0, "targets outran the arm"),
            _rising("jerk", jerk, "k°/s³", JERK_FAIR, JERK_BAD, "the path is shaky"),
            _rising("idle", 100 * idle, "%", 100 * IDLE_FAIR, 100 * IDLE_BAD, "policies learn to wait"),
            _falling("limits", self._margin, "°", MARGIN_FAIR, MARGIN_BAD, "a joint ran into its limit"),
            _rising("squeeze", self._squeeze, "N", SQUEEZE_FAIR_N, SQUEEZE_BAD_N, "the block is wedged"),
        ]  # fmt: skip
        if self._away is not None:
            found.append(_rising("off plan", 1000 * self._away, "mm", 1000 * PLACED_FAIR_M, 1000 * PLACED_BAD_M,
                                 "the block is not where it was planned"))  # fmt: skip
        return tuple(found)

    def advice(self) -> str:
        """Why to discard the take, "" if nothing is red."""
        return "; ".join(f"{gauge.name}: {gauge.means}" for gauge in self.gauges() if gauge.level is Level.BAD)

    def summary(self) -> dict[str, Any]:
        """What is stored with the episode, JSON values: value and level by gauge."""
        known = [asdict(gauge) for gauge in self.gauges() if math.isfinite(gauge.value)]
        return {each["name"]: {"value": round(each["value"], 3), "level": str(each["level"])} for each in known}

    def _steps(self) -> None:
        moved = np.abs(self._recent[-1] - self._recent[-2])
        self._idle += bool(moved.max() < IDLE_DEG)
        self._jumps += bool(moved[:5].max() > JUMP_SHARE * STEP_LIMIT_DEG_PER_S / self._fps)
        if len(self._recent) == 4:
            third = np.diff(np.array(self._recent)[:, :5], n=3, axis=0)[0]
            self._jerk_squares += float(third @ third)

    def _headroom(self) -> float:
        if not self._work:
            return math.nan
        return 1.0 - float(np.percentile(self._work, 99)) * self._fps


def _rising(name: str, value: float, unit: str, fair: float, bad: float, means: str) -> Gauge:
    """A gauge that is worse the higher it is: amber above `fair`, red above `bad`."""
    level = Level.BAD if value > bad else Level.FAIR if value > fair else Level.GOOD
    return Gauge(name, value, unit, level, means)


def _falling(name: str, value: float, unit: str, fair: float, bad: float, means: str) -> Gauge:
    """A gauge that is worse the lower it is."""
    level = Level.BAD if value < bad else Level.FAIR if value < fair else Level.GOOD
    return Gauge(name, value, unit, level, means)
