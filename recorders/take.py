"""One take: a rollout of one world into a journal, closed with a decision to keep it or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
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
    try:
        for _, event in rollout([world], operator, [start], limit=limit, clock=clock, until_success=until_success):
            if isinstance(event, Frame):
                journal.add(event)
                watch(event)
            elif event.status is Status.FAILED:
                raise TakeFailed(str(event.report.get("error", "unknown.")), journal.frames)
            else:
                ending = replace(event, report={**event.report, **measured()})
                kept = (keeps(rule, ending) if decide is None else decide(ending)) and journal.frames > 0
                journal.close(ending, kept)
                return ending, kept
    except BaseException:
        journal.abandon()
        raise
    raise AssertionError("a rollout ends with an ending")
