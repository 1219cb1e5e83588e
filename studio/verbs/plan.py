"""plan: what edits would do, saved as a recipe."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import tyro

from curation.fingerprint import fingerprint
from curation.plan import begin
from curation.preflight import require_agreement
from curation.preview import preview
from curation.recipe import write_recipe
from studio.chosen import chosen_of
from studio.console import Console
from studio.edits import Changes, changed
from studio.plan_text import plan_data, plan_text
from studio.planned import opened
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
    made, notes = chosen_of(begin(stores, with_masked=options.with_masked), stores, options.choose)
    for note in notes:
        console.step(note)
    made = changed(made, stores, options.changes)
    seen = preview(made, stores)
    text = plan_text(seen)
    if options.save is not None:
        require_agreement(made, stores, options.changes.allow)
        marks = [fingerprint(store) for store in stores]
        write_recipe(options.save, made, marks, options.changes.allow)
        text += f"\nSaved; studio apply {options.save} --to NAME writes it."
    console.result(text, plan_data(seen))
    require_agreement(made, stores, options.changes.allow)
    return 0
