"""LeRobot's policies behind one small face: load, ask for actions, denormalise. All torch is here."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lerobot.configs import PreTrainedConfig
from lerobot.policies.act.modeling_act import ACTTemporalEnsembler
from lerobot.policies.factory import get_policy_class, make_pre_post_processors
from lerobot.processor import NormalizerProcessorStep, RenameObservationsProcessorStep, UnnormalizerProcessorStep
from numpy.typing import NDArray

from curation.errors import StudioError, UsageError
from curation.frames import Image, Vector
from curation.names import IMAGES, POSE, STATE

from .camera_means import is_imagenet
from .checkpoint_card import card
from .denoising import Heard, overheard
from .own_memory import Memory, decided, put_back, remembered

_STATEFUL = ("lingbot_va", "fastwam")
"""Policies with chunks that also remember, so that only their own `select_action` asks them rightly."""
_UNNEEDED = {"pretrained_backbone_weights": None, "load_vlm_weights": False}
"""Weights that a policy would fetch before the checkpoint's replace them."""
_PADDING = "empty_camera"
"""Names of images that a policy makes up itself."""
_RESIZING = ("resize_imgs_with_padding", "image_resolution", "resize_shape", "image_size")
"""Settings of policies that resize images themselves."""
_FAULTS = (RuntimeError, ValueError, TypeError, KeyError, AttributeError, OSError, ImportError, AssertionError)


class CannotLoad(StudioError):
    """A checkpoint is no policy that LeRobot loads here."""

    def __init__(self, folder: Path, why: object) -> None:
        super().__init__(f"The policy in {folder} cannot be loaded: {str(why).strip().splitlines()[0]}")


class PolicyFailed(StudioError):
    """The policy raised an error when it was asked."""

    def __init__(self, kind: str, why: BaseException) -> None:
        super().__init__(f"The policy ({kind}) failed: {type(why).__name__}: {why}")


