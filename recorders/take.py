"""Takes: a rollout of one world or of several into journals, each closed with a decision to keep it or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Protocol

from curation.errors import StudioError
from curation.frames import Ending, Frame, Status, Verdict

from .clock import Clock
from .operators import Operator
from .rollout import Start, rollout
from .world.protocol import World


class Keep(StrEnum):
    """Which takes become episodes."""

    ALL = "all"
    SUCCESS = "success"
    VERDICT = "verdict"


class TakeFailed(StudioError):
    """The operator or its device failed; the frames are kept and offered again."""

    def __init__(self, reason: str, frames: int) -> None:
        super().__init__(
            f"The take failed after {frames} frames: {reason} Its frames are on disk; `studio recover` offers them."
        )


class Log(Protocol):
    """What a take is written into; a `Journal`, unless nobody wants to keep it."""

    frames: int
    late: int

    @property
    def episode_id(self) -> str: ...

    def add(self, frame: Frame) -> None: ...

    def close(self, ending: Ending, kept: bool) -> None: ...

    def abandon(self) -> None: ...


class Unwritten:
    """The log of a take that nobody wants to keep."""

    episode_id = ""

    def __init__(self) -> None:
        self.frames = 0
        self.late = 0

    def add(self, frame: Frame) -> None:
        self.frames += 1
        self.late += frame.late

    def close(self, ending: Ending, kept: bool) -> None:
        pass

    def abandon(self) -> None:
        pass


@dataclass(frozen=True)
class Ended:
    """One of several takes has ended.

    Attributes:
        number: of its world.
        ending: as judged, with what was measured.
        kept: whether it becomes an episode.
        frames: driven.
        failed: why it did not end by itself, in words; its journal is then an unfinished take. "" if it did.
    """

    number: int
    ending: Ending
    kept: bool
    frames: int
    failed: str = ""


Settle = Callable[[int, Ending], tuple[Ending, bool]]
"""Asked once a take has ended, by the number of its world: the ending with what else is known of it, and whether the
take is kept. May take its time."""


def keeps(rule: Keep, ending: Ending) -> bool:
    """Whether a take with this ending becomes an episode."""
    if ending.status is Status.DISCARDED:
        return False
    match rule:
        case Keep.ALL:
            return True
        case Keep.SUCCESS:
            return ending.success
        case Keep.VERDICT:
            return ending.report.get("verdict") == Verdict.SAVE.value


def run_take(
    world: World,
    operator: Operator,
    start: Start,
    journal: Log,
    *,
    rule: Keep,
    limit: int,
    until_success: bool | None = None,
    decide: Callable[[Ending], bool] | None = None,
    clock: Clock | None = None,
    watch: Callable[[Frame], None] = lambda frame: None,
    measured: Callable[[], dict[str, Any]] = dict,
) -> tuple[Ending, bool]:
    """Drive one episode into a journal.

    Args:
        world: is reset to `start`.
        operator: drives it.
        start: seed and placement.
        journal: freshly opened; closed here, or left without a footer if the take does not end by itself.
        rule: which takes to keep.
        limit: most frames.
        until_success: whether the take ends by itself once the judge is content; by default it does, unless a person
            keeps takes by a verdict.
        decide: asked instead of the rule once the take has ended; may take its time.
        clock: paces the frames.
        watch: sees every frame, for a preview; must not raise.
        measured: facts about the take as a whole, asked for at its end and stored with it; JSON values.

    Returns:
        How it ended and whether it was kept.

    Raises:
        TakeFailed: if the operator failed; the journal stays as an unfinished take.
    """
    until_success = rule is not Keep.VERDICT if until_success is None else until_success

    def settle(number: int, ending: Ending) -> tuple[Ending, bool]:
        ending = replace(ending, report={**ending.report, **measured()})
        return ending, keeps(rule, ending) if decide is None else decide(ending)

    (ended,) = run_takes(
        [world], operator, [start], [journal],
        settle=settle, limit=limit, until_success=until_success, clock=clock, watch=watch,
    )  # fmt: skip
    if ended.failed:
        raise TakeFailed(ended.failed, ended.frames)
    return ended.ending, ended.kept


def run_takes(
    worlds: Sequence[World],
    operator: Operator,
    starts: Sequence[Start],
    journals: Sequence[Log],
    *,
    settle: Settle,
    limit: int,
    until_success: bool,
    clock: Clock | None = None,
    watch: Callable[[Frame], None] = lambda frame: None,
) -> Iterator[Ended]:
    """Drive one episode in each world, in lockstep, into journals of their own.

    Args:
        worlds: K worlds with one fps.
        operator: drives all of them.
        starts: seed and placement, one per world.
        journals: freshly opened, one per world; those of takes that do not end by themselves are left without a footer.
        settle: decides.
        limit: most frames.
        until_success: whether a take ends by itself once the judge is content.
        clock: paces the frames.
        watch: sees every frame.

    Yields:
        Each take as it ends.
    """
    open_ = set(range(len(worlds)))
    try:
        for number, event in rollout(worlds, operator, starts, limit=limit, clock=clock, until_success=until_success):
            journal = journals[number]
            if isinstance(event, Frame):
                journal.add(event)
                watch(event)
                continue
            ending, kept, failed = event, False, ""
            if event.status is Status.FAILED:
                failed = str(event.report.get("error", "unknown."))
                journal.abandon()
            else:
                ending, wanted = settle(number, event)
                kept = wanted and journal.frames > 0
                journal.close(ending, kept)
            open_.discard(number)
            yield Ended(number, ending, kept, journal.frames, failed)
    finally:
        for number in open_:
            journals[number].abandon()
