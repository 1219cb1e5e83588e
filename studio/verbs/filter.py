"""filter: a dataset of the episodes that pass, and control sets beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import tyro

from curation.errors import UsageError
from curation.plan import Keep, Plan, begin, edited
from studio.chosen import kept_of, reasons
from studio.console import Console
from studio.planned import Into, Planned, finish, opened
from studio.verbs.choose import Choose, Ref, choose


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Make a dataset of the episodes that pass. With --controls also TO-random and TO-matched, of the same size: only
    against those does a filter show what it is worth."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets."""
    choose: Choose = field(default_factory=Choose)
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def filter(options: Filter, console: Console) -> int:  # noqa: A001 - the command is called so
    """Choose, say what was dropped and why, plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Filter) -> Planned:
    """What it would do."""
    stores = opened(options.datasets)
    found = choose(options.choose, [store.root for store in stores])
    # An episode in the trash never passes a filter.
    plan = begin(stores)
    plans = {options.into.to: _keep(plan, kept_of(found), found.why)}
    numbers = {part.name: number for number, part in enumerate(found.parts)}
    for control in found.controls:
        refs = tuple((numbers[key.dataset], key.episode_id) for key in cast("tuple[Ref, ...]", control.keys))
        why = f"{control.kind} control, seed {control.seed}, of: {found.why}"
        plans[f"{options.into.to}-{control.kind}"] = _keep(plan, refs, why)
    return Planned(plans, stores, notes=reasons(found))


def _keep(plan: Plan, kept: tuple[tuple[int, str], ...], why: str) -> Plan:
    if not kept:
        raise UsageError(f"No episode passes: {why}. Nothing was written.")
    return edited(plan, Keep(kept, why))
