"""A classifier asked all along an episode: when it is done, for a take that shall end by itself."""

from __future__ import annotations

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
LATE_S = 1.0
"""Since the block lies still, within which a success has to be seen [s]."""
EARLY_S = 0.1
"""Before that, from which on "done" was said too early [s]: nobody can tell closer from pictures."""


@dataclass(frozen=True)
class Course:
    """What a classifier says all along an episode.

    Attributes:
        frames: at which it was asked, in order; the last is the episode's.
        probability: of a success, from the pictures up to there, shape as frames.
    """

    frames: NDArray[np.int64]
    probability: NDArray[np.float64]

    def done(self, threshold: float) -> int | None:
        """The first frame from which on it would stop; None if it never would."""
        sure = np.flatnonzero(self.probability >= threshold)
        return int(self.frames[sure[0]]) if len(sure) else None


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
        early: successes that end it before there is one.
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
        if not one.exact:
            continue
        done = course.done(threshold)
        if one.since is None:
            bad, wrong = bad + 1, wrong + (done is not None)
            continue
        good += 1
        delay = None if done is None else (done - one.since) / fps[one.dataset]
        early += delay is not None and delay < -EARLY_S
        delays += [delay] if delay is not None and -EARLY_S <= delay <= LATE_S else []
    return Stops(wilson(len(delays), good), wilson(early, good), wilson(wrong, bad), tuple(delays))
