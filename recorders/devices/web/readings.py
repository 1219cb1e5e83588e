"""What a WebXR page tells of its controllers, as readings: buttons and axes are the mapping "xr-standard"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recorders.devices.controller import Button, ControllerSample, Side

_TRIGGER, _SQUEEZE = 0, 1
_BUTTONS = {3: Button.STICK, 4: Button.LOWER, 5: Button.UPPER}
_RIGHT, _BACK = 2, 3
_DOWN = 0.5


def reading(told: Mapping[str, Any], hand: Side, at: float) -> ControllerSample:
    """One reading of a hand; not tracked if the page says nothing of it, or nothing that can be one.

    Args:
        told: by hand: pose x, y, z [m] and rotation x, y, z, w, or None; whether it is inferred; buttons and axes.
        hand: which one is asked for.
        at: when, of `time.perf_counter()` [s].
    """
    try:
        found = told[hand]
        x, y, z, *rotation = map(float, found["pose"])
        i, j, k, w = rotation
        buttons, axes = found["buttons"], found["axes"]
        return ControllerSample(
            at,
            hand,
            (x, y, z),
            (i, j, k, w),
            tracked=found["inferred"] is False,
            squeeze=_value(buttons, _SQUEEZE),
            trigger=_value(buttons, _TRIGGER),
            stick=(_value(axes, _RIGHT), -_value(axes, _BACK)),
            buttons=frozenset(button for place, button in _BUTTONS.items() if _value(buttons, place) > _DOWN),
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return ControllerSample(at, hand)


def _value(values: Sequence[Any], place: int) -> float:
    """A number of a list; 0 for places that this controller does not have."""
    return float(values[place]) if place < len(values) and values[place] is not None else 0.0
