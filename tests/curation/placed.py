"""Tiny datasets whose episodes were recorded at chosen places, with chosen actions, on a real table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.library import Entry
from curation.stats import ImageStats
from curation.store import EpisodeRow, Store, stage
from curation.table import Table
from curation.video import Encoding, VideoWriter
from recorders.table_card import table_card
from recorders.world.scene import Scene
from tests.curation.tiny import CAMERAS, FEATURES, FPS, HEIGHT, WIDTH, numbers, picture

TABLE = Table.from_card(table_card(Scene()))


def placed(
    root: Path,
    places: Sequence[tuple[float, float]],
    *,
    ids: Sequence[str] = (),
    actions: Mapping[int, NDArray[Any]] | None = None,
    extra: Mapping[int, dict[str, Any]] | None = None,
    failures: Sequence[int] = (),
    operator: str = "expert",
    length: int = 4,
) -> Store:
    """A dataset of the standard scene with an episode at each place [m]."""
    store = Store.create(
        root, fps=FPS, features=FEATURES, robot_type="so101_follower_sim", encoding=Encoding(),
        scene={"table": table_card(Scene())},
    )  # fmt: skip
    for index, (x, y) in enumerate(places):
        values = numbers(index, length)
        if actions and index in actions:
            values = {key: actions[index].astype(np.float32) for key in values}
        folder = root.parent / f"stage-{root.name}-{index}"
        frames = len(values["action"])
        images = {camera: ImageStats() for camera in CAMERAS}
        for camera in CAMERAS:
            writer = VideoWriter(folder / f"{camera}.mp4", FPS, WIDTH, HEIGHT, Encoding())
            for _ in range(frames):
                writer.add(picture(0, 0, 0))
                images[camera].add(picture(0, 0, 0))
            writer.close()
        outcome = "timeout" if index in failures else "success"
        row = EpisodeRow(
            episode_id=ids[index] if ids else f"{root.name}-{index}", x=x, y=y, yaw_deg=0.0, seed=index,
            operator=operator, outcome=outcome, success=outcome == "success", extra=(extra or {}).get(index, {}),
        )  # fmt: skip
        store.commit(stage(folder, row=row, task="pick", numeric=values, images=images))
    return store


def entry(name: str, x: float | None = 0.3, y: float | None = 0.0, **more: Any) -> Entry:
    """A saved success of 150 frames."""
    plain: dict[str, Any] = {
        "index": 0, "state": "saved", "frames": 150, "seconds": 5.0, "outcome": "success", "success": True,
        "yaw_deg": 0.0, "operator": "expert",
    }  # fmt: skip
    return Entry(episode_id=name, x=x, y=y, **{**plain, **more})
