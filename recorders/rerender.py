"""The same episodes drawn again: another ground, camera, look, size, more objects, depth. States do not change.

Physics is the truth and images are derived, so a dataset can be given any look its physics allows. What would
change what happened (servo, friction, block, bowl, rate) is refused.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from curation.atomic import write_aside
from curation.episodes import EpisodeRow, StagedEpisode
from curation.errors import UsageError
from curation.fingerprint import fingerprint as data_fingerprint
from curation.frames import Placement, Vector
from curation.instructions import said_in
from curation.layout import ATTEMPTS, PROVENANCE, STAGING, json_bytes
from curation.names import POSE
from curation.notes import add_notes, read_notes
from curation.provenance import whole_story
from curation.rows import Rows
from curation.staging import building, require_free
from curation.store import SavedEpisode, Store
from curation.video import Encoding

from .crew import Crew
from .draw import Layout, positions, stage_take
from .journal import Take
from .privileged import columns_of, is_privileged
from .recorded import require_as_recorded
from .session import scene_card
from .sidecar import read_sidecar
from .world import props, reach
from .world.drawing import Painter
from .world.scene import FOV_HIGH, FOV_LOW, Scene, compile_scene, fingerprint, scene_from
from .world.sim import ROBOT_TYPE

PHYSICAL = ("block", "bowl", "block_scale", "servo", "friction", "fps")
"""Scene fields that decide what happens; a rerendering keeps them."""
VARY_STREAM = 11
"""Keeps the random stream of varied looks apart from those of other seeds."""
VARY_FOV_DEG = 4.0
"""Most that a varied look changes the overhead field of view by [deg]."""
LOW_M = 0.060
"""Height of the block's centre below which it may meet what stands on the table [m]: above every distractor's top."""
_RING = 12
"""Points that stand for a free bowl's rim: 32 mm apart, closer than what must stay clear of each."""


