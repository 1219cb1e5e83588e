"""Faults of the machine: no such device, a disk too small for the checkpoints, a GPU too small for the policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from curation import layout
from curation.checks import Finding
from training.checkpoints import WEIGHTS, broken, listed, step_of
from training.preflight.asked import Asked, finding
from training.recipe import Recipe

_FLOAT = 4
_STATES = 3
"""Weights and Adam's two averages: what a checkpoint holds."""
_PARAMETERS = {"diffusion": 270e6, "smolvla": 450e6, "pi0": 3.3e9, "pi05": 3.4e9, "pi0_fast": 3.0e9, "vqbet": 45e6}
"""Numbers in LeRobot's usual policies (assumed for those not trained here)."""
_TRAINED = {"smolvla": 0.22}
"""Share of them that is trained, where it is not all."""
_BACKBONE, _FRAME_BYTES = 11.2e6, 200.0
_VANISHING = ("overlay", "tmpfs", "ramfs")


def machine(asked: Asked) -> Iterator[Finding]:
    """Device, disk and memory."""
    yield from _disk(asked)
    yield from _gpu(asked)


def parameters(asked: Asked) -> float:
    """About how many numbers the policy has."""
    if asked.recipe.weights:
        sizes = [(Path(asked.recipe.weights) / name) for name in WEIGHTS]
        return max((path.stat().st_size for path in sizes if path.is_file()), default=0) / _FLOAT
    if asked.recipe.policy != "act":
        return _PARAMETERS.get(asked.recipe.policy, 50e6)
    wide, inner = asked.number("dim_model", 512), asked.number("dim_feedforward", 3200)
    vae = asked.recipe.setting("policy.use_vae", "true").lower() != "false"
    layers = asked.number("n_encoder_layers", 4) + (asked.number("n_vae_encoder_layers", 4) if vae else 0)
    deep = layers * (4 * wide**2 + 2 * wide * inner)
    deep += asked.number("n_decoder_layers", 1) * (8 * wide**2 + 2 * wide * inner)
    return deep + (_BACKBONE if layout.cameras(asked.chosen.store.features) else 0)


def checkpoint_bytes(asked: Asked) -> float:
    """About how large one checkpoint is."""
    share = _TRAINED.get(asked.recipe.policy, 1.0)
    return parameters(asked) * _FLOAT * (1 + (_STATES - 1) * share)


def checkpoint_count(recipe: Recipe, begun: Path | None = None) -> int:
    """How many are still to lie on the disk at once, the one being written included.

    Args:
        recipe: of the training.
        begun: checkpoints that it goes on with.
    """
    there = [path for path in listed(begun) if not broken(path)] if begun else []
    every = _save_freq(recipe)
    steps = recipe.steps - (step_of(there[-1]) if there else 0)
    count = -(-steps // every) if every > 0 else 1
    return min(count, max(1, recipe.keep_last + 1 - len(there))) if recipe.keep_last else count


def _save_freq(recipe: Recipe) -> int:
    try:
        return int(recipe.setting("save_freq", "20000"))
    except ValueError:
        return 20_000  # refused by another rule


def _disk(asked: Asked) -> Iterator[Finding]:
    there = next(path for path in (asked.folder.absolute(), *asked.folder.absolute().parents) if path.exists())
    free = asked.free_bytes if asked.free_bytes is not None else shutil.disk_usage(there).free
    count = checkpoint_count(asked.recipe, asked.resume) * asked.trainings
    need = checkpoint_bytes(asked) * count
    kind, several = file_system(there), f" in {asked.trainings} trainings" if asked.trainings > 1 else ""
    vanishing = f", a {kind} file system" if kind in _VANISHING else ""
    if need > 0.95 * free:
        yield finding(
            "disk",
            "error",
            f"{count} checkpoints of about {_gb(checkpoint_bytes(asked))}{several} need {_gb(need)}; "
            f"{there}{vanishing} has {_gb(free)} free",
            "Training ends at the checkpoint that does not fit, hours later.",
            "Keep fewer (--keep-last 2), save more rarely (--set save_freq=…), or set STUDIO_RUNS to a larger disk.",
        )
    if kind in _VANISHING:
        yield finding(
            "disk kind",
            "warning",
            f"{there} lies on {'an' if kind == 'overlay' else 'a'} {kind} file system",
            "It is gone with the container or the machine, and its free space is shared with everything else on it.",
            "Set STUDIO_RUNS to a mounted disk, or push checkpoints: --push-checkpoints OWNER/NAME.",
        )


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The kind of file system a folder lies on; "" where nobody says."""
    try:
        lines = [line.split() for line in mounts.read_text().splitlines()]
    except OSError:
        return ""
    resolved = path.resolve()
    fitting = [(len(line[1]), line[2]) for line in lines if len(line) > 2 and _under(resolved, Path(line[1]))]
    return max(fitting)[1] if fitting else ""


def _under(path: Path, mount: Path) -> bool:
    return path == mount or path.is_relative_to(mount)


def _gpu(asked: Asked) -> Iterator[Finding]:
    if asked.recipe.device == "cpu":
        return
    there = asked.gpu_bytes if asked.gpu_bytes is not None else gpu_memory(asked.recipe.device)
    if there == 0:
        yield finding(
            "device",
            "error",
            f"{asked.recipe.device} is asked for and PyTorch sees no such device",
            "LeRobot would train on the CPU without a word, or fail.",
            "Leave --device away, or install PyTorch for this GPU; studio doctor shows what is there.",
        )
        return
    need = memory_bytes(asked)
    if there > 0 and need > there:
        yield finding(
            "memory",
            "error" if need > 1.3 * there else "warning",
            f"about {_gb(need)} are needed on the GPU, it has {_gb(there)} (an estimate)",
            "Training ends in its first steps, out of memory.",
            f"A smaller --batch-size than {asked.recipe.batch_size}, smaller images (--resize), "
            "or --set peft.method_type=LORA.",
        )


def memory_bytes(asked: Asked) -> float:
    """About what training needs on a GPU: weights, gradients, Adam's averages, and activations by the pixel."""
    share = _TRAINED.get(asked.recipe.policy, 1.0)
    features = asked.chosen.store.features
    shapes = [features[key].shape for key in layout.cameras(features)]
    size = asked.recipe.resize
    pixels = sum(size[0] * size[1] if size else shape[0] * shape[1] for shape in shapes)
    fixed = parameters(asked) * _FLOAT * (1 + (_STATES) * share)
    return fixed + asked.recipe.batch_size * pixels * _FRAME_BYTES


def gpu_memory(device: str) -> int:
    """Bytes of the GPU's memory; 0 without one, -1 where nobody can say."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info()[1]) if torch.cuda.is_available() else 0
    if device == "mps":
        return -1 if torch.backends.mps.is_available() else 0
    return -1


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"
