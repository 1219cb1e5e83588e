"""filter: a dataset of the episodes that pass, and control sets beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

import tyro

from curation.plan import begin
from studio.chosen import chosen_of
from studio.console import Console
from studio.edits import Allow
from studio.planned import Into, Planned, finish, opened
from studio.verbs.choose import Choose


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Make a dataset of the episodes that pass. With --controls also TO-random and TO-matched, of the same size: only
    against those does a filter show what it is worth."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets."""
    choose: Choose = field(default_factory=Choose)
    allow: Allow = ()
    """Differences between the datasets to accept."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def filter(options: Filter, console: Console) -> int:  # noqa: A001 - the command is called so
    """Choose, say what was dropped and why, plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Filter) -> Planned:
    """What it would do."""
    stores = opened(options.datasets)
    made = chosen_of(begin(stores, with_masked=options.into.with_masked), stores, options.choose)
    plans = {f"{options.into.to}{suffix}": plan for suffix, plan in made.plans.items()}
    return Planned(plans, stores, options.allow, made.notes)
