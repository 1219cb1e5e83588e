"""Do the stored pictures belong to their states? Decoded frames against fresh renders of the stored physics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curation.frames import Image, Placement, Vector
from curation.store import SavedEpisode, Store
from curation.video import read_video
from recorders.draw import positions
from recorders.sidecar import read_sidecar
from recorders.world import props, reach
from recorders.world.drawing import Painter
from recorders.world.scene import Scene, compile_scene, scene_from

TELLING = 1.0
"""Renders of neighbouring frames that differ by more than this [grey levels, RMS] can be told apart."""
Pictures = dict[str, Image]


@dataclass
class Evidence:
    """Of one camera, frame by frame.

    Attributes:
        psnr: of the decoded frame against the render of its own state [dB].
        tells: whether a neighbour's render differs enough to tell them apart.
        misplaced: frames whose picture is nearer to a neighbour's state.
    """

    psnr: list[float] = field(default_factory=list)
    tells: list[bool] = field(default_factory=list)
    misplaced: list[tuple[int, int]] = field(default_factory=list)


def compare(store: Store, chosen: list[int]) -> dict[str, Evidence]:
    """Evidence of every frame of the chosen episodes, by camera.

    Args:
        store: recorded, or drawn again in one look.
        chosen: episode indices.
    """
    scene = scene_from(store.scene["scene"])
    painter = Painter(scene, compile_scene(scene))
    names = [key.rpartition(".")[2] for key, feature in store.features.items() if feature.dtype == "video"]
    evidence = {name: Evidence() for name in names}
    try:
        for index in chosen:
            episode = store.episode(index)
            qpos = poses(store, episode, scene, painter)
            assert len(qpos) == episode.length
            drawn = (painter.draw(pose) for pose in qpos)
            for frame, (shown, near) in enumerate(zip(_decoded(episode), _with_neighbours(drawn), strict=True)):
                for camera, found in evidence.items():
                    _look(found, index, frame, shown[camera], {step: images[camera] for step, images in near.items()})
    finally:
        painter.close()
    return evidence


def poses(store: Store, episode: SavedEpisode, scene: Scene, painter: Painter) -> Vector:
    """What stood where in every frame of an episode, shape (N, nq) of the painter's model."""
    take = read_sidecar(episode.frames)
    spots = reach.distractor_places(scene, Placement(**take.header["placement"]), int(take.header["seed"]))
    height = props.BLOCKS["cube"].half[2]
    places = {f"distractor_{i}": np.array([x, y, height, 1.0, 0.0, 0.0, 0.0]) for i, (x, y) in enumerate(spots)}
    return positions(take, store.scene["physics"]["layout"], painter.model, places)


def _decoded(episode: SavedEpisode) -> Iterator[Pictures]:
    films = {key.rpartition(".")[2]: read_video(path) for key, path in episode.videos.items()}
    for _ in range(episode.length):
        yield {camera: next(film) for camera, film in films.items()}


def _with_neighbours(drawn: Iterator[Pictures]) -> Iterator[dict[int, Pictures]]:
    """Every picture as 0, with the one before as -1 and the one after as +1 where there is one."""
    window: dict[int, Pictures] = {}
    for after in drawn:
        window = {step - 1: images for step, images in window.items() if step >= 0} | {1: after}
        if 0 in window:
            yield window
    if window:
        yield {step - 1: images for step, images in window.items() if step >= 0}


def _look(found: Evidence, episode: int, frame: int, shown: Image, near: dict[int, Image]) -> None:
    own = _rms(shown, near[0])
    telling = [step for step in near if step and _rms(near[0], near[step]) > TELLING]
    found.psnr.append(20 * float(np.log10(255 / max(own, 1e-3))))
    found.tells.append(bool(telling))
    if any(_rms(shown, near[step]) <= own for step in telling):
        found.misplaced.append((episode, frame))


def _rms(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.sqrt(np.mean(np.square(one.astype(np.float32) - other))))
