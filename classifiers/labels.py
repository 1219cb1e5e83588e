"""Which instants of which episodes show a success: what a classifier learns from.

Where the simulator's judge was there, it said when the block came to rest in the bowl, and every instant has
a label. Elsewhere only an episode's verdict is known: its last instants carry it, and what lies well before the end of
any episode is no success yet. A person's score counts more than the judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.frames import Outcome
from curation.notes import SUCCESS_FROM, masked, read_notes, scores_by_people
from curation.origins import Origins
from curation.store import Store

DWELL_S = 0.5
"""How long the block lies in the bowl before the judge speaks [s]; those instants already show the success."""
UNCLEAR_S = 0.1
"""Around the beginning of a success nobody could tell from one picture [s]; left out."""
TAIL_S = 0.5
"""Instants at the end of an episode that carry its verdict where nothing else is known [s]."""
EARLY_SHARE = 0.6
"""Share of an episode in which it has not succeeded yet where nothing else is known (assumed)."""
HARD_S = 1.5
"""Time before a success, or before an end without one, in which pictures are hardest to tell from a success [s]."""


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
        recording: the recorded episode its frames come from, however often it was edited since.
        session: who recorded it with which seed, else its dataset.
    """

    dataset: int
    episode: SavedEpisode
    success: bool
    by: str
    since: int | None
    exact: bool
    recording: str = ""
    session: str = ""

    def instants(self, rng: np.random.Generator, count: int, fps: int) -> list[Instant]:
        """Some of its moments, about as many of either kind as it has, never an unclear one.

        Half of those without a success are from shortly before it, or before the end: there it is hard to tell.

        Args:
            rng: draws them.
            count: at most so many of each kind.
            fps: frames per second.
        """
        yes, no = self._known(fps)
        hard = no >= (self.episode.length if self.since is None else self.since) - HARD_S * fps
        near = rng.permutation(no[hard])[: count // 2]
        far = rng.permutation(no[~hard])[: count - len(near)]
        chosen = {int(frame): True for frame in rng.permutation(yes)[:count]}
        chosen |= {int(frame): False for frame in (*near, *far)}
        chosen.setdefault(self.episode.length - 1, self.success)
        return self._at(chosen)

    def ends(self, rng: np.random.Generator, fps: int) -> list[Instant]:
        """Moments at which it might have ended, and whether it would be a success: its end, and where every instant is
        known also where a judge would have stopped it, and any other, before a success or after."""
        last = self.episode.length - 1
        chosen = {last: self.success}
        if self.exact and self.since is not None:
            judged = min(last, self.since + round(DWELL_S * fps))
            before = np.arange(max(0, self.since - HARD_S * fps), self.since - UNCLEAR_S * fps, dtype=int)
            chosen |= {judged: True, int(rng.integers(judged, last + 1)): True}
            chosen |= {int(frame): False for frame in rng.permutation(before)[:1]}
        elif self.exact:
            chosen |= {int(frame): False for frame in rng.integers(last // 2, last + 1, 2)}
        return self._at(chosen)

    def _at(self, chosen: Mapping[int, bool]) -> list[Instant]:
        return [Instant(self.dataset, self.episode.index, frame, chosen[frame]) for frame in sorted(chosen)]

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
        away, origins = masked(notes), Origins(store)
        people = {name: (float(note.value), note.by) for name, note in scores_by_people(notes).items()}
        for episode in store.episodes:
            label = None if episode.row.episode_id in away else _label(number, episode, store.fps, people)
            if label is not None:
                recording = origins.of(episode).recording
                found.append(replace(label, recording=recording, session=_session(episode, origins)))
    if not found:
        raise DataError(
            "No episode says whether it succeeded. Give some a score: studio note DATASET EPISODE --score 0..1; "
            f"{SUCCESS_FROM:g} and more is a success."
        )
    return found


def _session(episode: SavedEpisode, origins: Origins) -> str:
    """The session an episode was recorded in: its seed where there is one."""
    seed = episode.row.extra.get("session_seed")
    return f"dataset {origins.mark}" if seed is None else f"{episode.row.operator}:{seed}"


def _label(dataset: int, episode: SavedEpisode, fps: int, people: dict[str, tuple[float, str]]) -> Labelled | None:
    row = episode.row
    score = people.get(row.episode_id)
    if score is not None and (score[0] >= SUCCESS_FROM) != row.success:
        return Labelled(dataset, episode, score[0] >= SUCCESS_FROM, score[1], None, False)
    if row.outcome not in set(Outcome):
        return None if score is None else Labelled(dataset, episode, score[0] >= SUCCESS_FROM, score[1], None, False)
    at = row.extra.get("success_s")
    if not row.success:
        return Labelled(dataset, episode, False, "judge", None, True)
    if not isinstance(at, int | float) or row.extra.get("success_at_end") is False:
        return None  # It succeeded and did not stay so: neither its end nor its middle tells which it is.
    return Labelled(dataset, episode, True, "judge", max(0, round((at - DWELL_S) * fps)), True)
