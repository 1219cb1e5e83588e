"""Which instants of which episodes show a success: what a classifier learns from.

Where the simulator's judge was there, it said when the block came to rest in the bowl, and every instant has
a label. Elsewhere only an episode's verdict is known: its last instants carry it, and what lies well before the end of
any episode is no success yet. A person's score counts more than the judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.frames import Outcome
from curation.notes import masked, read_notes, scores_by_people
from curation.store import Store

DWELL_S = 0.5
"""How long the block lies in the bowl before the judge speaks [s]; those instants already show the success."""
UNCLEAR_S = 0.1
"""Around the beginning of a success nobody could tell from one picture [s]; left out."""
TAIL_S = 0.5
"""Instants at the end of an episode that carry its verdict where nothing else is known [s]."""
EARLY_SHARE = 0.6
"""Share of an episode in which it has not succeeded yet where nothing else is known (assumed)."""
SCORE = 0.5
"""A person's score from which an episode counts as a success."""


@dataclass(frozen=True)
class Instant:
    """One moment of one episode.

    Attributes:
        dataset: which of the datasets.
        episode: its index there.
        frame: within the episode.
        success: whether it shows a success.
    """

    dataset: int
    episode: int
    frame: int
    success: bool


@dataclass(frozen=True)
class Labelled:
    """An episode whose verdict is known.

    Attributes:
        dataset: which of the datasets.
        episode: it.
        success: at its last frame.
        by: who says so: "judge", or a person.
        since: first frame at which it shows the success; None if it never does or nobody knows.
        exact: whether `since` is the judge's, so that every instant is known.
    """

    dataset: int
    episode: SavedEpisode
    success: bool
    by: str
    since: int | None
    exact: bool

    def instants(self, rng: np.random.Generator, count: int, fps: int) -> list[Instant]:
        """Some of its moments, about as many of either kind as it has, never an unclear one.

        Args:
            rng: draws them.
            count: at most so many of each kind.
            fps: frames per second.
        """
        yes, no = self._known(fps)
        chosen: list[Instant] = []
        for frames, success in ((yes, True), (no, False)):
            picked = sorted(rng.permutation(frames)[:count].tolist())
            chosen += [Instant(self.dataset, self.episode.index, frame, success) for frame in picked]
        last = self.episode.length - 1
        if all(instant.frame != last for instant in chosen):
            chosen.append(Instant(self.dataset, self.episode.index, last, self.success))
        return chosen

    def _known(self, fps: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        frames = np.arange(self.episode.length)
        if self.exact:
            since = math.inf if self.since is None else self.since
            return frames[frames >= since], frames[frames < since - UNCLEAR_S * fps]
        tail = frames[frames >= self.episode.length - round(TAIL_S * fps)]
        early = frames[frames < EARLY_SHARE * self.episode.length]
        return (tail, early) if self.success else (frames[:0], np.concatenate([early, tail]))


def labelled(stores: Sequence[Store]) -> list[Labelled]:
    """Every episode outside the trash whose verdict somebody knows.

    Raises:
        DataError: nobody knows any.
    """
    found = []
    for number, store in enumerate(stores):
        notes = read_notes(store.root)
        away = masked(notes)
        scores = {name: (float(note.value), note.by) for name, note in scores_by_people(notes).items()}
        for episode in store.episodes:
            if episode.row.episode_id not in away:
                label = _label(number, episode, store.fps, scores)
                found += [] if label is None else [label]
    if not found:
        raise DataError(
            "No episode says whether it succeeded. Give some a score: studio note DATASET EPISODE --score 0..1; "
            f"{SCORE:g} and more is a success."
        )
    return found


def _label(dataset: int, episode: SavedEpisode, fps: int, scores: dict[str, tuple[float, str]]) -> Labelled | None:
    row = episode.row
    score = scores.get(row.episode_id)
    if score is not None and (score[0] >= SCORE) != row.success:
        return Labelled(dataset, episode, score[0] >= SCORE, score[1], None, False)
    if row.outcome not in set(Outcome):
        return None if score is None else Labelled(dataset, episode, score[0] >= SCORE, score[1], None, False)
    at = row.extra.get("success_s")
    if not row.success:
        return Labelled(dataset, episode, False, "judge", None, True)
    if not isinstance(at, int | float) or row.extra.get("success_at_end") is False:
        return None  # It succeeded and did not stay so: neither its end nor its middle tells which it is.
    return Labelled(dataset, episode, True, "judge", max(0, round((at - DWELL_S) * fps)), True)
