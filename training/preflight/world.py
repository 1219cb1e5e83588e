"""Whether the pictures a policy learns from are those it will be shown."""

from __future__ import annotations

from collections.abc import Iterator

from curation import layout
from curation.checks import Finding
from curation.names import camera_name
from curation.scenes import Scenes
from training.preflight.asked import Asked, World, finding


def world(asked: Asked) -> Iterator[Finding]:
    """The dataset's scene and cameras against the world of the evaluation."""
    if asked.world_fault:
        yield finding(
            "scene",
            "error",
            asked.world_fault,
            "The policy cannot be evaluated in the world it was shown, and nobody sees whether another one is alike.",
            "Restore meta/studio/scene.json from where the dataset comes from (studio pull), or upgrade the studio.",
        )
        return
    if asked.world is None:
        yield finding(
            "scene",
            "warning",
            "nobody knows in which world this was recorded",
            "studio evaluate cannot tell whether its world is the one the policy learnt in.",
            "Say which world to evaluate in with studio evaluate --scene…, and compare the pictures yourself.",
        )
        return
    scenes = Scenes(asked.chosen.store)
    marks = {scenes.of(name) for name in asked.chosen.ids}
    if len(marks) > 1:
        yield finding(
            "scene",
            "warning",
            f"the episodes come from {len(marks)} scenes",
            "The policy learns all of them; an evaluation in one says nothing about the others.",
            "Evaluate in each, or train on one: --where, or studio filter.",
        )
    elif marks and (mark := next(iter(marks))) is not None and mark != asked.world.fingerprint:
        yield finding(
            "scene",
            "error",
            f"recorded in scene {mark}, {asked.world.name} is {asked.world.fingerprint}",
            "Another camera, light or body by a little: what looks like a bad policy is another picture.",
            "studio rerender DATASET draws it in the world of the evaluation; or evaluate in its own.",
        )
    yield from _cameras(asked, asked.world)


def _cameras(asked: Asked, there: World) -> Iterator[Finding]:
    features = asked.chosen.store.features
    have = {camera_name(key): features[key].shape[:2] for key in layout.cameras(features)}
    unknown = [name for name in have if name not in there.cameras]
    if unknown:
        yield finding(
            "cameras",
            "error",
            f"{', '.join(unknown)} is no camera of {there.name}, which has {', '.join(there.cameras)}",
            "The policy would be shown nothing under that name.",
            "studio rename DATASET OLD:NEW --to NEW, or leave it out: studio merge DATASET --drop-feature CAMERA "
            "--to NEW.",
        )
    other = {n: s for n, s in have.items() if n in there.cameras and tuple(s) != tuple(there.cameras[n])}
    if other and not asked.recipe.resize:
        name, size = next(iter(other.items()))
        yield finding(
            "cameras",
            "error",
            f"{name} is {size[0]}x{size[1]} here and {there.cameras[name][0]}x{there.cameras[name][1]} in {there.name}",
            "The same block has another size in pixels.",
            f"--resize {size[0]}x{size[1]} makes both one size, or studio rerender DATASET with the world's.",
        )
    if asked.chosen.store.fps != there.fps:
        yield finding(
            "cameras",
            "error",
            f"recorded at {asked.chosen.store.fps} fps, {there.name} runs at {there.fps}",
            "Every movement would be faster or slower than it was shown.",
            "Evaluate in a world of the same rate.",
        )
