"""Where a person sits: at the keys or at a controller, or beside whoever drives alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recorders.devices.hands import source_of
from recorders.devices.keys import HeldKeys
from recorders.operators.by_hand import ByHand
from recorders.operators.controller.driver import Controller
from recorders.operators.jog import Jog
from studio.verbs.record import Record


@dataclass(frozen=True)
class Seat:
    """What the booth asks of a person's hands.

    Attributes:
        hands: that drive or take over; None where nobody's do.
        pressed: what drives now because it was pressed, asked with the time of `time.monotonic()`.
        release: lets go of everything.
        close: lets go of the device.
    """

    hands: ByHand | None
    pressed: Callable[[float], tuple[str, ...]]
    release: Callable[[], None]
    close: Callable[[], None] = lambda: None


def take_seat(options: Record, held: HeldKeys, fps: int, say: Callable[[str], object]) -> Seat:
    """Sit down; a headset is connected here.

    Args:
        options: of the command.
        held: keys that drive.
        fps: of the world.
        say: is told what the person must know of a controller.

    Raises:
        StudioError: there is no headset; it says what would help.
    """
    if options.recording.operator != "vr":
        jog = Jog(held.held, fps) if options.recording.by_person else None
        return Seat(jog, held.pressed, held.release_all)
    source = source_of(options.hand, options.motion, options.motion_log)
    try:
        source.open()
    except BaseException:
        source.close()
        raise
    controller = Controller(source, fps, say)
    return Seat(controller, controller.pressed, controller.release, source.close)
