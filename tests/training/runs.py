"""Small trainings in this process, as the training's own process runs them."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from curation.fingerprint import fingerprint
from curation.store import Store
from studio.training_options import Training
from training import child
from training.recipe import Recipe
from training.runs import Run
from training.task import prepared

TINY_ACT = (
    "policy.chunk_size=10", "policy.n_action_steps=5", "policy.dim_model=32", "policy.n_heads=2",
    "policy.dim_feedforward=32", "policy.n_encoder_layers=1", "policy.n_vae_encoder_layers=1", "policy.latent_dim=4",
    "policy.optimizer_lr=0.001", "log_freq=1", "num_workers=0",
)  # fmt: skip


def asked(**options: Any) -> Training:
    """A tiny ACT on the CPU, unless told otherwise."""
    more = tuple(options.pop("set_", ()))
    return Training(**{"batch_size": 8, "device": "cpu", **options}, set_=(*TINY_ACT, *more))


def begun(folder: Path, data: Path, training: Training, **recipe: Any) -> Run:
    """A prepared run that has not trained yet."""
    store = Store.open(data)
    made = Recipe.from_json(training.recipe(store).as_json() | recipe)
    mark = fingerprint(store)
    return prepared(folder, folder.name, training.chosen(store), made, mark, where=training.where, forced=())


def trained(run: Run, resume: Path | None = None) -> int:
    """Train here; what LeRobot does to the logging is undone."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        return child.train(run.folder, resume)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def losses(run: Run) -> dict[int, float]:
    """Loss by step, exactly as logged."""
    return {line["step"]: line["loss"] for line in run.curve() if "loss" in line}


def copied(run: Run, to: Path, last: int) -> Run:
    """A run as a kill after checkpoint `last` would have left it."""
    shutil.copytree(run.folder, to, symlinks=True)
    copy = Run(to)
    for path in copy.checkpoints.glob("0*"):
        if int(path.name) > last:
            shutil.rmtree(path)
    return copy
