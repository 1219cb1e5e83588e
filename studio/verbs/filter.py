"""filter: a dataset of the episodes that pass, and control sets beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import tyro

from curation.errors import UsageError
from curation.plan import Keep, Plan, begin, edited
from studio.console import Console
from studio.planned import Into, finish_all, opened
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
    stores = opened(options.datasets)
    found = choose(options.choose, [store.root for store in stores])
    for part in found.parts:
        for episode_id, reason in part.selection.dropped.items():
            console.step(f"{part.name} {episode_id[:8]}: {reason}")
    plan = begin(stores)
    numbers = {part.name: number for number, part in enumerate(found.parts)}
    kept = tuple((numbers[part.name], name) for part in found.parts for name in part.selection.kept)
    results = {options.into.to: _keep(plan, kept, found.why)}
    for control in found.controls:
        refs = tuple((numbers[key.dataset], key.episode_id) for key in cast("tuple[Ref, ...]", control.keys))
        why = f"{control.kind} control, seed {control.seed}, of: {found.why}"
        results[f"{options.into.to}-{control.kind}"] = _keep(plan, refs, why)
    return finish_all(results, stores, options.into, console)


def _keep(plan: Plan, kept: tuple[tuple[int, str], ...], why: str) -> Plan:
    if not kept:
        raise UsageError(f"No episode passes: {why}. Nothing was written.")
    return edited(plan, Keep(kept, why))
