"""Whether a policy really has the weights it is said to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.errors import StudioError
from training.checkpoints import WEIGHTS

ENOUGH = 0.5
"""Share of a policy's numbers that must come from the weights it starts from; heads for other actions may be new."""


class RandomWeights(StudioError):
    """A policy would start from random weights although it was told others."""


def require_loaded(policy: Any, model: Path, *, exact: bool) -> None:
    """Compare a policy's tensors with those in its file.

    Args:
        policy: as LeRobot made it.
        model: the folder with its weights.
        exact: every tensor of the file must be in the policy bit for bit; otherwise `ENOUGH` of the policy's numbers.

    Raises:
        RandomWeights: they are not there.
    """
    path = next((model / name for name in WEIGHTS if (model / name).is_file()), None)
    if path is None:
        raise RandomWeights(f"{model} holds no weights ({WEIGHTS[0]}); the policy would start from random ones.")
    if path.name != WEIGHTS[0]:
        return  # an adapter's names are PEFT's own
    there, total, wrong = _compared(policy, path)
    if exact and wrong:
        raise RandomWeights(
            f"{len(wrong)} tensors of {path} are not in the policy LeRobot made, first {wrong[0]}; it would go on from "
            "other weights than those saved. Resume with the LeRobot version that wrote it, or train anew."
        )
    if not exact and there < ENOUGH * total:
        raise RandomWeights(
            f"Only {100 * there / max(1, total):.0f} % of the policy's numbers come from {path}; the rest would be "
            "random. Is it a checkpoint of the same policy type and size? See --policy and --set policy.…"
        )


def _compared(policy: Any, path: Path) -> tuple[int, int, list[str]]:
    """How many of the policy's numbers equal the file's, of how many, and names in the file that do not."""
    import torch
    from safetensors import safe_open

    own = policy.state_dict()
    there, wrong = 0, []
    with safe_open(str(path), framework="pt") as file:
        for name in file.keys():  # noqa: SIM118  not a mapping
            # Some policies save their inner model only.
            mine = own.get(name, own.get(f"model.{name}"))
            saved = file.get_tensor(name)
            same = (
                mine is not None
                and mine.shape == saved.shape
                and bool(torch.equal(mine.detach().cpu(), saved.to(mine.dtype)))
            )
            if same:
                there += saved.numel()
            else:
                wrong.append(name)
    return there, sum(value.numel() for value in own.values()), wrong
