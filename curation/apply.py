"""Carry a plan out: build the dataset beside its target, prove it frame by frame, give it its name.

Sources are never touched. Videos that are kept whole are copied byte for byte and compared by hash; a stretch that
begins and ends with whole groups of pictures keeps its compressed frames; only what is left is encoded anew, and then
its likeness to the source is measured. Numbers are read back and compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation import layout
from curation.atomic import sync_all
from curation.bulk import Bulk
from curation.columns import changed_features, changed_numbers, source_key
from curation.companions import write_companions
from curation.episodes import EpisodeRow, SavedEpisode
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.frames import Feature
from curation.info import new_info
from curation.pictures import Pictures, Source
from curation.plan import Plan, result_ids
from curation.preflight import require_agreement
from curation.results import resulting_row
from curation.rows import Rows
from curation.splice import How
from curation.staging import building, require_free
from curation.stats import NumericStats, lerobot_stats
from curation.store import Store

Tell = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much."""


@dataclass(frozen=True)
class Applied:
    """What came out.

    Attributes:
        root: the new dataset.
        episodes, frames: in it.
        videos: how many were copied, remuxed and encoded.
        least_psnr: of any frame that was encoded anew [dB]; infinite if none was.
        plan: hash of the plan.
    """

    root: Path
    episodes: int
    frames: int
    videos: dict[How, int]
    least_psnr: float


def apply(
    plan: Plan, to: Path, *, tell: Tell, allow: Sequence[str] = (), expected: Sequence[str] | None = None
) -> Applied:
    """Write the dataset that a plan describes.

    Args:
        plan: at least one clip.
        to: where nothing is yet.
        tell: is told how far it is.
        allow: kinds of differences between the parents that are accepted, as `preflight` names them.
        expected: fingerprints that the parents must have, of a saved recipe.

    Raises:
        TargetExists: something is at `to`.
        UsageError: nothing is left, the parents do not fit together, or are not those of the recipe.
        DataError: a source is damaged, or what was written is not what was planned. Nothing is at `to`.
        CannotWrite: the disk refused. Nothing is at `to`.
    """
    require_free(to)
    if not plan.clips:
        raise UsageError("The plan leaves no episode. Nothing was written.")
    stores = [Store.open(parent.path) for parent in plan.parents]
    require_agreement(plan, stores, allow)
    hashes: dict[Path, str] = {}
    marks = []
    for number, store in enumerate(stores):
        tell("reading", number, len(stores))
        marks.append(fingerprint(store, hashes))
    _require_expected(stores, marks, expected)
    ids = result_ids(plan, marks)
    _require_unique(ids)
    features = changed_features(stores[0].features, plan.parents[0].changes)
    with building(to) as partial:
        info = _info(stores[0], plan, features)
        bulk = Bulk(partial, info, features)
        pictures = Pictures(partial, _sources(plan, stores, ids, features), stores[0].encoding, stores[0].fps, hashes)
        rows = _write(plan, stores, ids, bulk, pictures, tell)
        bulk.close()
        write_companions(partial, plan, stores, marks, ids)
        tell("verifying", 0, 1)
        verify(partial, plan, stores, rows)
        sync_all(path for path in partial.rglob("*") if path.is_file())
    return Applied(to, len(ids), plan.frames, dict(pictures.made), pictures.least_psnr)


