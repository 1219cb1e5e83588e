"""merge: several datasets become one."""

from __future__ import annotations

from dataclasses import dataclass, field

import tyro

from curation.plan import begin
from studio.chosen import chosen_of
from studio.console import Console
from studio.edits import Changes, changed, decisions
from studio.planned import Into, Planned, finish, opened
from studio.verbs.choose import Choose


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Make one dataset of several, after naming every difference between them; each episode keeps its own video. With
    filters only the episodes that pass, with changes in another form, with --controls also TO-random and TO-matched."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets, in order."""
    into: Into
    choose: Choose = field(default_factory=Choose)
    changes: Changes = field(default_factory=Changes)
    json: bool = False
    """Print what was written as JSON."""


def merge(options: Merge, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Merge) -> Planned:
    """What it would do."""
    stores = opened(options.datasets)
    made = chosen_of(begin(stores, with_masked=options.into.with_masked), stores, options.choose)
    plans = {f"{options.into.to}{end}": changed(plan, stores, options.changes) for end, plan in made.plans.items()}
    notes = (*made.notes, *decisions(plans[options.into.to], stores))
    return Planned(plans, stores, options.changes.allow, notes)
