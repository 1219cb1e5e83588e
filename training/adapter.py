"""Where we enter LeRobot's training: ten names of `lerobot.scripts.lerobot_train`, each wrapped, none rewritten.

LeRobot's loop has no callbacks. It looks its parts up by name in its own module, so a part is wrapped by putting
another in that place; `tests/training/test_adapter.py` pins the names and how they are called.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from training import checkpoints
from training.calibrate import calibrate
from training.normalise import keep_imagenet, relative_stats, replace_stats
from training.pushing import outliving, whole_policy
from training.runs import BEAT, Run
from training.start import require_loaded

WRAPPED = (
    "init_logging",
    "make_train_eval_datasets",
    "make_policy",
    "make_pre_post_processors",
    "cycle",
    "should_save_checkpoint",
    "save_checkpoint",
    "update_last_checkpoint",
    "push_checkpoint_to_hub",
    "tqdm",
)
BEAT_EVERY_S = 0.5


class Stopped(BaseException):
    """Training was asked to end, and a checkpoint of its last step is written."""


@dataclass
class Training:
    """What the wrapped parts share.

    Attributes:
        run: where it is written.
        told: run.json.
        card: what every checkpoint's card says, the step left out.
        stats: makes the statistics of episodes, given their indices; None keeps those of the dataset.
        open_dataset: puts another reader in the place of LeRobot's dataset, such as the cache of decoded frames.
        name_of: an episode's permanent name, given its index.
        resume: the checkpoint to go on from.
    """

    run: Run
    told: Mapping[str, Any]
    card: Mapping[str, Any]
    stats: Callable[[list[int]], Mapping[str, Any]] | None = None
    open_dataset: Callable[[Any], None] | None = None
    name_of: Callable[[int], str] | None = None
    resume: Path | None = None
    parent: int = field(default_factory=os.getppid)
    wanted: bool = False
    looping: bool = False
    step: int = 0
    saved: int = -1
    dataset: Any = None
    policy: Any = None
    beaten: float = 0.0

    @property
    def recipe(self) -> Mapping[str, Any]:
        recipe: Mapping[str, Any] = self.told["recipe"]
        return recipe

    @property
    def main(self) -> bool:
        """Whether this is the process that writes, of several that train together."""
        return int(os.environ.get("RANK", "0")) == 0

    @property
    def alone(self) -> bool:
        return int(os.environ.get("WORLD_SIZE", "1")) == 1

    def stop(self) -> None:
        """Ask for a checkpoint of the step in progress, and then the end."""
        self.wanted = True
        if not (self.looping and self.alone):
            raise Stopped

    def beat(self, *, now: bool = False) -> None:
        """Say which step it is at; the file may be lost, the training is not."""
        if self.main and (now or time.monotonic() - self.beaten > BEAT_EVERY_S):
            self.beaten = time.monotonic()
            path = self.run.folder / BEAT
            aside = path.with_name(f"{BEAT}.aside")
            aside.write_text(json.dumps({"step": self.step, "at": time.time()}), encoding="utf-8")
            aside.replace(path)

    def orphaned(self) -> bool:
        """Whether whoever started this is gone."""
        return self.alone and os.getppid() != self.parent


@contextmanager
def entered(module: ModuleType, training: Training) -> Iterator[None]:
    """Wrap LeRobot's parts, and put them back.

    Raises:
        AttributeError: this LeRobot has no such part.
    """
    real = {name: getattr(module, name) for name in WRAPPED}
    made: dict[str, Callable[..., Any]] = {
        "init_logging": _logging(real["init_logging"], training),
        "make_train_eval_datasets": _datasets(real["make_train_eval_datasets"], training),
        "make_policy": _policy(real["make_policy"], training),
        "make_pre_post_processors": _processors(real["make_pre_post_processors"], training),
        "cycle": _cycle(real["cycle"], training),
        "should_save_checkpoint": _should_save(real["should_save_checkpoint"], training),
        "save_checkpoint": _save(real["save_checkpoint"], training),
        "update_last_checkpoint": _last(training),
        "push_checkpoint_to_hub": outliving(
            real["push_checkpoint_to_hub"], training.run.folder, lambda at, *_, **__: f"checkpoint {at.name}"
        ),
        # A bar that overwrites itself makes a log of one long line.
        "tqdm": lambda *args, **kwargs: real["tqdm"](*args, **{**kwargs, "disable": True}),
    }
    try:
        for name, part in made.items():
            setattr(module, name, part)
        yield
    finally:
        for name, part in real.items():
            setattr(module, name, part)


class Lines(logging.Handler):
    """Writes what LeRobot logs about its steps with exact numbers; its own text abbreviates 1234 to 1K."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        told: dict[str, Any] | None = None
        if hasattr(record.msg, "to_dict") and hasattr(record.msg, "steps"):
            told = line_of(record.msg.to_dict())
        elif isinstance(record.msg, str) and ": eval_loss=" in record.msg:
            step, _, loss = record.msg.removeprefix("step ").partition(": eval_loss=")
            told = {"step": int(step), "eval_loss": float(loss), "at": time.time()}
        if told is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(told) + "\n")


