"""One take: a rollout of one world into a journal, closed with a decision to keep it or not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from typing import Any

from curation.errors import StudioError
from curation.frames import Ending, Frame, Status, Verdict

from .clock import Clock
from .journal import Journal
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
    journal: Journal,
    *,
    rule: Keep,
    limit: int,
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
        clock: paces the frames.
        watch: sees every frame, for a preview; must not raise.
        measured: facts about the take as a whole, asked for at its end and stored with it; JSON values.

    Returns:
        How it ended and whether it was kept.

    Raises:
        TakeFailed: if the operator failed; the journal stays as an unfinished take.
    """
    try:
        for _, event in rollout(
            [world], operator, [start], limit=limit, clock=clock, until_success=rule is not Keep.VERDICT
        ):
            if isinstance(event, Frame):
                journal.add(event)
                watch(event)
            elif event.status is Status.FAILED:
                raise TakeFailed(str(event.report.get("error", "unknown.")), journal.frames)
            else:
                ending = replace(event, report={**event.report, **measured()})
                kept = keeps(rule, ending) and journal.frames > 0
                journal.close(ending, kept)
                return ending, kept
    except BaseException:
        journal.abandon()
        raise
    raise AssertionError("a rollout ends with an ending")
