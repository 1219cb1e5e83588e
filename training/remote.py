"""A training on the Hub's own machines, through LeRobot's HF Jobs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from curation import layout
from curation.errors import UsageError
from curation.hub.calls import Hub
from curation.store import Store
from training.recipe import Recipe
from training.subset import Subset


def job_command(recipe: Recipe, chosen: Subset, hub: Mapping[str, Any] | None, flavor: str) -> list[str]:
    """LeRobot's command that submits a training.

    What this studio does inside LeRobot's training does not travel: a subset's own statistics and those of relative
    actions, resizing, a calibrated backbone and more are refused here instead of silently left out there. The data is
    that of the commit, whatever is on the Hub by the time the job begins.

    Args:
        recipe: how.
        chosen: on what; published as it is.
        hub: the dataset's repository and commit, as its last publication left them.
        flavor: of the machine, such as a10g-small.

    Raises:
        UsageError: it cannot be done there.
    """
    if not hub or not hub.get("repo"):
        raise UsageError(f"{chosen.store.root} is not on the Hub, where the job reads it. First studio publish it.")
    if not hub.get("commit"):
        raise UsageError(f"{chosen.store.root} does not know its commit on the Hub, so the job might train on another. "
                         "First studio publish it.")  # fmt: skip
    if not recipe.push_to:
        raise UsageError("--hf-jobs needs a place for what comes of it: --push-checkpoints OWNER/NAME.")
    here = {
        "--where and episodes in the trash": not chosen.whole,
        "--resize": bool(recipe.resize),
        "a backbone calibrated from the data": recipe.calibrate,
        "--weights by path": bool(recipe.weights) and not recipe.weights_given.startswith("hf:"),
        "--weights of a revision": "@" in recipe.weights_given,
        "--keep-last": bool(recipe.keep_last),
        "--gpus": recipe.processes > 1,
        "statistics of relative actions": _is_true(recipe, "policy.use_relative_actions"),
        "statistics without the episodes of dataset.eval_split": recipe.setting("dataset.eval_split", "0")
        not in ("0", "0.0", ""),
    }
    if refused := [name for name, asked in here.items() if asked]:
        raise UsageError(
            f"HF Jobs run LeRobot alone, which knows no {' and no '.join(refused)}. Publish the dataset as it shall be "
            "(studio filter, studio rerender), or train here."
        )
    weights = recipe.weights_given.removeprefix("hf:")
    own = {
        "dataset.repo_id": str(hub["repo"]),
        "dataset.revision": str(hub["commit"]),
        **({"policy.path": weights} if weights else {"policy.type": recipe.policy}),
        "policy.repo_id": recipe.push_to,
        "save_checkpoint_to_hub": "true",
        "seed": str(recipe.seed),
        "steps": str(recipe.steps),
        "batch_size": str(recipe.batch_size),
        "env_eval_freq": "0",
        "job.target": flavor,
    }
    program = Path(sys.executable).parent / "lerobot-train"
    return [str(program), *(f"--{key}={value}" for key, value in (own | recipe.settings).items())]


def require_published(store: Store, hub: Hub, commit: str) -> None:
    """Refuse a dataset that is not what the job will read.

    Args:
        store: the dataset here.
        hub: its repository.
        commit: of its last publication.

    Raises:
        UsageError: it was changed since it was published.
        HubError: the Hub does not say.
    """
    for name, parts in ((layout.INFO, ("total_episodes", "total_frames", "fps", "features")), (layout.STATS, ())):
        there = Path(hub.call(partial(hub.api.hf_hub_download, hub.repo, name, repo_type=hub.kind, revision=commit)))
        ours, theirs = (json.loads(path.read_bytes()) for path in (store.root / name, there))
        if any(ours.get(part) != theirs.get(part) for part in parts or {**ours, **theirs}):
            raise UsageError(
                f"{store.root} was changed since it was published as {hub.repo} at {commit[:8]} ({name} differs); the "
                "job would train on what it was. First studio publish it again."
            )


def _is_true(recipe: Recipe, key: str) -> bool:
    return recipe.setting(key, "false").lower() in ("true", "1", "yes", "on")
