"""A classifier that watches an episode while it happens, and says when it is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.done import Streak, looks_at
from classifiers.evidence import LAST, last_frames, stride
from classifiers.look import CutOut
from classifiers.pictures import Pictures
from curation.frames import Image, Observation

Judge = Callable[[Sequence[Pictures]], NDArray[np.float64]]


class Live:
    """Watches one episode after the other, at each instant as if it were the last.

    Args:
        judge: probability that episodes succeeded, from each one's last pictures; see `Fitted.judge`.
        look: cut-out of each camera.
        threshold: probability from which it is sure.
        fps: frames per second.

    Attributes:
        latest: what it said last, 0 before.
    """

    def __init__(self, judge: Judge, look: Mapping[str, CutOut], threshold: float, fps: int) -> None:
        self._judge = judge
        self._look = look
        self._threshold = threshold
        self._fps = fps
        self._recent: deque[Observation] = deque(maxlen=(LAST - 1) * stride(fps) + 1)
        self._pictures: deque[Image] = deque(maxlen=LAST)
        self.begin()

    def begin(self) -> None:
        """Forget what was seen."""
        self._recent.clear()
        self._pictures.clear()
        self._seen = 0
        self._sure = Streak(self._fps)
        self.latest = 0.0

    def see(self, observation: Observation) -> None:
        """Take in the next frame; only every few of them are drawn."""
        self._recent.append(observation)
        if looks_at(self._seen, self._fps):
            self._pictures.append(self._cut(observation.render()))
            self.latest = self._said(self._pictures)
            self._sure.add(self.latest >= self._threshold)
        self._seen += 1

    @property
    def done(self) -> bool:
        """Whether it has been sure for long enough, see `classifiers.done`."""
        return self._sure.done

    def probability(self) -> float:
        """That the episode is a success if the last frame seen is its last one; 0 before the first."""
        if not self._recent:
            return 0.0
        frames = last_frames(len(self._recent), self._fps)
        return self._said([self._cut(self._recent[frame].render()) for frame in frames])

    def _said(self, pictures: Sequence[Image]) -> float:
        return float(self._judge([np.stack(pictures)])[0])

    def _cut(self, images: Mapping[str, Image]) -> Image:
        """Cut-outs of one frame, uint8 (cameras, side, side, 3), cameras in the order of their names."""
        return np.stack([self._look[camera].of(images[camera]) for camera in sorted(self._look)])
