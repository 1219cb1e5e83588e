"""The recording booth: one person or a scripted operator, one world, take after take until the goal or a word to stop.

A sitting is READY (the scene is set, nothing moves) -> RECORDING (the loop runs, every frame is on disk) -> REVIEW (the
take has ended, its journal waits for a word) -> READY; after the last one DONE (it can still be taken back). It takes
wishes, tells events and shows ticks; it knows neither screens nor keyboards, so it runs beside a screen in a process of
its own as well as under a plain command.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable

from curation.frames import Ending, Frame, Placement, Status, Verdict

from .clock import RealTime
from .hearing import Ear
from .meter import Meter
from .operators import Driver, each
from .operators.attended import Attended
from .operators.by_hand import ByHand, Sensed
from .operators.controller.feel import Feel
from .operators.corrected import Corrected
from .operators.keymap import Intent
from .placements import start
from .record import MAX_FAILURES_IN_A_ROW, terms
from .referee import Lookout, Unwatched
from .schedule import MAX_TRIES
from .shelf import Shelf
from .signals import Bell, Event, Finished, Masked, Message, Rang, Ready, Said, Stage, Tick
from .sitting import Sitting
from .take import Keep, Log, TakeFailed, run_take
from .telling import Teller, Turn
from .world.sim import SimWorld

POLL_S = 1 / 60
SHORTEST_S = 0.5
"""No take is kept before this [s]: a word this early was meant for something else, and there is nothing to learn."""

UNWATCHED = Unwatched()


class Leaving(Exception):
    """The person left without deciding; the take stays as unfinished."""


class Booth:
    """Runs one sitting.

    Args:
        sitting: what is recorded.
        world: is driven.
        driver: drives it.
        hands: a person's keys or device, for pace and mode, if one drives or takes over by them; None otherwise. A
            device is listened to all the time, and told what is to be felt.
        pressed: keys that drive now because they were pressed, not because they repeat; a first one starts a take.
        release: lets go of every key.
        shelf: where takes go.
        inbox: messages from the person.
        tell: is told every event.
        show: is shown ticks; must not block.
        clock: paces takes; real time if None.
        lookout: ends takes that look done; then the person decides. By default nobody does.
    """

    def __init__(
        self,
        sitting: Sitting,
        world: SimWorld,
        driver: Driver,
        *,
        hands: ByHand | None,
        pressed: Callable[[float], tuple[str, ...]],
        release: Callable[[], None],
        shelf: Shelf,
        inbox: queue.SimpleQueue[Message],
        tell: Callable[[Event], None],
        show: Callable[[Tick], None],
        clock: RealTime | None = None,
        lookout: Lookout = UNWATCHED,
    ) -> None:
        self._sitting = sitting
        self._world = world
        self._hands = hands
        self._sensed = hands if isinstance(hands, Sensed) else None
        self._pressed = pressed
        self._release = release
        self._shelf = shelf
        corrected = driver if isinstance(driver, Corrected) else None
        self._ear = Ear(inbox, hands, corrected, release, self._explain, beats=sitting.beats)
        self._tell = tell
        self._now = Teller(sitting, world, hands, shelf, show)
        self._operator = each(lambda _: Attended(driver, self._attend))
        self._clock = clock or RealTime(world.fps)
        self._lookout: Lookout = lookout
        self._skipped: set[str] = set()
        self._failed: Counter[str] = Counter()
        self._failures = 0
        self._succeeded = False
        self._attempt = shelf.next_attempt()
        self._last_take = ""
        self._stopping = False

    def run(self) -> None:
        """Take until the goal is reached or the person stops, then save everything kept.

        Raises:
            StudioError: the dataset cannot be written, or a position cannot be recorded; what was kept is on disk.
        """
        try:
            while not self._stopping:
                turn = self._next_turn()
                if turn is None:
                    self._done()
                    continue
                self._now.turn = turn
                if self._ready(turn):
                    self._take(turn)
        finally:
            self._release()
        self._now.enter(Stage.SAVING)
        while self._shelf.waiting:
            self._shelf.work()
            self._ear.listen()
            self._now.tick()
            time.sleep(POLL_S)

    # Choosing what comes next.

    def _next_turn(self) -> Turn | None:
        """The next take; None if nothing is left to record."""
        sitting = self._sitting
        target = None
        if sitting.placing.targets:
            # A person tries a position again at once; skipping leaves it.
            pending = sitting.schedule.pending(self._shelf.by_target(), self._skipped)
            if not pending:
                return None
            target = pending[0]
        elif sitting.episodes and self._shelf.count() >= sitting.episodes:
            return None
        at = start(sitting.placing, self._world.scene, sitting.seed, self._attempt, target)
        asked = (target.x, target.y) if target else sitting.placing.at
        return Turn(self._attempt, target, at, asked)

    def _ready(self, turn: Turn) -> bool:
        """Set the scene and wait until the take shall begin; False if another turn is wanted instead."""
        self._release()
        self._world.reset(turn.start.seed, turn.start.placement)
        if self._hands is not None:
            self._hands.begin(self._world.observe(), turn.start.seed)
        self._now.enter(Stage.READY)
        placement = turn.start.placement
        target = turn.target.id if turn.target else ""
        self._tell(Ready(turn.attempt, (placement.x, placement.y, placement.yaw_deg), target))
        while True:
            for intent in self._ear.intents():
                match intent:
                    case Intent.GO:
                        return True
                    case Intent.STOP:
                        self._stopping = True
                        return False
                    case Intent.RESET:
                        # Another number, or the same placement would be drawn again.
                        self._attempt += 1
                        return False
                    case Intent.SKIP:
                        self._skip(turn)
                        return False
                    case Intent.UNDO | Intent.RESTORE:
                        self._undo(restore=intent is Intent.RESTORE)
                        if turn != self._next_turn():
                            return False
            if self._sitting.at_once or self._pressed(time.monotonic()):
                return True
            self._shelf.work()
            self._now.tick()
            time.sleep(POLL_S)

    def _done(self) -> None:
        """Nothing is left to record: wait until the person takes something back, or ends it."""
        self._stopping = self._sitting.at_once or not self._now.ended
        self._release()
        self._now.enter(Stage.DONE)
        while not self._stopping:
            for intent in self._ear.intents():
                match intent:
                    case Intent.GO | Intent.SAVE | Intent.STOP:
                        self._stopping = True
                        return
                    case Intent.UNDO | Intent.RESTORE:
                        self._undo(restore=intent is Intent.RESTORE)
                        if self._next_turn() is not None:
                            return
            self._shelf.work()
            self._now.tick()
            time.sleep(POLL_S)

    def _skip(self, turn: Turn) -> None:
        if turn.target is None:
            self._attempt += 1
            return
        self._skipped.add(turn.target.id)
        self._tell(Said(f"Skipped {turn.target.id} for this sitting."))

    def _undo(self, *, restore: bool) -> None:
        episode_id = self._shelf.mask(undo=restore)
        if episode_id is None:
            self._tell(Said("Nothing to restore." if restore else "Nothing to undo."))
        else:
            self._tell(Masked(episode_id, masked=not restore))

    # One take.

    def _take(self, turn: Turn) -> None:
        sitting, world = self._sitting, self._world
        limit = round(sitting.limit_s * world.fps)
        what = terms(sitting.placing, turn.attempt, Keep.VERDICT, limit, sitting.seed, turn.target)
        what |= dict(sitting.about)
        log = self._shelf.begin(turn.start, sitting.label, turn.attempt, what)
        meter = Meter(world.fps, turn.planned, turn.start.placement)
        self._now.enter(Stage.RECORDING, meter)
        self._succeeded = False
        self._attempt = turn.attempt + 1
        self._shelf.rest(True)
        self._lookout.begin()
        self._touch(Feel.START)
        try:
            ending, kept = run_take(
                world, self._operator, turn.start, log, rule=Keep.VERDICT, until_success=sitting.auto_stop, limit=limit,
                clock=self._clock, watch=self._watch, decide=self._decide, measured=self._measured,
            )  # fmt: skip
        except TakeFailed as error:
            self._tell(Said(str(error), grave=True))
            self._tell(_finished(log, turn.start.placement, "failed", why="the operator failed"))
            self._stopping = self._stopping or sitting.at_once
        except Leaving:
            self._stopping = True
            self._tell(Said("The take is unfinished; studio recover offers it."))
            self._tell(_finished(log, turn.start.placement, "unfinished", why="left undecided"))
        else:
            self._settle(turn, log, ending, kept, meter)
        finally:
            self._shelf.rest(False)
            self._release()

    def _settle(self, turn: Turn, log: Log, ending: Ending, kept: bool, meter: Meter) -> None:
        self._shelf.settle(log, kept=kept)
        self._last_take = log.episode_id
        self._now.ended.append(time.monotonic())
        placement = turn.start.placement
        by_person = not kept and not self._sitting.at_once
        self._tell(
            Finished(
                log.episode_id, ending.outcome.value, kept, by_person, log.frames, log.late, placement.x, placement.y,
                target=turn.target.id if turn.target else "", gauges=meter.gauges(),
            )
        )  # fmt: skip
        if self._sitting.at_once:
            self._count(turn, kept=kept)

    def _count(self, turn: Turn, *, kept: bool) -> None:
        """Give up what a scripted operator cannot do, because nobody is there to say so."""
        self._failures = 0 if kept else self._failures + 1
        name = turn.target.id if turn.target else ""
        self._failed[name] += not kept
        if name and self._failed[name] >= MAX_TRIES:
            self._skipped.add(name)
            self._tell(Said(f"Position {name} is given up after {MAX_TRIES} tries.", grave=True))
        if self._failures >= MAX_FAILURES_IN_A_ROW:
            self._stopping = True
            self._tell(Said(f"{self._failures} takes in a row were not kept; choose another position.", grave=True))

    def _watch(self, frame: Frame) -> None:
        world, meter = self._world, self._now.meter
        assert meter is not None
        reading = world.judge.last
        meter.see(frame, reading.force if reading else 0.0, self._clock.last_work_s)
        self._now.frame = frame
        self._lookout.see(frame.physics)
        if self._sensed is not None:
            self._sensed.framed()
        if world.judge.success_s is not None:
            self._succeed()
        self._now.tick()

    def _succeed(self) -> None:
        """Ring once."""
        if not self._succeeded:
            self._succeeded = True
            self._ring(Bell.SUCCESS)

    def _ring(self, bell: Bell) -> None:
        self._tell(Rang(bell))
        self._touch(Feel.STOP)

    def _touch(self, feel: Feel) -> None:
        if self._sensed is not None:
            self._sensed.tell(feel)

    def _attend(self) -> Verdict | None:
        """What the person says in this frame of a take."""
        for intent in self._ear.intents():
            match intent:
                case Intent.GO | Intent.SAVE if self._too_short():
                    self._tell(Said(f"Not kept yet: a take of less than {SHORTEST_S:g} s teaches nothing."))
                case Intent.GO | Intent.SAVE:
                    return Verdict.SAVE
                case Intent.DISCARD:
                    return Verdict.DISCARD
                case Intent.STOP:
                    self._stopping = True
                    return Verdict.STOP
        return self._looks_done()

    def _looks_done(self) -> Verdict | None:
        """The end of a take that the lookout calls done; whether it is kept is the person's word."""
        if self._lookout.error:
            self._tell(Said(f"Nobody ends takes any more: {self._lookout.error}", grave=True))
            self._lookout = UNWATCHED
        return Verdict.STOP if self._lookout.done else None

    def _too_short(self) -> bool:
        frame = self._now.frame
        return frame is None or frame.index + 1 < SHORTEST_S * self._world.fps

    def _decide(self, ending: Ending) -> bool:
        """Whether the take that has ended is kept: its own word if it has one, else the person's."""
        self._release()
        word = ending.report.get("verdict")
        if word == Verdict.SAVE.value:
            return True
        if ending.status is Status.DISCARDED:
            return False
        if self._sitting.auto_stop and ending.success:
            self._succeed()
            return True
        if self._sitting.at_once:
            return False
        self._ring(Bell.TIME if ending.status is Status.TIMEOUT else Bell.ENDED)
        return self._review()

    def _review(self) -> bool:
        """Wait for the person's decision.

        Raises:
            Leaving: there is none.
        """
        self._now.stage = Stage.REVIEW
        self._shelf.rest(False)
        while True:
            for intent in self._ear.intents():
                match intent:
                    case Intent.GO | Intent.SAVE:
                        return True
                    case Intent.DISCARD:
                        return False
                    case Intent.STOP:
                        raise Leaving
            self._shelf.work()
            self._now.tick()
            time.sleep(POLL_S)

    def _measured(self) -> dict[str, object]:
        meter = self._now.meter
        measured = {"meter": meter.summary() if meter else {}, "lookout": self._lookout.report()}
        measured |= self._sensed.measured() if self._sensed else {}
        return {**self._clock.measured(), **{name: told for name, told in measured.items() if told}}

    def _explain(self, why: str) -> None:
        if self._last_take:
            self._shelf.explain(self._last_take, why)
            self._tell(Said(f"Discarded: {why}."))


def _finished(log: Log, placement: Placement, outcome: str, *, why: str) -> Finished:
    """A take that ended without a decision."""
    return Finished(
        log.episode_id, outcome, False, False, log.frames, log.late, placement.x, placement.y, why=why
    )  # fmt: skip
