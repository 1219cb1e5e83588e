"""A classifier that watches an episode while it happens, and says when it is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from classifiers.evidence import SPREAD_S, last_frames
from classifiers.look import CutOut
from classifiers.pictures import Pictures
from curation.frames import Image, Observation

EVERY_S = 0.5
"""Time between two looks [s]: one costs some drawings and a pass of the network."""
DONE_S = 1.0
"""For how long each look must have shown a success before the episode is done [s] (assumed): a block that rolls through
the bowl is no success, and the judge wants half a second of rest."""
Judge = Callable[[Sequence[Pictures]], NDArray[np.float64]]


class Live:
    """Watches one episode after the other.

    Args:
        judge: probability that episodes succeeded, from each one's last pictures; see `Fitted.judge`.
        look: cut-out of each camera.
        threshold: probability from which a look shows a success.
        fps: frames per second.
    """

    def __init__(self, judge: Judge, look: Mapping[str, CutOut], threshold: float, fps: int) -> None:
        self._judge = judge
        self._look = look
        self._threshold = threshold
        self._every = max(1, round(EVERY_S * fps))
        self._fps = fps
        self._recent: deque[Observation] = deque(maxlen=round(SPREAD_S * fps) + 1)
        self._wanted = 1 + round(DONE_S / EVERY_S)
        self.begin()

    def begin(self) -> None:
        """Forget what was seen."""
        self._recent.clear()
        self._seen = 0
        self._looks = 0
        self._shown = 0

    def see(self, observation: Observation) -> None:
        """Take in the next frame; its images are drawn only at a look."""
        self._recent.append(observation)
        self._seen += 1
        if self._seen % self._every == 0:
            self._looks += 1
            self._shown = self._shown + 1 if self.probability() >= self._threshold else 0

    @property
    def done(self) -> bool:
        """Whether the last looks all showed a success, for `DONE_S`."""
        return self._shown >= self._wanted

    def probability(self) -> float:
        """That the episode would be a success if the last frame seen were its last one; 0 before the first."""
        if not self._recent:
            return 0.0
        frames = last_frames(len(self._recent), self._fps)
        cut = [self._cut(self._recent[frame].render()) for frame in frames]
        return float(self._judge([np.stack(cut)])[0])

    def _cut(self, images: Mapping[str, Image]) -> Image:
        """Cut-outs of one frame, uint8 (cameras, side, side, 3), cameras in the order of their names."""
        return np.stack([self._look[camera].of(images[camera]) for camera in sorted(self._look)])
