"""Whether a policy and a world fit: cameras, state, control rate, scene."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from curation.errors import UsageError
from curation.names import IMAGES, POSE, STATE
from curation.units import Units

from .checkpoint_card import Card
from .origin import units_mend
from .policy_model import PolicyModel

RECORDED = (
    "give the scene's options the values they have there. What a policy does in another scene, "
    "studio evaluate --other-scene shows."
)
"""The way out where a policy makes episodes: a dataset is of the scene that its policy knows."""


class Unfit(UsageError):
    """A policy cannot be tried in this world.

    Args:
        checkpoint: its name.
        why: each with its mend.
    """

    def __init__(self, checkpoint: str, why: list[str]) -> None:
        super().__init__(f"The policy {checkpoint} does not fit this world: {' '.join(why)}")


def require_fit(
    model: PolicyModel,
    card: Card,
    *,
    cameras: Mapping[str, tuple[int, int]],
    joints: int,
    fps: int,
    fingerprint: str,
    differences: str = "",
    other_scene: bool = False,
    mend: str = RECORDED,
) -> None:
    """Check a policy against a world before anything is run.

    Args:
        model: the policy.
        card: of its checkpoint.
        cameras: of the world, with the size of their images (height, width).
        joints: of the world.
        fps: of the world.
        fingerprint: of the world's scene.
        differences: in words, where the scene is not the checkpoint's.
        other_scene: whether another scene than the checkpoint's is meant.
        mend: what to do about another scene, in words.

    Raises:
        Unfit: naming everything that does not fit, on both sides.
    """
    why = [*_features(model, cameras, joints), *_sizes(model, cameras), *_units(card)]
    if card.fps is not None and card.fps != fps:
        why.append(f"It was trained at {card.fps} fps, and the world runs at {fps}: use --fps {card.fps}.")
    if card.fingerprints and fingerprint not in card.fingerprints and not other_scene:
        told = f" ({differences})" if differences else ""
        several = "scenes" if len(card.fingerprints) > 1 else "scene"
        why.append(
            f"It was trained in {several} {', '.join(card.fingerprints)}, and this is {fingerprint}{told}: {mend}"
        )
    if why:
        raise Unfit(card.label, why)


def unknown(card: Card) -> list[str]:
    """What a checkpoint does not say of itself, and so nobody checked."""
    asked = {
        "its scene": card.fingerprints or None,
        f"the scene of {card.unplaced} of its episodes": None if card.unplaced and card.fingerprints else True,
        "its control rate": card.fps,
        "its cameras' sizes": card.cameras,
        "its units": card.units,
    }
    return [what for what, told in asked.items() if told is None]


def _features(model: PolicyModel, cameras: Mapping[str, tuple[int, int]], joints: int) -> list[str]:
    why = []
    lacking = [name for name in model.cameras if name not in cameras]
    if lacking:
        why.append(f"It looks at {', '.join(lacking)}; the world has {', '.join(cameras) or 'no camera'}.")
    known = (STATE, POSE, *(IMAGES + name for name in (*cameras, *model.cameras)))
    others = [name for name in model.wants if name not in known]
    if others:
        why.append(f"It wants {', '.join(others)}; the world has {STATE} and, for tests, {POSE}.")
    if model.actions != joints:
        why.append(f"Its actions have {model.actions} numbers, the arm takes {joints}.")
    return why


def _units(card: Card) -> list[str]:
    ours = asdict(Units())
    apart = {part: unit for part, unit in (card.units or {}).items() if unit != ours.get(part)}
    if not apart:
        return []
    told = " and ".join(f"{part} in {unit}, the world in {ours.get(part)}" for part, unit in apart.items())
    dataset = str(card.dataset.get("path") or "DATASET")
    return [f"It was trained with {told}: {units_mend(apart, dataset)}"]


def _sizes(model: PolicyModel, cameras: Mapping[str, tuple[int, int]]) -> list[str]:
    if model.resizes:
        return []
    why = []
    for name, trained in model.cameras.items():
        drawn = cameras.get(name, trained)
        if drawn != trained:
            size, have = f"{trained[1]}x{trained[0]}", f"{drawn[1]}x{drawn[0]}"
            why.append(
                f"{name} was {size} in training and is {have} here, and nothing in the checkpoint resizes it: "
                f"use --width {trained[1]} --height {trained[0]}."
            )
    return why
