"""What preflight looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from curation.checks.finding import Finding, Level
from training.recipe import Recipe
from training.subset import Subset
from training.understood import Understood, understood
from training.weights import config_of


@dataclass(frozen=True)
class World:
    """The world a policy will be evaluated in.

    Attributes:
        name: for people.
        fingerprint: of its scene as this studio builds it.
        cameras: height and width by name.
        fps: frames per second.
    """

    name: str
    fingerprint: str
    cameras: Mapping[str, tuple[int, int]]
    fps: int


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A training that has not begun, and the machine under it.

    Attributes:
        chosen: what it is trained on.
        recipe: how.
        folder: where the run will be.
        world: where it will be evaluated; None if nobody can say.
        world_fault: what is wrong with what the dataset says of its world; "" for nothing.
        resume: checkpoints of the run to go on with.
        trainings: how many of it are made, one after the other, all in `folder`.
        elsewhere: whether it is trained on another machine, of which nothing is known.
        free_bytes: on the disk of `folder`; None asks the disk.
        gpu_bytes: of the GPU's memory; None asks the driver.
        hub: whether the Hub can be reached.
    """

    chosen: Subset
    recipe: Recipe
    folder: Path
    world: World | None = None
    world_fault: str = ""
    resume: Path | None = None
    trainings: int = 1
    elsewhere: bool = False
    free_bytes: int | None = None
    gpu_bytes: int | None = None
    hub: bool = False

    @cached_property
    def understood(self) -> Understood:
        """What LeRobot makes of the recipe."""
        return understood(self.recipe)

    def number(self, key: str, usual: int) -> int:
        """A number of the policy's configuration: as typed, or of its weights, or as usual."""
        typed = self.recipe.setting(f"policy.{key}")
        stored = config_of(Path(self.recipe.weights)).get(key) if self.recipe.weights else None
        for value in (typed, stored):
            try:
                return int(str(value))
            except (TypeError, ValueError):
                continue
        return usual


def finding(check: str, level: Level, what: str, means: str, mend: str) -> Finding:
    """A finding about the training as a whole."""
    return Finding(check, level, what, means, mend)
