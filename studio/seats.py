"""Where a person sits: at the keys, a controller or a leader arm, or beside whoever drives alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from recorders.devices.hands import opened, source_of
from recorders.devices.keys import HeldKeys
from recorders.devices.leader.source import LeaderArm
from recorders.operators.by_hand import ByHand
from recorders.operators.controller.driver import Controller
from recorders.operators.jog import Jog
from recorders.operators.leader.driver import Follower
from recorders.signals import Event, Invited, Said, Tick
from recorders.world.scene import Scene
from studio.verbs.record import Record

Tell = Callable[[Event], None]
Show = Callable[[Tick], None]


@dataclass(frozen=True)
class Seat:
    """What the booth asks of a person's hands.

    Attributes:
        hands: that drive or take over; None where nobody's do.
        pressed: what drives now because it was pressed, asked with the time of `time.monotonic()`.
        release: lets go of everything.
        tell, show: take events and ticks to the face, and to the person's headset where that has a page.
        close: lets go of the device.
    """

    hands: ByHand | None
    pressed: Callable[[float], tuple[str, ...]]
    release: Callable[[], None]
    tell: Tell
    show: Show
    close: Callable[[], None] = lambda: None


def take_seat(options: Record, held: HeldKeys, scene: Scene, tell: Tell, show: Show) -> Seat:
    """Sit down; a headset or a leader arm is connected here.

    Args:
        options: of the command.
        held: keys that drive.
        scene: of the sitting.
        tell, show: of the face; it is told what the person must know of a device.

    Raises:
        StudioError: there is no such device; it says what would help.
    """

    def say(text: str) -> None:
        tell(Said(text))

    match options.recording.operator:
        case "vr" if options.headset == "web":
            return _at_page(options, scene, tell, show)
        case "vr":
            source = opened(source_of(options.hand, options.motion, options.motion_log))
            controller = Controller(source, scene.fps, say)
            return Seat(controller, controller.pressed, controller.release, tell, show, source.close)
        case "leader":
            arm = LeaderArm(options.port, options.leader_id)
            say(f"Connecting to {arm.name}; LeRobot takes some seconds to load.")
            follower = Follower(opened(arm), scene.fps, say)
            return Seat(follower, follower.pressed, follower.release, tell, show, arm.close)
    jog = Jog(held.held, scene.fps) if options.recording.by_person else None
    return Seat(jog, held.pressed, held.release_all, tell, show)


def _at_page(options: Record, scene: Scene, tell: Tell, show: Show) -> Seat:
    """Invite a headset to its page, which shows what the face does."""
    from recorders.devices.web.headset import WebHeadset
    from studio.mirror import Mirror

    headset = WebHeadset(options.hand, lan=options.lan, port=options.page_port)
    source = opened(source_of(options.hand, motion_log=options.motion_log, headset=headset))
    tell(Invited(headset.address, headset.fingerprint))
    mirror = Mirror(headset, options.recording, scene)

    def tell_both(event: Event) -> None:
        tell(event)
        mirror.hear(event)

    def show_both(tick: Tick) -> None:
        show(tick)
        mirror.see(tick)

    def close() -> None:
        source.close()
        mirror.close()

    controller = Controller(source, scene.fps, lambda text: tell_both(Said(text)))
    return Seat(controller, controller.pressed, controller.release, tell_both, show_both, close)
