"""What a plan would do, before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.carried import carried
from curation.columns import JOINT_COLUMNS, changed_features, changed_numbers, source_of
from curation.naming import dataset_names
from curation.plan import Plan, begin
from curation.preflight import Difference, differences
from curation.rows import Rows
from curation.stats import NumericStats, Stats
from curation.store import Store


@dataclass(frozen=True, kw_only=True)
class Side:
    """A dataset, or all of them together, before or after.

    Attributes:
        episodes, frames: how many.
        seconds: of motion.
        tasks: episodes by task.
        features: key to dtype and shape, in words.
        names: key to what its columns are called, where each has a name.
        stats: of action and state, as LeRobot has them.
        video_bytes: what videos take on disk; after, about.
    """

    episodes: int
    frames: int
    seconds: float
    tasks: dict[str, int]
    features: dict[str, str]
    names: dict[str, tuple[str, ...]]
    stats: dict[str, Stats | None]
    video_bytes: int


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would change.

    Attributes:
        parents: each source.
        before: all sources together.
        after: the result.
        dropped: episodes that are left out, by dataset.
        cut: episodes of which a part is kept: (dataset, number of the episode, start, stop, length).
        masked: episodes in the trash that are left out.
        changes: of columns, by dataset, in words.
        differences: between the sources.
        lost: what of the sources does not go along, and why.
    """

    parents: tuple[tuple[str, Side], ...]
    before: Side
    after: Side
    dropped: dict[str, int]
    cut: tuple[tuple[str, int, int, int, int], ...]
    masked: int
    changes: dict[str, tuple[str, ...]]
    differences: tuple[Difference, ...]
    lost: tuple[str, ...]


def preview(plan: Plan, stores: Sequence[Store]) -> Preview:
    """Look at a plan; nothing is decoded or written.

    Raises:
        UsageError: a change does not fit its dataset.
        DataError: a source cannot be read.
    """
    names = dataset_names([store.root for store in stores])
    whole = begin(stores, with_masked=True)
    left = {clip.ref for clip in plan.clips}
    hidden = set(plan.left_out)
    gone = Counter(names[clip.parent] for clip in whole.clips if clip.ref not in left | hidden)
    cut = [clip for clip in plan.clips if not clip.whole]
    return Preview(
        parents=tuple(
            (name, _side(begin([store], with_masked=True), [store])) for name, store in zip(names, stores, strict=True)
        ),
        before=_side(whole, stores),
        after=_side(plan, stores),
        dropped=dict(gone),
        cut=tuple(
            (names[clip.parent], stores[clip.parent].episode(clip.episode_id).index, clip.start, clip.stop, clip.length)
            for clip in cut
        ),
        masked=len(plan.left_out),
        changes={
            name: tuple(change.words() for change in parent.changes)
            + tuple(f"videos of {camera} are encoded anew in {how.codec}" for camera, how in parent.encode)
            for name, parent in zip(names, plan.parents, strict=True)
            if parent.changes or parent.encode
        },
        differences=tuple(differences(plan, stores)),
        lost=carried(plan, stores).lost if plan.clips else (),
    )


def _side(plan: Plan, stores: Sequence[Store]) -> Side:
    readers = [Rows(store) for store in stores]
    numbers: dict[str, list[NDArray[Any]]] = {}
    size = 0.0
    shares = [Counter(path for e in store.episodes for path in e.videos.values()) for store in stores]
    for clip in plan.clips:
        store, parent = stores[clip.parent], plan.parents[clip.parent]
        episode = store.episode(clip.episode_id)
        part = {key: v[clip.start : clip.stop] for key, v in readers[clip.parent].numbers(episode).items()}
        after = changed_numbers(part, store.features, parent.changes, success=episode.row.success)
        for key in (key for key in JOINT_COLUMNS if key in after):
            numbers.setdefault(key, []).append(after[key])
        kept = {source_of(key, parent.changes) for key in changed_features(store.features, parent.changes)}
        for key in set(episode.videos) & kept:
            path = episode.videos[key]
            size += _size(path) / shares[clip.parent][path] * clip.frames / clip.length
    first = changed_features(stores[0].features, plan.parents[0].changes)
    return Side(
        episodes=len(plan.clips),
        frames=plan.frames,
        seconds=sum(clip.frames / stores[clip.parent].fps for clip in plan.clips),
        tasks=dict(Counter(task for clip in plan.clips for task in clip.instructions)),
        features={key: f"{f.dtype} {'x'.join(map(str, f.shape))}" for key, f in first.items()},
        names={key: f.names for key, f in first.items() if f.shape == (len(f.names),)},
        stats={key: _stats(parts) for key, parts in numbers.items()},
        video_bytes=round(size),
    )


def _stats(parts: Sequence[NDArray[Any]]) -> Stats | None:
    """Statistics of all parts together; None where they do not even have the same columns."""
    widths = {part.shape[1] for part in parts}
    return NumericStats.of(np.concatenate(parts)).as_lerobot() if len(widths) == 1 else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
