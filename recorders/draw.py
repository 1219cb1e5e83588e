"""From a take to an episode ready to commit: pictures are drawn from its physics, once or as often as wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from curation.episodes import EpisodeRow, StagedEpisode, stage
from curation.frames import Vector
from curation.names import POSE, STATE, camera_key
from curation.stats import ImageStats
from curation.video import Encoding, VideoWriter

from .journal import Take
from .operators.jog import PERSON
from .operators.named import CORRECT
from .privileged import block_poses
from .sidecar import write_sidecar
from .world.drawing import Painter
from .world.scene import Scene
from .world.sim import features_of

Layout = dict[str, tuple[int, int]]
"""Where each joint's position stands in qpos: name to (first, count)."""


def layout_of(model: mujoco.MjModel) -> Layout:
    """The qpos layout of a model, written into every dataset's scene.json."""
    sizes = {mujoco.mjtJoint.mjJNT_FREE: 7, mujoco.mjtJoint.mjJNT_BALL: 4}
    joints = (model.joint(index) for index in range(model.njnt))
    return {joint.name: (int(joint.qposadr[0]), sizes.get(joint.type[0], 1)) for joint in joints}


def positions(take: Take, source: Layout, model: mujoco.MjModel, places: dict[str, Vector] | None = None) -> Vector:
    """The take's qpos in a model's own layout, shape (N, nq).

    Joints are matched by name, because a scene with another object count numbers them differently; joints that the
    take does not know stand where `places` or the model puts them.
    """
    rows = np.tile(model.qpos0, (len(take), 1))
    for name, (first, count) in layout_of(model).items():
        if name in source:
            start = 1 + source[name][0]
            rows[:, first : first + count] = take.physics[:, start : start + count]
        elif places and name in places:
            rows[:, first : first + count] = places[name]
    return rows


def stage_take(
    take: Take,
    row: EpisodeRow,
    qpos: Vector,
    scene: Scene,
    painter: Painter,
    folder: Path,
    encoding: Encoding,
    *,
    privileged: bool = False,
    tasks: Sequence[str] = (),
    before_frame: Callable[[int], None] = lambda index: None,
) -> StagedEpisode:
    """Draw, encode and stage an episode.

    Args:
        take: what was driven.
        row: the episode's columns.
        qpos: positions to draw, shape (N, nq), in the painter's model.
        scene: what is drawn.
        painter: of that scene.
        folder: where the staged files go.
        encoding: of the videos.
        privileged: also store where the block is, frame by frame.
        tasks: the instruction of every frame, where they have several.
        before_frame: called with each frame's index; may wait, or raise to cancel.
    """
    cameras = [key for key, feature in features_of(scene).items() if feature.dtype == "video"]
    writers = {
        key: VideoWriter(folder / f"{key}.mp4", scene.fps, scene.width, scene.height, encoding) for key in cameras
    }
    stats = {key: ImageStats() for key in cameras}
    try:
        for index, pose in enumerate(qpos):
            before_frame(index)
            for name, image in painter.draw(pose).items():
                key = camera_key(name)
                writers[key].add(image)
                stats[key].add(image)
        for writer in writers.values():
            writer.close()
    except BaseException:
        for writer in writers.values():
            writer.abort()
        raise
    write_sidecar(folder / "frames.parquet", take)
    numeric: dict[str, NDArray[np.float32]] = {
        "action": take.action.astype(np.float32),
        STATE: take.state.astype(np.float32),
    }
    if privileged:
        first, count = layout_of(painter.model)["block"]
        numeric[POSE] = block_poses(qpos[:, first : first + count])
    return stage(
        folder,
        row=row,
        task=take.header["task"],
        numeric=numeric,
        images=stats,
        frames_parquet=folder / "frames.parquet",
        tasks=tasks,
    )


def row_of(take: Take, more: dict[str, Any] | None = None) -> EpisodeRow:
    """The per-episode columns of a take; `extra` holds all that has no column of its own."""
    header, footer = take.header, take.footer or {}
    placement = header["placement"]
    known = ("episode_id", "seed", "operator", "task", "placement")
    extra = {key: value for key, value in header.items() if key not in known}
    if header["operator"].startswith(CORRECT):
        extra |= interventions(take.by)
    extra |= {"end": footer.get("end"), "late": footer.get("late"), **footer.get("report", {}), **(more or {})}
    return EpisodeRow(
        episode_id=header["episode_id"],
        x=placement["x"],
        y=placement["y"],
        yaw_deg=placement["yaw_deg"],
        seed=header["seed"],
        operator=header["operator"],
        outcome=footer["outcome"],
        success=footer.get("outcome") == "success",
        extra={**extra, "timing": timing(take)},
    )


def interventions(by: Sequence[str]) -> dict[str, int]:
    """How often a person took over from a policy, and how many frames the person drove, from who drove each frame."""
    person = [0, *(int(who == PERSON) for who in by)]
    taken = sum(now > before for before, now in pairwise(person))
    return {"interventions": taken, "person_frames": sum(person)}


def timing(take: Take) -> dict[str, float]:
    """Wall-clock facts of a take: frame intervals [ms] and late frames; meaningless where nothing was paced."""
    gaps = np.diff(take.wall_s) * 1e3
    if not len(gaps):
        return {"late": int(take.late.sum())}
    median, p99, worst = np.percentile(gaps, [50, 99, 100])
    return {
        "interval_median_ms": round(float(median), 3),
        "interval_p99_ms": round(float(p99), 3),
        "interval_max_ms": round(float(worst), 3),
        "late": int(take.late.sum()),
    }
