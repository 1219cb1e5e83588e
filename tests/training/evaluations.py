"""Evaluations as the studio writes them, with chosen results, for tests of what is said about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from curation.frames import JOINTS

SCENE = {"fingerprint": "4955572ef34e46e4", "scene": {"servo": "ideal", "block": "cube"}}
PLACEMENTS = {"kind": "at", "at": [0.337, -0.015], "seed": 7, "jitter": 0.02, "yaw": "free", "episodes": 20}


def write_run(
    home: Path, name: str, group: str | None = None, positions: Sequence[tuple[float, float]] = (), seed: int = 0,
    **recipe: Any,
) -> Path:  # fmt: skip
    """A training's run.json; `recipe` is what differs from the usual one, `data` another dataset's fingerprint."""
    folder = home / name
    folder.mkdir(parents=True, exist_ok=True)
    data = recipe.pop("data", "abc")
    told = {
        "version": 1, "name": name, "group": group or name, "policy": "act", "seed": seed, "steps": 100,
        "batch_size": 8, "state": "done", "when": "2026-01-01T00:00:00",
        "recipe": {"policy": "act", "steps": 100, "seed": seed, "settings": {"policy.chunk_size": 40}, **recipe},
        "dataset": {"path": "datasets/pos2", "name": "pos2", "fingerprint": data, "episodes": 2, "frames": 300,
                    "episode_ids": ["one", "two"]},
        "scene": SCENE, "positions": [[x, y, 0.0] for x, y in positions], "versions": {}, "resumed": [],
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(told))
    return folder


def write_evaluation(
    home: Path, run: str, success: Sequence[bool], *, key: str = "k1", step: int = 100, group: str | None = None,
    places: Sequence[tuple[float, float]] = (), infeasible: Sequence[int] = (), seed: int = 7,
    train_seed: int = 0, **changes: Any,
) -> Path:  # fmt: skip
    """One evaluation of a run's checkpoint: one row for each entry of `success`."""
    if not (home / run / "run.json").exists():
        write_run(home, run, group, seed=train_seed)
    folder = home / run / "evaluations" / key
    folder.mkdir(parents=True)
    told = {
        "version": 1, "key": key, "checkpoint": str(home / run / f"train/checkpoints/{step:06d}/pretrained_model"),
        "checkpoint_digest": f"digest-{run}-{step}", "run": run, "group": group or run,
        "step": step, "train_seed": train_seed,
        "policy": "act", "settings": {"n_action_steps": 20, "ensemble": None, "batch": 8}, "scene": SCENE,
        "placements": {**PLACEMENTS, "seed": seed}, "limit_frames": 300, "fps": 30, "versions": {"mujoco": "3.8.1"},
        "when": "2026-01-01T00:00:00", **changes,
    }  # fmt: skip
    (folder / "evaluation.json").write_text(json.dumps(told))
    rng = np.random.default_rng(seed)
    with (folder / "rows.jsonl").open("w") as file:
        for index, good in enumerate(success):
            x, y = (
                places[index]
                if places
                else (round(0.337 + rng.uniform(-0.02, 0.02), 5), round(rng.uniform(-0.03, 0), 5))
            )
            outcome = "success" if good else ("never_picked_up", "dropped_in_transport", "timeout")[index % 3]
            row = {
                "index": index, "seed": 1000 * seed + index, "x": x, "y": y, "yaw_deg": float(index), "asked_x": x,
                "asked_y": y, "cell": None, "feasible": index not in infeasible, "why_not": None, "outcome": outcome,
                "success": bool(good), "clean": bool(good) and index % 4 != 0,
                "phases": {"reach": True, "grasp": bool(good) or index % 2 == 0, "lift": bool(good),
                           "transport": bool(good), "release": bool(good)},
                "frames": 150 if good else 300, "seconds": 5.0 if good else 10.0, "closest_m": 0.01,
                "calls": 8, "call_ms": 12.0, "wall_s": 1.0,
            }  # fmt: skip
            file.write(json.dumps(row) + "\n")
    return folder


def unsure_row(success: bool, course: Sequence[float], frames: int, **more: Any) -> dict[str, Any]:
    """One whose chunks were asked for every 20 frames."""
    deg = [round(value, 4) for value in course]
    told = {"times": len(deg), "mean": dict.fromkeys(JOINTS, 1.0), "max": dict.fromkeys(JOINTS, max(deg)),
            "course": [[20 * (number + 1), value] for number, value in enumerate(deg)]}  # fmt: skip
    return {"feasible": True, "success": success, "frames": frames, "disagreement_deg": float(np.mean(deg)),
            "disagreement": told, **more}  # fmt: skip
