"""Episodes that are one motion: the same actions, perhaps some frames earlier or later, perhaps with the ends cut off.

A training run that sees a motion twice gives it twice the weight, and a test episode whose copy was trained on proves
nothing. Copies come from merges of sets that share episodes, from rerenders, from replays saved as new episodes.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.motion import joints_of
from curation.rows import Rows
from curation.store import Store
from curation.unions import joined

TOLERANCE_DEG = 0.1
"""Largest difference of one joint in one frame [deg]: the real arm's encoder tells 0.088 deg apart. Two drives of one
person, or of the scripted expert to places a millimetre apart, differ by more somewhere."""
LEAST_SHARE = 0.8
"""Share of the shorter episode that both must have in common."""
_HITS = 64
"""Frames of another episode tried as the counterpart of one frame; more look alike only where nothing moves."""
_SEED = 0


@dataclass(frozen=True)
class Track:
    """The motion of one episode.

    Attributes:
        key: of the episode.
        actions: shape (frames, D), in degrees or what stands for them.
    """

    key: Hashable
    actions: NDArray[np.float64]


@dataclass(frozen=True)
class Copy:
    """Two tracks, by their places in the list, that are one motion.

    Attributes:
        a, b: a < b.
        shift: frame t of `a` is frame t + shift of `b`.
        frames: so many are in common.
        largest: difference among them [deg].
    """

    a: int
    b: int
    shift: int
    frames: int
    largest: float


def tracks_of(store: Store) -> list[Track]:
    """The motion of every episode, by its id; none where a dataset has no action vector.

    Raises:
        DataError: data of an episode cannot be read.
    """
    joints, rows = joints_of(store), Rows(store)
    if joints is None:
        return []
    return [Track(episode.row.episode_id, joints.scaled(rows.numbers(episode)["action"])) for episode in store.episodes]


def copies(tracks: Sequence[Track], tolerance: float = TOLERANCE_DEG) -> list[Copy]:
    """Every two tracks that are one motion, in order of the list.

    Each track's most lively frame is looked up among all frames of all tracks; where one is like it, both tracks are
    laid over each other and compared throughout. So the cost grows with the frames, not with the pairs.

    Args:
        tracks: of one number of columns; others are never alike.
        tolerance: largest difference [deg].
    """
    found: dict[tuple[int, int], Copy] = {}
    for width in sorted({track.actions.shape[1] for track in tracks}):
        group = [i for i, track in enumerate(tracks) if track.actions.shape[1] == width and len(track.actions)]
        for copy in _among(tracks, group, tolerance) if len(group) > 1 else ():
            pair = copy.a, copy.b
            if pair not in found or copy.frames > found[pair].frames:
                found[pair] = copy
    return sorted(found.values(), key=lambda copy: (copy.a, copy.b))


def groups(count: int, pairs: Sequence[Copy]) -> list[list[int]]:
    """Tracks that are one motion, directly or through others; each group and the list of them in order."""
    members: dict[int, list[int]] = {}
    for i, first in enumerate(joined(count, ((pair.a, pair.b) for pair in pairs))):
        members.setdefault(first, []).append(i)
    return [group for group in members.values() if len(group) > 1]


def _among(tracks: Sequence[Track], group: Sequence[int], tolerance: float) -> Iterator[Copy]:
    frames = np.concatenate([tracks[i].actions for i in group]).astype(np.float64)
    owners = np.repeat(group, [len(tracks[i].actions) for i in group])
    starts = dict(zip(group, np.cumsum([0, *(len(tracks[i].actions) for i in group[:-1])]), strict=True))
    # Along a random direction, frames that are alike are near each other; the reverse is then tested.
    direction = np.random.default_rng(_SEED).normal(size=frames.shape[1])
    direction /= np.linalg.norm(direction)
    along = frames @ direction
    order = np.argsort(along, kind="stable")
    ranked = along[order]
    slack = tolerance * np.sqrt(frames.shape[1]) + 1e-9
    for a in group:
        anchor = _anchor(tracks[a].actions)
        at = starts[a] + anchor
        low, high = np.searchsorted(ranked, [along[at] - slack, along[at] + slack])
        near = order[low:high]
        near = near[np.abs(frames[near] - frames[at]).max(axis=1) <= tolerance]
        for b in np.unique(owners[near]):
            if b != a:
                hits = near[owners[near] == b] - starts[b] - anchor
                yield from _best(tracks, a, int(b), hits, tolerance)


def _anchor(actions: NDArray[np.float64]) -> int:
    """The frame in the middle part, which every copy shares, about which most moves."""
    count = len(actions)
    spared = int((1 - LEAST_SHARE) * count)
    speed = np.abs(np.gradient(actions, axis=0)).sum(axis=1) if count > 1 else np.zeros(1)
    middle = speed[spared : count - spared]
    return spared + int(middle.argmax()) if len(middle) else count // 2


def _best(tracks: Sequence[Track], a: int, b: int, shifts: NDArray[Any], tolerance: float) -> Iterator[Copy]:
    """The longest overlap of two tracks that holds, if any does."""
    one, other = tracks[a].actions, tracks[b].actions
    least = max(1, int(np.ceil(LEAST_SHARE * min(len(one), len(other)))))
    best: Copy | None = None
    for shift in sorted(map(int, shifts), key=abs)[:_HITS]:
        first, last = max(0, -shift), min(len(one), len(other) - shift)
        if last - first < max(least, best.frames + 1 if best else 0):
            continue
        largest = float(np.abs(one[first:last] - other[first + shift : last + shift]).max())
        if largest <= tolerance:
            ordered = (a, b, shift) if a < b else (b, a, -shift)
            best = Copy(*ordered, last - first, largest)
    if best is not None:
        yield best
