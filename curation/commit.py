"""What a commit writes, in which order, and what of it an interrupted one leaves behind.

`curation.store` says why the order is what it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.atomic import ASIDE
from curation.episodes import SavedEpisode, StagedEpisode, npz_bytes
from curation.errors import DataError
from curation.frames import Feature
from curation.info import counted
from curation.layout import BEFORE_FIRST, Position
from curation.stats import ImageStats, NumericStats, Running, lerobot_stats, merged

Positions = dict[str, Position]
"""The file of the last saved episode, for "data", "meta/episodes" and each "videos/<camera>"."""


@dataclass(frozen=True, kw_only=True)
class Commit:
    """An episode's way into a dataset, worked out before anything is written.

    Attributes:
        record: its row of meta/episodes, without statistics.
        position: the files it goes to.
        tasks: the dataset's tasks with it.
        running: the dataset's statistics with it.
        info: the dataset's info.json with it.
        writes: (path in the dataset, bytes or the file that shall be there), to be done in order.
    """

    record: dict[str, Any]
    position: Positions
    tasks: list[str]
    running: Running
    info: dict[str, Any]
    writes: list[tuple[str, bytes | Path]]

    @property
    def info_bytes(self) -> bytes:
        """What info.json then holds."""
        return layout.json_bytes(self.info)


def prepare(
    staged: StagedEpisode,
    info: Mapping[str, Any],
    features: Mapping[str, Feature],
    tasks: list[str],
    last: Positions,
    running: Running,
) -> Commit:
    """Work out a commit.

    Args:
        staged: the episode, checked.
        info: the dataset's info.json.
        features: the dataset's features.
        tasks: the dataset's tasks.
        last: the files of its last episode.
        running: its statistics.
    """
    new = [task for task in dict.fromkeys(staged.said) if task not in tasks]
    known = [*tasks, *new] if new else tasks
    position = {name: place.next() for name, place in last.items()}
    record = _record(staged, info, position)
    columns = _columns(staged, record, info["fps"], known)
    stored = layout.columns(features)
    values = {key: columns[key].astype(feature.dtype) for key, feature in stored.items()}
    own: Running = {key: NumericStats.of(value) for key, value in values.items()} | staged.images
    after = merged(running, own)
    info_after = counted(
        info, episodes=record["episode_index"] + 1, frames=record["dataset_to_index"], tasks=len(known)
    )
    data = layout.parquet_bytes(layout.data_table(stored, values))
    episode = layout.parquet_bytes(layout.episode_table(record, lerobot_stats(own)))
    return Commit(
        record=record,
        position=position,
        tasks=known,
        running=after,
        info=info_after,
        writes=[
            *_own_files(staged, info, position),
            *([(layout.TASKS, layout.parquet_bytes(layout.tasks_table(known)))] if known is not tasks else []),
            (position["data"].path(info["data_path"]), data),
            (position["meta/episodes"].path(layout.EPISODES), episode),
            (layout.STATS, layout.json_bytes(layout.stats_json(lerobot_stats(after)))),
            (layout.INFO, layout.json_bytes(info_after)),
        ],
    )


def last_positions(records: Sequence[Mapping[str, Any]], cameras: Sequence[str]) -> Positions:
    """The highest file that any episode names, of each kind."""
    names = ["data", "meta/episodes", *(f"videos/{camera}" for camera in cameras)]
    return {name: max((Position.recorded(record, name) for record in records), default=BEFORE_FIRST) for name in names}


_WRITTEN = (
    "data/*",
    "meta",
    "meta/episodes/*",
    "videos/*/*",
    layout.FRAMES.as_posix(),
    layout.HISTOGRAMS.as_posix(),
)
"""Folders in which a commit writes. Unfinished files in any other are somebody else's, perhaps being written."""


def strays(root: Path, last: Positions, episode_ids: Collection[str]) -> Iterator[Path]:
    """Files that an interrupted commit left, in the order in which they may be removed.

    Raises:
        DataError: there are more files than one commit can leave; they may be somebody's episodes.
    """
    found = [path for name in _removal_order(last) for path in _beyond(root, name, last[name])]
    for folder in (layout.FRAMES, layout.HISTOGRAMS):
        sidecars = (root / folder).glob("*.*")
        found += [path for path in sidecars if path.suffix != ASIDE and path.stem not in episode_ids]
    for pattern in _WRITTEN:
        found += root.glob(f"{pattern}/*{ASIDE}")
    yield from found


