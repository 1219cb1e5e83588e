"""What was chosen, made into edits of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from curation.errors import NonePasses
from curation.naming import episode_name
from curation.plan import Keep, Plan, edited
from curation.store import Store
from studio.score_cards import relied_on
from studio.verbs.choose import Choose, Chosen, Ref, choose


@dataclass(frozen=True)
class Sets:
    """What was chosen, as plans.

    Attributes:
        plans: by what is put behind the name of the result: nothing, or -random and -matched for the control sets.
        notes: a line for every episode that does not pass, and for every control set.
    """

    plans: dict[str, Plan]
    notes: tuple[str, ...]


def chosen_of(plan: Plan, stores: Sequence[Store], options: Choose) -> Sets:
    """Plans with only what passes, and their control sets; the plan itself where nothing is asked.

    Args:
        plan: as it began.
        stores: its parents.
        options: what is asked.

    Raises:
        UsageError: what is asked makes no sense, or nothing passes.
        DataError: it asks for scores of a classifier whose card is not here.
    """
    asked = options.filters or options.where or options.farther_than is not None
    if not asked and options.controls == "none":
        return Sets({"": plan}, ())
    found = choose(options, [store.root for store in stores], with_masked=plan.with_masked)
    cards = relied_on(options.where, [entry for part in found.parts for entry in part.entries])
    there = {clip.ref for clip in plan.clips}
    kept = tuple(ref for ref in kept_of(found) if ref in there)
    plans = {"": _keep(plan, kept, found.why)}
    numbers = {part.name: number for number, part in enumerate(found.parts)}
    for control in found.controls:
        refs = tuple((numbers[key.dataset], key.episode_id) for key in cast("tuple[Ref, ...]", control.keys))
        why = f"{control.kind} control, seed {control.seed}, of: {found.why}"
        plans[f"-{control.kind}"] = _keep(plan, refs, why)
    return Sets(plans, (*cards, *reasons(found, stores), *(control.words for control in found.controls)))


def kept_of(found: Chosen) -> tuple[tuple[int, str], ...]:
    """Everything that passes, by number of its dataset and id."""
    return tuple((number, name) for number, part in enumerate(found.parts) for name in part.selection.kept)


def reasons(found: Chosen, stores: Sequence[Store]) -> tuple[str, ...]:
    """A line for every episode or take that does not pass."""
    lines = []
    for part, store in zip(found.parts, stores, strict=True):
        saved = {row.episode_id for row in store.rows()}
        for name, reason in part.selection.dropped.items():
            called = episode_name(store, name) if name in saved else f"take {name}"
            lines.append(f"{part.name} {called}: {reason}")
    return tuple(lines)


def _keep(plan: Plan, kept: tuple[tuple[int, str], ...], why: str) -> Plan:
    if not kept:
        raise NonePasses(f"No episode passes: {why}. Nothing was written.")
    return edited(plan, Keep(kept, why))
