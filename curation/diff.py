"""What differs between two datasets: episodes that came and went, that changed, and how the numbers moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.coverage import nearest, placements_of
from curation.episodes import SavedEpisode
from curation.fingerprint import file_hashes
from curation.layout import cameras
from curation.notes import masked, read_notes
from curation.provenance import read_provenance
from curation.rows import Rows
from curation.store import Store

FAR_M = 0.01
"""A placement farther than this from all of the other dataset is a new one [m]."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """One recorded episode in both datasets.

    Attributes:
        origin: id of the recording that both come from.
        one, other: its indices.
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
        gone: origins of episodes that only the first has.
        came: origins of those that only the second has.
        changed: those of both that differ.
        same: how many are equal in numbers, images, task and row.
        drift: feature to how far each mean moved, in standard deviations of the first.
        new_places, lost_places: placements of one that are far from all of the other.
    """

    facts: dict[str, tuple[Any, Any]]
    gone: tuple[str, ...]
    came: tuple[str, ...]
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
    mine, theirs = _by_origin(one), _by_origin(other)
    both = [origin for origin in mine if origin in theirs]
    hashes = file_hashes(path for e in [*one.episodes, *other.episodes] for path in e.videos.values())
    readers = Rows(one), Rows(other)
    hidden = masked(read_notes(one.root)), masked(read_notes(other.root))
    changed, same = [], 0
    for origin in both:
        pair = mine[origin], theirs[origin]
        what = _differences(pair, (readers[0].numbers(pair[0]), readers[1].numbers(pair[1])), hashes, hidden)
        if what:
            changed.append(Changed(origin=origin, one=pair[0].index, other=pair[1].index, what=tuple(what)))
        else:
            same += 1
    here, there = placements_of(one), placements_of(other)
    return Diff(
        facts=_facts(one, other),
        gone=tuple(origin for origin in mine if origin not in theirs),
        came=tuple(origin for origin in theirs if origin not in mine),
        changed=tuple(changed),
        same=same,
        drift=_drift(one, other),
        new_places=int((nearest(there, here)[0] > FAR_M).sum()),
        lost_places=int((nearest(here, there)[0] > FAR_M).sum()),
    )


def _by_origin(store: Store) -> dict[str, SavedEpisode]:
    """Episodes by recording, and by the frames taken of it where there are several of one."""
    story = read_provenance(store.root)
    found: dict[str, SavedEpisode] = {}
    for episode in store.episodes:
        origin, start = origin_of(story, episode.row.episode_id)
        name = origin if origin not in found else f"{origin} from {start}"
        found[name] = episode
    return found


def origin_of(story: Mapping[str, Any], episode_id: str) -> tuple[str, int]:
    """The recorded episode that an episode comes from, and the frame where it begins there."""
    start = 0
    while story:
        source = (story.get("episodes") or {}).get(episode_id)
        if source is None:
            break
        episode_id, start = source["episode_id"], start + source["start"]
        story = story["parents"][source["parent"]].get("provenance") or {}
    return episode_id, start


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
    if one.task != other.task:
        found.append(f"task '{one.task}' became '{other.task}'")
    if one.row.outcome != other.row.outcome:
        found.append(f"outcome {one.row.outcome or 'unknown'} became {other.row.outcome or 'unknown'}")
    if (one.row.episode_id in hidden[0]) != (other.row.episode_id in hidden[1]):
        found.append("taken from the trash" if one.row.episode_id in hidden[0] else "put into the trash")
    if one.length != other.length:
        return found
    shared = sorted(numbers[0].keys() & numbers[1].keys())
    moved = [key for key in shared if not np.array_equal(numbers[0][key], numbers[1][key], equal_nan=True)]
    shown = [{key: (hashes[path], e.video_starts[key]) for key, path in e.videos.items()} for e in pair]
    drawn = [key for key in shown[0] if key in shown[1] and shown[0][key] != shown[1][key]]
    return [*found, *(f"numbers of {key}" for key in moved), *(f"video of {key}" for key in drawn)]


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
            "tasks": ", ".join(sorted({episode.task for episode in store.episodes})),
        }

    have, will = facts(one), facts(other)
    return {name: (have[name], will[name]) for name in have if have[name] != will[name]}


def _drift(one: Store, other: Store) -> dict[str, tuple[float, ...]]:
    """Of action and state, from the data itself."""
    found: dict[str, tuple[float, ...]] = {}
    for key in ("action", "observation.state"):
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
