"""Units of joints: which ones a dataset has, and the straight lines from one to another."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

from curation.errors import DataError, UnknownChoice, UsageError
from curation.layout import UNITS

BodyUnit = Literal["degrees", "radians", "-100..100"]
GripperUnit = Literal["0..100", "0..97", "0..1", "radians"]

GRIPPER: dict[str, tuple[float, float]] = {
    "0..100": (0.0, 100.0),
    "0..97": (0.0, 97.0),
    "0..1": (0.0, 1.0),
    "radians": (math.radians(-10.0), math.radians(100.0)),
}
"""Closed and open: LeRobot's range, what the earlier work's gripper reached, Pi0's range, and the joint limits of
SO-ARM100 `so101_new_calib.xml`."""

TICKS = 4095
"""Encoder ticks of a whole turn, as LeRobot's `use_degrees` counts them."""

Line = tuple[float, float]
"""Factor and offset: new = factor * old + offset."""


Span = tuple[float, float]
"""Lowest and highest angle of a joint [deg]."""

MODEL = "so101"
"""Stands for the joint limits of the simulated arm."""
_MODEL_SPANS: dict[str, Span] = {
    "shoulder_pan": (-110.0, 110.0),
    "shoulder_lift": (-100.0, 100.0),
    "elbow_flex": (-96.83, 96.83),
    "wrist_flex": (-95.0, 95.0),
    "wrist_roll": (-157.21, 162.79),
}
"""SO-ARM100 `so101_new_calib.xml` [deg]."""


@dataclass(frozen=True)
class Units:
    """What the numbers of state and action mean."""

    body: BodyUnit = "degrees"
    gripper: GripperUnit = "0..100"


def read_units(root: Path) -> Units:
    """The units a dataset names; LeRobot's defaults where it names none.

    Raises:
        DataError: it names some that nobody knows.
    """
    return replace(Units(), **stated_units(root))  # type: ignore[arg-type]


def stated_units(root: Path) -> dict[str, str]:
    """What a dataset names of `Units`: all, a part where nobody knows the rest, or nothing.

    Raises:
        DataError: it names some that nobody knows.
    """
    path = root / UNITS
    try:
        stored = json.loads(path.read_bytes())
        named = {part: str(stored[part]) for part in asdict(Units()) if part in stored}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if named.get("body", "degrees") not in get_args(BodyUnit) or named.get("gripper", "0..1") not in GRIPPER:
        raise DataError(f"{path} names units that nobody knows: {named}.")
    return named


def joint_of(name: str) -> str:
    """The joint whose position a column holds; empty for velocities, currents and whatever else has a joint's name."""
    joint, _, what = name.partition(".")
    return joint if what in ("", "pos") else ""


def gripper_line(source: str, target: str) -> Line:
    """From one gripper unit to another.

    Raises:
        UnknownChoice: one of them is none.
    """
    for unit in (source, target):
        if unit not in GRIPPER:
            raise UnknownChoice("gripper unit", unit, GRIPPER)
    (low, high), (new_low, new_high) = GRIPPER[source], GRIPPER[target]
    factor = (new_high - new_low) / (high - low)
    return factor, new_low - factor * low


def body_line(source: str, target: str, span: Span | None) -> Line:
    """From one unit of a body joint to another.

    Args:
        source, target: as `BodyUnit`.
        span: the joint's range [deg]; -100..100 means nothing without it.

    Raises:
        UnknownChoice: one of them is none.
        UsageError: the range is needed and not known.
    """
    if source == target and source in get_args(BodyUnit):
        return 1.0, 0.0
    factor, offset = _to_degrees(source, span)
    back, shift = _to_degrees(target, span)
    return factor / back, (offset - shift) / back


def _to_degrees(unit: str, span: Span | None) -> Line:
    match unit:
        case "degrees":
            return 1.0, 0.0
        case "radians":
            return math.degrees(1.0), 0.0
        case "-100..100" if span:
            return (span[1] - span[0]) / 200.0, (span[0] + span[1]) / 2
        case "-100..100":
            raise UsageError(
                "-100..100 is a share of a range that only the arm's calibration knows. Name the file that "
                f"lerobot-calibrate wrote for it with --calibration FILE, or {MODEL} for a simulated SO-101."
            )
    raise UnknownChoice("unit of body joints", unit, get_args(BodyUnit))


def spans(calibration: str) -> dict[str, Span]:
    """Each joint's range [deg].

    Args:
        calibration: LeRobot's calibration file of an arm, or `MODEL`.

    Raises:
        UsageError: it is neither.
    """
    if calibration == MODEL:
        return dict(_MODEL_SPANS)
    try:
        stored = json.loads(Path(calibration).read_bytes())
        ticks = {joint: float(m["range_max"]) - float(m["range_min"]) for joint, m in stored.items()}
        turned = [joint for joint, m in stored.items() if m.get("drive_mode")]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{calibration} is no calibration file of LeRobot: {error}.") from error
    if not ticks or min(ticks.values()) <= 0 or turned:
        raise UsageError(
            f"{calibration} cannot be used: every joint needs a range above 0 and drive_mode 0, "
            f"as an SO-101 has; it holds {ticks}, turned round {turned}."
        )
    # LeRobot's degrees are counted from the middle of the range.
    return {joint: (-n * 180.0 / TICKS, n * 180.0 / TICKS) for joint, n in ticks.items()}
