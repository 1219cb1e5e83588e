"""A classifier asked all along an episode: when it is done, for a take that shall end by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched

import numpy as np
from numpy.typing import NDArray

from classifiers.evidence import LAST, combined, differences, stride
from classifiers.fit import Fitted
from classifiers.labels import Instant, Labelled
from classifiers.pictures import Pictures, pictures_of
from curation.rates import Rate, wilson
from curation.store import Store

TOGETHER = 16
"""Episodes whose pictures are in memory at once."""
DONE_S = 1.0
"""For how long it must have been sure before an episode is done [s] (assumed): a block that rolls through the bowl is
no success, and the judge wants half a second of rest."""
LATE_S = 2.0
"""Since the block lies still, within which a success has to be seen [s]; successes that end earlier tell nothing."""


@dataclass(frozen=True)
class Course:
    """What a classifier says all along an episode.

    Attributes:
        frames: at which it was asked, in order; the last is the episode's.
        probability: of a success, from the pictures up to there, shape as frames.
    """

    frames: NDArray[np.int64]
    probability: NDArray[np.float64]

    def done(self, threshold: float, fps: int) -> int | None:
        """The first frame at which it has been sure for `DONE_S`; None if it never has."""
        sure = self.probability >= threshold
        wanted = math.ceil(DONE_S / (stride(fps) / fps) - 1e-9) + 1
        ends = [at for at in range(wanted - 1, len(sure)) if sure[at - wanted + 1 : at + 1].all()]
        return int(self.frames[ends[0]]) if ends else None


def courses(
    fitted: Fitted,
    stores: Sequence[Store],
    episodes: Sequence[Labelled],
    said: Callable[[int, int], None] = lambda done, total: None,
) -> list[Course]:
    """What a classifier says all along each episode.

    Args:
        fitted: it.
        stores: the datasets they are of.
        episodes: to be asked about.
        said: told (episodes done, of how many).

    Raises:
        UnreadableVideo: a video cannot be decoded.
    """
    found: list[Course] = []
    for some in batched(episodes, TOGETHER):
        asked = [_frames(one, stores[one.dataset].fps) for one in some]
        instants = [
            Instant(one.dataset, one.episode.index, int(frame), one.success)
            for one, frames in zip(some, asked, strict=True)
            for frame in frames
        ]
        pictures = pictures_of(stores, instants, fitted.look)
        parts = np.split(pictures, np.cumsum([len(frames) for frames in asked])[:-1])
        found += [Course(frames, _along(fitted, part)) for frames, part in zip(asked, parts, strict=True)]
        said(len(found), len(episodes))
    return found


def _frames(one: Labelled, fps: int) -> NDArray[np.int64]:
    return np.arange(one.episode.length - 1, -1, -stride(fps), dtype=np.int64)[::-1]


def _along(fitted: Fitted, pictures: Pictures) -> NDArray[np.float64]:
    """At each picture, from it and those before it that an episode's end would be judged by."""
    from classifiers.network import predict

    odds, moved = predict(fitted.network, pictures), differences(pictures)
    ends = range(1, len(pictures) + 1)
    found = [combined(odds[max(0, end - LAST) : end], moved[max(0, end - LAST) : end - 1]) for end in ends]
    return fitted.weighing.probability(np.array(found))


@dataclass(frozen=True)
class Stops:
    """What a recorder that stops at "done" would do.

    Attributes:
        seen: successes that end it within `LATE_S` of the block's coming to rest.
        early: successes that end it before the block lies still.
        wrong: failures that end it at all.
        delays_s: from coming to rest to the end of those seen [s].
    """

    seen: Rate
    early: Rate
    wrong: Rate
    delays_s: tuple[float, ...] = ()


def stops(episodes: Sequence[Labelled], found: Sequence[Course], threshold: float, fps: Sequence[int]) -> Stops:
    """Count over the episodes of which the judge knows every instant.

    Args:
        episodes: their truth.
        found: what the classifier said, in the same order.
        threshold: of the probability.
        fps: of each dataset.
    """
    delays, early, wrong, good, bad = [], 0, 0, 0, 0
    for one, course in zip(episodes, found, strict=True):
        rate = fps[one.dataset]
        done = course.done(threshold, rate)
        if one.exact and one.since is None:
            bad, wrong = bad + 1, wrong + (done is not None)
        elif one.since is not None and one.episode.length >= one.since + LATE_S * rate:
            delay = math.inf if done is None else (done - one.since) / rate
            good, early = good + 1, early + (delay < 0)
            delays += [delay] if 0 <= delay <= LATE_S else []
    return Stops(wilson(len(delays), good), wilson(early, good), wilson(wrong, bad), tuple(delays))