class PolicyModel:
    """A policy with its own pre- and post-processors, as the checkpoint holds them.

    Args:
        folder: a checkpoint's `pretrained_model`.
        device: "cpu", "cuda", "mps", or "auto": the best there is.
        threads: of PyTorch on a CPU; results may differ in their last bits between numbers of threads. 0 leaves them.

    Attributes:
        kind: LeRobot's type.
        device: in use.
        chunk_size: actions that one call gives; 1 where the policy keeps its chunk to itself.
        n_action_steps: actions carried out of a chunk, as trained.
        ensemble: coefficient of temporal ensembling, as trained; None without.
        chunked: whether chunks can be asked for; else one action at a time.

    Raises:
        CannotLoad: LeRobot refuses it.
        UsageError: there is no such device.
    """

    def __init__(self, folder: Path, *, device: str = "auto", threads: int = 1) -> None:
        self.device = _device(device)
        if threads:
            torch.set_num_threads(threads)
        try:
            # LeRobot prints that it loads; our standard output is for results.
            with redirect_stdout(io.StringIO()):
                self._config, self._policy = _load(folder, self.device)
                self._before, self._after = _processors(self._config, folder, self.device)
        except _FAULTS as error:
            raise CannotLoad(folder, error) from error
        config = self._config
        self.kind = str(config.type)
        steps = getattr(config, "n_obs_steps", 1)
        self.chunked = steps == 1 and hasattr(config, "chunk_size") and self.kind not in _STATEFUL
        self.n_action_steps = int(getattr(config, "n_action_steps", 1))
        self.chunk_size = int(config.chunk_size) if self.chunked else 1
        found = getattr(config, "temporal_ensemble_coeff", None)
        self.ensemble = None if found is None else float(found)
        self._means: dict[str, torch.Tensor] = {}
        self._told = card(folder).means

    @property
    def cameras(self) -> dict[str, tuple[int, int]]:
        """The world's cameras that it looks at, with the size it was trained for (height, width)."""
        sizes = {}
        for key, feature in self._features.items():
            if key.startswith(IMAGES) and _PADDING not in key:
                sizes[self._worldly(key).removeprefix(IMAGES)] = (int(feature.shape[-2]), int(feature.shape[-1]))
        return sizes

    @property
    def wants(self) -> tuple[str, ...]:
        """The observations it looks at, by the world's names."""
        return tuple(self._worldly(key) for key in self._features if _PADDING not in key)

    @property
    def privileged(self) -> bool:
        """Whether it sees the block's pose."""
        return POSE in self.wants

    @property
    def actions(self) -> int:
        """How many numbers an action has."""
        return int(self._config.output_features["action"].shape[0])

    @property
    def resizes(self) -> bool:
        """Whether images of any size are brought to the trained one."""
        steps = any(getattr(step, "resize_size", None) for step in self._before.steps)
        return steps or any(getattr(self._config, name, None) for name in _RESIZING)

    @property
    def relative(self) -> bool:
        """Whether its actions are relative to the state seen."""
        return any(getattr(step, "relative_step", None) and step.enabled for step in self._after.steps)

    @property
    def demonstrated(self) -> Vector | None:
        """Highest less lowest action of the demonstrations, shape (A,); None where no statistics say so."""
        for step in self._after.steps:
            stats = step._tensor_stats.get("action") if isinstance(step, UnnormalizerProcessorStep) else None
            if stats and {"min", "max"} <= stats.keys() and not self.relative:
                return _numbers(stats["max"]) - _numbers(stats["min"])
            if stats and "std" in stats and not self.relative:
                return 4.0 * _numbers(stats["std"])
        return None

    def blind(self, cameras: Sequence[str]) -> None:
        """Let cameras show their training mean from now on, whatever they see.

        It is what the checkpoint's card says; without one, what its statistics say, which may be ImageNet's instead.

        Raises:
            UsageError: the policy has no such camera, or no mean of it is known.
        """
        means = {}
        for camera in cameras:
            if camera not in self.cameras:
                raise UsageError(f"--blind {camera} is no camera of this policy; it has {', '.join(self.cameras)}.")
            mean = self._mean(IMAGES + camera)
            if mean is None:
                raise UsageError(f"--blind {camera}: the checkpoint holds no mean of that camera's images.")
            means[IMAGES + camera] = mean
        self._means = means

    @property
    def blinded(self) -> tuple[str, ...]:
        """Cameras that show their mean."""
        return tuple(key.removeprefix(IMAGES) for key in self._means)

    @property
    def greyed(self) -> tuple[str, ...]:
        """Cameras that show ImageNet's mean in place of their own, because the checkpoint knows no other."""
        means = {key: mean.ravel().tolist() for key, mean in self._means.items()}
        return tuple(key.removeprefix(IMAGES) for key, mean in means.items() if is_imagenet(mean))

    def reset(self, n_action_steps: int | None = None) -> None:
        """Forget the last episode; a policy that keeps its chunk to itself carries out `n_action_steps` of it."""
        if n_action_steps is not None and not self.chunked:
            self._config.n_action_steps = n_action_steps
        self._policy.reset()

    @property
    def rewindable(self) -> bool:
        """Whether `recall` brings back all that it keeps; others remember inside their networks."""
        return self.kind not in _STATEFUL

    def remember(self) -> Memory:
        """What it keeps to itself from one frame to the next."""
        return remembered(self._policy)

    def recall(self, memory: Memory, n_action_steps: int | None = None, *, without_plan: bool = False) -> None:
        """Be as it was then; without its plan it only knows what it saw, and is asked anew at once."""
        self.reset(n_action_steps)
        put_back(self._policy, memory, without_plan=without_plan)

    def decided(self) -> NDArray[np.float64] | None:
        """Actions that it will give without thinking again, in the world's units, shape (B, R, A); R may be 0.

        None of a policy whose chunk is not its own to keep, or cannot be seen.
        """
        queue = None if self.chunked else decided(self._policy)
        if not queue:
            return None if queue is None else np.zeros((1, 0, self.actions))
        return self.finish(torch.stack(queue, dim=1))

    def overheard(self) -> AbstractContextManager[Heard]:
        """The steps from noise to actions of whatever it is asked inside."""
        return overheard(self._policy, self._config)

    def see(
        self,
        images: Mapping[str, Image],
        state: NDArray[np.float32],
        pose: NDArray[np.float32] | None,
        task: str | Sequence[str],
    ) -> dict[str, Any]:
        """Observations of B worlds, as the policy takes them.

        Args:
            images: camera to uint8 (B, height, width, 3).
            state: joints, shape (B, 6).
            pose: of the block, shape (B, 5); for policies that are privileged.
            task: the instruction, or that of each world.
        """
        tasks = [task] * len(state) if isinstance(task, str) else list(task)
        found: dict[str, Any] = {STATE: torch.from_numpy(state), "task": tasks}
        for camera, pixels in images.items():
            key = IMAGES + camera
            # The order of operations is LeRobot's, so that the floats are too.
            tensor = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).contiguous().float() / 255
            found[key] = self._means[key].to(self.device).expand_as(tensor) if key in self._means else tensor
        if pose is not None:
            found[POSE] = torch.from_numpy(pose)
        seen: dict[str, Any] = self._before(found)
        return seen

    def chunk(self, seen: dict[str, Any], seed: int) -> torch.Tensor:
        """Normalised actions, shape (B, T, A); `seed` is of whatever the policy draws."""
        return self._ask(self._policy.predict_action_chunk, seen, seed)

    def select(self, seen: dict[str, Any], seed: int) -> torch.Tensor:
        """The next normalised action, shape (B, A), of a policy that keeps its chunk to itself."""
        return self._ask(self._policy.select_action, seen, seed)

    def finish(self, actions: torch.Tensor) -> NDArray[np.float64]:
        """Actions in the world's units, any shape (B, ..., A)."""
        done: NDArray[np.float32] = self._after(actions).to("cpu").float().numpy()
        return done.astype(np.float64)

    def ensembler(self, coefficient: float) -> ACTTemporalEnsembler:
        """LeRobot's temporal ensembling of normalised chunks."""
        return ACTTemporalEnsembler(coefficient, self.chunk_size)

    def _ask(self, ask: Any, seen: dict[str, Any], seed: int) -> torch.Tensor:
        try:
            with _seeded(seed, self.device), torch.inference_mode(), self._precision():
                answer: torch.Tensor = ask(seen)
        except _FAULTS as error:
            raise PolicyFailed(self.kind, error) from error
        return answer

    def _precision(self) -> AbstractContextManager[Any]:
        """As LeRobot evaluates it: mixed where it was trained so."""
        kind = self.device.partition(":")[0]
        return torch.autocast(device_type=kind) if getattr(self._config, "use_amp", False) else nullcontext()

    @property
    def _features(self) -> dict[str, Any]:
        return dict(self._config.input_features)

    def _worldly(self, key: str) -> str:
        """The world's name of an observation that the checkpoint renames."""
        for step in self._before.steps:
            if isinstance(step, RenameObservationsProcessorStep):
                key = next((old for old, new in step.rename_map.items() if new == key), key)
        return key

    def _mean(self, worldly: str) -> torch.Tensor | None:
        own = self._told.get(worldly.removeprefix(IMAGES))
        if own is not None:
            return torch.tensor(own, dtype=torch.float32).reshape(1, -1, 1, 1)
        for step in self._before.steps:
            if isinstance(step, NormalizerProcessorStep):
                for key, stats in step._tensor_stats.items():
                    if self._worldly(key) == worldly and "mean" in stats:
                        return stats["mean"].float().reshape(1, -1, 1, 1)
        return None


