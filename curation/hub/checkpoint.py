"""A checkpoint on its way to the Hub: the files that LeRobot reads, without folders of this disk, and a card."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.hub.front import front_of, with_front
from curation.hub.licences import require_licence
from curation.hub.publish import Content, Past, Published, not_the_hubs

README = "README.md"
_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "adapter_model.safetensors")
_ALLOWED = re.compile(
    r"(config|train_config|studio|adapter_config|model\.safetensors\.index)\.json"
    r"|(model|adapter_model)(-\d+-of-\d+)?\.safetensors"
    r"|\w*processor(_step_\w+)?\.(json|safetensors)"
    r"|encoder/(config\.json|model\.safetensors)|classifier\.json|card\.(json|md|png)"
    r"|README\.md|LICENSE(\.md|\.txt)?|NOTICE"
)
"""What LeRobot and the studio write into a checkpoint, and what people put beside it for others."""
_PASSED_OVER = (".cache", ".git")
"""Folders of the tools that fetched it."""
HUB = ".studio-hub.json"
"""Where it was published; it stays here."""


def checkpoint_root(folder: Path) -> Path:
    """The folder of a checkpoint's files: itself, or the `pretrained_model` in it.

    Raises:
        UsageError: it is no checkpoint.
    """
    root = folder / "pretrained_model" if (folder / "pretrained_model").is_dir() else folder
    lacking = [] if (root / _CONFIG).is_file() else [_CONFIG]
    lacking += [] if any((root / name).is_file() for name in _WEIGHTS) else [_WEIGHTS[0]]
    if lacking:
        raise UsageError(f"{root} is no checkpoint of LeRobot: it has no {' and no '.join(lacking)}.")
    return root


def checkpoint_contents(root: Path, repo: str, licence: str) -> dict[str, Content]:
    """Every file of a checkpoint, with a card.

    Args:
        root: of `checkpoint_root`.
        repo: owner/name.
        licence: an id of the Hub's.

    Raises:
        UnknownChoice: the licence is none.
        UsageError: something lies there that is no part of a checkpoint, such as a file of secrets; or the YAML of its
            card is broken.
        DataError: a file of it is damaged.
    """
    require_licence(licence)
    found: dict[str, Content] = {name: root / name for name in _names(root)}
    for name in [name for name in found if name.endswith(".json")]:
        told = _read(root / name)
        public = _without_paths(told)
        if public != told:
            found[name] = json.dumps(public, indent=4).encode()
    if README in found:
        front, words = front_of((root / README).read_text(encoding="utf-8"))
        found[README] = with_front({**_front(root), **front, "license": licence}, words).encode()
    else:
        found[README] = with_front({"license": licence, **_front(root)}, "\n".join(_body(root, repo))).encode()
    return found


def past_of(root: Path, repo: str) -> Past:
    """What of a repository was published from this folder."""
    told = _told(root, repo)
    commits = (str(told["commit"]),) if "commit" in told else ()
    return Past(commits, (str(told["mark"]),) if "mark" in told else (), not_the_hubs)


def published_before(root: Path, repo: str) -> frozenset[str]:
    """The files that the last publication from this folder put there: they are ours to take away."""
    return frozenset(map(str, _told(root, repo).get("files") or ()))


def intend(root: Path, repo: str, mark: str) -> None:
    """Write down what is about to be published.

    Raises:
        CannotWrite: the disk refuses.
    """
    write_aside(root / HUB, json.dumps({"repo": repo, **_told(root, repo), "mark": mark}).encode())


def remember(root: Path, published: Published, names: Collection[str]) -> None:
    """Write down beside the checkpoint where it was published, and which files.

    Raises:
        CannotWrite: the disk refuses.
    """
    told = {"repo": published.repo, "commit": published.commit, "files": sorted(names)}
    write_aside(root / HUB, json.dumps(told).encode())


def _told(root: Path, repo: str) -> dict[str, Any]:
    try:
        told = json.loads((root / HUB).read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) and told.get("repo") == repo else {}


def _names(root: Path) -> list[str]:
    """The files that are published.

    Raises:
        UsageError: naming what else is there.
    """
    names: list[str] = []
    strange: list[str] = []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if name.partition("/")[0] in (*_PASSED_OVER, HUB) or (path.is_dir() and not path.is_symlink()):
            continue
        plain = path.is_file() and not path.is_symlink()
        (names if plain and _ALLOWED.fullmatch(name) else strange).append(name)
    if strange:
        raise UsageError(
            f"{root} holds {', '.join(strange[:5])}{' and more' if len(strange) > 5 else ''}, which LeRobot did not "
            "write into it, or which is a link. A checkpoint is published without such things: move them away."
        )
    return names


def _without_paths(told: Any) -> Any:
    """The same settings; a folder or file of this disk is its last name alone."""
    if isinstance(told, dict):
        return {key: _without_paths(value) for key, value in told.items()}
    if isinstance(told, list):
        return [_without_paths(value) for value in told]
    return _public(told) if isinstance(told, str) else told


def _public(text: str) -> str:
    if PurePosixPath(text).is_absolute() or text.startswith("~"):
        return PurePosixPath(text).name
    if PureWindowsPath(text).is_absolute():
        return PureWindowsPath(text).name
    return text.replace(str(Path.home()), "~")


def _front(root: Path) -> dict[str, Any]:
    kind, dataset = _read(root / "config.json").get("type"), _dataset(root)
    return {
        "library_name": "lerobot",
        "pipeline_tag": "robotics",
        "tags": ["lerobot", "robotics", *([kind] if kind else [])],
        **({"datasets": [dataset["repo_id"]]} if "/" in str(dataset.get("repo_id", "")) else {}),
    }


def _body(root: Path, repo: str) -> Iterator[str]:
    config, training, dataset = _read(root / "config.json"), _read(root / "train_config.json"), _dataset(root)
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


def _dataset(root: Path) -> dict[str, Any]:
    return _read(root / "train_config.json").get("dataset") or {}


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
