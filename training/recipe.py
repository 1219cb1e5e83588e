"""What a training is asked to do, and how LeRobot's own command line says it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from curation.errors import UnknownChoice, UsageError

OWN = (
    "dataset.repo_id", "dataset.root", "dataset.episodes", "dataset.streaming", "output_dir", "resume", "config_path",
    "policy.type", "policy.path", "policy.device", "policy.repo_id", "policy.push_to_hub", "seed", "steps",
    "batch_size", "save_checkpoint", "save_checkpoint_to_hub", "env_eval_freq",
)  # fmt: skip
"""Arguments of LeRobot that follow from options of the studio, and cannot be given beside them."""

_KEY = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)*")

_ACT_SMALL = {
    "policy.dim_model": "256", "policy.dim_feedforward": "512", "policy.n_heads": "8", "policy.n_encoder_layers": "2",
    "policy.n_decoder_layers": "1", "policy.chunk_size": "40", "policy.n_action_steps": "20",
    "policy.use_vae": "false", "policy.dropout": "0", "optimizer.type": "adamw", "optimizer.weight_decay": "0.0001",
    "optimizer.grad_clip_norm": "10", "use_policy_training_preset": "false",
    "scheduler.type": "cosine_decay_with_warmup",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Settings that were measured to work together.

    Attributes:
        what: for people.
        settings: LeRobot's arguments.
        lr: peak learning rate, warmed up over 100 steps and then lowered along a cosine to a hundredth.
        steps, batch_size: by default.
        threads: of the training process; 0 leaves it to PyTorch. Tiny models are many times slower on two.
        resize: images to height and width before the policy sees them.
    """

    what: str
    settings: Mapping[str, str]
    lr: float
    steps: int
    batch_size: int
    threads: int = 0
    resize: tuple[int, int] | None = None


PRESETS = {
    "cpu-state": Preset(
        what="ACT of 2 M parameters without images, about a minute of one core",
        settings=_ACT_SMALL, lr=1e-3, steps=1000, batch_size=32, threads=1,
    ),
    "cpu-image": Preset(
        what="ACT of 13 M parameters on images of 96x128, about 0.3 s a step of 8 on two cores",
        settings=_ACT_SMALL, lr=3e-4, steps=2300, batch_size=8, resize=(96, 128),
    ),
}  # fmt: skip
"""For machines without a GPU, both with policy act."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One training, resolved: nothing in it is left to a default that may change.

    Attributes:
        policy: LeRobot's type.
        steps, batch_size, seed, device: as LeRobot has them.
        weights: folder of a policy to start from; "" starts with random weights.
        weights_given: how the weights were named.
        resize: images to (height, width) in the policy's preprocessor, so that evaluation does the same.
        threads: of the training process; 0 leaves it to PyTorch.
        processes: GPUs at once, through accelerate.
        cache: whether images come from the cache of decoded frames.
        keep_last: whole checkpoints kept; 0 keeps all.
        push_to: repository to which each checkpoint is pushed; "" pushes none.
        calibrate: give a backbone without pretrained weights its normalisation from the data.
        settings: LeRobot's further arguments, key to value as typed.
    """

    policy: str
    steps: int
    batch_size: int
    seed: int
    device: str
    weights: str = ""
    weights_given: str = ""
    resize: tuple[int, int] | None = None
    threads: int = 0
    processes: int = 1
    cache: bool = False
    keep_last: int = 0
    push_to: str = ""
    calibrate: bool = False
    settings: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Recipe:
        """What `as_json` gave."""
        known = {name: told[name] for name in cls.__dataclass_fields__ if name in told}
        if known.get("resize"):
            known["resize"] = tuple(known["resize"])
        return cls(**known)

    @property
    def digest(self) -> str:
        """Sixteen hex digits of everything that decides the weights, the seed left out."""
        told = self.as_json()
        for name in ("seed", "keep_last", "push_to", "weights_given"):
            del told[name]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]

    def with_seed(self, seed: int) -> Recipe:
        return replace(self, seed=seed)

    def setting(self, key: str, default: str = "") -> str:
        """One of LeRobot's arguments, as typed."""
        return self.settings.get(key, default)

    def arguments(self, dataset: Path, repo: str, episodes: Sequence[int] | None, output: Path) -> list[str]:
        """LeRobot's command line.

        Args:
            dataset: its folder.
            repo: what LeRobot shall call it.
            episodes: which; None for all.
            output: LeRobot's output folder.
        """
        own = {
            "dataset.repo_id": repo,
            "dataset.root": str(dataset.absolute()),
            "output_dir": str(output.absolute()),
            "seed": str(self.seed),
            "steps": str(self.steps),
            "batch_size": str(self.batch_size),
            "policy.device": self.device,
            "policy.push_to_hub": "true" if self.push_to else "false",
            "env_eval_freq": "0",
        }
        own |= {"policy.path": self.weights} if self.weights else {"policy.type": self.policy}
        if episodes is not None:
            own["dataset.episodes"] = json.dumps(list(episodes), separators=(",", ":"))
        if self.push_to:
            own |= {"policy.repo_id": self.push_to, "save_checkpoint_to_hub": "true"}
        return [f"--{key}={value}" for key, value in (own | self.settings).items()]


def settings_of(words: Sequence[str]) -> dict[str, str]:
    """`key=value` words as LeRobot's arguments.

    Raises:
        UsageError: a word is none, or the studio has an option for it.
    """
    found: dict[str, str] = {}
    for word in words:
        key, sign, value = word.lstrip("-").partition("=")
        if not sign or not _KEY.fullmatch(key):
            raise UsageError(f"--set {word} is not KEY=VALUE, such as policy.chunk_size=50.")
        if key in OWN:
            raise UsageError(f"--set {key} follows from the studio's own options; see studio train --help.")
        found[key] = value
    return found


def preset(name: str, steps: int) -> tuple[Preset, dict[str, str]]:
    """A preset and its arguments for so many steps.

    Raises:
        UnknownChoice: there is none of that name.
    """
    if name not in PRESETS:
        raise UnknownChoice("preset", name, PRESETS)
    found = PRESETS[name]
    rates = {
        "optimizer.lr": f"{found.lr:g}",
        "scheduler.peak_lr": f"{found.lr:g}",
        "scheduler.decay_lr": f"{found.lr / 100:g}",
        "scheduler.num_warmup_steps": str(min(100, max(1, steps // 5))),
        "scheduler.num_decay_steps": str(steps),
    }
    return found, {**found.settings, **rates}


def rhythm(steps: int, device: str, cameras: int, cores: int) -> dict[str, str]:
    """How often LeRobot logs and saves, and how many processes load data, unless told otherwise."""
    return {
        "log_freq": str(max(1, min(100, steps // 50))),
        "save_freq": str(max(1, min(5000, -(-steps // 4)))),
        "num_workers": str(min(4, cores)) if device != "cpu" and cameras else "0",
        "wandb.enable": "false",
    }
