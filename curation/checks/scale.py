"""The range of every joint column, in the units that the dataset names."""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.checks.subject import Subject
from curation.frames import JOINTS
from curation.motion import joint_name
from curation.units import GRIPPER, MODEL, spans


@dataclass(frozen=True)
class Scale:
    """One column of state or action.

    Attributes:
        name: of the joint.
        gripper: whether it is one.
        unit: in words.
        low, high: the joint's ends in that unit; NaN where they are not known.
        per_degree: how much of the unit is one degree of an SO-101's joint; 0 where it is not known.
    """

    name: str
    gripper: bool = False
    unit: str = ""
    low: float = math.nan
    high: float = math.nan
    per_degree: float = 0.0

    @property
    def width(self) -> float | None:
        """The joint's range; None where it is not known."""
        return None if math.isnan(self.low) else self.high - self.low


def scales(subject: Subject, key: str) -> list[Scale]:
    """The columns of a feature, in order."""
    return [_scale(subject, name.removesuffix(".pos"), joint_name(name)) for name in subject.names(key)]


def _scale(subject: Subject, name: str, joint: str) -> Scale:
    if "gripper" in joint:
        low, high = GRIPPER[subject.units.gripper]
        return Scale(name, True, subject.units.gripper, low, high, (high - low) / 110.0)
    if joint not in JOINTS:
        return Scale(name)
    low, high = spans(MODEL)[joint]
    match subject.units.body:
        case "degrees":
            return Scale(name, False, "degrees", low, high, 1.0)
        case "radians":
            return Scale(name, False, "radians", math.radians(low), math.radians(high), math.radians(1.0))
        case _:
            return Scale(name, False, "of -100..100", -100.0, 100.0, 200.0 / (high - low))
