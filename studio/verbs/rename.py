"""rename: other names of features and cameras."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from curation.errors import UsageError
from curation.plan import begin
from studio.console import Console
from studio.edits import Changes, changed
from studio.options import Name
from studio.planned import Into, Planned, finish, opened


@dataclass(frozen=True, kw_only=True)
class Rename:
    """Make a dataset whose features or cameras have other names."""

    dataset: Name
    """A dataset."""
    names: tyro.conf.Positional[tuple[str, ...]]
    """OLD:NEW; cameras may be named in short, such as wrist_cam:wrist."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def rename(options: Rename, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Rename) -> Planned:
    """What it would do."""
    if not options.names:
        raise UsageError("What shall be renamed? Give OLD:NEW.")
    stores = opened([options.dataset])
    plan = begin(stores, with_masked=options.into.with_masked)
    return Planned({options.into.to: changed(plan, stores, Changes(rename=options.names))}, stores)
