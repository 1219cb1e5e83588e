"""What was tried for what was kept: the recorder's log, and the one success rate that may be quoted."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import layout
from curation.episodes import EpisodeRow
from curation.frames import Outcome
from curation.rates import Rate, wilson

INTERRUPTED = "interrupted"
"""Outcome of a take that stopped before its end: nobody judged it."""
UNJUDGED = ("discarded", INTERRUPTED)
"""Ends of attempts that stopped before they could be judged."""
RESTORED = "restored"
"""Marks an episode that was not kept at first, as the log of attempts has it, and brought back from the trash."""
KEEP_ALL = "all"
"""The keep rule that selects nothing."""


@dataclass(frozen=True, kw_only=True)
class Attempts:
    """Counts of finished attempts, kept or not.

    Attributes:
        total: all of them.
        kept: those that became episodes.
        success: those that succeeded.
        unjudged: those that stopped before their end, by how; in `total`, never in `success`.
    """

    total: int
    kept: int
    success: int
    unjudged: dict[str, int]


def read_attempts(root: Path) -> tuple[Attempts | None, int]:
    """The attempts of the dataset at `root`, None if none are known, and how many lines of the log are damaged."""
    path = root / layout.ATTEMPTS
    if not path.is_file():
        return None, 0
    lines = [_line(text) for text in path.read_bytes().splitlines()]
    whole = [line for line in lines if line is not None]
    return counted(whole) if whole else None, len(lines) - len(whole)


def counted(lines: Sequence[Mapping[str, Any]]) -> Attempts:
    """Counts of the log's lines."""
    ends = Counter(str(line.get("status")) for line in lines if line.get("status") in UNJUDGED)
    judged = [line for line in lines if line.get("status") not in UNJUDGED]
    return Attempts(
        total=len(lines),
        kept=sum(bool(line.get("kept")) for line in lines),
        success=sum(line.get("outcome") == Outcome.SUCCESS for line in judged),
        unjudged=dict(ends),
    )


def quotable(rows: Iterable[EpisodeRow], attempts: Attempts | None) -> tuple[Rate | None, str]:
    """The success rate that says something of the operator, and what it counts.

    It is that of all attempts. Without their log it is that of the episodes, if every take became
    one: among takes that were kept for succeeding, any share of successes is made by the choice.

    Returns:
        The rate and "attempts" or "episodes"; None and "" if neither is known.
    """
    if attempts is not None:
        return wilson(attempts.success, attempts.total), "attempts"
    judged = [row for row in rows if row.outcome not in ("", INTERRUPTED)]
    if not judged or _selected(judged):
        return None, ""
    return wilson(sum(row.success for row in judged), len(judged)), "episodes"


def _selected(judged: Sequence[EpisodeRow]) -> bool:
    """Whether some became episodes for what came of them; likely where nothing says so and all succeeded."""
    likely = "success" if all(row.success for row in judged) else KEEP_ALL
    return any(row.extra.get("keep", likely) != KEEP_ALL for row in judged)


def _line(text: bytes) -> dict[str, Any] | None:
    """A line of the log, None if it is damaged."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) else None
