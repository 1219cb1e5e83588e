"""merge: several datasets become one."""

from __future__ import annotations

from dataclasses import dataclass, field

import tyro

from curation.plan import begin
from studio.console import Console
from studio.edits import Changes, changed
from studio.planned import Into, finish, opened


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Make one dataset of several, after naming every difference between them; each episode keeps its own video."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Two or more datasets, in order."""
    into: Into
    changes: Changes = field(default_factory=Changes)
    json: bool = False
    """Print what was written as JSON."""


def merge(options: Merge, console: Console) -> int:
    """Plan, show, ask, apply."""
    stores = opened(options.datasets)
    plan = changed(begin(stores, with_masked=options.into.with_masked), stores, options.changes)
    return finish(plan, stores, options.into, console, options.changes.allow)