def line_of(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """A line of progress.jsonl from LeRobot's metrics."""
    names = {
        "step": "steps",
        "loss": "loss",
        "grad_norm": "grad_norm",
        "lr": "lr",
        "step_s": "update_s",
        "data_s": "dataloading_s",
    }
    own = {name: metrics[theirs] for name, theirs in names.items() if theirs in metrics}
    more = {name: metrics[name] for name in ("gpu_mem_gb", "l1_loss", "kld_loss") if name in metrics}
    return own | more | {"at": time.time()}


def _logging(real: Callable[..., Any], training: Training) -> Callable[..., None]:
    def init_logging(*args: Any, **kwargs: Any) -> None:
        real(*args, **kwargs)
        if training.main:
            logging.getLogger().addHandler(Lines(training.run.progress))

    return init_logging


def _datasets(real: Callable[..., Any], training: Training) -> Callable[..., Any]:
    def make_train_eval_datasets(cfg: Any) -> Any:
        train, held_out = real(cfg)
        for dataset in filter(None, (train, held_out)):
            if training.open_dataset is not None:
                training.open_dataset(dataset)
            if size := training.recipe["resize"]:
                _say_size(dataset, tuple(size))
        if training.stats is not None or cfg.dataset.eval_split:
            indices = train.episodes if train.episodes is not None else range(train.meta.total_episodes)
            if training.stats is not None:
                stats = training.stats([int(index) for index in indices])
                for dataset in filter(None, (train, held_out)):
                    replace_stats(dataset, stats)
                    if cfg.dataset.use_imagenet_stats:
                        keep_imagenet(dataset)
        if getattr(cfg.policy, "use_relative_actions", False):
            relative = relative_stats(train, cfg.policy)
            for dataset in filter(None, (train, held_out)):
                dataset.meta.stats = {**dataset.meta.stats, "action": relative}
        if training.main:
            training.run.say_held_out(_ids(training, held_out))
        training.dataset = train
        return train, held_out

    return make_train_eval_datasets


def _ids(training: Training, dataset: Any) -> list[str]:
    """Permanent names of a dataset's episodes."""
    if dataset is None or training.name_of is None:
        return []
    indices = dataset.episodes if dataset.episodes is not None else range(dataset.meta.total_episodes)
    return [training.name_of(int(index)) for index in indices]


def _say_size(dataset: Any, size: tuple[int, int]) -> None:
    """Let a dataset's metadata say the size that the policy will see; its preprocessor resizes."""
    for key in dataset.meta.camera_keys:
        feature = dataset.meta.features[key]
        feature["shape"] = (*size, feature["shape"][-1])


def _policy(real: Callable[..., Any], training: Training) -> Callable[..., Any]:
    def make_policy(*args: Any, **kwargs: Any) -> Any:
        policy = real(*args, **kwargs)
        if training.resume is not None:
            require_loaded(policy, training.resume / checkpoints.MODEL, exact=True)
        elif training.recipe["weights"]:
            require_loaded(policy, Path(training.recipe["weights"]), exact=False)
        training.policy = policy
        whole_policy(
            training.run.folder, policy, card=lambda: checkpoints.card_bytes({**training.card, "step": training.step})
        )
        return policy

    return make_policy


def _processors(real: Callable[..., Any], training: Training) -> Callable[..., Any]:
    def make_pre_post_processors(*args: Any, **kwargs: Any) -> Any:
        before, after = real(*args, **kwargs)
        fresh = training.resume is None
        if fresh and training.recipe["resize"]:
            before.steps = _resized(before.steps, tuple(training.recipe["resize"]))
        if fresh and training.recipe["calibrate"]:
            layers = calibrate(training.policy, training.dataset, before, int(training.recipe["seed"]))
            logging.info("Calibrated %d frozen normalisations of the backbone from the data", layers)
        whole_policy(training.run.folder, before, after)
        return before, after

    return make_pre_post_processors


def _resized(steps: Any, size: tuple[int, int]) -> list[Any]:
    """A preprocessor's steps with one that resizes images, before anything looks at their values."""
    from lerobot.processor.hil_processor import ImageCropResizeProcessorStep

    listed = list(steps)
    place = next((n for n, step in enumerate(listed) if "Normaliz" in type(step).__name__), len(listed))
    return [*listed[:place], ImageCropResizeProcessorStep(resize_size=size), *listed[place:]]


def _cycle(real: Callable[..., Any], training: Training) -> Callable[..., Iterator[Any]]:
    def cycle(loader: Any) -> Iterator[Any]:
        batches = real(loader)
        training.looping = True
        if training.resume is not None:
            epoch, into = divmod(training.step, len(loader))
            # Accelerate tells the sampler its own count of epochs, over the one that LeRobot restored.
            loader.iteration = epoch
            _restore_random(training.resume)
            first = next(batches)
            if into:
                # Beginning to read draws from the random stream, which an uninterrupted training did long before.
                _restore_random(training.resume)
            yield first
        while True:
            if training.wanted and training.saved == training.step:
                raise Stopped
            training.beat()
            yield next(batches)

    return cycle


def _restore_random(checkpoint: Path) -> None:
    from lerobot.utils.random_utils import load_rng_state

    load_rng_state(checkpoint / checkpoints.STATE)


def _should_save(real: Callable[..., bool], training: Training) -> Callable[..., bool]:
    def should_save_checkpoint(step: int, save_freq: int, total_steps: int) -> bool:
        training.step = step
        if not training.wanted and training.orphaned():
            logging.warning("Whoever started this training is gone; it ends with a checkpoint.")
            training.wanted = True
        return training.wanted or bool(real(step, save_freq, total_steps))

    return should_save_checkpoint


def _save(real: Callable[..., None], training: Training) -> Callable[..., None]:
    def save_checkpoint(checkpoint_dir: Path, step: int, **kwargs: Any) -> None:
        partial = checkpoint_dir.with_name(f"{checkpoint_dir.name}{checkpoints.PARTIAL}")
        checkpoints.drop_partial(checkpoint_dir.parent)
        real(checkpoint_dir=partial, step=step, **kwargs)
        checkpoints.finish(partial, checkpoint_dir, {**training.card, "step": step})
        training.saved = step
        training.beat(now=True)

    return save_checkpoint


def _last(training: Training) -> Callable[[Path], None]:
    def update_last_checkpoint(checkpoint_dir: Path) -> None:
        checkpoints.point_last(checkpoint_dir)
        if keep := int(training.recipe.get("keep_last", 0)):
            checkpoints.drop_old(checkpoint_dir.parent, keep)

    return update_last_checkpoint
