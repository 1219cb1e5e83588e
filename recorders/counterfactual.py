"""The same instant with one thing changed: does whoever judges by pictures look at that thing?

The physics of recorded instants is drawn again with the block put elsewhere, with block and bowl taken away, or in
another look. Everything else in the pictures stays as it was.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import mujoco
import numpy as np

from curation.episodes import SavedEpisode
from curation.frames import Image, Vector
from curation.store import Store
from recorders.draw import layout_of, positions
from recorders.operators.path import SQUEEZE, gripper_joint
from recorders.sidecar import read_sidecar
from recorders.world import props
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene, scene_from

BLOCK_FREE = (0.080, 0.100)
"""Distance of a moved-out block from the bowl's axis [m]: beside it, and still in sight."""
LOOKS: dict[str, dict[str, object]] = {
    "dark ground": {"ground": "dark"},
    "shadows": {"look": "nice"},
    "overhead fov 58": {"overhead_fov": 58.0},
}
"""Other looks and cameras, as changes of the scene."""

Change = Callable[[Painter, Vector, np.random.Generator], Vector]


@dataclass(frozen=True)
class Instants:
    """Moments of one episode to be drawn.

    Attributes:
        episode: it, with its physics beside it.
        frames: which, oldest first.
        seed: of what is drawn at random about it; the same for all its frames.
    """

    episode: SavedEpisode
    frames: Sequence[int]
    seed: int


def drawn(
    store: Store,
    wanted: Sequence[Instants],
    change: Change | None = None,
    *,
    scene: Scene | None = None,
    bare: bool = False,
) -> Iterator[dict[str, list[Image]]]:
    """Each episode's moments, drawn again, by camera.

    Args:
        store: the dataset, with its scene.
        wanted: of its episodes.
        change: of the pose of things, the same in all frames of an episode.
        scene: another look; the recorded one if None.
        bare: without block and bowl.

    Raises:
        DataError: the physics of an episode is missing.
        NoScene: the dataset names no scene.
    """
    recorded = scene_from(store.scene["scene"])
    model = compile_scene(scene or recorded)
    if bare:
        _hide(model)
    layout = layout_of(compile_scene(recorded))
    with closing(Painter(scene or recorded, model)) as painter:
        for one in wanted:
            qpos = positions(read_sidecar(one.episode.frames), layout, model)
            images: dict[str, list[Image]] = {}
            for frame in one.frames:
                pose = qpos[frame]
                if change is not None:
                    pose = change(painter, pose.copy(), np.random.default_rng(one.seed))
                for camera, image in painter.draw(pose).items():
                    images.setdefault(camera, []).append(image)
            yield images


def moved_out(painter: Painter, qpos: Vector, rng: np.random.Generator) -> Vector:
    """The block on the table beside the bowl."""
    bowl = painter.bowl(qpos)
    angle, distance = rng.uniform(-math.pi, math.pi), rng.uniform(*BLOCK_FREE)
    at = bowl[:2] + distance * np.array([math.cos(angle), math.sin(angle)])
    return _put(painter, qpos, np.array([*at, painter.scene.block_half[2]]), rng.uniform(-math.pi, math.pi))


def on_the_rim(painter: Painter, qpos: Vector, rng: np.random.Generator) -> Vector:
    """The block lying on the bowl's rim."""
    tray = painter.scene.bowl == "tray"
    radius, height = (props.TRAY_HALF, props.TRAY_HEIGHT) if tray else (props.BOWL_RIM_RADIUS, props.BOWL_HEIGHT)
    angle = rng.uniform(-math.pi, math.pi)
    at = painter.bowl(qpos)[:2] + radius * np.array([math.cos(angle), math.sin(angle)])
    return _put(painter, qpos, np.array([*at, height + painter.scene.block_half[2]]), rng.uniform(-math.pi, math.pi))


def still_held(painter: Painter, qpos: Vector, rng: np.random.Generator) -> Vector:
    """The block between the closed jaws, wherever these are."""
    half = painter.scene.block_half
    qpos[painter.address("gripper")] = gripper_joint(2 * half[1]) - SQUEEZE / 8
    return _put(painter, qpos, painter.gripper(qpos), rng.uniform(-math.pi, math.pi))


CHANGES: dict[str, Change] = {
    "moved out of the bowl": moved_out,
    "on the rim": on_the_rim,
    "still held": still_held,
}


def in_look(store: Store, name: str) -> Scene:
    """The recorded scene in one of `LOOKS`."""
    return replace(scene_from(store.scene["scene"]), **LOOKS[name])  # type: ignore[arg-type]


def _hide(model: mujoco.MjModel) -> None:
    """Block and bowl are not drawn."""
    bodies = {model.body(name).id for name in ("block", "bowl")}
    model.geom_rgba[[body in bodies for body in model.geom_bodyid], 3] = 0.0


def _put(painter: Painter, qpos: Vector, place: Vector, yaw: float) -> Vector:
    at = painter.address("block")
    qpos[at : at + 7] = [*place, math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]
    return qpos
