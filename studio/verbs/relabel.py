"""relabel: another instruction."""

from __future__ import annotations

from dataclasses import dataclass

from curation.library import chosen
from curation.plan import Relabel as RelabelEdit
from curation.plan import begin, edited
from studio.console import Console
from studio.options import Name
from studio.planned import Into, Planned, finish, opened


@dataclass(frozen=True, kw_only=True)
class Relabel:
    """Make a dataset with another instruction."""

    dataset: Name
    """A dataset."""
    task: Name
    """The instruction, in words."""
    old: str | None = None
    """Only of episodes that have this one now."""
    episodes: tuple[str, ...] = ()
    """Only of these numbers or ids."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def relabel(options: Relabel, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Relabel) -> Planned:
    """What it would do."""
    stores = opened([options.dataset])
    refs = tuple((0, entry.episode_id) for entry in chosen(stores[0].root, options.episodes)) or None
    plan = edited(begin(stores, with_masked=options.into.with_masked), RelabelEdit(options.task, options.old, refs))
    return Planned({options.into.to: plan}, stores)
