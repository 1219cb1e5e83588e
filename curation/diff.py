"""What differs between two datasets: episodes that came and went, that changed, and how the numbers moved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.coverage import nearest, placements_of
from curation.episodes import SavedEpisode
from curation.fingerprint import file_hashes
from curation.layout import cameras
from curation.names import ACTION, STATE
from curation.notes import masked, read_notes
from curation.origins import Origin, Origins
from curation.packets import packets_hash
from curation.rows import Rows
from curation.splice import Stretch
from curation.store import Store

FAR_M = 0.01
"""A placement farther than this from all of the other dataset is a new one [m]."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """An episode, and the frames of which recording it shows.

    Attributes:
        episode: its number.
        origin: id of the recording; the dataset's fingerprint goes before a mere number.
        start, stop: its frames there, stop excluded.
    """

    episode: int
    origin: str
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One recorded episode in both datasets.

    Attributes:
        origin: id of the recording that both come from.
        one, other: their numbers.
        what: in which ways it differs, in words.
    """

    origin: str
    one: int
    other: int
    what: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Diff:
    """Two datasets compared.

    Attributes:
        facts: what they are as a whole, where it differs: name to both values.
        gone: episodes that only the first has.
        came: those that only the second has.
        changed: those of both that differ.
        same: how many are equal in numbers, images, task and row.
        drift: feature to how far each mean moved, in standard deviations of the first.
        new_places, lost_places: placements of one that are far from all of the other.
    """

    facts: dict[str, tuple[Any, Any]]
    gone: tuple[Piece, ...]
    came: tuple[Piece, ...]
    changed: tuple[Changed, ...]
    same: int
    drift: dict[str, tuple[float, ...]]
    new_places: int
    lost_places: int


def diff(one: Store, other: Store) -> Diff:
    """Compare two datasets by the recordings that their episodes come from.

    Raises:
        DataError: a file cannot be read.
    """
    mine, theirs = _origins(one), _origins(other)
    pairs = _paired(one, other, mine, theirs)
    hashes = file_hashes(path for e in [*one.episodes, *other.episodes] for path in e.videos.values())
    readers = Rows(one), Rows(other)
    hidden = masked(read_notes(one.root)), masked(read_notes(other.root))
    changed, same = [], 0
    for here, there in pairs:
        pair = one.episodes[here], other.episodes[there]
        what = _differences(pair, (readers[0].numbers(pair[0]), readers[1].numbers(pair[1])), hashes, hidden)
        if what:
            changed.append(Changed(origin=mine[here].recording, one=here, other=there, what=tuple(what)))
        else:
            same += 1
    places = placements_of(one), placements_of(other)
    return Diff(
        facts=_facts(one, other),
        gone=_left(mine, {here for here, _ in pairs}),
        came=_left(theirs, {there for _, there in pairs}),
        changed=tuple(changed),
        same=same,
        drift=_drift(one, other),
        new_places=int((nearest(places[1], places[0])[0] > FAR_M).sum()),
        lost_places=int((nearest(places[0], places[1])[0] > FAR_M).sum()),
    )


def _origins(store: Store) -> list[Origin]:
    origins = Origins(store)
    return [origins.of(episode) for episode in store.episodes]


def _left(origins: Sequence[Origin], paired: Set[int]) -> tuple[Piece, ...]:
    return tuple(
        Piece(episode=number, origin=origin.recording, start=origin.start, stop=origin.stop)
        for number, origin in enumerate(origins)
        if number not in paired
    )


def _paired(one: Store, other: Store, mine: Sequence[Origin], theirs: Sequence[Origin]) -> list[tuple[int, int]]:
    """Numbers of episodes that belong together, each once: those of the same frames, then those with frames in common,
    the most first, then, for copies whose origin nobody wrote down, those of the same motion."""
    exact = _matched(enumerate(mine), enumerate(theirs))
    left = _rest(exact, len(mine), len(theirs))
    of: dict[str, list[int]] = {}
    for b in left[1]:
        of.setdefault(theirs[b].recording, []).append(b)
    shared = sorted(
        (-min(mine[a].stop, theirs[b].stop) + max(mine[a].start, theirs[b].start), a, b)
        for a in left[0]
        for b in of.get(mine[a].recording, ())
        if mine[a].overlaps(theirs[b])
    )
    found, taken = dict(exact), {b for _, b in exact}
    for _, a, b in shared:
        if a not in found and b not in taken:
            found[a] = b
            taken.add(b)
    left = _rest(list(found.items()), len(mine), len(theirs))
    # Only numbers tell apart what other tools recorded, and those say nothing across datasets.
    motions = [
        [(i, _motion(rows, store.episodes[i])) for i in places if "/" in origins[i].recording]
        for store, rows, origins, places in ((one, Rows(one), mine, left[0]), (other, Rows(other), theirs, left[1]))
    ]
    return sorted([*found.items(), *_matched(*motions)])


