"""When the next frame happens: on the wall clock, or at once."""

from __future__ import annotations

import time
from typing import Protocol

import numpy as np


class Clock(Protocol):
    """Paces a rollout."""

    def start(self) -> None:
        """The first frame is now."""
        ...

    def wait(self, index: int) -> tuple[float, bool]:
        """Wait until frame `index` is due; returns seconds since the start and whether the frame is late."""
        ...


class Unpaced:
    """As fast as it goes; nothing is ever late."""

    def start(self) -> None:
        self._zero = time.perf_counter()

    def wait(self, index: int) -> tuple[float, bool]:
        return time.perf_counter() - self._zero, False


class RealTime:
    """Frame k at k / fps seconds, on a monotonic clock.

    A frame that begins more than a tenth of a period after its time is late. After a stall of over one period the
    schedule moves on from there, because a burst of catching up would drive the arm faster than the person saw.

    Args:
        fps: control rate [Hz].
    """

    LATE_SHARE = 0.1

    def __init__(self, fps: int) -> None:
        self._period = 1.0 / fps

    def start(self) -> None:
        self._zero = time.perf_counter()
        self._shift = 0.0
        self._woke: float | None = None
        self._work: list[float] = []

    def wait(self, index: int) -> tuple[float, bool]:
        due = self._zero + self._shift + index * self._period
        if self._woke is not None:
            self._work.append(time.perf_counter() - self._woke)
        while (left := due - time.perf_counter()) > 0:
            # Sleeping overshoots by up to a millisecond; the last bit is spun.
            time.sleep(left - 0.0015 if left > 0.002 else 0)
        now = self._woke = time.perf_counter()
        behind = now - due
        if behind > self._period:
            self._shift += behind
        return now - self._zero, behind > self.LATE_SHARE * self._period

    @property
    def last_work_s(self) -> float | None:
        """How long the work of the last whole frame took [s]; None in the first."""
        return self._work[-1] if self._work else None

    def measured(self) -> dict[str, float]:
        """How long the work of a frame took since `start`: median, 99th percentile and worst [ms]."""
        if not self._work:
            return {}
        median, p99, worst = np.percentile(np.array(self._work) * 1e3, [50, 99, 100])
        return {
            "tick_median_ms": round(float(median), 3),
            "tick_p99_ms": round(float(p99), 3),
            "tick_max_ms": round(float(worst), 3),
        }
