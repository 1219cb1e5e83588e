"""A small dataset in which an arm moves as one does, with physics as the simulator stores it beside it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.frames import JOINTS, Feature
from curation.stats import ImageStats
from curation.store import EpisodeRow, Store, stage
from curation.video import Encoding, VideoWriter
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, picture

EPISODES, LENGTH = 4, 60
GOAL = (0.217, -0.225)
SCENE = {
    "scene": {"block": "cube"},
    "fingerprint": "0123456789abcdef",
    "physics": {"layout": {name: [index, 1] for index, name in enumerate(JOINTS)} | {"block": [6, 7]}},
}

Numbers = dict[str, NDArray[Any]]
Twist = Callable[[int, Numbers, NDArray[np.float64]], Numbers]
"""Episode, its numbers and its block's path (frames, 7): the numbers to store instead."""


def driven(episode: int, length: int = LENGTH) -> Numbers:
    """An arm that follows its action one frame later and hangs a little lower, shape (length, 6)."""
    time = np.arange(length + 1)[:, None] / FPS
    phase = np.array([0.1, 0.7, 1.3, 2.0, 2.6, 0.0]) + 0.9 * episode
    speed = np.array([1.9, 2.3, 2.7, 3.1, 2.1, 2.5])
    swing = np.array([30.0, 25.0, 28.0, 20.0, 35.0, 28.0])
    action = swing * np.sin(speed * time + phase) + np.array([4.0, -9.0, 12.0, 20.0, -15.0, 40.0])
    state = action[:-1] - np.array([0.0, 0.4, 0.3, 0.1, 0.0, 0.0])
    return {"action": action[1:].astype(np.float32), "observation.state": state.astype(np.float32)}


def placement(episode: int) -> tuple[float, float]:
    """Where the block begins."""
    return 0.20 + 0.02 * (episode % 5), 0.05 + 0.03 * (episode % 7)


def block_path(episode: int, length: int = LENGTH) -> NDArray[np.float64]:
    """The block rests, is carried, and rests in the goal: position and attitude, shape (length, 7)."""
    carried = np.clip((np.arange(length) - 20) / max(1, length - 35), 0.0, 1.0)[:, None]
    place = np.array(placement(episode)) + carried * (np.array(GOAL) - np.array(placement(episode)))
    height = 0.0125 + 0.1 * np.sin(np.pi * carried)
    return np.hstack([place, height, np.tile([1.0, 0.0, 0.0, 0.0], (length, 1))])


def record(
    root: Path,
    *,
    episodes: int = EPISODES,
    length: Callable[[int], int] = lambda episode: LENGTH - episode,
    twist: Twist | None = None,
    row: Callable[[int], dict[str, Any]] = lambda episode: {},
    task: Callable[[int], str] = lambda episode: "pick",
    block: Callable[[int, int], NDArray[np.float64]] = block_path,
    physics: bool = True,
    image: Callable[[int, int, int], NDArray[np.uint8]] = picture,
    features: Mapping[str, Feature] = FEATURES,
) -> Store:
    """Record a dataset with the studio's own writer.

    Args:
        root: where nothing is.
        episodes: how many.
        length: frames of an episode.
        twist: what is stored instead of what was driven.
        row: what differs in an episode's row.
        task: of an episode.
        block: its path in the simulation.
        physics: whether the sidecar is stored.
        image: of an episode, a frame and a camera.
        features: of the dataset.
    """
    store = Store.create(root, fps=FPS, features=features, robot_type="so_follower", scene=SCENE, encoding=Encoding())
    for episode in range(episodes):
        frames = length(episode)
        folder = root.parent / f".{root.name}-{episode}"
        images = {camera: ImageStats() for camera in CAMERAS}
        for number, camera in enumerate(CAMERAS):
            writer = VideoWriter(folder / f"{camera}.mp4", FPS, WIDTH, HEIGHT, Encoding(threads=1))
            for frame in range(frames):
                writer.add(image(episode, frame, number))
                images[camera].add(image(episode, frame, number))
            writer.close()
        true, path = driven(episode, frames), block(episode, frames)
        if physics:
            (folder / "frames.parquet").write_bytes(sidecar(true["observation.state"], path))
        x, y = placement(episode)
        known: dict[str, Any] = {
            "episode_id": f"id-{episode}", "x": x, "y": y, "yaw_deg": 0.0, "seed": episode, "operator": "expert",
            "outcome": "success", "success": True, "extra": {"scene": SCENE["fingerprint"]},
        }  # fmt: skip
        store.commit(
            stage(
                folder,
                row=EpisodeRow(**known | row(episode)),
                task=task(episode),
                numeric=twist(episode, true, path) if twist else true,
                images=images,
            )
        )
    return store


def sidecar(state: NDArray[Any], block: NDArray[np.float64]) -> bytes:
    """A physics sidecar: frame index, then the joints in radians, then the block."""
    wide = state.astype(np.float64)
    radians = np.radians(np.column_stack([wide[:, :5], wide[:, 5] * 1.1 - 10.0]))
    physics = np.column_stack([np.arange(len(state)), radians, block])
    table = pa.table({"physics": pa.array(list(physics), pa.list_(pa.float64()))})
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"studio.header": json.dumps({})}), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data
