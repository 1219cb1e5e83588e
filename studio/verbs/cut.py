"""cut: one episode becomes several."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from curation.errors import UsageError
from curation.library import chosen
from curation.plan import Cut as CutEdit
from curation.plan import begin, edited
from studio.console import Console
from studio.options import Name
from studio.planned import Into, Planned, finish, opened


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Make a dataset in which an episode is in pieces: a new one begins at each of the frames."""

    dataset: Name
    """A dataset."""
    episode: Name
    """Number or id."""
    at: tyro.conf.Positional[tuple[int, ...]]
    """Frames, counted from 0."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def cut(options: Cut, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Cut) -> Planned:
    """What it would do."""
    if not options.at:
        raise UsageError("Where? Give at least one frame.")
    stores = opened([options.dataset])
    entry = chosen(stores[0].root, [options.episode])[0]
    plan = begin(stores, with_masked=options.into.with_masked)
    return Planned({options.into.to: edited(plan, CutEdit((0, entry.episode_id), options.at))}, stores)
