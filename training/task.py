"""A training as run.json describes it, made before it begins."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curation import layout
from curation.atomic import make_folder
from curation.errors import TargetExists
from training.launch import now
from training.origin import scene_of
from training.recipe import Recipe
from training.runs import VERSION, Run
from training.subset import Subset

_PACKAGES = ("teleop-studio", "lerobot", "torch", "torchvision", "transformers", "accelerate", "numpy")


def prepared(
    folder: Path, group: str, chosen: Subset, recipe: Recipe, fingerprint: str, *, where: str, forced: Sequence[str]
) -> Run:
    """A new run that is ready to begin.

    Args:
        folder: where nothing is.
        group: shared by the seeds of one recipe.
        chosen: what it is trained on.
        recipe: how.
        fingerprint: of the dataset.
        where: the query that chose the episodes.
        forced: names of preflight's findings that were passed over.

    Raises:
        TargetExists: something is at `folder`.
    """
    if folder.exists():
        raise TargetExists(folder, "Choose another --to, or go on with studio train --resume.")
    make_folder(folder)
    run = Run(folder)
    run.write(told_of(run.name, group, chosen, recipe, fingerprint, where=where, forced=forced))
    return run


def told_of(
    name: str, group: str, chosen: Subset, recipe: Recipe, fingerprint: str, *, where: str, forced: Sequence[str]
) -> dict[str, Any]:
    """run.json of a training that has not begun."""
    store = chosen.store
    return {
        "version": VERSION,
        "name": name,
        "group": group,
        "policy": recipe.policy,
        "seed": recipe.seed,
        "steps": recipe.steps,
        "batch_size": recipe.batch_size,
        "recipe": recipe.as_json(),
        "recipe_digest": recipe.digest,
        "dataset": {
            "path": str(store.root.absolute()),
            "name": store.root.resolve().name,
            "fingerprint": fingerprint,
            "episodes": len(chosen.indices),
            "frames": chosen.frames,
            "of_episodes": store.total_episodes,
            "where": where,
            "features": {key: list(feature.shape) for key, feature in store.features.items()},
            "hub": published(store.root),
            "episode_ids": chosen.ids,
        },
        "scene": scene_of(store, chosen.ids),
        "positions": chosen.positions,
        "forced": list(forced),
        "versions": versions(store.scene),
        "when": now(),
        "state": "running",
        "pid": None,
        "resumed": [],
    }


def versions(scene: Mapping[str, Any]) -> dict[str, str]:
    """Of everything that decides the weights."""
    found: dict[str, str] = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found | ({"mujoco": str(scene["mujoco"])} if scene.get("mujoco") else {})


def published(root: Path) -> dict[str, Any] | None:
    """Repository and commit of a dataset's last publication; None if there was none."""
    try:
        told = json.loads((root / layout.HUB).read_bytes())
    except (OSError, ValueError):
        return None
    return {name: told.get(name) for name in ("repo", "commit")} if isinstance(told, dict) else None
