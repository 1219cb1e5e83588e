"""Datasets in LeRobot's older layout, written by hand after what LeRobot's converter says of it; real videos."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curation.frames import Image
from curation.video import Encoding, VideoWriter
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, numbers, picture

CHUNK = 2
"""Episodes in a folder: small, so that there are several."""


def make_old(
    root: Path, lengths: list[int], tasks: list[str], *, version: str = "v2.1", encoding: Encoding | None = None
) -> Path:
    """Write a dataset; episode i shows `picture(i, frame, camera)` and holds `numbers(i, length)`."""
    texts = list(dict.fromkeys(tasks))
    lines, stats, first = [], [], 0
    for episode, (length, task) in enumerate(zip(lengths, tasks, strict=True)):
        counter = np.arange(length)
        columns: dict[str, Any] = {
            key: pa.array(list(v), pa.list_(pa.float32())) for key, v in numbers(episode, length).items()
        }
        columns |= {
            "next.done": pa.array(counter == length - 1),
            "timestamp": pa.array((counter / FPS).astype(np.float32)),
            "frame_index": pa.array(counter),
            "episode_index": pa.array(np.full(length, episode)),
            "index": pa.array(first + counter),
            "task_index": pa.array(np.full(length, texts.index(task))),
        }
        path = data_file(root, episode)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        for number, camera in enumerate(CAMERAS):
            encode(video_file(root, episode, camera), episode, number, length, encoding)
        lines.append({"episode_index": episode, "tasks": [task], "length": length})
        stats.append({"episode_index": episode, "stats": _stats(numbers(episode, length), length)})
        first += length
    meta = root / "meta"
    meta.mkdir(exist_ok=True)
    (meta / "info.json").write_text(json.dumps(_info(version, lengths, texts), indent=4))
    _write_lines(meta / "episodes.jsonl", lines)
    _write_lines(meta / "tasks.jsonl", [{"task_index": i, "task": text} for i, text in enumerate(texts)])
    if version == "v2.1":
        _write_lines(meta / "episodes_stats.jsonl", stats)
    return root


def data_file(root: Path, episode: int) -> Path:
    return root / f"data/chunk-{episode // CHUNK:03d}/episode_{episode:06d}.parquet"


def video_file(root: Path, episode: int, camera: str) -> Path:
    return root / f"videos/chunk-{episode // CHUNK:03d}/{camera}/episode_{episode:06d}.mp4"


def encode(path: Path, episode: int, camera: int, length: int, encoding: Encoding | None = None) -> None:
    writer = VideoWriter(path, FPS, WIDTH, HEIGHT, encoding or Encoding(threads=1))
    for frame in range(length):
        writer.add(picture(episode, frame, camera))
    writer.close()


def shown(episode: int, frame: int, camera: int) -> Image:
    return picture(episode, frame, camera)


def _info(version: str, lengths: list[int], texts: list[str]) -> dict[str, Any]:
    features: dict[str, Any] = {}
    for key, feature in FEATURES.items():
        features[key] = {"dtype": feature.dtype, "shape": list(feature.shape), "names": list(feature.names)}
        if feature.dtype == "video":  # as LeRobot wrote it before it called this "info"
            features[key]["video_info"] = {
                "video.fps": float(FPS), "video.codec": "h264", "video.pix_fmt": "yuv420p",
                "video.is_depth_map": False, "has_audio": False,
            }  # fmt: skip
    features["next.done"] = {"dtype": "bool", "shape": [1], "names": None}
    for key in ("timestamp", "frame_index", "episode_index", "index", "task_index"):
        features[key] = {"dtype": "float32" if key == "timestamp" else "int64", "shape": [1], "names": None}
    return {
        "codebase_version": version,
        "robot_type": "so101",
        "total_episodes": len(lengths),
        "total_frames": sum(lengths),
        "total_tasks": len(texts),
        "total_videos": 2 * len(lengths),
        "total_chunks": -(-len(lengths) // CHUNK),
        "chunks_size": CHUNK,
        "fps": FPS,
        "splits": {"train": f"0:{len(lengths)}"},
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
        "video_path": "videos/chunk-{episode_chunk:03d}/{video_key}/episode_{episode_index:06d}.mp4",
        "features": features,
    }


def _stats(values: dict[str, Any], length: int) -> dict[str, Any]:
    found = {
        key: {
            "min": v.min(0).tolist(), "max": v.max(0).tolist(), "mean": v.mean(0).tolist(), "std": v.std(0).tolist(),
            "count": [length],
        }
        for key, v in values.items()
    }  # fmt: skip
    image = [[[0.5]], [[0.5]], [[0.5]]]
    return found | {
        camera: {"min": image, "max": image, "mean": image, "std": image, "count": [length]} for camera in CAMERAS
    }


def _write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
