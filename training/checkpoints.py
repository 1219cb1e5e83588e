"""Checkpoints on disk: which are whole, which is the last, and the card that each carries.

LeRobot writes a checkpoint's files one after the other into its final folder. Here the folder is written under another
name and renamed when it is whole, so that a kill leaves either a whole checkpoint or none.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from curation.atomic import sync_all, sync_dir, write_aside
from curation.errors import StudioError
from training.best import read_best

MODEL, STATE, CARD, LAST = "pretrained_model", "training_state", "studio.json", "last"
WEIGHTS = ("model.safetensors", "adapter_model.safetensors")
PARTIAL = ".partial"
_STATE_FILES = ("training_step.json", "rng_state.safetensors", "optimizer_state.safetensors")


class NoCheckpoint(StudioError):
    """There is nothing to resume from."""


def broken(checkpoint: Path) -> str:
    """Why training cannot go on from a checkpoint, "" if it can.

    Args:
        checkpoint: a folder such as checkpoints/000100.
    """
    model = checkpoint / MODEL
    weights = [model / name for name in WEIGHTS if (model / name).is_file()]
    if not weights:
        return f"{MODEL} holds no weights ({WEIGHTS[0]})"
    for path in weights:
        if why := _broken_tensors(path):
            return f"{path.name} {why}"
    for name in ("config.json", "train_config.json", "policy_preprocessor.json", "policy_postprocessor.json"):
        if not _is_json(model / name):
            return f"{MODEL}/{name} is absent or damaged"
    for name in _STATE_FILES:
        path = checkpoint / STATE / name
        good = _is_json(path) if path.suffix == ".json" else path.is_file() and not _broken_tensors(path)
        if not good:
            return f"{STATE}/{name} is absent or damaged"
    return ""


def step_of(checkpoint: Path) -> int:
    """The step a checkpoint's folder is named after."""
    return int(checkpoint.name)


def listed(checkpoints: Path) -> list[Path]:
    """Folders of checkpoints by step, whole or not; what is still being written is left out."""
    found = [path for path in checkpoints.glob("*") if path.name.isdecimal() and path.is_dir()]
    return sorted(found, key=step_of)


def last_complete(checkpoints: Path) -> tuple[Path, list[tuple[Path, str]]]:
    """The last checkpoint that training can go on from, and those after it with what is wrong with them.

    Raises:
        NoCheckpoint: there is none; going on would begin with random weights.
    """
    passed: list[tuple[Path, str]] = []
    for path in reversed(listed(checkpoints)):
        why = broken(path)
        if not why:
            return path, passed
        passed.append((path, why))
    told = "; ".join(f"{path.name}: {why}" for path, why in passed) or f"{checkpoints} is empty"
    raise NoCheckpoint(
        f"No checkpoint is whole ({told}), so a resumed training would start from random weights. "
        "Train anew under another --to."
    )


def finish(partial: Path, checkpoint: Path, card: Mapping[str, Any]) -> None:
    """Give a written checkpoint its card and its name, durably."""
    write_card(partial / MODEL, card)
    sync_all([path for path in partial.rglob("*") if path.is_file()])
    if checkpoint.exists():
        shutil.rmtree(checkpoint)
    partial.rename(checkpoint)
    sync_dir(checkpoint.parent)


def write_card(model: Path, card: Mapping[str, Any]) -> None:
    """Put a card beside a policy's weights."""
    write_aside(model / CARD, card_bytes(card))


def card_bytes(card: Mapping[str, Any]) -> bytes:
    """A card as its file holds it."""
    return json.dumps(card, indent=2).encode() + b"\n"


def point_last(checkpoint: Path) -> None:
    """Let `last` be this checkpoint, at once: there is never a moment without one."""
    link = checkpoint.parent / LAST
    aside = link.with_name(f"{LAST}{PARTIAL}")
    with suppress(FileNotFoundError):
        aside.unlink()
    aside.symlink_to(checkpoint.name)
    aside.replace(link)


def drop_old(checkpoints: Path, keep: int) -> list[Path]:
    """Remove all but the last `keep` whole checkpoints and the one that a sweep found best; returns those removed."""
    whole = [path for path in listed(checkpoints) if not broken(path)]
    best = str(read_best(checkpoints.parent.parent).get("checkpoint", ""))
    old = [path for path in whole[: max(0, len(whole) - keep)] if path.name != best]
    for path in old:
        doomed = path.with_name(f"{path.name}{PARTIAL}")
        path.rename(doomed)  # a kill in the middle leaves nothing that looks like a checkpoint
        shutil.rmtree(doomed)
    return old


def drop_partial(checkpoints: Path) -> None:
    """Remove what a kill left half written."""
    for path in checkpoints.glob(f"*{PARTIAL}"):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def tensors(path: Path) -> dict[str, tuple[str, Sequence[int]]]:
    """Names in a safetensors file with their dtype and shape, read from its header.

    Raises:
        ValueError: the file is damaged.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > path.stat().st_size:
            raise ValueError("has a damaged header")
        header = json.loads(file.read(length))
    return {name: (told["dtype"], told["shape"]) for name, told in header.items() if name != "__metadata__"}


def _broken_tensors(path: Path) -> str:
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            size = path.stat().st_size
            if length > size:
                return "has a damaged header"
            header = json.loads(file.read(length))
        ends = [told["data_offsets"][1] for name, told in header.items() if name != "__metadata__"]
    except (OSError, ValueError, KeyError, TypeError, IndexError, struct.error) as error:
        return f"cannot be read ({error})"
    if 8 + length + max(ends, default=0) != size:
        return f"has {size} bytes, {8 + length + max(ends, default=0)} are due"
    return ""


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_bytes()), dict | list)
    except (OSError, ValueError):
        return False
