"""What a training needs beside its data: packages, backbones, tokenizers; and whether they are at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from curation.checks import Finding
from training.preflight.asked import Asked, finding
from training.recipe import Recipe
from training.weights import BACKBONES, backbone_file, config_of, in_hub_cache

_PACKAGES = {
    "smolvla": ("transformers", "num2words"),
    "pi0": ("transformers",),
    "pi05": ("transformers",),
    "pi0_fast": ("transformers",),
    "diffusion": ("diffusers",),
}
_EXTRA = {"pi0": "pi", "pi05": "pi", "pi0_fast": "pi"}
_SMOLVLM, _PALIGEMMA = "HuggingFaceTB/SmolVLM2-500M-Video-Instruct", "google/paligemma-3b-pt-224"
_TOKENIZERS = {"smolvla": _SMOLVLM, "pi0": _PALIGEMMA, "pi05": _PALIGEMMA, "pi0_fast": _PALIGEMMA}


def hand(asked: Asked) -> Iterator[Finding]:
    """Packages, backbone and tokenizer of the policy."""
    kind = asked.recipe.policy
    lacking = [name for name in _PACKAGES.get(kind, ()) if find_spec(name) is None]
    if lacking:
        extra = _EXTRA.get(kind, kind)
        yield finding(
            "packages",
            "error",
            f"{kind} needs {', '.join(lacking)}, not installed",
            "LeRobot cannot build the policy.",
            f"uv pip install 'lerobot[{extra}]==0.6.1'",
        )
    backbone = asked.recipe.setting("policy.pretrained_backbone_weights")
    if backbone in BACKBONES and not asked.recipe.weights and not backbone_file(backbone).is_file() and not asked.hub:
        yield finding(
            "backbone",
            "error",
            f"{backbone} is not on this machine and cannot be fetched",
            "LeRobot fails while it builds the policy.",
            f"Copy {backbone_file(backbone).name} to {backbone_file(backbone).parent}, or leave the setting away: "
            "the backbone is then calibrated from the data.",
        )
    for repo in missing(asked.recipe):
        if not asked.hub:
            yield finding(
                "tokenizer",
                "error",
                f"{repo} is not on this machine and the Hub is out of reach",
                f"{kind} cannot read instructions without it.",
                f"On a machine with the Hub: hf download {repo}; copy its folder into HF_HOME/hub here, or name "
                "a folder that holds it in the weights' own policy_preprocessor.json.",
            )


def missing(recipe: Recipe) -> list[str]:
    """Repositories on the Hub that the policy reads and that are not on this machine."""
    return [repo for repo in needed(recipe) if not in_hub_cache(repo)]


def needed(recipe: Recipe) -> list[str]:
    """What a policy reads beside its weights: names of repositories, or folders."""
    found: list[str] = []
    if recipe.weights:
        found += _tokenizers(Path(recipe.weights))
        model = config_of(Path(recipe.weights)).get("vlm_model_name")
        found += [str(model)] if model else []
    if recipe.policy in _TOKENIZERS and not found:
        found.append(_TOKENIZERS[recipe.policy])
    typed = recipe.setting("policy.vlm_model_name")
    return list(dict.fromkeys([typed] if typed else found))


def _tokenizers(weights: Path) -> list[str]:
    try:
        steps = json.loads((weights / "policy_preprocessor.json").read_bytes())["steps"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [str(step["config"]["tokenizer_name"]) for step in steps if (step.get("config") or {}).get("tokenizer_name")]
