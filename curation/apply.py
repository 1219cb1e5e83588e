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
from curation.carried import Carried, carried
from curation.columns import changed_features, changed_numbers, source_key, source_of
from curation.companions import write_companions
from curation.episodes import EpisodeRow
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.frames import Feature
from curation.info import new_info
from curation.instructions import instructions_of, said_by
from curation.pictures import Pictures, Source
from curation.plan import Clip, Plan, result_ids
from curation.preflight import require_agreement
from curation.results import require_outcomes, resulting_row
from curation.rows import Rows
from curation.splice import How, copy_file
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
        lost: what of the sources was not carried along, and why.
    """

    root: Path
    episodes: int
    frames: int
    videos: dict[How, int]
    least_psnr: float
    lost: tuple[str, ...] = ()


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
    require_outcomes(plan, stores)
    hashes: dict[Path, str] = {}
    marks = []
    for number, store in enumerate(stores):
        tell("reading", number, len(stores))
        marks.append(fingerprint(store, hashes))
    _require_expected(stores, marks, expected)
    ids = result_ids(plan, marks)
    _require_unique(ids)
    features = changed_features(stores[0].features, plan.parents[0].changes)
    along = carried(plan, stores)
    with building(to) as partial:
        info = _info(stores[0], plan, features, along)
        bulk = Bulk(partial, info, features, along.columns)
        encodings = {c: stores[0].encoding_of(source_key(c, plan.parents[0].changes)) for c in layout.cameras(features)}
        pictures = Pictures(partial, _sources(plan, stores, ids, features), encodings, stores[0].fps, hashes)
        rows = _write(plan, stores, ids, bulk, pictures, along, tell)
        bulk.close()
        for name in along.files:
            copy_file(stores[0].root / name, partial / name)
        write_companions(partial, plan, stores, marks, ids)
        tell("verifying", 0, 1)
        verify(partial, plan, stores, rows)
        sync_all(path for path in partial.rglob("*") if path.is_file())
    return Applied(to, len(ids), plan.frames, dict(pictures.made), pictures.least_psnr, along.lost)


def verify(root: Path, plan: Plan, stores: Sequence[Store], rows: Sequence[EpisodeRow]) -> None:
    """Compare every number and instruction of a dataset with the source that its plan names, and its statistics with
    its numbers.

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
        want, tasks = _frames(plan, stores, clip, sources[clip.parent], success=row.success)
        counter = np.arange(clip.frames)
        want |= {"frame_index": counter[:, None], "index": first + counter[:, None]}
        want |= {"episode_index": np.full((clip.frames, 1), index), "timestamp": counter[:, None] / store.fps}
        for key, values in want.items():
            if not np.array_equal(have[key], values.astype(have[key].dtype), equal_nan=True):
                raise DataError(f"{root}, episode {index}, {key}: what was written is not what was planned.")
        if said_by(store, episode, have["task_index"]) != tasks:
            raise DataError(f"{root}, episode {index}: its frames do not have the instructions that were planned.")
        # As text, because an unknown placement is NaN.
        told = [row.columns(), list(dict.fromkeys(tasks))]
        if str([episode.row.columns(), list(episode.tasks)]) != str(told):
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
    plan: Plan,
    stores: Sequence[Store],
    ids: Sequence[str],
    bulk: Bulk,
    pictures: Pictures,
    along: Carried,
    tell: Tell,
) -> list[EpisodeRow]:
    readers, made = [Rows(store) for store in stores], []
    for index, images in enumerate(pictures):
        clip, name = plan.clips[index], ids[index]
        store = stores[clip.parent]
        row = resulting_row(store.episode(clip.episode_id).row, clip, name, store.fps)
        numbers, tasks = _frames(plan, stores, clip, readers[clip.parent], success=row.success)
        bulk.add(row, tasks, numbers, images, along.values(clip, store))
        made.append(row)
        tell("written", index + 1, len(ids))
    return made


def _frames(
    plan: Plan, stores: Sequence[Store], clip: Clip, reader: Rows, *, success: bool
) -> tuple[dict[str, Any], list[str]]:
    """The numbers of a clip's frames after all changes, and their instructions."""
    store, changes = stores[clip.parent], plan.parents[clip.parent].changes
    every = reader.of(store.episode(clip.episode_id))
    part = {key: values[clip.start : clip.stop] for key, values in every.items() if key not in layout.BOOKKEEPING}
    return changed_numbers(part, store.features, changes, success=success), instructions_of(clip, store, every)


def _sources(plan: Plan, stores: Sequence[Store], ids: Sequence[str], features: dict[str, Feature]) -> list[Source]:
    cameras = layout.cameras(features)
    shared = [Counter(path for episode in store.episodes for path in episode.videos.values()) for store in stores]
    found = []
    for clip, name in zip(plan.clips, ids, strict=True):
        parent = plan.parents[clip.parent]
        keys = {camera: source_key(camera, parent.changes) for camera in cameras}
        episode = stores[clip.parent].episode(clip.episode_id)
        alone = {path for path in episode.videos.values() if shared[clip.parent][path] == 1}
        found.append(Source(clip, name, stores[clip.parent].root, episode, keys, alone, dict(parent.encode)))
    return found


def _info(first: Store, plan: Plan, features: dict[str, Feature], along: Carried) -> dict[str, Any]:
    """info.json without counts: the first parent's words about features that stay, and what else goes along."""
    info = new_info(first.fps, features, first.robot_type, first.encoding)
    own = first.info
    described = dict(info["features"])
    for key in features:
        source = source_of(key, plan.parents[0].changes)
        if source in own["features"]:
            described[key] = {**own["features"][source]}
    return {**info, "features": described, "splits": along.splits, **along.info}


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
