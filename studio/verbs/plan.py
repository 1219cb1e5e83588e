"""plan: what edits would do, saved as a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tyro

from curation.fingerprint import fingerprint
from curation.plan import Plan as Made
from curation.plan import begin
from curation.preflight import require_agreement
from curation.preview import preview
from curation.recipe import write_recipe
from curation.store import Store
from studio.chosen import chosen_of
from studio.console import Console
from studio.edits import Changes, changed, decisions
from studio.paths import dataset_path
from studio.plan_text import plan_data, plan_text
from studio.planned import opened, recipe_path, room
from studio.verbs.choose import Choose


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Show what edits would do to datasets, and save them as a recipe for studio apply. Nothing is changed."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets; several are merged."""
    choose: Choose = field(default_factory=Choose)
    changes: Changes = field(default_factory=Changes)
    with_masked: bool = False
    """Take episodes in the trash along, still masked."""
    save: Path | None = None
    """Write the recipe to this file."""
    json: bool = False
    """Print everything as JSON."""


def plan(options: Plan, console: Console) -> int:
    """Print what would change; exits with 3 while the datasets do not fit together."""
    stores = opened(options.datasets)
    sets = chosen_of(begin(stores, with_masked=options.with_masked), stores, options.choose)
    plans = {suffix: changed(one, stores, options.changes) for suffix, one in sets.plans.items()}
    for note in (*sets.notes, *decisions(plans[""], stores)):
        console.step(note)
    seen = {suffix: preview(one, stores) for suffix, one in plans.items()}
    place = dataset_path("result")
    lines = [f"{suffix.removeprefix('-')} control\n" * bool(suffix) + f"{plan_text(sight)}\n{room(place, sight)}"
             for suffix, sight in seen.items()]  # fmt: skip
    if options.save is not None:
        lines += _saved(options.save, plans, stores, options.changes.allow)
    told = {suffix.removeprefix("-"): plan_data(sight) for suffix, sight in seen.items() if suffix}
    console.result("\n".join(lines), plan_data(seen[""]) | ({"controls": told} if told else {}))
    for one in plans.values():
        require_agreement(one, stores, options.changes.allow)
    return 0


def _saved(path: Path, plans: dict[str, Made], stores: Sequence[Store], allow: Sequence[str]) -> list[str]:
    for one in plans.values():
        require_agreement(one, stores, allow)
    marks = [fingerprint(store) for store in stores]
    lines = []
    for suffix, one in plans.items():
        file = recipe_path(path, suffix)
        write_recipe(file, one, marks, allow)
        lines.append(f"Saved; studio apply {file} --to NAME writes it.")
    return lines
