"""What was chosen, made into edits of a plan."""

from __future__ import annotations

from collections.abc import Sequence

from curation.plan import Keep, Plan, edited
from curation.store import Store
from studio.verbs.choose import Choose, Chosen, choose


def chosen_of(plan: Plan, stores: Sequence[Store], options: Choose) -> tuple[Plan, tuple[str, ...]]:
    """The plan with only what passes, and why the rest does not; the plan itself where nothing is asked.

    Raises:
        UsageError: what is asked makes no sense.
    """
    if not (options.filters or options.where or options.farther_than is not None):
        return plan, ()
    found = choose(options, [store.root for store in stores])
    there = {clip.ref for clip in plan.clips}
    return edited(plan, Keep(tuple(ref for ref in kept_of(found) if ref in there), found.why)), reasons(found)


def kept_of(found: Chosen) -> tuple[tuple[int, str], ...]:
    """Everything that passes, by number of its dataset and id."""
    return tuple((number, name) for number, part in enumerate(found.parts) for name in part.selection.kept)


def reasons(found: Chosen) -> tuple[str, ...]:
    """A line for every episode that does not pass."""
    return tuple(
        f"{part.name} {name[:8]}: {reason}" for part in found.parts for name, reason in part.selection.dropped.items()
    )
