"""The source of readings that was asked for, and how any is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from .controller import ControllerSource, Side
from .motion_log import Logged, Replayed


def source_of(
    hand: Side, motion: Path | None = None, motion_log: Path | None = None, headset: ControllerSource | None = None
) -> ControllerSource:
    """A source, not yet open.

    Args:
        hand: that holds the controller.
        motion: a motion log in place of a headset.
        motion_log: a new file into which all readings are written.
        headset: the one that drives; the one on this PC by default.

    Raises:
        BrokenMotionLog: `motion` is none.
        TargetExists: there is something at `motion_log`.
    """
    source: ControllerSource
    if motion is not None:
        source = Replayed(motion)
    elif headset is not None:
        source = headset
    else:
        from .headset import Headset

        source = Headset(hand)
    return source if motion_log is None else Logged(source, motion_log, hand)


class Connectable(Protocol):
    """What may be there or not."""

    def open(self) -> None: ...

    def close(self) -> None: ...


def opened[Source: Connectable](source: Source) -> Source:
    """The source, open; nothing of it stays where that fails."""
    try:
        source.open()
    except BaseException:
        source.close()
        raise
    return source
