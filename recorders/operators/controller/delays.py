"""How long it takes from a reading of the hand to the arm, frame by frame."""

from __future__ import annotations

from collections import deque

import numpy as np

NAMES = ("sample_age_ms", "sample_to_control_ms", "control_to_frame_ms")
"""Age of the newest reading when the frame asked for it; from that reading to the target chosen; from there until the
frame is in the journal and goes to the arm."""
RECENT = 30
"""Frames that are shown: a second of them."""


class Delays:
    """Of one take; frames without a fresh reading have none."""

    def __init__(self) -> None:
        self._rows: list[tuple[float, float, float]] = []
        self._recent: deque[tuple[float, float, float]] = deque(maxlen=RECENT)
        self._open: tuple[float, float, float] | None = None

    def chosen(self, sampled: float, asked: float, chosen: float) -> None:
        """A target was chosen: times of the reading, of the question and of the choice [s]."""
        self._open = sampled, asked, chosen

    def framed(self, now: float) -> None:
        """The frame it was for goes to the arm now [s]."""
        if self._open is not None:
            sampled, asked, chosen = self._open
            row = 1e3 * (asked - sampled), 1e3 * (chosen - sampled), 1e3 * (now - chosen)
            self._rows.append(row)
            self._recent.append(row)
            self._open = None

    @property
    def recent(self) -> tuple[float, ...]:
        """95th percentiles of the last second [ms], in the order of `NAMES`; empty before the first frame."""
        if not self._recent:
            return ()
        return tuple(float(value) for value in np.percentile(np.array(self._recent), 95, axis=0))

    def summary(self) -> dict[str, dict[str, float]]:
        """Median, 95th percentile and worst of every delay [ms]."""
        if not self._rows:
            return {}
        found = np.percentile(np.array(self._rows), [50, 95, 100], axis=0)
        return {
            name: dict(zip(("median", "p95", "max"), (round(float(value), 2) for value in column), strict=True))
            for name, column in zip(NAMES, found.T, strict=True)
        }
