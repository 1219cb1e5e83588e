"""A classifier asked all along an episode: when it is done, for a take that shall end by itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import batched

import numpy as np
from numpy.typing import NDArray

from classifiers.done import first_done, looks_at
from classifiers.evidence import LAST, evidence, last_frames
from classifiers.fit import Fitted
from classifiers.labels import Instant, Labelled
from classifiers.pictures import Pictures, pictures_of
from curation.rates import Rate, wilson
from curation.store import Store

TOGETHER = 16
"""Episodes whose pictures are in memory at once."""
LATE_S = 2.0
"""Since the block lies still, within which a success has to be seen [s]; successes that end earlier tell nothing."""


@dataclass(frozen=True)
class Course:
    """What a classifier says all along an episode, asked when it would look at it live.

    Attributes:
        frames: at which it was asked, in order; the last may lie before the episode's, and a very short one has none.
        probability: of a success, from the pictures up to there, shape as frames.
        end: of a success, from the episode's last pictures: its verdict.
    """

    frames: NDArray[np.int64]
    probability: NDArray[np.float64]
    end: float

    def done(self, threshold: float, fps: int) -> int | None:
        """The first frame at which it has been sure for `classifiers.done.DONE_S`; None if it never has."""
        at = first_done(self.probability >= threshold, fps)
        return None if at is None else int(self.frames[at])


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
        asked = [_Asked.of(one, stores[one.dataset].fps) for one in some]
        instants = [
            Instant(one.dataset, one.episode.index, int(frame), one.success)
            for one, each in zip(some, asked, strict=True)
            for frame in each.frames
        ]
        pictures = pictures_of(stores, instants, fitted.look)
        parts = np.split(pictures, np.cumsum([len(each.frames) for each in asked])[:-1])
        found += [_course(fitted, each, part) for each, part in zip(asked, parts, strict=True)]
        said(len(found), len(episodes))
    return found


@dataclass(frozen=True)
class _Asked:
    """Which pictures of an episode are needed.

    Attributes:
        frames: of all of them, in order.
        looks: where among them those are that it looks at, in order.
        last: where its last pictures are.
    """

    frames: tuple[int, ...]
    looks: tuple[int, ...]
    last: tuple[int, ...]

    @staticmethod
    def of(one: Labelled, fps: int) -> _Asked:
        looks = [frame for frame in range(one.episode.length) if looks_at(frame, fps)]
        last = last_frames(one.episode.length, fps)
        frames = sorted({*looks, *last})
        return _Asked(tuple(frames), tuple(map(frames.index, looks)), tuple(map(frames.index, last)))


def _course(fitted: Fitted, asked: _Asked, pictures: Pictures) -> Course:
    """At each look, from its picture and those before it that an episode's end would be judged by."""
    from classifiers.network import predict

    odds = predict(fitted.network, pictures)
    parts = [asked.looks[max(0, end - LAST) : end] for end in range(1, len(asked.looks) + 1)]
    found = [evidence(odds[list(part)], pictures[list(part)]) for part in (*parts, asked.last)]
    probability = fitted.weighing.probability(np.array(found))
    frames = np.array([asked.frames[look] for look in asked.looks], np.int64)
    return Course(frames, probability[:-1], float(probability[-1]))


@dataclass(frozen=True)
class Stops:
    """What a recorder that stops at "done" would do, were its pictures those of the decoded video: a live one sees them
    before they are encoded.

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
