"""What LeRobot makes of a recipe's arguments, asked before anything is made: a wrong one costs seconds, not a folder.

LeRobot takes seconds to load, so a recipe in which nobody typed anything, or a preset only, is not asked about.
"""

from __future__ import annotations

import io
import warnings
from contextlib import redirect_stderr
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from training.normalisation import MAPPING
from training.recipe import PRESETS, Recipe, preset

CHUNKS = {
    "act": ("chunk_size", 100), "diffusion": ("horizon", 64), "smolvla": ("chunk_size", 50),
    "pi0": ("chunk_size", 50), "pi05": ("chunk_size", 50), "pi0_fast": ("chunk_size", 50),
}  # fmt: skip
"""LeRobot's usual length of a predicted chunk [frames], and the setting that it has."""
_LENGTHS = ("chunk_size", "horizon", "action_chunk_size", "action_horizon")
_OURS = ("log_freq", "save_freq", "num_workers", "wandb.enable", MAPPING, "policy.pretrained_backbone_weights")
"""Settings that the studio makes by itself."""


@dataclass(frozen=True)
class Understood:
    """LeRobot's reading of a recipe.

    Attributes:
        fault: why it refuses; "" if it does not.
        chunk: frames that the policy predicts at once; 0 where it does not say.
        setting: the argument that decides them, such as policy.chunk_size; "" where there is none.
    """

    fault: str = ""
    chunk: int = 0
    setting: str = ""


def understood(recipe: Recipe) -> Understood:
    """Let LeRobot read a recipe's arguments; no file is written and nothing fetched."""
    if recipe.policy in CHUNKS and not recipe.weights and _is_plain(recipe):
        name, usual = CHUNKS[recipe.policy]
        setting = f"policy.{name}"
        return Understood("", int(recipe.setting(setting, str(usual))), setting)
    # Where it trains decides nothing about the arguments.
    words = replace(recipe, seed=0, steps=1, push_to="").arguments(Path("data"), "studio/data", None, Path("train"))
    return _read(tuple(words))


def _is_plain(recipe: Recipe) -> bool:
    numbers = ("log_freq", "save_freq", "num_workers")
    typed = {name: value for name, value in recipe.settings.items() if name not in _OURS}
    known = not typed or (recipe.policy == "act" and any(typed == preset(name, recipe.steps)[1] for name in PRESETS))
    return known and all(recipe.setting(name, "0").isdecimal() for name in numbers)


@lru_cache(maxsize=64)
def _read(words: tuple[str, ...]) -> Understood:
    said = io.StringIO()
    with warnings.catch_warnings(), redirect_stderr(said):
        warnings.simplefilter("ignore")
        import draccus

        try:
            policy = _policy(words)
        except SystemExit:
            return Understood(said.getvalue().rpartition("error: ")[2].strip())
        except draccus.utils.DraccusException as error:
            return Understood(_words(error))
        except (ValueError, TypeError, KeyError) as error:
            return Understood(f"{type(error).__name__}: {error}")
        except OSError:
            return Understood()  # some policies ask the Hub for a part of their configuration
    chunk = getattr(policy, "action_delta_indices", None)
    setting = next((f"policy.{name}" for name in _LENGTHS if hasattr(policy, name)), "")
    return Understood("", len(chunk) if chunk is not None else 0, setting)


def _policy(words: tuple[str, ...]) -> Any:
    """The policy's configuration, as LeRobot's training would have it."""
    import draccus
    import lerobot.policies  # noqa: F401  makes the policies known by their types
    from lerobot.configs import parser
    from lerobot.configs.policies import PreTrainedConfig
    from lerobot.configs.train import TrainPipelineConfig

    told = draccus.parse(TrainPipelineConfig, args=parser.filter_path_args(["policy"], words))
    path = parser.get_path_arg("policy", words)
    if path is None:
        return told.policy
    return PreTrainedConfig.from_pretrained(path, cli_overrides=parser.get_cli_overrides("policy", words) or [])


def _words(error: BaseException) -> str:
    """The innermost reason in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = lines[-1].removeprefix("PreTrainedConfig: ") if lines else type(error).__name__
    cause = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return f"{told} {cause}" if "instantiate" in told and cause is not error else told
