"""A checkpoint on its way to the Hub: its files, and a card from what lies beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curation.errors import DataError, UsageError
from curation.hub.licences import require_licence
from curation.hub.publish import Content

README = "README.md"
_NEEDED = ("config.json", "model.safetensors")
_LEFT_OUT = (".cache", ".git", "training_state")


def checkpoint_contents(folder: Path, repo: str, licence: str) -> dict[str, Content]:
    """Every file of a checkpoint, with a card.

    Args:
        folder: a checkpoint, or the folder above its `pretrained_model`.
        repo: owner/name.
        licence: an id of the Hub's.

    Raises:
        UnknownChoice: the licence is none.
        UsageError: it is no checkpoint.
        DataError: a file of it is damaged.
    """
    require_licence(licence)
    root = folder / "pretrained_model" if (folder / "pretrained_model").is_dir() else folder
    lacking = [name for name in _NEEDED if not (root / name).is_file()]
    if lacking:
        raise UsageError(f"{root} is no checkpoint of LeRobot: it has no {' and no '.join(lacking)}.")
    found: dict[str, Content] = {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob("*"))
        if path.is_file() and not set(_LEFT_OUT) & set(path.relative_to(root).parts)
    }
    if README not in found:
        found[README] = _card(root, repo, licence).encode()
    return found


def _card(root: Path, repo: str, licence: str) -> str:
    import yaml

    config, training = _read(root / "config.json"), _read(root / "train_config.json")
    dataset = training.get("dataset") or {}
    front = {
        "license": licence,
        "library_name": "lerobot",
        "pipeline_tag": "robotics",
        "tags": ["lerobot", "robotics", *([config["type"]] if config.get("type") else [])],
        **({"datasets": [dataset["repo_id"]]} if "/" in str(dataset.get("repo_id", "")) else {}),
    }
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n" + "\n".join(_body(repo, config, training, dataset))


def _body(repo: str, config: dict[str, Any], training: dict[str, Any], dataset: dict[str, Any]) -> Iterator[str]:
    yield f"# {repo.partition('/')[2]}\n"
    yield f"A {config.get('type', 'LeRobot')} policy, trained with LeRobot.\n"
    facts = {
        "dataset": f"{dataset.get('repo_id')}{'@' + dataset['revision'] if dataset.get('revision') else ''}",
        "steps": training.get("steps"),
        "batch size": training.get("batch_size"),
        "seed": training.get("seed"),
        "inputs": ", ".join(config.get("input_features") or {}),
        "outputs": ", ".join(config.get("output_features") or {}),
        "chunk": config.get("chunk_size"),
    }
    yield from (f"- {name}: {value}" for name, value in facts.items() if value not in (None, "", "None"))
    yield ""


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not isinstance(told, dict):
        raise DataError(f"{path} holds no object.")
    return told
