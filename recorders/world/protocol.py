"""What the loop needs of a world; the simulated one is the first, a real arm can be the next."""

from __future__ import annotations

from typing import Any, Protocol

from curation.frames import Feature, Observation, Outcome, Phase, Placement, Vector


class World(Protocol):
    """A robot at its task."""

    @property
    def fps(self) -> int: ...

    @property
    def features(self) -> dict[str, Feature]: ...

    @property
    def phase(self) -> Phase: ...

    def reset(self, seed: int, placement: Placement) -> Observation: ...

    def admit(self, action: Vector) -> Vector: ...

    def step(self, action: Vector) -> Observation: ...

    def physics(self) -> Vector: ...

    def verdict(self) -> tuple[Outcome, dict[str, Any]]: ...

    def close(self) -> None: ...
