"""Where a person sits: at the keys, a controller or a leader arm, or beside whoever drives alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from recorders.devices.hands import source_of
from recorders.devices.keys import HeldKeys
from recorders.devices.leader.source import LeaderArm
from recorders.operators.by_hand import ByHand
from recorders.operators.controller.driver import Controller
from recorders.operators.jog import Jog
from recorders.operators.leader.driver import Follower
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
    """Sit down; a headset or a leader arm is connected here.

    Args:
        options: of the command.
        held: keys that drive.
        fps: of the world.
        say: is told what the person must know of a device.

    Raises:
        StudioError: there is no such device; it says what would help.
    """
    match options.recording.operator:
        case "vr":
            source = _opened(source_of(options.hand, options.motion, options.motion_log))
            controller = Controller(source, fps, say)
            return Seat(controller, controller.pressed, controller.release, source.close)
        case "leader":
            arm = LeaderArm(options.port, options.leader_id)
            say(f"Connecting to {arm.name}; LeRobot takes some seconds to load.")
            follower = Follower(_opened(arm), fps, say)
            return Seat(follower, follower.pressed, follower.release, arm.close)
    jog = Jog(held.held, fps) if options.recording.by_person else None
    return Seat(jog, held.pressed, held.release_all)


class _Source(Protocol):
    """A device."""

    def open(self) -> None: ...

    def close(self) -> None: ...


def _opened[Source: _Source](source: Source) -> Source:
    """The device, connected."""
    try:
        source.open()
    except BaseException:
        source.close()
        raise
    return source
