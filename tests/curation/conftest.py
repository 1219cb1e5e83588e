"""A tiny dataset, and LeRobot itself to read it with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"

from curation.stats import ImageStats
from curation.store import EpisodeRow, StagedEpisode, Store, stage
from curation.video import Encoding, VideoWriter
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, numbers, picture


@pytest.fixture
def make_stage(tmp_path: Path) -> Callable[..., StagedEpisode]:
    def make(episode: int, length: int = 8, task: str = "pick", sidecar: bool = True, **video: Any) -> StagedEpisode:
        folder = tmp_path / f"stage-{episode}"
        images = {camera: ImageStats() for camera in CAMERAS}
        for number, camera in enumerate(CAMERAS):
            writer = VideoWriter(folder / f"{camera}.mp4", FPS, WIDTH, HEIGHT, Encoding(**video))
            for frame in range(length):
                writer.add(picture(episode, frame, number))
                images[camera].add(picture(episode, frame, number))
            assert writer.close() == length
        if sidecar:
            (folder / "frames.parquet").write_bytes(b"opaque %d" % episode)
        row = EpisodeRow(
            episode_id=f"id-{episode}",
            x=0.3,
            y=-0.1 * episode,
            yaw_deg=5.0,
            seed=episode,
            operator="expert",
            outcome="success",
            success=episode != 1,
            extra={"note": "ü", "n": episode},
        )
        return stage(folder, row=row, task=task, numeric=numbers(episode, length), images=images)

    return make


@pytest.fixture
def new_store(tmp_path: Path) -> Store:
    return Store.create(
        tmp_path / "set",
        fps=FPS,
        features=FEATURES,
        robot_type="so_follower",
        scene={"block": "cube"},
        encoding=Encoding(),
    )


@pytest.fixture(scope="session")
def lerobot(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """`lerobot.datasets`, imported once, with its caches in a temporary folder."""
    os.environ["HF_DATASETS_CACHE"] = str(tmp_path_factory.mktemp("hf"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lerobot.datasets
    return lerobot.datasets
