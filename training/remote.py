"""A training on the Hub's own machines, through LeRobot's HF Jobs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.errors import UsageError
from training.recipe import Recipe
from training.subset import Subset


def job_command(recipe: Recipe, chosen: Subset, hub: Mapping[str, Any] | None, flavor: str) -> list[str]:
    """LeRobot's command that submits a training.

    What this studio does inside LeRobot's training does not travel: a subset's own statistics, resizing and a
    calibrated backbone are refused here instead of silently left out there.

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
    if not recipe.push_to:
        raise UsageError("--hf-jobs needs a place for what comes of it: --push-checkpoints OWNER/NAME.")
    here = {
        "--where and episodes in the trash": not chosen.whole,
        "--resize": bool(recipe.resize),
        "a backbone calibrated from the data": recipe.calibrate,
        "--weights by path": bool(recipe.weights) and not recipe.weights_given.startswith("hf:"),
    }
    if refused := [name for name, asked in here.items() if asked]:
        raise UsageError(
            f"HF Jobs run LeRobot alone, which knows no {' and no '.join(refused)}. Publish the dataset as it shall be "
            "(studio filter, studio rerender), or train here."
        )
    weights = recipe.weights_given.removeprefix("hf:").partition("@")[0]
    own = {
        "dataset.repo_id": str(hub["repo"]),
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
