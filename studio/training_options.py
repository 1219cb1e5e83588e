"""What every training is asked, by `train` and by `preflight`, and what follows from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

import tyro

from curation import layout
from curation.errors import UsageError
from curation.library import entries
from curation.motion import with_motion
from curation.query import asks_motion, query
from curation.store import Store
from studio.paths import runs_home
from studio.score_cards import relied_on
from training.machine import machine_device
from training.normalisation import whole_mapping
from training.recipe import PRESETS, Preset, Recipe, preset, rhythm, settings_of
from training.subset import Subset, subset
from training.weights import backbone_file, policy_of, weights_path

STEPS, BATCH_SIZE = 50_000, 8
_BACKBONE = "policy.pretrained_backbone_weights"
_IMAGENET = "ResNet18_Weights.IMAGENET1K_V1"

Set = Annotated[tuple[str, ...], tyro.conf.arg(name="set")]


@dataclass(frozen=True, kw_only=True)
class Training:
    """What is trained, and how."""

    policy: str = ""
    """LeRobot's policy type: act (the default), diffusion, smolvla, pi0, pi05 and whatever else it trains."""
    weights: str = ""
    """Start from these: a path, a run, run@step, run@best, or hf:owner/name. Without it weights are random."""
    steps: int | None = None
    """Optimiser steps, by default the preset's or 50000."""
    batch_size: int | None = None
    """Frames a step, by default the preset's or 8."""
    seed: int = 0
    """Of initial weights and of the order of frames."""
    preset: str = ""
    """Settings measured to work without a GPU: cpu-state (block pose, no cameras) or cpu-image (images of 96x128)."""
    set_: Set = ()
    """KEY=VALUE arguments of lerobot-train, such as policy.chunk_size=50 or wandb.enable=true."""
    where: str = ""
    """Only episodes that fit, such as "outcome:success x<0.3". Episodes in the trash are always left out."""
    resize: str = ""
    """HEIGHTxWIDTH that images are resized to before the policy, in training as in evaluation."""
    cache: bool = False
    """Read images from a cache of decoded frames on disk, made once for each dataset and size."""
    device: str = "auto"
    """auto, cpu, cuda or mps."""
    threads: int = 0
    """Of the training process on a CPU; 0 is the preset's or PyTorch's choice. Tiny models are far faster on one."""
    gpus: int = 1
    """GPUs that train together, through accelerate."""
    keep_last: int = 0
    """Whole checkpoints to keep; 0 keeps all."""
    push_checkpoints: str = ""
    """OWNER/NAME on the Hub that every checkpoint is pushed to."""

    def recipe(self, store: Store) -> Recipe:
        """All of it resolved for a dataset.

        Raises:
            UsageError: what is asked makes no sense.
            NotAtHand: weights are not here and cannot be fetched.
        """
        found, steps = self._preset(), self._steps()
        settings = rhythm(steps, self._device(), len(layout.cameras(store.features)), os.cpu_count() or 1)
        if self.preset:
            settings |= preset(self.preset, steps)[1]
        weights = weights_path(self.weights, runs_home()) if self.weights else None
        policy = self.policy or (policy_of(weights) if weights else "act")
        settings |= {} if weights else whole_mapping(policy, store.features)
        settings |= settings_of(self.set_)
        calibrated = policy == "act" and weights is None and bool(layout.cameras(store.features))
        if calibrated:
            settings.setdefault(_BACKBONE, _IMAGENET if backbone_file(_IMAGENET).is_file() else "null")
            calibrated = settings[_BACKBONE] in ("null", "None", "none")
        elif policy == "act" and weights is None:
            settings.setdefault(_BACKBONE, "null")
        return Recipe(
            policy=policy,
            steps=steps,
            batch_size=self._at_least_one("batch-size", self.batch_size, found.batch_size if found else BATCH_SIZE),
            seed=self.seed,
            device=self._device(),
            weights=str(weights or ""),
            weights_given=self.weights,
            resize=self._resize() or (found.resize if found else None),
            threads=self.threads or (found.threads if found else 0),
            processes=self._at_least_one("gpus", self.gpus, 1),
            # Without images there is nothing to decode, and memory is faster than parquet.
            cache=self.cache or not layout.cameras(store.features),
            keep_last=self.keep_last,
            push_to=self.push_checkpoints,
            calibrate=calibrated,
            settings=settings,
        )

    def chosen(self, store: Store) -> Subset:
        """The episodes that are trained on.

        Raises:
            UsageError: the query is none, or nothing fits.
            DataError: it asks for scores of a classifier whose card is not here.
        """
        everything = [entry for entry in entries(store.root) if entry.state == "saved"]
        if asks_motion(self.where):
            everything = with_motion(store, everything)
        fits = query(self.where)
        relied_on(self.where, everything)
        return subset(store, [entry for entry in everything if fits(entry)])

    def _preset(self) -> Preset | None:
        if not self.preset:
            return None
        found = preset(self.preset, 1)[0]
        if self.policy not in ("", "act") or self.weights:
            raise UsageError(f"--preset {self.preset} is of policy act with random weights; leave one of them away.")
        return found

    def _steps(self) -> int:
        usual = PRESETS[self.preset].steps if self.preset in PRESETS else STEPS
        return self._at_least_one("steps", self.steps, usual)

    def _at_least_one(self, name: str, given: int | None, usual: int) -> int:
        number = usual if given is None else given
        if number < 1:
            raise UsageError(f"--{name} {number} must be at least 1.")
        return number

    def _resize(self) -> tuple[int, int] | None:
        if not self.resize:
            return None
        height, sign, width = self.resize.lower().partition("x")
        if not (sign and height.isdecimal() and width.isdecimal() and min(int(height), int(width)) >= 16):
            raise UsageError(f"--resize {self.resize} is not HEIGHTxWIDTH, such as 96x128, each at least 16.")
        return int(height), int(width)

    def _device(self) -> str:
        return machine_device() if self.device == "auto" else self.device
