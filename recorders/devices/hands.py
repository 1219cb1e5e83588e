"""The source of readings that was asked for."""

from __future__ import annotations

from pathlib import Path

from .controller import ControllerSource, Side
from .motion_log import Logged, Replayed


def source_of(hand: Side, motion: Path | None = None, motion_log: Path | None = None) -> ControllerSource:
    """A source, not yet open.

    Args:
        hand: that holds the controller.
        motion: a motion log in place of the headset.
        motion_log: a new file into which all readings are written.

    Raises:
        BrokenMotionLog: `motion` is none.
        TargetExists: there is something at `motion_log`.
    """
    source: ControllerSource
    if motion is not None:
        source = Replayed(motion)
    else:
        from .headset import Headset

        source = Headset(hand)
    return source if motion_log is None else Logged(source, motion_log, hand)
