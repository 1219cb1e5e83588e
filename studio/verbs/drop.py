"""drop: a dataset without some of its episodes."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from curation.errors import UsageError
from curation.library import chosen, entries
from curation.plan import Drop as DropEdit
from curation.plan import begin, edited
from curation.query import query
from studio.console import Console
from studio.options import Name
from studio.planned import Into, Planned, finish, opened
from studio.score_cards import relied_on


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Make a dataset without some episodes. The source keeps them; studio trash only hides them."""

    dataset: Name
    """A dataset."""
    episodes: tyro.conf.Positional[tuple[str, ...]] = ()
    """Numbers or ids."""
    where: str = ""
    """All that fit, such as "outcome:timeout"."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def drop(options: Drop, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Drop) -> Planned:
    """What it would do."""
    if not options.episodes and not options.where:
        raise UsageError("Which episodes? Give numbers or ids, or --where.")
    stores = opened([options.dataset])
    named = {entry.episode_id for entry in chosen(stores[0].root, options.episodes)}
    notes: list[str] = []
    if options.where:
        test, everything = query(options.where), entries(stores[0].root)
        notes = relied_on(options.where, everything)
        named |= {entry.episode_id for entry in everything if entry.index is not None and test(entry)}
    plan = begin(stores, with_masked=options.into.with_masked)
    there = tuple((0, clip.episode_id) for clip in plan.clips if clip.episode_id in named)
    if not there:
        raise UsageError(f"Nothing to drop: no episode of {stores[0].root} outside the trash is meant.")
    plan = edited(plan, DropEdit(there, options.where or "named one by one"))
    return Planned({options.into.to: plan}, stores, notes=tuple(notes))