def verify(root: Path, plan: Plan, stores: Sequence[Store], rows: Sequence[EpisodeRow]) -> None:
    """Compare every number of a dataset with the source that its plan names, and its statistics with its numbers.

    Raises:
        DataError: something differs.
    """
    store = Store.open(root)
    back, sources = Rows(store), [Rows(one) for one in stores]
    seen: dict[str, list[Any]] = {key: [] for key in layout.columns(store.features)}
    first = 0
    for index, (clip, row) in enumerate(zip(plan.clips, rows, strict=True)):
        episode = store.episode(index)
        have = back.of(episode)
        parent, source = plan.parents[clip.parent], stores[clip.parent]
        want = _numbers(
            sources[clip.parent], source, source.episode(clip.episode_id), clip.start, clip.stop, parent.changes
        )
        counter = np.arange(clip.frames)
        want |= {"frame_index": counter[:, None], "index": first + counter[:, None]}
        for key, values in want.items():
            if not np.array_equal(have[key], values.astype(have[key].dtype), equal_nan=True):
                raise DataError(f"{root}, episode {index}, {key}: what was written is not what was planned.")
        # As text, because an unknown placement is NaN.
        if str([episode.row.columns(), episode.task]) != str([row.columns(), clip.task]):
            raise DataError(f"{root}, episode {index}: its row is not what was planned.")
        for key in seen:
            seen[key].append(have[key])
        first += clip.frames
    fresh = lerobot_stats({key: NumericStats.of(np.concatenate(parts)) for key, parts in seen.items()})
    stored = layout.read_stats(root)
    for key, stats in fresh.items():
        if any(not np.array_equal(values, stored[key][name]) for name, values in stats.items()):
            raise DataError(f"{root}, statistics of {key}: what was written is not what its numbers give.")


def _write(
    plan: Plan, stores: Sequence[Store], ids: Sequence[str], bulk: Bulk, pictures: Pictures, tell: Tell
) -> list[EpisodeRow]:
    readers, made = [Rows(store) for store in stores], []
    for index, images in enumerate(pictures):
        clip, name = plan.clips[index], ids[index]
        store, parent = stores[clip.parent], plan.parents[clip.parent]
        episode = store.episode(clip.episode_id)
        row = resulting_row(episode.row, clip, name, store.fps)
        numbers = _numbers(readers[clip.parent], store, episode, clip.start, clip.stop, parent.changes)
        bulk.add(row, clip.task, numbers, images)
        made.append(row)
        tell("written", index + 1, len(ids))
    return made


def _numbers(
    reader: Rows, store: Store, episode: SavedEpisode, start: int, stop: int, changes: tuple[Any, ...]
) -> dict[str, Any]:
    part = {key: values[start:stop] for key, values in reader.numbers(episode).items()}
    return changed_numbers(part, store.features, changes, success=episode.row.success and stop == episode.length)


def _sources(plan: Plan, stores: Sequence[Store], ids: Sequence[str], features: dict[str, Feature]) -> list[Source]:
    cameras = layout.cameras(features)
    shared = [Counter(path for episode in store.episodes for path in episode.videos.values()) for store in stores]
    found = []
    for clip, name in zip(plan.clips, ids, strict=True):
        parent = plan.parents[clip.parent]
        keys = {camera: source_key(camera, parent.changes) for camera in cameras}
        episode = stores[clip.parent].episode(clip.episode_id)
        alone = {path for path in episode.videos.values() if shared[clip.parent][path] == 1}
        found.append(Source(clip, name, stores[clip.parent].root, episode, keys, alone, parent.encode))
    return found


def _info(first: Store, plan: Plan, features: dict[str, Feature]) -> dict[str, Any]:
    """info.json without counts: the first parent's words about features that stay, and whatever else it says."""
    info = new_info(first.fps, features, first.robot_type, first.encoding)
    own = first.info
    described = dict(info["features"])
    for key in features:
        source = source_key(key, plan.parents[0].changes)
        if source in own["features"]:
            described[key] = {**own["features"][source]}
    known = {**own, **info, "features": described}
    return {key: value for key, value in known.items() if key != "tools" or value}


def _require_expected(stores: Sequence[Store], marks: Sequence[str], expected: Sequence[str] | None) -> None:
    for store, mark, wanted in zip(stores, marks, expected or marks, strict=True):
        if mark != wanted:
            raise UsageError(
                f"{store.root} is not what the recipe was made for: its fingerprint is {mark[:12]}, {wanted[:12]} was "
                "planned. Plan again to see what it would do now."
            )


def _require_unique(ids: Sequence[str]) -> None:
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise UsageError(
            f"{len(twice)} episodes are in several of the datasets, {twice[0]} among them. "
            "Take each once with --duplicates first."
        )
