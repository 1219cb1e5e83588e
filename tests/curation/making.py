"""Small datasets with known contents: of the studio, or with several episodes in a file as LeRobot makes them."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation import layout
from curation.episodes import EpisodeRow, SavedEpisode, stage
from curation.frames import Image
from curation.info import counted, new_info
from curation.layout import Position
from curation.stats import ImageStats, NumericStats, lerobot_stats
from curation.store import Store
from curation.video import Encoding, VideoWriter, read_video
from recorders.journal import Take
from recorders.sidecar import write_sidecar
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, picture


@dataclass
class Truth:
    """What an episode holds: numbers by feature, decoded images by camera, its task, and that of every frame."""

    numbers: dict[str, NDArray[Any]]
    images: dict[str, list[Image]]
    task: str
    tasks: list[str] = field(default_factory=list)


def seeds_of(root: Path, first: int | None) -> Iterator[int]:
    """Seeds of a dataset's episodes; unless told the first, those that belong to its name."""
    return itertools.count(zlib.crc32(root.name.encode()) % 10_000 * 1_000 if first is None else first)


def joints(seed: int, length: int) -> dict[str, NDArray[np.float32]]:
    """Smooth degrees and a gripper that opens and closes, shape (length, 6)."""
    rng = np.random.default_rng(seed)
    at = np.linspace(0, 1, length)[:, None]
    body = rng.uniform(-80, 80, 5) + 15 * np.sin(6 * at + rng.uniform(0, 6, 5))
    gripper = 50 + 45 * np.sin(5 * at + rng.uniform(0, 6))
    action = np.concatenate([body, gripper], axis=1).astype(np.float32)
    return {"action": action, "observation.state": (action - np.float32(0.25)).astype(np.float32)}


