"""Pictures that were never recorded, cut out as a classifier looks: for the controls of its card."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from classifiers.evidence import last_frames
from classifiers.labels import Labelled
from classifiers.look import CutOut
from classifiers.pictures import Pictures
from curation.store import Store
from recorders.counterfactual import CHANGES, Instants, drawn, in_look
from recorders.world.scene import scene_from


def with_physics(stores: Sequence[Store], episodes: Sequence[Labelled]) -> list[Labelled]:
    """Episodes that can be drawn again: physics beside them, and a scene of ours."""
    scenes = ["scene" in store.scene for store in stores]
    return [one for one in episodes if scenes[one.dataset] and one.episode.frames.is_file()]


def differs(store: Store, name: str) -> bool:
    """Whether one of `LOOKS` is another one than the recorded one."""
    return in_look(store, name) != scene_from(store.scene["scene"])


def redrawn(stores: Sequence[Store], episodes: Sequence[Labelled], look: Mapping[str, CutOut]) -> list[Pictures]:
    """Last pictures as they were recorded."""
    return _cut(stores, episodes, look, 0)


def changed(
    stores: Sequence[Store], episodes: Sequence[Labelled], look: Mapping[str, CutOut], change: str, seed: int
) -> list[Pictures]:
    """Last pictures with the block elsewhere, by one of `CHANGES`."""
    return _cut(stores, episodes, look, seed, change=change)


def bare(stores: Sequence[Store], episodes: Sequence[Labelled], look: Mapping[str, CutOut]) -> list[Pictures]:
    """Last pictures without block and bowl."""
    return _cut(stores, episodes, look, 0, bare=True)


def otherwise(
    stores: Sequence[Store], episodes: Sequence[Labelled], look: Mapping[str, CutOut], name: str
) -> list[Pictures]:
    """Last pictures in another look or camera, by one of `LOOKS`."""
    return _cut(stores, episodes, look, 0, other=name)


def _cut(
    stores: Sequence[Store],
    episodes: Sequence[Labelled],
    look: Mapping[str, CutOut],
    seed: int,
    *,
    change: str = "",
    bare: bool = False,
    other: str = "",
) -> list[Pictures]:
    found: dict[int, Pictures] = {}
    for number, store in enumerate(stores):
        places = [at for at, one in enumerate(episodes) if one.dataset == number]
        if not places:
            continue
        wanted = [
            Instants(episodes[at].episode, last_frames(episodes[at].episode.length, store.fps), seed + at)
            for at in places
        ]
        scene = in_look(store, other) if other else None
        for at, images in zip(places, drawn(store, wanted, CHANGES.get(change), scene=scene, bare=bare), strict=True):
            cut = [np.stack([look[camera].of(image) for image in images[camera]]) for camera in sorted(look)]
            found[at] = np.stack(cut, axis=1)
    return [found[at] for at in range(len(episodes))]