def histograms_bytes(images: Mapping[str, ImageStats]) -> bytes:
    """An episode's image histograms as an npz file."""
    arrays: dict[str, NDArray[Any]] = {f"{key}/counts": stats.counts for key, stats in images.items()}
    return npz_bytes(arrays | {f"{key}/images": np.array(stats.images) for key, stats in images.items()})


def read_histograms(path: Path) -> dict[str, ImageStats]:
    """What `histograms_bytes` gave.

    Raises:
        FileNotFoundError: there is no such file.
        DataError: it is damaged.
    """
    try:
        # Read at once: a file in a file is read in a dozen small pieces.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            keys = [name.removesuffix("/counts") for name in stored.files if name.endswith("/counts")]
            return {key: ImageStats(int(stored[f"{key}/images"]), stored[f"{key}/counts"]) for key in keys}
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and numpy each raise their own
        raise DataError(f"{path} cannot be read: {error}") from error


def kept_histograms(root: Path, episode: SavedEpisode) -> dict[str, ImageStats]:
    """Histograms that belong to an episode, as far as they cover all of it; a damaged file holds none."""
    try:
        found = read_histograms(root / layout.histograms_path(episode.row.episode_id))
    except (FileNotFoundError, DataError):
        return {}
    return {key: stats for key, stats in found.items() if stats.images == episode.length and stats.counts.sum() > 0}


def frames_in_stats(path: Path) -> int:
    """How many frames stats.json was computed from; 0 if there is none, -1 if it is damaged."""
    try:
        return int(json.loads(path.read_bytes())["timestamp"]["count"][0])
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError, IndexError):
        return -1


def _record(staged: StagedEpisode, info: Mapping[str, Any], position: Positions) -> dict[str, Any]:
    start = info["total_frames"]
    return {
        "episode_index": info["total_episodes"],
        "tasks": list(dict.fromkeys(staged.said)),
        "length": staged.length,
        "dataset_from_index": start,
        "dataset_to_index": start + staged.length,
        **{f"{name}/chunk_index": place.chunk for name, place in position.items()},
        **{f"{name}/file_index": place.file for name, place in position.items()},
        **{f"videos/{camera}/from_timestamp": 0.0 for camera in staged.images},
        **{f"videos/{camera}/to_timestamp": staged.length / info["fps"] for camera in staged.images},
        **staged.row.columns(),
    }


def _columns(staged: StagedEpisode, record: Mapping[str, Any], fps: int, tasks: list[str]) -> dict[str, NDArray[Any]]:
    counter = np.arange(staged.length)
    number = {task: tasks.index(task) for task in set(staged.said)}
    return staged.numeric() | {
        "timestamp": counter / fps,
        "frame_index": counter,
        "episode_index": np.full(staged.length, record["episode_index"]),
        "index": record["dataset_from_index"] + counter,
        "task_index": np.array([number[task] for task in staged.said]),
    }


def _own_files(staged: StagedEpisode, info: Mapping[str, Any], position: Positions) -> list[tuple[str, bytes | Path]]:
    """The files that only this episode uses: nothing points at them yet."""
    episode_id = staged.row.episode_id
    videos: list[tuple[str, bytes | Path]] = [
        (position[f"videos/{camera}"].path(info["video_path"], camera), staged.video(camera))
        for camera in staged.images
    ]
    sidecar = [(layout.frames_path(episode_id), staged.frames)] if staged.frames else []
    return [*videos, *sidecar, (layout.histograms_path(episode_id), histograms_bytes(staged.images))]


def _removal_order(last: Positions) -> list[str]:
    """Rows before what they point at."""
    return ["meta/episodes", "data", *(name for name in last if name.startswith("videos/"))]


def _beyond(root: Path, name: str, last: Position) -> list[Path]:
    """Files of one kind after the last saved one."""
    found = {path: Position.of(path) for path in (root / name).glob("chunk-*/file-*") if path.suffix != ASIDE}
    later = {path: place for path, place in found.items() if place is not None and place > last}
    if any(place != last.next() for place in later.values()):
        raise DataError(
            f"{root} has {len(later)} files in {name} after the {layout.INFO} counts; an interrupted commit "
            "leaves one at most. Nothing was removed: restore info.json, or move these files away."
        )
    return list(later)
