"""What a check found: which rule, how grave, what it means for training and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]

LEVELS: tuple[Level, ...] = ("error", "warning", "note")
"""Gravest first. An error makes training wrong or impossible, a warning probably worse; a note is worth knowing."""


@dataclass(frozen=True)
class Finding:
    """One thing that is the matter with a dataset.

    Attributes:
        check: name of the rule.
        level: how grave it is.
        what: the fact, with its numbers.
        means: what that does to training.
        mend: which command or edit mends it, or what a person can do.
        episodes: indices of the episodes concerned; none if it is the whole dataset.
    """

    check: str
    level: Level
    what: str
    means: str
    mend: str
    episodes: tuple[int, ...] = ()


def gravest_first(findings: Iterable[Finding]) -> list[Finding]:
    """Errors, then warnings, then notes; in the order found among each."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def listed(episodes: Sequence[int], most: int = 8) -> str:
    """ "episodes 1, 2, 5"; long lists are cut and counted."""
    shown = ", ".join(map(str, episodes[:most]))
    more = f" and {len(episodes) - most} more" if len(episodes) > most else ""
    return f"episode{'s' if len(episodes) != 1 else ''} {shown}{more}"


def joined(names: Iterable[str]) -> str:
    """Names as a list in words, each once, in order."""
    return ", ".join(dict.fromkeys(names))
