"""By whose word takes become episodes: the judge's, or a referee's in the judge's place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from curation.frames import Vector

from .operators import Operator
from .take import Keep

AUDIT = 0.2
"""Share of attempts that are audited by default: one in five."""
JUDGE, NOBODY = "judge", "nobody"
AUDIT_STREAM = 7
"""Keeps the draw of what is audited apart from the placement's and the operators' random streams."""


class Referee(Protocol):
    """Watches the takes of some worlds, and knows no more of them than their observations."""

    def around(self, operator: Operator) -> Operator:
        """The operator under its eyes, which ends a take once the referee is content."""
        ...

    def word(self, number: int) -> tuple[bool, dict[str, Any]]:
        """Of the take that has just ended in a world: whether it is kept, and what is stored of that, JSON values:
        {"by": who, "probability", "threshold"} and whatever else there is to say."""
        ...


@dataclass(frozen=True)
class Rule:
    """Which takes become episodes.

    Attributes:
        keep: the judge's rule, in force without a referee.
        name: stored with every take, such as "success" or "classifier:done@1f2e3d".
        referee: makes one in each process that drives. The judge then ends no take: its word would be in an episode's
            length and last picture, and the referee would seem better than it is.
        audit: share of all attempts whose truth is counted, drawn beforehand and whatever comes of them.
        ends: who ends a take before its time: "judge", "nobody", or a classifier's id. A take that the judge ends tells
            by its length whether it succeeded, so nothing else than the judge can be tried on it.
    """

    keep: Keep
    name: str
    referee: Callable[[], Referee] | None = None
    audit: float = 1.0
    ends: str = JUDGE

    @classmethod
    def of(cls, keep: Keep) -> Rule:
        """The judge's."""
        return cls(keep, keep.value)

    @property
    def judged(self) -> bool:
        """Whether the judge's rule decides what is kept."""
        return self.referee is None or self.name == self.keep.value

    @property
    def judge_ends(self) -> bool:
        """Whether a take ends as soon as the judge is content."""
        return self.referee is None and self.ends == JUDGE

    def audits(self, seed: int) -> bool:
        """Whether the attempt of this seed is audited; known before it is made."""
        return bool(np.random.default_rng([seed, AUDIT_STREAM]).random() < self.audit)


class Lookout(Protocol):
    """Watches a person's take, and says when it looks done; then the person decides on it."""

    @property
    def done(self) -> bool:
        """Whether it is sure that this take is done."""
        ...

    @property
    def error(self) -> str:
        """Why it watches no longer; empty while all is well."""
        ...

    def begin(self) -> None:
        """A take begins."""
        ...

    def see(self, physics: Vector) -> None:
        """The physics of a frame; must not block."""
        ...

    def report(self) -> dict[str, Any]:
        """What is stored with the take; JSON values."""
        ...


class Unwatched:
    """A lookout that never ends a take."""

    done = False
    error = ""

    def begin(self) -> None:
        pass

    def see(self, physics: Vector) -> None:
        pass

    def report(self) -> dict[str, Any]:
        return {}
