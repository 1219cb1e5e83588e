"""How a recording is told: what waits, what is too close, what happened, what is missing."""

from __future__ import annotations

from curation.coverage import too_close
from curation.errors import StudioError
from curation.targets import Target
from recorders.crew import Undrawn
from recorders.darkroom import Drawing, Saved
from recorders.operators.named import Who
from recorders.placements import Placing, cells_without
from recorders.record import Event, Recorder, Took
from recorders.schedule import MAX_TRIES, Turns
from recorders.session import Session
from studio.console import Console
from studio.options import recorded_at
from studio.policy_driver import doubts
from studio.verbs.asked import Asked

MOST = 8
"""Positions that are named before the rest is only counted."""


def finish_waiting(console: Console, session: Session) -> None:
    """Save what an earlier process kept; name unfinished takes and the way to them."""
    recorder = Recorder(session, lambda event: console_event(console, event))
    try:
        unfinished = recorder.finish_kept()
    finally:
        recorder.close()
    if unfinished:
        takes = "1 unfinished take waits" if len(unfinished) == 1 else f"{len(unfinished)} unfinished takes wait"
        console.step(f"{takes}: studio recover {session.root} --keep | --discard")


def tell_if_full(console: Console, session: Session, wanted: int) -> None:
    """Say so where there is nothing left to do."""
    have = len(session.live)
    if have >= wanted:
        console.step(f"{session.root} already holds {have} episodes.")


def tell_holes(console: Console, session: Session, placing: Placing) -> None:
    """Name asked positions that have no episode, because the total alone hides them."""
    missing = [] if placing.targets else cells_without(placing, [row.extra.get("asked") for row in session.live])
    if missing:
        listed = ", ".join(f"({x:g}, {y:g})" for x, y in missing[:MOST]) + (", ..." if len(missing) > MOST else "")
        console.step(
            f"{len(missing)} of {placing.cells} asked positions have no episode: {listed}. "
            "Ask for more episodes with --resume, or record them with --at."
        )


def tell_doubts(console: Console, who: Who) -> None:
    """What nobody can check of a policy that is about to make a dataset."""
    for doubt in doubts(who):
        console.step(doubt)


def tell_close(console: Console, asked: Asked, placing: Placing) -> None:
    """Name asked positions near recorded ones before anything is made; they are recorded all the same."""
    where = asked.where
    if not where.from_:
        return
    nominal = [placing.nominal(index) for index in range(max(1, placing.cells))]
    points = [Target("", at[0], at[1]) for at in nominal if at is not None]
    close = too_close(points, recorded_at(where.from_), where.farther_than)
    if close:
        listed = ", ".join(
            f"({one.target.x:g}, {one.target.y:g}) {one.distance:.3f} m from ({one.x:.3f}, {one.y:.3f})"
            for one in close[:MOST]
        )
        more = ", ..." if len(close) > MOST else ""
        console.step(f"{len(close)} of {len(points)} positions lie within {where.farther_than:g} m: {listed}{more}.")


def console_event(console: Console, event: Event, wanted: int = 0) -> None:
    """One line per event of a recording.

    Args:
        console: is told.
        event: has happened.
        wanted: episodes the dataset shall hold.
    """
    match event:
        case Took():
            console.advance(event.total, wanted)
            late = f", {event.late} late frames" if event.late else ""
            word = "kept" if event.kept else "not kept"
            driven = f"{event.ending.outcome.value}, {event.frames} frames{late}"
            console.step(f"take {event.attempt}: {driven}, {word} ({event.total}/{wanted})")
        case Saved():
            console.step(f"saved episode {event.index}")
        case Undrawn():
            console.step(f"take {event.journal.stem[:8]} is kept but cannot be drawn: {event.why}")
        case Drawing():
            console.progress(f"drawing and saving kept takes: {event.left} left")


class PositionsMissing(StudioError):
    """Some positions did not get their episodes."""

    def __init__(self, missing: list[Target], wanted: int) -> None:
        listed = ", ".join(f"{t.id} ({t.x:g}, {t.y:g})" for t in missing[:MOST]) + (
            ", ..." if len(missing) > MOST else ""
        )
        super().__init__(
            f"{len(missing)} of {wanted} positions want episodes after {MAX_TRIES} tries each: {listed}. "
            "--resume tries them again; studio targets check says what is wrong with a position."
        )


def require_all(turns: Turns | None, placing: Placing) -> None:
    """Check that every position of a list has its episodes.

    Raises:
        PositionsMissing: naming those that have not.
    """
    if turns is not None and (missing := turns.missing()):
        raise PositionsMissing(missing, len(placing.targets))
