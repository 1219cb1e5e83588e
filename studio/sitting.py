"""One sitting in the booth, from the options of `studio record`: the same under a screen and a plain command."""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from curation.errors import OK, StudioError
from curation.notes import CLASSIFIER
from curation.store import Store
from recorders.booth import UNWATCHED, Booth
from recorders.devices.keys import HeldKeys
from recorders.operators import Driver
from recorders.operators.corrected import Corrected
from recorders.operators.named import make_driver
from recorders.placements import Placing
from recorders.shelf import DatasetShelf, Practice, Shelf
from recorders.signals import Closed, Event, Message, Tick
from recorders.sitting import Sitting
from recorders.world.scene import Scene, scene_from
from recorders.world.sim import SimWorld
from studio.paths import dataset_path
from studio.seats import Seat, take_seat
from studio.verbs.asked import Asked
from studio.verbs.record import Record

if TYPE_CHECKING:
    from studio.lookout import Lookout
    from studio.referee import RefereeMaker


def sit(
    options: Record,
    held: HeldKeys,
    inbox: queue.SimpleQueue[Message],
    tell: Callable[[Event], None],
    show: Callable[[Tick], None],
    *,
    beats: bool,
) -> None:
    """Hold one sitting; the last event is `Closed`.

    Args:
        options: of the command.
        held: keys that drive.
        inbox: messages from the person.
        tell: is told every event.
        show: is shown ticks.
        beats: whether the face sends beats.
    """
    try:
        placing = options.recording.check()
        # Before the dataset is begun: where there is no headset, none is.
        with closing(take_seat(options, held, scene_of(options), tell, show)) as seat:
            seat.tell(_sit(options, placing, seat, inbox, beats))
    except StudioError as error:
        tell(Closed(error.exit_code, str(error)))


def _sit(
    options: Record,
    placing: Placing,
    seat: Seat,
    inbox: queue.SimpleQueue[Message],
    beats: bool,
) -> Closed:
    asked = options.recording
    maker = _maker(options)
    session = None if options.practice else asked.open()
    scene = asked.scene if session is None else session.scene
    shelf: Shelf = Practice() if session is None else DatasetShelf(session, seat.tell)
    lookout: Lookout | None = None
    try:
        lookout = None if maker is None else _lookout(maker, scene)
        world = SimWorld(scene)
        booth = Booth(
            Sitting(
                label=asked.who.label,
                placing=placing,
                per_position=asked.per_position,
                episodes=0 if session is None else asked.goal(placing, session),
                seed=asked.seed,
                limit_s=asked.limit_s,
                auto_stop=options.auto_stop and lookout is None,
                at_once=not asked.by_person,
                about=asked.who.about,
                beats=beats,
            ),
            world,
            _driver(asked, world, seat),
            hands=seat.hands,
            pressed=seat.pressed,
            release=seat.release,
            shelf=shelf,
            inbox=inbox,
            tell=seat.tell,
            show=seat.show,
            lookout=lookout or UNWATCHED,
        )
        booth.run()
        world.close()
        return Closed(OK, _closing_word(options, shelf))
    finally:
        shelf.close()
        if lookout is not None:
            lookout.close()


def _maker(options: Record) -> RefereeMaker | None:
    """The classifier that ends takes; errors as `maker_of`, and before anything is made."""
    if options.done_by == "judge":
        return None
    from studio.referee import maker_of

    return maker_of(options.done_by.removeprefix(CLASSIFIER), scene_of(options))


def _lookout(maker: RefereeMaker, scene: Scene) -> Lookout:
    from studio.lookout import Lookout

    return Lookout(maker, scene)


def _driver(asked: Asked, world: SimWorld, seat: Seat) -> Driver:
    if seat.hands is None:
        return make_driver(asked.who, world)
    return Corrected(make_driver(asked.who, world), seat.hands, seat.pressed) if asked.corrects else seat.hands


def _closing_word(options: Record, shelf: Shelf) -> str:
    if options.practice:
        return "Practice is over; nothing was recorded."
    count = shelf.count()
    return f"{options.recording.to} holds {count} {'episode' if count == 1 else 'episodes'}."


def scene_of(options: Record) -> Scene:
    """The scene that a sitting is about: the dataset's own where it goes on with one."""
    asked = options.recording
    if asked.resume and not options.practice:
        return scene_from(Store.open(dataset_path(asked.to)).require_scene()["scene"])
    return asked.scene
