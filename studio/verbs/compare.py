"""compare: two checkpoints, or two recipes, on the episodes that both were evaluated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from studio.console import Console
from studio.options import Name
from studio.paths import runs_home


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Say whether A is better than B, at which level, or that nobody knows yet.

    Two checkpoints are compared episode by episode (exact McNemar test). Two groups of at least three trainings each
    are compared with the training as the unit, because another seed of a recipe makes a better or worse policy.
    """

    a: Name
    """A run, run@step, an evaluation's folder, a checkpoint's path, or a group of trainings; several with commas."""
    b: Name
    """The same."""
    by: Literal["success", "clean"] = "success"
    """What counts: success, or success without fumbling."""
    seed: int = 0
    """Of the bootstrap intervals of groups."""
    json: bool = False
    """Print everything as JSON."""


def compare(options: Compare, console: Console) -> int:
    """Print the comparison; inconclusive is an answer, not a failure."""
    from training.contest import contest
    from training.evaluated import evaluations_of
    from training.verdict import tell

    home = runs_home()
    a, b = evaluations_of(home, options.a), evaluations_of(home, options.b)
    lines, data = tell(contest(options.a, a, options.b, b), options.by, options.seed)
    console.result("\n".join(lines), data)
    return 0