def _matched(one: Iterable[tuple[int, Any]], other: Iterable[tuple[int, Any]]) -> list[tuple[int, int]]:
    """Numbers with equal keys, in order; several of one key one by one."""
    free: dict[Any, list[int]] = {}
    for number, key in other:
        free.setdefault(key, []).append(number)
    return [(number, free[key].pop(0)) for number, key in one if free.get(key)]


def _rest(pairs: Sequence[tuple[int, int]], count: int, of: int) -> tuple[list[int], list[int]]:
    here, there = {a for a, _ in pairs}, {b for _, b in pairs}
    return [a for a in range(count) if a not in here], [b for b in range(of) if b not in there]


def _motion(rows: Rows, episode: SavedEpisode) -> str:
    values = rows.numbers(episode).get("action")
    return "" if values is None else hashlib.sha256(values.tobytes()).hexdigest()


def _differences(
    pair: tuple[SavedEpisode, SavedEpisode],
    numbers: tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]],
    hashes: Mapping[Any, str],
    hidden: tuple[set[str], set[str]],
) -> list[str]:
    one, other = pair
    found = []
    if one.length != other.length:
        found.append(f"{one.length} frames became {other.length}")
    if one.tasks != other.tasks:
        found.append(f"task '{', '.join(one.tasks)}' became '{', '.join(other.tasks)}'")
    if one.row.outcome != other.row.outcome:
        found.append(f"outcome {one.row.outcome or 'unknown'} became {other.row.outcome or 'unknown'}")
    if (one.row.episode_id in hidden[0]) != (other.row.episode_id in hidden[1]):
        found.append("taken from the trash" if one.row.episode_id in hidden[0] else "put into the trash")
    if one.length != other.length:
        return found
    shared = sorted(numbers[0].keys() & numbers[1].keys())
    moved = [key for key in shared if not np.array_equal(numbers[0][key], numbers[1][key], equal_nan=True)]
    drawn = [key for key in one.videos if key in other.videos and not _shown_alike(pair, key, hashes)]
    return [*found, *(f"numbers of {key}" for key in moved), *(f"video of {key}" for key in drawn)]


def _shown_alike(pair: tuple[SavedEpisode, SavedEpisode], camera: str, hashes: Mapping[Any, str]) -> bool:
    """Whether both show the very same compressed frames; joined and divided files do."""
    files = {(hashes[episode.videos[camera]], episode.video_starts[camera]) for episode in pair}
    if len(files) == 1:
        return True
    stretches = (Stretch(e.videos[camera], e.video_starts[camera], e.length, alone=False) for e in pair)
    return len({packets_hash(stretch) for stretch in stretches}) == 1


def _facts(one: Store, other: Store) -> dict[str, tuple[Any, Any]]:
    def facts(store: Store) -> dict[str, Any]:
        return {
            "episodes": store.total_episodes,
            "frames": store.total_frames,
            "fps": store.fps,
            "robot": store.robot_type,
            "scene": store.scene.get("fingerprint"),
            "cameras": ", ".join(cameras(store.features)),
            "columns": ", ".join(sorted(set(store.features) - set(cameras(store.features)))),
            "tasks": ", ".join(sorted({task for episode in store.episodes for task in episode.tasks})),
        }

    have, will = facts(one), facts(other)
    return {name: (have[name], will[name]) for name in have if have[name] != will[name]}


def _drift(one: Store, other: Store) -> dict[str, tuple[float, ...]]:
    """Of action and state, from the data itself."""
    found: dict[str, tuple[float, ...]] = {}
    for key in (ACTION, STATE):
        if one.features.get(key) != other.features.get(key) or key not in one.features:
            continue
        if not one.episodes or not other.episodes:
            continue
        mine, theirs = (_column(store, key) for store in (one, other))
        spread = np.maximum(mine.std(axis=0), 1e-6)
        found[key] = tuple(round(float(v), 4) for v in (theirs.mean(axis=0) - mine.mean(axis=0)) / spread)
    return found


def _column(store: Store, key: str) -> NDArray[np.float64]:
    rows = Rows(store)
    return np.concatenate([rows.numbers(episode)[key] for episode in store.episodes]).astype(np.float64)
