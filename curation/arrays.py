"""A dataset as plain arrays, for trainers that do not read LeRobot v3, such as openpi.

```text
dataset.json                    fps, names, cameras, and a line for each episode
episode_000000/steps.npz        numbers of every step, under RLDS's names
episode_000000/image.npy        uint8, shape (N, height, width, 3)
episode_000000/wrist_image.npy  the same of the wrist camera
```

`steps.npz` holds observation/state and action (N, D) and every other numeric feature under its own name, timestamp
(N,) in seconds, is_first, is_last and is_terminal (N,), and language_instruction, one text, or (N,) where steps differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from curation.atomic import make_folder, sync_all, write_aside
from curation.episodes import SavedEpisode
from curation.errors import CannotWrite, DataError, UsageError
from curation.fingerprint import fingerprint
from curation.instructions import said_by
from curation.layout import BOOKKEEPING, cameras, json_bytes
from curation.names import STATE
from curation.notes import masked, read_notes
from curation.rows import Rows
from curation.staging import building, require_free
from curation.store import Store
from curation.video import read_video

VERSION = 1
DATASET, STEPS = "dataset.json", "steps.npz"

Tell = Callable[[str, int, int], None]

_RLDS = {STATE: "observation/state"}


@dataclass(frozen=True)
class Arrays:
    """An episode read back.

    Attributes:
        episode_id: its permanent id.
        steps: the arrays of `steps.npz`, but the instruction.
        images: camera to uint8 (N, height, width, 3), mapped from the disk.
        task: the instruction of the first step.
        tasks: of every step.
    """

    episode_id: str
    steps: dict[str, NDArray[Any]]
    images: dict[str, NDArray[np.uint8]]
    task: str
    tasks: list[str]


def write_arrays(store: Store, to: Path, *, tell: Tell) -> int:
    """Write every episode that is not in the trash; memory stays that of one image.

    Args:
        store: the dataset.
        to: a folder that does not exist.
        tell: is told how far it is.

    Returns:
        Episodes written.

    Raises:
        TargetExists: something is at `to`.
        UsageError: no episode is left.
        DataError: a video or a data file is damaged. Nothing is at `to`.
        CannotWrite: the disk refused. Nothing is at `to`.
    """
    require_free(to)
    hidden = masked(read_notes(store.root))
    episodes = [episode for episode in store.episodes if episode.row.episode_id not in hidden]
    if not episodes:
        raise UsageError(f"{store.root} has no episode that is not in the trash. Nothing was written.")
    names, rows, told = camera_names(store), Rows(store), []
    with building(to) as partial:
        for number, episode in enumerate(episodes):
            folder = partial / f"episode_{number:06d}"
            make_folder(folder)
            _write_steps(folder / STEPS, store, episode, rows.of(episode))
            for key, name in names.items():
                _write_images(folder / f"{name}.npy", store, episode, key)
            told.append(_line(folder.name, episode))
            tell("written", number + 1, len(episodes))
        write_aside(partial / DATASET, json_bytes(_described(store, names, told)))
        sync_all(path for path in partial.rglob("*") if path.is_file())
    return len(episodes)


def read_arrays(root: Path) -> Iterator[Arrays]:
    """The episodes of a folder that `write_arrays` made, in order.

    Raises:
        DataError: it is none, or a file is missing or has another number of steps.
    """
    try:
        described = json.loads((root / DATASET).read_bytes())
        for line in described["episodes"]:
            yield _read(root / line["folder"], line, described["cameras"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{root} cannot be read as arrays: {error}.") from error


def camera_names(store: Store) -> dict[str, str]:
    """Key of each camera to what its file is called: image, wrist_image, and others by their own names."""
    keys = cameras(store.features)
    wrist = next((key for key in keys if "wrist" in key), None)
    main = next((key for key in keys if key != wrist), None)
    known = {main: "image", wrist: "wrist_image"}
    return {key: known.get(key) or key.rpartition(".")[2] for key in keys}


def _write_steps(path: Path, store: Store, episode: SavedEpisode, numbers: dict[str, NDArray[Any]]) -> None:
    counter = np.arange(episode.length)
    last = counter == episode.length - 1
    # RLDS: an episode that was broken off ends without a terminal step.
    ended = last & (episode.row.success or not episode.row.outcome)
    said = said_by(store, episode, numbers["task_index"])
    own = {_RLDS.get(key, key): values for key, values in numbers.items() if key not in BOOKKEEPING}
    arrays = own | {
        "timestamp": (counter / store.fps).astype(np.float32),
        "is_first": counter == 0,
        "is_last": last,
        "is_terminal": ended,
        "language_instruction": np.array(said if len(set(said)) > 1 else said[0]),
    }
    try:
        with path.open("xb") as file:
            np.savez(file, **arrays)
    except OSError as error:
        raise CannotWrite(path, error) from error


def _write_images(path: Path, store: Store, episode: SavedEpisode, key: str) -> None:
    shape = (episode.length, *store.features[key].shape)
    try:
        images: np.memmap[Any, Any] = open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)  # type: ignore[no-untyped-call]
        # A sparse file on a full disk would kill the process when it is written to; this fails here instead.
        with path.open("rb+") as file:
            _reserve(file.fileno(), images.offset + images.nbytes)
    except OSError as error:
        raise CannotWrite(path, error) from error
    decoded = read_video(episode.videos[key], episode.video_starts[key], episode.length)
    for number, image in enumerate(decoded):
        images[number] = image
    images.flush()


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)


def _line(folder: str, episode: SavedEpisode) -> dict[str, Any]:
    return {
        "folder": folder,
        "episode_id": episode.row.episode_id,
        "steps": episode.length,
        "language_instruction": episode.task,
        "outcome": episode.row.outcome,
        "success": episode.row.success,
    }


def _described(store: Store, names: dict[str, str], episodes: list[dict[str, Any]]) -> dict[str, Any]:
    numeric = {key: list(feature.names) for key, feature in store.features.items() if key not in names}
    return {
        "version": VERSION,
        "source": {"name": store.root.name, "fingerprint": fingerprint(store)},
        "robot_type": store.robot_type,
        "fps": store.fps,
        "cameras": {name: key for key, name in names.items()},
        "names": {_RLDS.get(key, key): own for key, own in numeric.items()},
        "episodes": episodes,
    }


def _read(folder: Path, line: dict[str, Any], named: dict[str, str]) -> Arrays:
    with np.load(folder / STEPS, allow_pickle=False) as stored:
        steps = {key: stored[key] for key in stored.files}
    tasks = np.broadcast_to(steps.pop("language_instruction"), line["steps"]).tolist()
    images = {name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in named}
    for name, values in {**steps, **images}.items():
        if len(values) != line["steps"]:
            raise DataError(f"{folder}, {name}: {len(values)} steps, {line['steps']} are counted.")
    return Arrays(line["episode_id"], steps, images, tasks[0], tasks)
