"""How a flow or diffusion policy comes from noise to actions: LeRobot's own steps, overheard while it takes them.

The policy's step is wrapped for the time of one question. The wrapper passes on what it was given and what it returns,
so that whoever listens changes nothing. Two ways are known:

- flow matching (SmolVLA, Pi0, Pi0.5): `policy.model.denoise_step(x_t=..., timestep=...)`, time from 1 (noise) to 0;
- diffusion: `policy.diffusion.noise_scheduler.step(output, t, sample)`, of whose horizon the policy carries out a part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class NoisyChunk:
    """A chunk on its way.

    Attributes:
        time: 1 is noise, 0 would be the chunk.
        actions: normalised, shape (B, T, A).
    """

    time: float
    actions: torch.Tensor


Heard = list[NoisyChunk]


@contextmanager
def overheard(policy: Any, config: Any) -> Iterator[Heard]:
    """Steps that the policy takes inside, in order; none if it takes none, or in a way that is not known.

    Args:
        policy: LeRobot's.
        config: its configuration.
    """
    policy = getattr(policy, "get_base_model", lambda: policy)()
    heard: Heard = []
    flow: Any = getattr(policy, "model", None)
    diffusion: Any = getattr(policy, "diffusion", None)
    width = int(config.output_features["action"].shape[0])
    if hasattr(flow, "denoise_step"):
        with _wrapped(flow, "denoise_step", lambda step: _flowing(step, heard, width)):
            yield heard
    elif hasattr(diffusion, "noise_scheduler"):
        scheduler = diffusion.noise_scheduler
        first = int(config.n_obs_steps) - 1
        shown = slice(first, first + int(config.n_action_steps))
        most = float(scheduler.config.num_train_timesteps)
        with _wrapped(scheduler, "step", lambda step: _diffusing(step, heard, shown, most)):
            yield heard
    else:
        yield heard


def _flowing(step: Callable[..., Any], heard: Heard, width: int) -> Callable[..., Any]:
    def denoise_step(*args: Any, **named: Any) -> Any:
        if "x_t" in named and "timestep" in named:
            heard.append(NoisyChunk(float(named["timestep"].flatten()[0]), named["x_t"][..., :width].detach()))
        return step(*args, **named)

    return denoise_step


def _diffusing(step: Callable[..., Any], heard: Heard, shown: slice, most: float) -> Callable[..., Any]:
    def scheduler_step(output: Any, timestep: Any, sample: torch.Tensor, *args: Any, **named: Any) -> Any:
        heard.append(NoisyChunk((float(timestep) + 1) / most, sample[:, shown].detach()))
        return step(output, timestep, sample, *args, **named)

    return scheduler_step


@contextmanager
def _wrapped(owner: Any, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Let `owner.name` be wrapped inside; as it was afterwards."""
    own = vars(owner).get(name)
    setattr(owner, name, wrap(getattr(owner, name)))
    try:
        yield
    finally:
        delattr(owner, name) if own is None else setattr(owner, name, own)
