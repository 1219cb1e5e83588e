"""Trainings as the studio leaves them on disk, prepared by the real code, with a curve and checkpoints put beside."""

from __future__ import annotations

import fcntl
import json
import math
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from curation.fingerprint import fingerprint
from curation.store import Store
from tests.training.runs import asked
from training import checkpoints
from training.alone import LOCK
from training.runs import Run
from training.task import prepared

EVERY = 20
"""Steps from one line of the log to the next."""
GONE = 2**22 + 1
"""No process has this number."""
WHEN = "2026-03-14T08:{:02}:00+00:00"


def made(
    home: Path, data: Path, name: str, *, steps: int = 2000, reached: int = 0, kept: tuple[int, ...] = (),
    state: str = "done", pid: int | None = None, group: str = "", minute: int = 0, **options: Any,
) -> Run:  # fmt: skip
    """A training that got to a step."""
    store = Store.open(data)
    training = asked(steps=steps, **options)
    chosen, recipe = training.chosen(store), training.recipe(store)
    mark = fingerprint(store)
    run = prepared(home / name, group or name, chosen, recipe, mark, where=training.where, forced=())
    told = run.read()
    if state == "running" and pid != GONE:
        _hold(run)
    run.update(state=state, pid=pid, when=WHEN.format(minute), dataset=told["dataset"] | {"path": str(data)})
    grow(run, 0, reached)
    for step in kept:
        keep(run, step)
    return run


def _hold(run: Run) -> None:
    """Lock it as a training does, as long as this process lives."""
    fcntl.flock(os.open(run.folder / LOCK, os.O_CREAT | os.O_RDWR), fcntl.LOCK_EX)


def grow(run: Run, start: int, end: int) -> None:
    """More lines of its curve and its log."""
    rng = random.Random(run.name)
    lines, said = [], []
    for step in range(start + EVERY, end + 1, EVERY):
        loss = (4 * math.exp(-step / 300) + 0.05) * math.exp(rng.gauss(0, 0.1))
        line = {"step": step, "loss": loss, "grad_norm": 2.1, "lr": 1e-4, "step_s": 0.27, "data_s": 0.01}
        lines.append(json.dumps({**line, "at": 1e9 + 0.28 * step}))
        if step % 400 == 0:
            lines.append(json.dumps({"step": step, "eval_loss": 1.5 * loss, "at": 1e9 + 0.28 * step}))
        said.append(f"INFO step:{step} loss:{loss:.3f} grdn:2.1 lr:1.0e-04 updt_s:0.270")
    with run.progress.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    with run.log.open("a") as file:
        file.writelines(f"{line}\n" for line in said)


def keep(run: Run, step: int) -> Path:
    """A whole checkpoint, with weights of one number."""
    path = run.checkpoints / f"{step:06d}"
    partial = path.with_name(f"{path.name}{checkpoints.PARTIAL}")
    model, state = partial / checkpoints.MODEL, partial / checkpoints.STATE
    for folder in (model, state):
        folder.mkdir(parents=True)
    one = {"w": np.zeros(1, np.float32)}
    save_file(one, model / "model.safetensors")
    for name in ("config.json", "train_config.json", "policy_preprocessor.json", "policy_postprocessor.json"):
        (model / name).write_text('{"type": "act"}')
    (state / "training_step.json").write_text(json.dumps({"step": step}))
    for name in ("rng_state", "optimizer_state"):
        save_file(one, state / f"{name}.safetensors")
    told = run.read()
    card = {"run": run.name, "group": told["group"], "step": step, "policy": "act", "seed": told["seed"]}
    scene = {"scene": {}, "fingerprint": "0" * 16}
    checkpoints.finish(partial, path, {**card, "dataset": {"name": told["dataset"]["name"]}, "scene": scene})
    assert not checkpoints.broken(path)
    return path
