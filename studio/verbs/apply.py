"""apply: carry out a saved plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from curation.naming import dataset_names, episode_name
from curation.notes import masked, read_notes
from curation.plan import Plan
from curation.preflight import require_agreement
from curation.preview import preview
from curation.recipe import read_recipe
from curation.staging import require_free
from curation.store import Store
from studio.console import Console
from studio.paths import dataset_path
from studio.plan_text import plan_text
from studio.planned import applied, data_of, require_outside, room, told


@dataclass(frozen=True, kw_only=True)
class Apply:
    """Write the dataset that a recipe of studio plan describes; the sources must be what they were then."""

    recipe: tyro.conf.Positional[Path]
    """The file that studio plan --save wrote."""
    to: str
    """The new dataset; must not exist."""
    json: bool = False
    """Print what was written as JSON."""


def apply(options: Apply, console: Console) -> int:
    """Show and apply."""
    to = dataset_path(options.to)
    require_free(to)
    recipe = read_recipe(options.recipe)
    stores = [Store.open(parent.path) for parent in recipe.plan.parents]
    require_outside(to, stores)
    for note in _since(recipe.plan, stores):
        console.step(note)
    require_agreement(recipe.plan, stores, recipe.allow)
    seen = preview(recipe.plan, stores)
    console.step(f"{plan_text(seen)}\n{room(to, seen)}")
    done = applied(recipe.plan, to, console, recipe.allow, recipe.fingerprints)
    console.result(told(done, seen), data_of(done, seen))
    return 0


def _since(plan: Plan, stores: Sequence[Store]) -> Iterator[str]:
    """What was put into the trash or taken from it since the recipe was saved; the recipe is followed."""
    names = dataset_names([store.root for store in stores])
    kept = {clip.ref for clip in plan.clips}
    for number, store in enumerate(stores):
        hidden = masked(read_notes(store.root))
        for row in store.rows():
            ref = number, row.episode_id
            called = f"{episode_name(store, row.episode_id)} of {names[number]}"
            if ref in kept and row.episode_id in hidden and not plan.with_masked:
                yield f"{called} was put into the trash since; it is taken, as was planned"
            if ref in plan.left_out and row.episode_id not in hidden:
                yield f"{called} was in the trash then; it is left out, as was planned"