def _device(asked: str) -> str:
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if asked == "auto":
        return next(name for name, yes in there.items() if yes)
    if not there.get(asked.partition(":")[0], False):
        raise UsageError(
            f"--device {asked} is not here. Valid: auto, {', '.join(n for n, yes in there.items() if yes)}."
        )
    return asked


def _load(folder: Path, device: str) -> tuple[Any, Any]:
    config = PreTrainedConfig.from_pretrained(folder)
    config.device, config.pretrained_path = device, folder
    for name, value in _UNNEEDED.items():
        if hasattr(config, name):
            setattr(config, name, value)
    kind = get_policy_class(config.type)
    if config.use_peft:
        return config, _with_adapter(kind, folder, config)
    # Strict, because a policy with some random weights looks like any other.
    policy = kind.from_pretrained(folder, config=config, strict=True)
    policy.to(device)
    policy.eval()
    return config, policy


def _with_adapter(kind: Any, folder: Path, config: Any) -> Any:
    from peft import PeftConfig, PeftModel  # type: ignore[import-not-found]  # optional

    adapter = PeftConfig.from_pretrained(str(folder))
    base = kind.from_pretrained(adapter.base_model_name_or_path, config=config, revision=adapter.revision)
    policy = PeftModel.from_pretrained(base, str(folder), config=adapter)
    policy.to(config.device)
    policy.eval()
    return policy


def _processors(config: Any, folder: Path, device: str) -> tuple[Any, Any]:
    steps = json.loads((folder / "policy_preprocessor.json").read_bytes())["steps"]
    moves = any(step.get("registry_name") == "device_processor" for step in steps)
    overrides = {"device_processor": {"device": device}} if moves else {}
    made = make_pre_post_processors(config, pretrained_path=str(folder), preprocessor_overrides=overrides)
    return made[0], made[1]


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Torch's generators begin at `seed` inside, and are as before afterwards."""
    devices = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _numbers(tensor: torch.Tensor) -> Vector:
    found: Vector = tensor.detach().to("cpu").double().numpy().reshape(-1)
    return found
