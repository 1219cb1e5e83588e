"""The table as scene.json tells it: reach, view and bowl as plain numbers, for those who know no kinematics."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from curation.frames import Placement

from .world import props, reach
from .world.kinematics import PAN_X
from .world.scene import Scene

AZIMUTH_STEP = math.radians(4.0)
"""Between corners of the outline: its straight sides leave the true circle by 0.25 mm at most."""
INSIDE = 0.2
"""A radius about the pan axis that is within reach wherever the arm points [m]."""
NEAREST, FARTHEST = 0.05, 0.6
"""Radii that no arm pose reaches [m]."""
_FINE = 1e-5


def table_card(scene: Scene) -> dict[str, Any]:
    """What `curation.table` reads, JSON values in metres.

    Its shapes are those that `recorders.world.reach` asks about: a block's place is recordable where it lies inside
    `reach`, `margin` inside every view, and `gap` away from the bowl.
    """
    x_low, x_high, y_low, y_high = reach.view(scene)
    margin = math.hypot(*scene.block_half[:2])
    square = scene.bowl == "tray"
    return {
        "reach": [list(corner) for corner in outline()],
        "views": {"overhead_cam": [x_low, x_high, y_low, y_high]},
        "margin": margin,
        "bowl": {
            "x": props.BOWL_CENTRE[0],
            "y": props.BOWL_CENTRE[1],
            "half": props.TRAY_HALF if square else props.BOWL_RIM_RADIUS,
            "square": square,
            "gap": margin + reach.BOWL_GAP,
        },
    }


@cache
def outline() -> tuple[tuple[float, float], ...]:
    """Corners of the arm's reach on the table [m], counter-clockwise from the nearest on the right."""
    low = -_limit(lambda turn: _reached(INSIDE, -turn), 0.0, math.pi)
    high = _limit(lambda turn: _reached(INSIDE, turn), 0.0, math.pi)
    count = math.ceil((high - low) / AZIMUTH_STEP)
    turns = [low + (high - low) * step / count for step in range(count + 1)]
    outer = [(_limit(lambda r, turn=turn: _reached(r, turn), INSIDE, FARTHEST), turn) for turn in turns]
    inner = [(_limit(lambda r, turn=turn: _reached(r, turn), INSIDE, NEAREST), turn) for turn in reversed(turns)]
    return tuple((round(PAN_X + r * math.cos(turn), 5), round(r * math.sin(turn), 5)) for r, turn in [*outer, *inner])


def _reached(radius: float, turn: float) -> bool:
    return reach.reachable(Placement(PAN_X + radius * math.cos(turn), radius * math.sin(turn)))


def _limit(holds: Callable[..., bool], inside: float, outside: float) -> float:
    """The last value from `inside` to `outside` for which it holds."""
    while abs(outside - inside) > _FINE:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
