"""LeRobot's training in a process of its own: `python -m training.child RUN_FOLDER [CHECKPOINT]`.

Exit codes: 0 trained to the end, 1 failed, 130 stopped after a checkpoint of its last step.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.errors import FAILED, INTERRUPTED, OK, StudioError
from curation.store import Store
from training import checkpoints
from training.adapter import Stopped, Training, entered
from training.checkpoint_card import new_card
from training.recipe import Recipe
from training.runs import Run
from training.subset import Subset, by_ids, subset_stats

_RESUMED = ("--dataset.root", "--output_dir", "--steps", "--log_freq", "--save_freq", "--num_workers")
"""What may differ when a training goes on."""


def train(folder: Path, resume: Path | None = None) -> int:
    """Train as run.json says, or go on from a checkpoint; returns the exit code."""
    import lerobot.scripts.lerobot_train as module

    run = Run(folder)
    told = run.read()
    recipe = Recipe.from_json(told["recipe"])
    store = Store.open(Path(told["dataset"]["path"]))
    chosen = by_ids(store, told["dataset"]["episode_ids"])
    step = checkpoints.step_of(resume) if resume else 0
    training = Training(run, told, new_card(told, store), stats=_stats(chosen, recipe), resume=resume, step=step)
    training.name_of = lambda index: store.episodes[index].row.episode_id
    if recipe.cache:
        from training.frames_cache import frames_cache
        from training.frames_reader import reader

        training.open_dataset = reader(frames_cache(store, told["dataset"]["fingerprint"], recipe.resize))
    typed, sys.argv = sys.argv, ["lerobot-train", *_arguments(told, recipe, chosen, run, resume)]
    try:
        with _Signals(training), entered(module, training):
            module.main()
    except Stopped:
        return INTERRUPTED
    finally:
        sys.argv = typed
    training.beat(now=True)
    return OK


def _stats(chosen: Subset, recipe: Recipe) -> Any:
    """What computes statistics, where those of the whole dataset are not the right ones."""
    if chosen.whole and not float(recipe.setting("dataset.eval_split", "0") or 0):
        return None

    def stats(indices: list[int]) -> Mapping[str, Any]:
        return subset_stats(Subset(chosen.store, tuple(sorted(indices))))

    return stats


def _arguments(told: Mapping[str, Any], recipe: Recipe, chosen: Subset, run: Run, resume: Path | None) -> list[str]:
    episodes = None if chosen.whole else chosen.indices
    repo = f"studio/{told['dataset']['name']}"
    words = recipe.arguments(chosen.store.root, repo, episodes, run.train)
    if resume is None:
        return words
    # LeRobot takes all else from the checkpoint.
    kept = [word for word in words if word.partition("=")[0] in _RESUMED]
    return [f"--config_path={resume / checkpoints.MODEL / 'train_config.json'}", "--resume=true", *kept]


class _Signals:
    """Ctrl+C and a polite kill ask for a checkpoint; a second one does not wait for it."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self._old: dict[int, Any] = {}

    def __enter__(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._old[number] = signal.signal(number, self._asked)
            except ValueError:
                return  # not the main thread: whoever runs us there stops us otherwise

    def __exit__(self, *_: object) -> None:
        for number, old in self._old.items():
            signal.signal(number, old)

    def _asked(self, number: int, frame: object) -> None:
        if self._training.wanted:
            raise Stopped
        self._training.stop()


def main() -> int:
    """Entry point of the process; LeRobot's Arrow copy of the dataset is removed with it."""
    cache = tempfile.mkdtemp(prefix="studio-arrow-")
    os.environ.setdefault("HF_DATASETS_CACHE", cache)
    try:
        return train(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    except StudioError as error:
        print(f"studio train: {error}", file=sys.stderr)
        return error.exit_code or FAILED
    finally:
        shutil.rmtree(cache, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
