"""Where a training's episodes come from: their scenes, instructions and units, of the chosen episodes alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from curation.meaning import stated_of
from curation.scenes import Scenes
from curation.store import Store
from curation.units import Units

_OF_SCENE = ("fingerprint", "scene", "task", "units", "mujoco")
SCENES, UNPLACED = "scenes", "unplaced"
"""In the stored scene: several scenes instead of one, and how many episodes are of a scene that nobody knows."""


def scene_of(store: Store, ids: Sequence[str]) -> dict[str, Any]:
    """The scene that all these episodes were recorded in, or {"scenes": [...]} where there are several.

    `unplaced` counts episodes of which nobody knows the scene; it is absent where all are known.

    Args:
        store: the dataset.
        ids: of the episodes.
    """
    known = Scenes(store)
    marks = Counter(known.of(name) for name in ids)
    used = [_short(card) for mark, card in known.cards.items() if mark in marks]
    told: dict[str, Any] = used[0] if len(used) == 1 else {SCENES: used} if used else {}
    return told | ({UNPLACED: marks[None]} if marks[None] else {})


def tasks_of(store: Store, ids: Sequence[str]) -> list[str]:
    """Instructions of these episodes, each once, in the order of the dataset."""
    wanted = set(ids)
    found = [task for episode in store.episodes if episode.row.episode_id in wanted for task in episode.tasks]
    return list(dict.fromkeys(found))


def units_of(store: Store) -> dict[str, str] | None:
    """What the numbers of state and action mean, as the dataset says itself; None where it says nothing.

    Raises:
        DataError: it names units that nobody knows.
    """
    return stated_of(store) or None


def units_mend(apart: Mapping[str, str], dataset: str) -> str:
    """The commands that bring a dataset to the world's units.

    Args:
        apart: what it has of `Units` that the world has not.
        dataset: as the command line names it.
    """
    ours = asdict(Units())
    body = [f"studio merge {dataset} --units {apart['body']}:{ours['body']} --to NEW"] if "body" in apart else []
    hand = [f"studio gripper {dataset} {apart['gripper']}:{ours['gripper']} --to NEW"] if "gripper" in apart else []
    return f"{', then '.join([*body, *hand])}, and train on that."


def _short(card: Mapping[str, Any]) -> dict[str, Any]:
    return {name: card[name] for name in _OF_SCENE if name in card}
