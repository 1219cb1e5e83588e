"""LeRobot's HIL-SERL learner: `python -m training.hil_learner --config_path=FILE`, with a checkpoint at its end.

LeRobot's learner runs on its own, but saves only at certain steps and never when it is stopped, tells its losses to
nobody but Weights & Biases, keeps a core busy while it waits for the actor, and returns 0 after a failure. And
`make_dataset` gives it pictures of 0 to 255, while the actor's are of 0 to 1 and both go through one network. Six names
of `lerobot.rl.learner` are wrapped for that. Left alone: where time ended an episode, its buffer takes the next one's
first observation for what followed the last action.

Exit codes: 0 stopped, with a checkpoint if anything was learned, 1 failed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from curation.errors import FAILED, OK

WRAPPED = (
    "add_actor_information_and_train",
    "RLTrainer",
    "make_dataset",
    "make_pre_post_processors",
    "process_transitions",
    "process_interaction_messages",
)
LEARNING = "learning.jsonl"
"""In the learner's output folder: what it holds and its losses, line by line."""
TELL_EVERY_S = 0.5
IDLE_S = 0.02
"""Pause of the loop while there is too little to learn from [s]."""


@dataclass
class Learning:
    """What the wrapped parts share.

    Attributes:
        log: where losses are told.
        trainer, postprocessor: LeRobot's.
        online, offline: its replay buffers.
        message: the actor's last word about an episode.
        stats: losses of the last step.
    """

    log: Path | None = None
    trainer: Any = None
    postprocessor: Any = None
    online: Any = None
    offline: Any = None
    message: dict[str, Any] | None = None
    stats: dict[str, float] = field(default_factory=dict)
    failed: bool = False
    told: float = 0.0
    parent: int = field(default_factory=os.getppid)

    @property
    def step(self) -> int:
        return int(self.trainer.algorithm.optimization_step) if self.trainer else 0

    def tell(self, *, now: bool = False) -> None:
        """Write a line, at most every `TELL_EVERY_S`."""
        if self.log is None or self.online is None or not (now or time.monotonic() - self.told > TELL_EVERY_S):
            return
        self.told = time.monotonic()
        held = len(self.online)
        rewarded = int((self.online.rewards[:held] > 0).sum()) if held else 0
        told = {
            "step": self.step,
            "transitions": held,
            "rewarded": rewarded,
            "offline": len(self.offline) if self.offline is not None else 0,
            **self.stats,
            "at": time.time(),
        }
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(told) + "\n")


@contextmanager
def entered(module: ModuleType, learning: Learning) -> Iterator[None]:
    """Wrap the learner's parts, and put them back.

    Raises:
        AttributeError: this LeRobot has no such part.
    """
    real = {name: getattr(module, name) for name in WRAPPED}
    made: dict[str, Callable[..., Any]] = {
        "add_actor_information_and_train": _train(module, real["add_actor_information_and_train"], learning),
        "RLTrainer": _trainer(real["RLTrainer"], learning),
        "make_dataset": _dataset(module),
        "make_pre_post_processors": _processors(real["make_pre_post_processors"], learning),
        "process_transitions": _transitions(real["process_transitions"], learning),
        "process_interaction_messages": _messages(real["process_interaction_messages"], learning),
    }
    try:
        for name, part in made.items():
            setattr(module, name, part)
        yield
    finally:
        for name, part in real.items():
            setattr(module, name, part)


def _train(module: ModuleType, real: Callable[..., Any], learning: Learning) -> Callable[..., None]:
    def add_actor_information_and_train(cfg: Any, **kwargs: Any) -> None:
        learning.log = Path(cfg.output_dir) / LEARNING
        try:
            real(cfg=cfg, **kwargs)
            learning.tell(now=True)
            if learning.step:
                _save(module, cfg, learning)
        except BaseException:
            learning.failed = True
            raise

    return add_actor_information_and_train


def _save(module: ModuleType, cfg: Any, learning: Learning) -> None:
    """LeRobot's own checkpoint, with both buffers, from which its `--resume=true` goes on."""
    trainer = learning.trainer
    module.save_training_checkpoint(
        cfg=cfg,
        optimization_step=learning.step,
        online_steps=cfg.policy.online_steps,
        interaction_message=learning.message,
        policy=trainer.algorithm.policy,
        optimizers=trainer.algorithm.get_optimizers(),
        replay_buffer=learning.online,
        algorithm=trainer.algorithm,
        offline_replay_buffer=learning.offline,
        dataset_repo_id=cfg.dataset.repo_id,
        fps=cfg.env.fps,
        preprocessor=trainer._preprocessor,
        postprocessor=learning.postprocessor,
    )


def _trainer(real: Callable[..., Any], learning: Learning) -> Callable[..., Any]:
    def make_trainer(*args: Any, **kwargs: Any) -> Any:
        trainer = real(*args, **kwargs)
        step = trainer.training_step

        def training_step() -> Any:
            stats = step()
            learning.stats = stats.to_log_dict()
            return stats

        trainer.training_step = training_step
        learning.trainer = trainer
        return trainer

    return make_trainer


def _dataset(module: ModuleType) -> Callable[..., Any]:
    def make_dataset(cfg: Any) -> Any:
        # As LeRobot opens it when it resumes: with pictures of 0 to 1.
        told = cfg.dataset
        return module.LeRobotDataset(told.repo_id, root=told.root, video_backend=told.video_backend)

    return make_dataset


def _processors(real: Callable[..., Any], learning: Learning) -> Callable[..., Any]:
    def make_pre_post_processors(*args: Any, **kwargs: Any) -> Any:
        made = real(*args, **kwargs)
        learning.postprocessor = made[1]
        return made

    return make_pre_post_processors


def _transitions(real: Callable[..., Any], learning: Learning) -> Callable[..., None]:
    def process_transitions(replay_buffer: Any, offline_replay_buffer: Any, shutdown_event: Any, **kwargs: Any) -> None:
        real(
            replay_buffer=replay_buffer,
            offline_replay_buffer=offline_replay_buffer,
            shutdown_event=shutdown_event,
            **kwargs,
        )
        learning.online, learning.offline = replay_buffer, offline_replay_buffer
        learning.tell()
        if not learning.stats:
            time.sleep(IDLE_S)
        if os.getppid() != learning.parent:  # whoever started this is gone
            shutdown_event.set()

    return process_transitions


def _messages(real: Callable[..., Any], learning: Learning) -> Callable[..., Any]:
    def process_interaction_messages(*args: Any, **kwargs: Any) -> Any:
        message = real(*args, **kwargs)
        learning.message = message or learning.message
        return message

    return process_interaction_messages


def main() -> int:
    """Entry point of the process; the command line is LeRobot's."""
    import lerobot.rl.learner as module

    learning = Learning()
    with entered(module, learning):
        module.train_cli()
    return FAILED if learning.failed or learning.online is None else OK


if __name__ == "__main__":
    sys.exit(main())