def take_of(episode_id: str, numbers: dict[str, NDArray[np.float32]]) -> Take:
    """A recording with these numbers, half of it reach and half transport."""
    length = len(numbers["action"])
    return Take(
        header={"episode_id": episode_id, "placement": {"x": 0.3, "y": 0.0, "yaw_deg": 0.0}, "seed": 1},
        state=numbers["observation.state"].astype(np.float64),
        action=numbers["action"].astype(np.float64),
        physics=np.arange(length * 3, dtype=np.float64).reshape(length, 3),
        by=("expert",) * length,
        phase=("reach",) * (length // 2) + ("transport",) * (length - length // 2),
        wall_s=np.arange(length) / FPS,
        late=np.zeros(length, bool),
        footer={"end": "success", "outcome": "success", "frames": length},
    )


def make_ours(
    root: Path, lengths: list[int], tasks: list[str], *, scene: str = "one", first: int | None = None, **row: Any
) -> Store:
    """A dataset of the studio, an episode for each length; `first` is as in `seeds_of`."""
    seeds = seeds_of(root, first)
    card = {"fingerprint": scene, "scene": {"look": scene}, "units": {"body": "degrees", "gripper": "0..100"}}
    store = Store.create(
        root, fps=FPS, features=FEATURES, robot_type="so_follower", scene=card, encoding=Encoding(threads=1)
    )
    for length, task in zip(lengths, tasks, strict=True):
        number = next(seeds)
        folder = root.with_name(f"{root.name}-stage-{number}")
        images = {camera: ImageStats() for camera in CAMERAS}
        for index, camera in enumerate(CAMERAS):
            _encode(folder / f"{camera}.mp4", [(number, length)], index, images[camera])
        numbers = joints(number, length)
        known = {"x": 0.2 + 0.01 * (number % 20), "y": 0.0, "outcome": "success", "success": True, **row}
        described = EpisodeRow(
            episode_id=f"take-{number}",
            yaw_deg=0.0,
            seed=number,
            operator="expert",
            extra={"success_s": (length - 2) / FPS, "started": "2026-11-20T10:00:00"},
            **known,
        )
        write_sidecar(folder / "frames.parquet", take_of(described.episode_id, numbers))
        store.commit(stage(folder, row=described, task=task, numeric=numbers, images=images))
        folder.rmdir() if folder.exists() else None
    return store


def make_packed(
    root: Path,
    files: list[list[int]],
    tasks: Sequence[str | tuple[str, ...]],
    *,
    first: int | None = None,
    others: dict[str, list[Any]] | None = None,
    codec: str = "h264",
    nameless: tuple[str, ...] = (),
    convert: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda values: values,
) -> Store:
    """A dataset as LeRobot writes it: no studio columns, several episodes in each mp4 and parquet file.

    Args:
        root: where nothing is.
        files: lengths of the episodes in each file.
        tasks: of the episodes; several are those of its frames, in turn.
        first: as in `seeds_of`.
        others: more columns of meta/episodes, a value for each episode.
        codec: of the videos.
        nameless: features whose columns have no names.
        convert: makes other numbers of state and action.
    """
    encoding = Encoding(codec=codec, threads=1, preset="12" if codec == "av1" else "veryfast")
    features = {key: replace(f, names=()) if key in nameless else f for key, f in FEATURES.items()}
    info = new_info(FPS, features, "so_follower", encoding)
    stored = layout.columns(features)
    turns = [(task,) if isinstance(task, str) else task for task in tasks]
    texts = list(dict.fromkeys(task for turn in turns for task in turn))
    records, everything, images = [], [], {camera: ImageStats() for camera in CAMERAS}
    seeds, episode, frame = seeds_of(root, first), 0, 0
    for file, lengths in enumerate(files):
        place = Position(file // 2, file % 2)
        parts, shown, start = [], [], 0
        for length in lengths:
            number = next(seeds)
            shown.append((number, length))
            counter = np.arange(length)
            said = [texts.index(turns[episode][frame % len(turns[episode])]) for frame in range(length)]
            columns = {key: convert(values) for key, values in joints(number, length).items()} | {
                "timestamp": counter / FPS,
                "frame_index": counter,
                "episode_index": np.full(length, episode),
                "index": frame + counter,
                "task_index": np.array(said),
            }
            values = {key: np.asarray(columns[key]).astype(feature.dtype) for key, feature in stored.items()}
            parts.append(layout.data_table(stored, values))
            everything.append(values)
            record: dict[str, Any] = {
                "episode_index": episode, "tasks": [texts[n] for n in dict.fromkeys(said)], "length": length,
                "dataset_from_index": frame, "dataset_to_index": frame + length,
            }  # fmt: skip
            for name in ("data", *(f"videos/{camera}" for camera in CAMERAS)):
                record |= {f"{name}/chunk_index": place.chunk, f"{name}/file_index": place.file}
            record |= {"meta/episodes/chunk_index": 0, "meta/episodes/file_index": 0}
            for camera in CAMERAS:
                record |= {f"videos/{camera}/from_timestamp": start / FPS}
                record |= {f"videos/{camera}/to_timestamp": (start + length) / FPS}
            own = lerobot_stats({key: NumericStats.of(value) for key, value in values.items()})
            row = layout.episode_table(record, own)
            for name, values_of in (others or {}).items():
                row = row.append_column(name, pa.array(values_of)[episode : episode + 1])
            records.append(row)
            episode, frame, start = episode + 1, frame + length, start + length
        for index, camera in enumerate(CAMERAS):
            _encode(root / place.path(layout.VIDEO, camera), shown, index, images[camera], encoding)
        _write(root / place.path(layout.DATA), layout.parquet_bytes(_joined(parts)))
    _write(root / Position(0, 0).path(layout.EPISODES), layout.parquet_bytes(_joined(records)))
    _write(root / layout.TASKS, layout.parquet_bytes(layout.tasks_table(texts)))
    whole = {key: NumericStats.of(np.concatenate([one[key] for one in everything])) for key in stored}
    _write(root / layout.STATS, layout.json_bytes(layout.stats_json(lerobot_stats({**whole, **images}))))
    _write(root / layout.INFO, layout.json_bytes(counted(info, episodes=episode, frames=frame, tasks=len(texts))))
    return Store.open(root)


def tell_frames(root: Path, index: int, said: list[str]) -> None:
    """Give every frame of an episode, alone in its files, an instruction; all other episodes have the first one."""
    episode, texts = Store.open(root).episode(index), list(dict.fromkeys(said))
    for path, name, values in (
        (episode.data, "task_index", [texts.index(text) for text in said]),
        (episode.record, "tasks", [texts]),
    ):
        table = pq.read_table(path)
        column = table.schema.get_field_index(name)
        pq.write_table(table.set_column(column, table.schema.field(column), pa.array(values)), path)
    _write(root / layout.TASKS, layout.parquet_bytes(layout.tasks_table(texts)))
    info = json.loads((root / layout.INFO).read_bytes())
    _write(root / layout.INFO, layout.json_bytes({**info, "total_tasks": len(texts)}))


def truth_of(store: Store) -> dict[str, Truth]:
    """Everything a dataset holds, by episode id, read the slow and plain way."""
    return {
        episode.row.episode_id: Truth(
            store.numeric(episode.index),
            {
                key: list(read_video(path, episode.video_starts[key], episode.length))
                for key, path in episode.videos.items()
            },
            episode.task,
            _tasks_of(store, episode),
        )
        for episode in store.episodes
    }


def _tasks_of(store: Store, episode: SavedEpisode) -> list[str]:
    rows = pq.read_table(episode.data, columns=["episode_index", "index", "task_index"]).to_pylist()
    named = pq.read_table(store.root / layout.TASKS).to_pylist()
    texts = {row.pop("task_index"): next(iter(row.values())) for row in named}
    own = sorted((row for row in rows if row["episode_index"] == episode.index), key=lambda row: row["index"])
    return [texts[row["task_index"]] for row in own]


def _encode(
    path: Path,
    episodes: list[tuple[int, int]],
    camera: int,
    stats: ImageStats,
    encoding: Encoding = Encoding(threads=1),
) -> None:
    """One video of several episodes; after one of odd length the next does not begin with a key frame."""
    writer = VideoWriter(path, FPS, WIDTH, HEIGHT, encoding)
    for number, length in episodes:
        for frame in range(length):
            image = picture(number, frame, camera)
            writer.add(image)
            stats.add(image)
    writer.close()


def _joined(tables: list[Any]) -> Any:
    return pa.concat_tables(tables)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
