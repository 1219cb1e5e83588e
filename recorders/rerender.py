"""The same episodes drawn again: another ground, camera, look, size, more objects, depth. States do not change.

Physics is the truth and images are derived, so a dataset can be given any look its physics allows. What would
change what happened (servo, friction, block, bowl, rate) is refused.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from curation.atomic import write_aside
from curation.episodes import EpisodeRow, StagedEpisode
from curation.errors import NotADataset, TargetExists, UsageError
from curation.frames import Placement, Vector
from curation.store import SavedEpisode, Store
from curation.store import fingerprint as data_fingerprint
from curation.video import Encoding

from .crew import Crew
from .draw import Layout, positions, stage_take
from .journal import Take
from .session import STAGING, scene_card
from .sidecar import read_sidecar
from .world import props, reach
from .world.drawing import Painter
from .world.scene import Scene, compile_scene, fingerprint, scene_from
from .world.sim import ROBOT_TYPE, features_of

PHYSICAL = ("block", "bowl", "block_scale", "servo", "friction", "fps")
"""Scene fields that decide what happens; a rerendering keeps them."""
VARY_STREAM = 11


@dataclass(frozen=True)
class Job:
    """One episode to draw again."""

    episode_id: str
    source: Path
    row: EpisodeRow
    scene: Scene
    layout: Layout


def rerender(
    source: Store, to: Path, scene: Scene, *, vary: int | None, processes: int, tell: Callable[[int, int], None]
) -> Store:
    """Write a new dataset with the same episodes in another look.

    Args:
        source: a dataset of the studio.
        to: where nothing is yet; built beside it and renamed when whole.
        scene: the new look; its physical fields must be the source's.
        vary: seed of a look per episode (ground, overhead camera, distractors), or None for one look.
        processes: episodes drawn at once.
        tell: is told (done, of).
    """
    if to.exists():
        raise TargetExists(to, "Choose another --to.")
    _require_same_physics(source, scene)
    partial = to.with_name(f".{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    # The physics stays that of the recording: its layout, and the scene to replay it in.
    driven = {"physics": source.scene["physics"], "driven": source.scene.get("driven", source.scene["scene"])}
    card = {**scene_card(scene), **driven, "vary_seed": vary}
    store = Store.create(
        partial,
        fps=scene.fps,
        features=features_of(scene),
        robot_type=ROBOT_TYPE,
        scene=card,
        encoding=source.encoding,
    )
    crew = Crew("drawing", processes, _work, partial, Encoding(**{**asdict(source.encoding), "threads": 1}))
    try:
        for folder in _in_order(crew, _jobs(source, scene, vary)):
            staged = StagedEpisode.load(folder)
            store.commit(staged)
            staged.drop()
            tell(store.total_episodes, source.total_episodes)
    finally:
        crew.stop()
    _write_provenance(partial, source, scene, vary)
    shutil.rmtree(partial / STAGING, ignore_errors=True)
    partial.rename(to)
    return Store.open(to)


def _require_same_physics(source: Store, scene: Scene) -> None:
    if "scene" not in source.scene:
        raise NotADataset(source.root, "it was not recorded by the studio (it has no meta/studio/scene.json)")
    recorded = scene_from(source.scene["scene"])
    changed = [name for name in PHYSICAL if getattr(recorded, name) != getattr(scene, name)]
    if changed:
        told = ", ".join(f"{name} {getattr(recorded, name)} to {getattr(scene, name)}" for name in changed)
        raise UsageError(f"Rerendering cannot change what happened: {told}. Record again for that.")


def _jobs(source: Store, scene: Scene, vary: int | None) -> Iterator[Job]:
    layout = source.scene["physics"]["layout"]
    for index in range(source.total_episodes):
        episode = source.episode(index)
        if episode.frames is None:
            read_sidecar(None)
        look = scene if vary is None else varied(scene, vary, index)
        yield _job(episode, look, layout)


def _job(episode: SavedEpisode, scene: Scene, layout: Layout) -> Job:
    assert episode.frames is not None
    episode_id = str(uuid.uuid4())
    extra = {
        **episode.row.extra,
        "source_episode_id": episode.row.episode_id,
        "scene": fingerprint(scene),
        "scene_drawn": asdict(scene),
    }
    row = replace(episode.row, episode_id=episode_id, extra=extra)
    return Job(episode_id, episode.frames, row, scene, layout)


def varied(scene: Scene, seed: int, index: int) -> Scene:
    """The look of one episode: ground, overhead field of view within 4 degrees, up to two distractors."""
    rng = np.random.default_rng([seed, index, VARY_STREAM])
    grounds: tuple[Any, ...] = ("checker", "dark")
    return replace(
        scene,
        ground=grounds[int(rng.integers(2))],
        overhead_fov=round(float(scene.overhead_fov + rng.uniform(-4.0, 4.0)), 2),
        distractors=int(rng.integers(0, 3)),
    )


def _in_order(crew: Crew, jobs: Iterator[Job]) -> Iterator[Path]:
    """Stage folders in the order of the jobs, with a few jobs given ahead."""
    ids: list[str] = []
    ready: dict[str, Path] = {}
    ahead, following = 4, 0
    waiting = True
    while waiting or following < len(ids):
        while waiting and len(ids) - following < ahead:
            job = next(jobs, None)
            if job is None:
                waiting = False
                break
            ids.append(job.episode_id)
            crew.give(job)
        for folder in crew.results(wait=True):
            ready[folder.name] = folder
        while following < len(ids) and ids[following] in ready:
            yield ready.pop(ids[following])
            following += 1


def _work(jobs: Iterator[Job], send: Callable[[Any], None], root: Path, encoding: Encoding) -> None:
    os.environ["LP_NUM_THREADS"] = "1"
    painter: Painter | None = None
    drawn: Scene | None = None
    for job in jobs:
        if painter is None or job.scene != drawn:
            if painter is not None:
                painter.close()
            painter, drawn = Painter(job.scene, compile_scene(job.scene)), job.scene
        take = read_sidecar(job.source)
        take = replace(take, header={**take.header, "episode_id": job.episode_id})
        qpos = positions(take, job.layout, painter.model, _places(take, job.scene))
        folder = root / STAGING / job.episode_id
        send(stage_take(take, job.row, qpos, job.scene, painter, folder, encoding).folder)


def _places(take: Take, scene: Scene) -> dict[str, Vector]:
    """Where distractors that were not recorded stand: clear of the block and the bowl."""
    spots = reach.distractor_places(scene, Placement(**take.header["placement"]), int(take.header["seed"]))
    height = props.BLOCKS["cube"].half[2]
    return {f"distractor_{i}": np.array([x, y, height, 1.0, 0.0, 0.0, 0.0]) for i, (x, y) in enumerate(spots)}


def _write_provenance(root: Path, source: Store, scene: Scene, vary: int | None) -> None:
    story = {
        "parents": [{"name": source.root.name, "fingerprint": data_fingerprint(source.root)}],
        "edits": [{"edit": "rerender", "scene": asdict(scene), "vary_seed": vary}],
        "versions": {"teleop-studio": version("teleop-studio"), "mujoco": version("mujoco")},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_aside(root / "meta" / "studio" / "provenance.json", json.dumps(story, indent=2).encode())
