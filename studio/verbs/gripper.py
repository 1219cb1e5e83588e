"""gripper: another range of the gripper."""

from __future__ import annotations

from dataclasses import dataclass

from curation.plan import begin
from studio.console import Console
from studio.edits import Changes, changed
from studio.options import Name
from studio.planned import Into, Planned, finish, opened


@dataclass(frozen=True, kw_only=True)
class Gripper:
    """Make a dataset whose gripper has another range, in state and action; nothing is clipped."""

    dataset: Name
    """A dataset."""
    ranges: Name
    """FROM:TO, each one of 0..100, 0..97, 0..1 and radians; Pi0 wants 0..1."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def gripper(options: Gripper, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Gripper) -> Planned:
    """What it would do."""
    stores = opened([options.dataset])
    plan = begin(stores, with_masked=options.into.with_masked)
    return Planned({options.into.to: changed(plan, stores, Changes(gripper=options.ranges))}, stores)
