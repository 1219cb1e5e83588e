"""What counts as one training in a comparison of recipes: a recipe, its data and a seed.

The same three make the same policy again, wherever it lies and whatever it is called, so copies count once. Trainings
that differ in recipe or data are no sample of one recipe, whatever group they are in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.errors import UsageError

from .as_trained import driven
from .evaluated import Evaluation

_NOT_RECIPE = ("seed", "keep_last", "push_to", "weights_given")
_NOT_SETTINGS = ("num_workers", "log_freq", "wandb.")
"""Of a recipe and its settings, what changes no weights, or is what trainings of one recipe differ in."""


class NotComparable(UsageError):
    """Two evaluations differ in more than the policy."""


@dataclass(frozen=True)
class Group:
    """Evaluations of one recipe, one for each training.

    Attributes:
        evaluations: of different trainings.
        copies: evaluations of the same trainings again, each with the one that counts.
        unknown: names of those of whose training nothing is known.
    """

    evaluations: tuple[Evaluation, ...]
    copies: tuple[tuple[Evaluation, Evaluation], ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def notes(self) -> list[str]:
        """What has to be said of it."""
        lines = [
            f"{copy.name} is the same training as {first.name} (recipe, data and seed are equal) and does not count"
            for copy, first in self.copies
        ]
        if self.unknown and len(self.evaluations) > 1:
            names = " and ".join(self.unknown)
            lines.append(f"nobody can check that {names} are of one recipe: their runs are not here")
        return lines


def group(name: str, evaluations: Sequence[Evaluation], *, chosen: bool = False) -> Group:
    """Evaluations as trainings of one recipe.

    Args:
        name: of the side, for people.
        evaluations: one for each training's name.
        chosen: whether each one's step was chosen by a sweep, which is then part of the recipe.

    Raises:
        NotComparable: recipe, data, step or the way they were driven differ; the difference is named.
    """
    kept: dict[str, Evaluation] = {}
    copies = []
    for one in evaluations:
        marks = [mark for mark in (training_mark(one), str(one.told.get("checkpoint_digest") or "")) if mark]
        first = next((kept[mark] for mark in marks if mark in kept), None)
        if first is not None and first is not one:
            copies.append((one, first))
        for mark in marks:
            kept.setdefault(mark, first or one)
    alone = {id(one) for one, _ in copies}
    own = [one for one in evaluations if id(one) not in alone]
    for other in own[1:]:
        _require_alike(name, own[0], other, chosen=chosen)
    unknown = tuple(one.name for one in own if not one.training)
    return Group(tuple(own), tuple(copies), unknown)


def training_mark(one: Evaluation) -> str:
    """What a training and its copies share; empty where its run is not here."""
    told = one.training
    if not told:
        return ""
    return json.dumps([recipe_of(told), told.get("seed")], sort_keys=True)


def recipe_of(told: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe and data of a run.json by a name for people, without the seed."""
    recipe, dataset = dict(told.get("recipe") or {}), dict(told.get("dataset") or {})
    ids = sorted(map(str, dataset.get("episode_ids") or ()))
    marks = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:12]
    data = {"dataset": dataset.get("fingerprint"), "episodes of it": f"{len(ids)} ({marks})"}
    recipe["settings"] = {
        name: value for name, value in (recipe.get("settings") or {}).items() if not name.startswith(_NOT_SETTINGS)
    }
    return {**_flat({name: recipe[name] for name in recipe if name not in _NOT_RECIPE}), **data}


def differences(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    """What sets two mappings apart, in words."""
    missing = "not said"
    return [
        f"{name} is {a.get(name, missing)} and {b.get(name, missing)}"
        for name in sorted({*a, *b})
        if a.get(name, missing) != b.get(name, missing)
    ]


def _require_alike(name: str, first: Evaluation, other: Evaluation, *, chosen: bool) -> None:
    apart: list[str] = []
    if first.training and other.training:
        apart += differences(recipe_of(first.training), recipe_of(other.training))
    apart += [] if chosen else differences({"step": first.step}, {"step": other.step})
    apart += differences(driven(first.settings), driven(other.settings))
    if apart:
        raise NotComparable(
            f"{name} is no group of one recipe: {first.name} and {other.name} differ: {'; '.join(apart)}. Name "
            "trainings of one recipe, evaluated at one step in one way, with commas between."
        )


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{before}{key}"
        found |= _flat(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return found
