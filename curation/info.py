"""meta/info.json: what a dataset says of itself, and how many episodes count."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.errors import NotADataset, UsageError
from curation.frames import Feature
from curation.layout import BOOKKEEPING, DATA, FILES_PER_CHUNK, INFO, VIDEO, cameras
from curation.video import Encoding, video_info

VERSION = "v3.0"
OLD = ("v2.0", "v2.1")
"""Versions that can be converted."""
FEATURES_OF_OLD = frozenset({"fps", "features", "chunks_size", "data_path", "video_path"})
"""What info.json of an old dataset must say."""

LEROBOTS = frozenset(
    {"codebase_version", "fps", "features", "total_episodes", "total_frames", "total_tasks", "total_videos",
     "total_chunks", "chunks_size", "data_files_size_in_mb", "video_files_size_in_mb", "data_path", "video_path",
     "robot_type", "splits"}
)  # fmt: skip
"""Keys of info.json that LeRobot fills."""

NUMBERS = ("float32", "float64", "int64", "int32", "bool")
"""Dtypes of numeric features."""


def new_info(fps: int, features: Mapping[str, Feature], robot_type: str, encoding: Encoding) -> dict[str, Any]:
    """info.json of a dataset without episodes, with LeRobot's keys in LeRobot's order."""
    return {
        "codebase_version": VERSION,
        "fps": fps,
        "features": {key: _feature_json(f, fps, encoding) for key, f in ({**features, **BOOKKEEPING}).items()},
        "total_episodes": 0,
        "total_frames": 0,
        "total_tasks": 0,
        "chunks_size": FILES_PER_CHUNK,
        "data_files_size_in_mb": 100,
        "video_files_size_in_mb": 200,
        "data_path": DATA,
        "video_path": VIDEO if cameras(features) else None,
        "robot_type": robot_type,
        "splits": {},
    }


def counted(info: Mapping[str, Any], *, episodes: int, frames: int, tasks: int) -> dict[str, Any]:
    """`info` with other totals; every other key is kept, and splits hold the episodes that are new."""
    totals = {"total_episodes": episodes, "total_frames": frames, "total_tasks": tasks}
    return {**info, **totals, "splits": _grown(info, episodes)}


def splits_of(info: Mapping[str, Any]) -> dict[str, range]:
    """The episodes of each split that info.json names; none unless every episode is in one."""
    said, episodes = info.get("splits"), info["total_episodes"]
    found = {}
    for name, text in said.items() if isinstance(said, Mapping) else ():
        first, _, last = str(text).replace(" ", "").partition(":")
        if not (first.isdigit() and last.isdigit()) or int(last) > episodes:
            return {}
        found[str(name)] = range(int(first), int(last))
    together = {index for span in found.values() for index in span}
    return found if together == set(range(episodes)) else {}


def _grown(info: Mapping[str, Any], episodes: int) -> dict[str, str]:
    """Splits with episodes appended: each keeps its own and the last goes on; unless any is named, all is "train".

    LeRobot knows only runs of episodes, so no other can go on; and what was held out never becomes "train".
    """
    had, before = splits_of(info), info["total_episodes"]
    if had.keys() <= {"train"} or episodes < before:
        return {"train": f"0:{episodes}"}
    return {
        name: f"{span.start}:{episodes if span and span.stop == before else span.stop}" for name, span in had.items()
    }


def features_of(info: Mapping[str, Any]) -> dict[str, Feature]:
    """The features in info.json, without LeRobot's bookkeeping."""
    return {
        key: Feature(stored["dtype"], tuple(stored["shape"]), _names(stored.get("names")))
        for key, stored in info["features"].items()
        if key not in BOOKKEEPING
    }


def check_features(features: Mapping[str, Feature]) -> None:
    for key, feature in features.items():
        image = feature.dtype == "video" and len(feature.shape) == 3 and feature.shape[2] == 3
        vector = feature.dtype in NUMBERS and len(feature.shape) == 1
        if "/" in key or key in BOOKKEEPING or not (image or vector):
            raise UsageError(
                f"Feature '{key}' ({feature.dtype}, shape {feature.shape}) cannot be stored: a key has no "
                f"'/', is none of {', '.join(BOOKKEEPING)}, and names a video of shape (height, width, 3) "
                f"or a vector of {', '.join(NUMBERS)}."
            )


def read_info(root: Path) -> bytes:
    try:
        return (root / INFO).read_bytes()
    except OSError as error:
        raise NotADataset(root, f"{INFO} cannot be read ({error.strerror})") from error


def parse_info(root: Path, data: bytes) -> dict[str, Any]:
    try:
        info: dict[str, Any] = json.loads(data)
        version = str(info["codebase_version"])
        absent = {"fps", "features", "total_episodes", "total_frames", "total_tasks"} - info.keys()
    except (ValueError, KeyError, TypeError) as error:
        raise NotADataset(root, f"{INFO} is damaged ({error})") from error
    if version.startswith("v2."):
        mend = f"studio convert {root} --to NEW makes a v3.0 dataset of it"
        raise NotADataset(root, f"it is in LeRobot's older {version}; {mend}")
    if not version.startswith("v3.") or absent:
        lacks = f" and lacks {', '.join(sorted(absent))}" if absent else ""
        raise NotADataset(root, f"{INFO} says {version}{lacks}")
    return info


def require_writable(root: Path, info: Mapping[str, Any]) -> None:
    """Refuse to change a dataset of a version that is not ours to write; reading it may still work.

    Raises:
        UsageError: it is of another minor version.
    """
    if info["codebase_version"] != VERSION:
        raise UsageError(
            f"{root} is of LeRobot {info['codebase_version']}; this studio writes {VERSION} and only reads others. "
            f"studio merge {root} --to NEW makes a {VERSION} dataset of it, to which can be added."
        )


def _feature_json(feature: Feature, fps: int, encoding: Encoding) -> dict[str, Any]:
    names = list(feature.names) or None
    plain = {"dtype": feature.dtype, "shape": list(feature.shape), "names": names}
    if feature.dtype != "video":
        return plain
    height, width = feature.shape[:2]
    return plain | {"info": video_info(encoding, width, height, fps)}


def _names(stored: Any) -> tuple[str, ...]:
    """Names as a flat tuple; some datasets keep them by group, as {"motors": [...]}."""
    if isinstance(stored, Mapping):
        return tuple(str(name) for group in stored.values() for name in group)
    return tuple(str(name) for name in stored or ())