@dataclass(frozen=True)
class Job:
    """One episode to draw again; `tasks` are those of every frame where it has several."""

    episode_id: str
    source: Path
    row: EpisodeRow
    task: str
    tasks: tuple[str, ...]
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

    Raises:
        TargetExists: something is at `to`, before or after the drawing.
        UsageError: the look would change or hide what happened, or the source changed meanwhile.
    """
    require_free(to)
    if processes < 1:
        raise UsageError(f"--processes {processes} must be at least 1.")
    _require_same_physics(source, scene)
    looks = _looks(source, scene, vary)
    _require_drawable(source, looks)
    drawn_from = data_fingerprint(source.root)
    with building(to) as partial:
        _draw(source, partial, scene, looks, vary, processes, tell)
        _write_provenance(partial, source, drawn_from, scene, vary)
        _require_unchanged(source, drawn_from)
        shutil.rmtree(partial / STAGING, ignore_errors=True)
    return Store.open(to)


def _draw(
    source: Store,
    root: Path,
    scene: Scene,
    looks: list[Scene],
    vary: int | None,
    processes: int,
    tell: Callable[[int, int], None],
) -> None:
    """Draw every episode into a new dataset at `root`."""
    store = Store.create(
        root,
        fps=scene.fps,
        features=columns_of(scene, privileged=POSE in source.features),
        robot_type=ROBOT_TYPE,
        scene=_card(source, scene, vary),
        encoding=source.encoding,
    )
    _copy_attempts(source.root, root)
    crew = Crew("drawing", processes, _work, root, source.encoding)
    try:
        for folder in _in_order(crew, _jobs(source, looks)):
            store.commit(StagedEpisode.load(folder))
            tell(store.total_episodes, source.total_episodes)
    finally:
        crew.stop()
    _copy_notes(source.root, store)


def _card(source: Store, scene: Scene, vary: int | None) -> dict[str, Any]:
    """The scene.json: the look is new; physics, the scene to replay it in and MuJoCo are those of the recording."""
    recorded = source.scene
    driven = {"physics": recorded["physics"], "driven": recorded.get("driven", recorded["scene"])}
    build = {"mujoco": recorded.get("mujoco"), "drawn_with_mujoco": mujoco.__version__}
    return {**scene_card(scene), **driven, **build, "vary_seed": vary}


def _copy_attempts(source: Path, root: Path) -> None:
    """The log of attempts goes along, or the rates of the new dataset would count only what was kept."""
    log = source / ATTEMPTS
    if log.is_file():
        write_aside(root / ATTEMPTS, log.read_bytes())


def _copy_notes(source: Path, store: Store) -> None:
    """What was said of an episode goes along, above all that it lies in the trash."""
    now = {row.extra["source_episode_id"]: row.episode_id for row in store.rows()}
    notes = [note for note in read_notes(source) if note.episode_id in now]
    add_notes(store.root, [replace(note, episode_id=now[note.episode_id]) for note in notes])


def _require_same_physics(source: Store, scene: Scene) -> None:
    require_as_recorded(source, "Rerendering")
    recorded = scene_from(source.scene["scene"])
    changed = [name for name in PHYSICAL if getattr(recorded, name) != getattr(scene, name)]
    if changed:
        told = ", ".join(f"{name} {getattr(recorded, name)} to {getattr(scene, name)}" for name in changed)
        raise UsageError(f"Rerendering cannot change what happened: {told}. Record again for that.")
    standing = _standing(source.scene["physics"]["layout"])
    if scene.distractors < standing:
        raise UsageError(
            f"Rerendering cannot take away distractors that were on the table: {standing} were recorded, "
            f"{scene.distractors} asked. Ask for --distractors {standing} or more."
        )


def _standing(layout: Layout) -> int:
    """How many distractors were on the table during the recording."""
    return sum(name.startswith("distractor_") for name in layout)


def _require_drawable(source: Store, looks: list[Scene]) -> None:
    """Refuse before anything is drawn: an episode without physics, a block that its new look does not show."""
    for episode, look in zip(source.episodes, looks, strict=True):
        if not episode.frames.is_file():
            read_sidecar(episode.frames)
        row = episode.row
        if not reach.in_view(look, Placement(row.x, row.y, row.yaw_deg)):
            raise UsageError(
                f"Episode {episode.index} has its block at ({row.x:.3f}, {row.y:.3f}), which the overhead camera "
                f"does not show at {look.overhead_fov:g} degrees and {look.width}x{look.height} pixels. "
                "Ask for a wider --overhead-fov."
            )


def _require_unchanged(source: Store, drawn_from: str) -> None:
    """Refuse a source that was recorded into, or edited, while it was drawn."""
    total = Store.open(source.root).total_episodes
    if total != source.total_episodes or data_fingerprint(source.root) != drawn_from:
        raise UsageError(
            f"{source.root} changed while it was drawn ({source.total_episodes} episodes before, {total} now). "
            "Run the command again when nothing writes to it."
        )


def _looks(source: Store, scene: Scene, vary: int | None) -> list[Scene]:
    """The scene to draw each episode in."""
    if vary is None:
        return [scene] * source.total_episodes
    least = _standing(source.scene["physics"]["layout"])
    return [varied(scene, vary, index, least) for index in range(source.total_episodes)]


def _jobs(source: Store, looks: list[Scene]) -> Iterator[Job]:
    layout, rows = source.scene["physics"]["layout"], Rows(source)
    for index, look in enumerate(looks):
        episode = source.episode(index)
        tasks = said_in(source, episode, rows) if len(episode.tasks) > 1 else ()
        yield _job(episode, tuple(tasks), look, layout)


def _job(episode: SavedEpisode, tasks: tuple[str, ...], scene: Scene, layout: Layout) -> Job:
    episode_id = str(uuid.uuid4())
    extra = {
        **episode.row.extra,
        "source_episode_id": episode.row.episode_id,
        "scene": fingerprint(scene),
        "scene_drawn": asdict(scene),
    }
    row = replace(episode.row, episode_id=episode_id, extra=extra)
    return Job(episode_id, episode.frames, row, episode.task, tasks, scene, layout)


def varied(scene: Scene, seed: int, index: int, least: int = 0) -> Scene:
    """The look of one episode: ground, overhead field of view, two distractors at most but `least` at least."""
    rng = np.random.default_rng([seed, index, VARY_STREAM])
    grounds: tuple[Any, ...] = ("checker", "dark")
    ground = grounds[int(rng.integers(2))]
    fov = scene.overhead_fov + float(rng.uniform(-VARY_FOV_DEG, VARY_FOV_DEG))
    return replace(
        scene,
        ground=ground,
        overhead_fov=round(min(FOV_HIGH, max(FOV_LOW, fov)), 2),
        distractors=int(rng.integers(least, max(least, 2) + 1)),
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
        take = replace(take, header={**take.header, "episode_id": job.episode_id, "task": job.task})
        qpos = positions(take, job.layout, painter.model, added_places(take, job.layout, job.scene))
        folder = root / STAGING / job.episode_id
        privileged = is_privileged(root)
        staged = stage_take(
            take, job.row, qpos, job.scene, painter, folder, encoding, privileged=privileged, tasks=job.tasks
        )
        send(staged.folder)


def added_places(take: Take, layout: Layout, scene: Scene) -> dict[str, Vector]:
    """Where distractors that were not recorded stand, as poses [m and quaternion], shape (7,) each, by joint.

    They stand clear of all that was on the table at any time, or the pictures would show things inside each other.

    Args:
        take: as recorded.
        layout: of its physics.
        scene: how many there are now.
    """
    standing = _standing(layout)
    at, seed = Placement(**take.header["placement"]), int(take.header["seed"])
    spots = reach.distractor_places(scene, at, seed, keep_out=_occupied(take, layout), standing=standing)
    height = props.BLOCKS["cube"].half[2]
    return {
        f"distractor_{number}": np.array([x, y, height, 1.0, 0.0, 0.0, 0.0])
        for number, (x, y) in enumerate(spots, standing)
    }


def _occupied(take: Take, layout: Layout) -> list[tuple[float, float]]:
    """Points of the table where the block, recorded distractors or a free bowl's rim once were [m], to a millimetre."""
    low = []
    for name, (first, _) in layout.items():
        if name == "block" or name.startswith("distractor_"):
            path = take.physics[:, 1 + first : 4 + first]
            low.append(path[path[:, 2] < LOW_M, :2])
        elif name == "bowl":
            turn = np.arange(_RING) * (2 * np.pi / _RING)
            rim = props.BOWL_RIM_RADIUS * np.stack([np.cos(turn), np.sin(turn)], axis=1)
            low.append((take.physics[:, None, 1 + first : 3 + first] + rim).reshape(-1, 2))
    points = np.unique(np.concatenate(low).round(3), axis=0)
    return [(float(x), float(y)) for x, y in points]


def _write_provenance(root: Path, source: Store, drawn_from: str, scene: Scene, vary: int | None) -> None:
    edit = {"edit": "rerender", "scene": asdict(scene), "vary_seed": vary}
    ids = {row.episode_id: row.extra["source_episode_id"] for row in Store.open(root).rows()}
    write_aside(root / PROVENANCE, json_bytes(whole_story(source, drawn_from, edit, ids)))
