"""What differs between datasets that shall become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from curation.errors import DataError

Kind = Literal["fps", "features", "units", "state", "encoding", "robot", "scene", "tasks", "duplicates"]
SOFT: tuple[Kind, ...] = ("robot", "scene", "state", "tasks")
"""Kinds that may be allowed; the others cannot be written into one dataset, or would say something false there."""


@dataclass(frozen=True)
class Difference:
    """One thing in which a dataset differs from those before it.

    Attributes:
        kind: what it is about.
        dataset: name of the dataset that differs, unlike the others'.
        what: both values, in words.
        mend: what reconciles them.
        blocks: whether it must be mended, or allowed, before the datasets can be one.
        parent: number of the dataset among the plan's parents.
    """

    kind: Kind
    dataset: str
    what: str
    mend: str
    blocks: bool = True
    parent: int = 0

    def __str__(self) -> str:
        return f"{self.kind}: {self.dataset}: {self.what}. {self.mend}"


class Disagreement(DataError):
    """Datasets that do not fit together."""

    def __init__(self, found: Sequence[Difference]) -> None:
        listed = "\n".join(f"  {difference}" for difference in found)
        super().__init__(f"The datasets do not fit together:\n{listed}")


assert set(SOFT) <= set(get_args(Kind))
