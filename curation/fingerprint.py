"""A hash of what a dataset says, whatever files it lies in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from curation import layout
from curation.cells import Cells
from curation.errors import DataError
from curation.rows import Rows
from curation.store import Store


def fingerprint(dataset: Path | Store, videos: dict[Path, str] | None = None) -> str:
    """A hash of everything that makes a dataset what it is: rate, robot, features, columns, images, tasks, episodes.

    How rows lie in files, statistics, notes, sidecars and what is not counted are outside it, so that joining files,
    mending statistics and a journey through the Hub keep it.

    Args:
        dataset: a folder, or a dataset as it was when it was opened.
        videos: filled with the SHA-256 of every video.

    Returns:
        SHA-256, 64 hexadecimal digits.

    Raises:
        NotADataset: it is none.
        DataError: a file of it cannot be read.
    """
    store = dataset if isinstance(dataset, Store) else Store.open(dataset)
    hashes = videos if videos is not None else {}
    hashes |= file_hashes(path for episode in store.episodes for path in episode.videos.values())
    features = {key: asdict(feature) for key, feature in sorted(store.features.items())}
    whole = hashlib.sha256(json.dumps([store.fps, store.robot_type, features], sort_keys=True).encode())
    rows, cells = Rows(store), Cells(store)
    for episode in store.episodes:
        told = [episode.row.columns(), episode.task, episode.length]
        shown = {key: [hashes[path], episode.video_starts[key]] for key, path in episode.videos.items()}
        whole.update(json.dumps([told, shown], sort_keys=True).encode())
        every = rows.of(episode)
        for key in sorted(every.keys() - layout.BOOKKEEPING.keys()):
            whole.update(key.encode() + every[key].tobytes())
        for part in cells.of(episode):
            whole.update(part)
        if len(episode.tasks) > 1:
            texts = dict(enumerate(store.tasks))
            said = [texts.get(int(number), "") for number in every["task_index"][:, 0]]
            whole.update(json.dumps(said).encode())
        if episode.others:
            whole.update(json.dumps(episode.others, sort_keys=True, default=str).encode())
    return whole.hexdigest()


def file_hashes(paths: Iterable[Path]) -> dict[Path, str]:
    """SHA-256 of files, several at once.

    Raises:
        DataError: one cannot be read.
    """
    distinct = sorted(set(paths))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return dict(zip(distinct, pool.map(_hash_of, distinct), strict=True))


def _hash_of(path: Path) -> str:
    """As `file_hash`; a file that was not written to since is not read again by this process."""
    try:
        state = path.stat()
    except OSError:
        return file_hash(path)
    return _remembered(path, (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=100_000)
def _remembered(path: Path, state: tuple[int, ...]) -> str:
    """By what differs once a file is another one."""
    return file_hash(path)


def file_hash(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
