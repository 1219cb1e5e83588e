"""What a person (or a scripted operator) sits down to record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .placements import Placing
from .schedule import Schedule


@dataclass(frozen=True, kw_only=True)
class Sitting:
    """What is recorded.

    Attributes:
        label: of the operator, stored per episode.
        placing: where blocks go.
        per_position: episodes per position of a target list.
        episodes: unmasked episodes the dataset shall hold; 0 goes on until told to stop.
        seed: of the session.
        limit_s: longest take [s].
        auto_stop: whether a take ends, and is kept, as soon as the judge is content.
        at_once: whether takes begin by themselves, as a scripted operator's do, instead of at the first motion.
        about: who drives, stored with every take; JSON values.
        beats: whether the face sends beats, so that its silence means that it is gone.
    """

    label: str
    placing: Placing
    per_position: int = 1
    episodes: int = 0
    seed: int = 0
    limit_s: float = 60.0
    auto_stop: bool = True
    at_once: bool = False
    about: Mapping[str, Any] = field(default_factory=dict)
    beats: bool = False

    @property
    def schedule(self) -> Schedule:
        """Whose turn it is among the positions of a list."""
        return Schedule(self.placing.targets, self.per_position)
