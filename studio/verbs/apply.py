"""apply: carry out a saved plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tyro

from curation.preflight import require_agreement
from curation.preview import preview
from curation.recipe import read_recipe
from curation.staging import require_free
from curation.store import Store
from studio.console import Console
from studio.paths import dataset_path
from studio.plan_text import plan_text
from studio.planned import applied, data_of, told


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
    require_agreement(recipe.plan, stores, recipe.allow)
    seen = preview(recipe.plan, stores)
    console.step(plan_text(seen))
    done = applied(recipe.plan, to, console, recipe.allow, recipe.fingerprints)
    console.result(told(done, seen), data_of(done, seen))
    return 0
