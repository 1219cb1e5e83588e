"""Which policy a checkpoint is, whatever it is called: a digest of every file that decides its actions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from curation.errors import DataError
from training.checkpoints import CARD, WEIGHTS

ADAPTER = "adapter_config.json"
"""Of PEFT: which weights the adapter's are put upon."""
_ABOUT = (CARD, "train_config.json")
"""Files that say how the policy came to be, and change nothing that it does."""
_SPOKEN = (".md", ".log")
_BLOCK = 1 << 20


def digest(path: Path) -> str:
    """SHA-256 in hex of weights, configuration, processors with their statistics, and an adapter's base.

    The names and contents of all files count, but of those that only tell where the policy is from.

    Args:
        path: the folder of the weights.

    Raises:
        DataError: there are none.
    """
    _weights(path)
    found = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and name not in _ABOUT and file.suffix not in _SPOKEN and not _hidden(name):
            found.update(f"{name}\0{_of_file(file)}\n".encode())
    found.update(_base(path).encode())
    return found.hexdigest()


def weights_digest(path: Path) -> str:
    """SHA-256 of the weights alone, as evaluations of version 1 name their checkpoint.

    Raises:
        DataError: there are none.
    """
    return _of_file(_weights(path))


def is_of(path: Path, told: dict[str, Any]) -> bool:
    """Whether an evaluation is of the policy in this folder.

    Args:
        path: the folder of the weights.
        told: evaluation.json; one of version 1 knows of the weights only.

    Raises:
        DataError: the folder holds no weights.
    """
    mark = weights_digest(path) if told.get("version") == 1 else digest(path)
    return told.get("checkpoint_digest") == mark


def _weights(path: Path) -> Path:
    weights = next((path / name for name in WEIGHTS if (path / name).is_file()), None)
    if weights is None:
        raise DataError(f"{path} holds no {WEIGHTS[0]}; the checkpoint is not whole.")
    return weights


def _of_file(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def _base(path: Path) -> str:
    """The weights below an adapter: a folder's digest, or the commit that this machine holds of a repository."""
    try:
        told = json.loads((path / ADAPTER).read_bytes())
        base, revision = str(told["base_model_name_or_path"]), told.get("revision")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    if Path(base).is_dir():
        return digest(Path(base))
    from huggingface_hub import try_to_load_from_cache

    held = try_to_load_from_cache(base, "config.json", revision=revision)
    return f"{base}@{Path(held).parent.name if isinstance(held, str) else revision}"
