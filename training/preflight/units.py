"""Whether state and action are told in the units that the world of the evaluation speaks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from curation.checks import Finding
from curation.scenes import Scenes
from curation.units import GRIPPER, Units
from training.origin import units_mend, units_of
from training.preflight.asked import Asked, finding
from training.preflight.policy import gripper_of

_NEAR, _FAR = 1.5, 5.0
"""A gripper that opened up to this factor above a unit's highest number, or below it, was told in that unit."""


def units(asked: Asked) -> Iterator[Finding]:
    """Units of joints and gripper that the world does not speak."""
    store = asked.chosen.store
    theirs, ours = units_of(store) or {}, asdict(Units())
    apart = {part: unit for part, unit in theirs.items() if unit != ours[part]}
    if not apart:
        return
    simulated = asked.world is not None or bool(Scenes(store).cards)
    wanted = set(apart) == {"gripper"} and _weights_want(asked, apart["gripper"])
    yield finding(
        "world units",
        "error" if simulated and not wanted else "warning",
        ", ".join(f"{part} in {unit}, the world of the evaluation speaks {ours[part]}" for part, unit in apart.items()),
        "The policy would answer in these units, and the arm would take them for its own; no loss shows it.",
        units_mend(apart, str(store.root)),
    )


def _weights_want(asked: Asked, unit: str) -> bool:
    """Whether the weights that training starts from were trained with this unit of the gripper."""
    most = gripper_of(Path(asked.recipe.weights)) if asked.recipe.weights else None
    return most is not None and 0.0 < most <= _NEAR * GRIPPER[unit][1] and most > GRIPPER[unit][1] / _FAR
