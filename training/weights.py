"""What a policy starts from: weights by path or from the Hub, a backbone, a tokenizer; and whether they are at hand."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from curation.errors import StudioError, UsageError
from curation.hub.calls import HubError
from training.checkpoint_card import resolve
from training.checkpoints import WEIGHTS

_HOST = ("huggingface.co", 443)
BACKBONES = {
    "ResNet18_Weights.IMAGENET1K_V1": "resnet18-f37072fd.pth",
    "ResNet34_Weights.IMAGENET1K_V1": "resnet34-b627a593.pth",
    "ResNet50_Weights.IMAGENET1K_V1": "resnet50-0676ba61.pth",
    "ResNet50_Weights.IMAGENET1K_V2": "resnet50-11ad3fa6.pth",
}
"""Files that torchvision keeps of its weights."""


class NotAtHand(StudioError):
    """Weights that are not on this machine and cannot be fetched."""


def weights_path(given: str, home: Path) -> Path:
    """The folder of a policy's weights.

    Args:
        given: as `training.checkpoint_card` names checkpoints: a path (of the policy's folder, a checkpoint or a run),
            `run@best`, or `hf:owner/name[@revision]`, fetched once.
        home: where runs lie.

    Raises:
        UsageError: there are none of that name.
        NotAtHand: the Hub cannot be reached, or refuses.
    """
    here = Path(given).is_dir() and not (home / given).is_dir()
    try:
        folder = resolve(f"./{given}" if here and not Path(given).is_absolute() else given, home)
    except HubError as error:
        repo = given.removeprefix("hf:").partition("@")[0]
        raise NotAtHand(
            f"The weights {given} are not on this machine and the Hub gave none ({error}). Where it is out of reach, "
            f"copy their folder here from a machine that has them (hf download {repo} --local-dir FOLDER) and give "
            "--weights FOLDER."
        ) from error
    # A large model on the Hub may be in several files.
    if not given.startswith("hf:") and not any((folder / name).is_file() for name in WEIGHTS):
        raise UsageError(f"{given} holds no weights ({WEIGHTS[0]}). Give a policy, a checkpoint, a run, or "
                         "hf:owner/name.")  # fmt: skip
    return folder.resolve()


def policy_of(weights: Path) -> str:
    """LeRobot's type of the policy in a folder.

    Raises:
        UsageError: it does not say.
    """
    return str(config_of(weights).get("type", "")) or _no_type(weights)


def config_of(weights: Path) -> dict[str, Any]:
    """config.json of a policy.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        told = json.loads((weights / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{weights / 'config.json'} cannot be read: {error}.") from error
    return told if isinstance(told, dict) else {}


def backbone_file(name: str) -> Path:
    """Where torchvision keeps the weights of a backbone; the file need not be there."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "torch"
    return Path(home) / "hub" / "checkpoints" / BACKBONES.get(name, name)


def in_hub_cache(repo: str) -> bool:
    """Whether any file of a repository on the Hub is on this machine; a path is if it exists."""
    if Path(repo).expanduser().is_dir():
        return True
    from huggingface_hub import constants

    return any((Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}" / "snapshots").glob("*/*"))


def hub_answers(timeout_s: float = 2.0) -> bool:
    """Whether the Hub can be reached from here, HF_HUB_OFFLINE respected."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        return False
    endpoint = os.environ.get("HF_ENDPOINT", "")
    try:
        told = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}")
        host = (told.hostname or "", told.port or (80 if told.scheme == "http" else 443)) if endpoint else _HOST
        socket.create_connection(host, timeout_s).close()
    except (OSError, ValueError):
        return False
    return True


def _no_type(weights: Path) -> str:
    raise UsageError(f"{weights / 'config.json'} does not say which policy it is of. Give --policy.")
