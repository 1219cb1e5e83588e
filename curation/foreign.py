"""Datasets of LeRobot v2 brought to v3.0 by LeRobot's own converter, on a copy, and proved against the original.

The converter takes what lies in the folders in the order of names, adds up durations to find an episode's place in a
joined video, and verifies nothing. Here files are counted before, and afterwards every number and every decoded image
is compared with the original's; only then the result gets its name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation import layout
from curation.atomic import sync_all, write_aside
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.info import read_info
from curation.layout import json_bytes
from curation.older import EPISODES_STATS, Older, raised_to_v21, stats_lines
from curation.provenance import converted_story
from curation.restat import repair
from curation.splice import copy_file
from curation.staging import building, require_free
from curation.store import Store
from curation.video import check_video, read_video

Tell = Callable[[str, int, int], None]
"""Is told what is done, how much of it, and of how much."""

_WORK = "converting"
_CHILD = """
import os, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()  # ends with whoever started it
from lerobot.scripts.convert_dataset_v21_to_v30 import convert_dataset
convert_dataset(repo_id="studio/convert", root=sys.argv[1], push_to_hub=False)
"""


@dataclass(frozen=True)
class Converted:
    """What came out.

    Attributes:
        root: the new dataset.
        version: of the old one.
        episodes, frames, images: compared with the old one; images over all cameras.
        statistics: why they are the old ones; empty if they were computed anew.
    """

    root: Path
    version: str
    episodes: int
    frames: int
    images: int
    statistics: str


def convert(old: Path, to: Path, *, tell: Tell) -> Converted:
    """Make a v3.0 dataset of one of version 2.0 or 2.1, which stays as it is.

    Args:
        old: the dataset.
        to: where nothing is yet.
        tell: is told how far it is.

    Raises:
        TargetExists: something is at `to`.
        NotADataset, UsageError: `old` is none, or of another version.
        DataError: it is damaged, LeRobot's converter failed, or the result is not the same data. Nothing is at `to`.
        CannotWrite: the disk refused. Nothing is at `to`.
    """
    require_free(to)
    older = Older(old)
    with building(to) as partial:
        copy = partial / _WORK / "old"
        files = list(older.files())
        for done, path in enumerate(files):
            copy_file(path, copy / path.relative_to(old))
            tell("copied", done + 1, len(files))
        if older.version == "v2.0":
            write_aside(copy / EPISODES_STATS, stats_lines(older))
            write_aside(copy / layout.INFO, raised_to_v21(older.info))
        tell("converting", 0, 1)
        _run_converter(old, copy)
        for path in sorted(copy.iterdir()):
            path.rename(partial / path.name)
        shutil.rmtree(partial / _WORK)
        _describe_videos(partial)
        images = verify(older, Store.open(partial), tell)
        statistics = _true_statistics(partial, tell)
        origin = converted_story(old, older.version, len(older.lengths), sum(older.lengths))
        write_aside(partial / layout.PROVENANCE, json_bytes(origin))
        sync_all(path for path in partial.rglob("*") if path.is_file())
    return Converted(to, older.version, len(older.lengths), sum(older.lengths), images, statistics)


def verify(older: Older, store: Store, tell: Tell) -> int:
    """Compare every number, task and image of a converted dataset with the original's.

    Returns:
        How many images are equal.

    Raises:
        DataError: something differs, or cannot be read.
    """
    if [episode.length for episode in store.episodes] != older.lengths:
        raise DataError(f"{store.root} does not have the episodes of {older.root}.")
    first: Path | None = None
    table: Any = None
    for episode in store.episodes:
        if episode.data != first:
            first = episode.data
            with layout.whole_parquet(first) as file:
                table = file.read(use_threads=False)
        _same_rows(older, store, episode, table)
    done, images = 0, 0
    pairs = [(episode, key) for episode in store.episodes for key in episode.videos]
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for count in pool.map(lambda pair: _same_images(older, *pair), pairs):
            done, images = done + 1, images + count
            tell("compared", done, len(pairs))
    return images


def _run_converter(old: Path, copy: Path) -> None:
    """In a process of its own: it imports LeRobot, and leaves caches and temporary files, which go with the copy.

    Raises:
        DataError: it failed.
    """
    caches = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": "cache", "TMPDIR": "tmp", "TEMP": "tmp", "TMP": "tmp"}
    places = {key: value if value == "1" else str((copy.parent / value).absolute()) for key, value in caches.items()}
    (copy.parent / "tmp").mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(copy.absolute())],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **places},
    )  # fmt: skip
    try:
        assert child.stderr is not None
        said = child.stderr.read().decode(errors="replace")
        code = child.wait()
    except BaseException:
        child.kill()
        raise
    finally:
        child.wait()
        for stream in (child.stdin, child.stderr):
            if stream is not None:
                stream.close()
    if code:
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
        raise DataError(f"LeRobot's converter could not convert {old}: {last.strip()}. Nothing was written.")


def _describe_videos(root: Path) -> None:
    """Give each camera the description that LeRobot 0.6.1 compares when it merges; older recorders called it otherwise,
    or left it out."""
    info = json.loads(read_info(root))
    store = Store.open(root)
    for key in layout.cameras(store.features):
        feature = info["features"][key]
        known = feature.pop("video_info", None) or feature.get("info") or {}
        stream = check_video(store.episodes[0].videos[key])
        feature["info"] = {"has_audio": False, "is_depth_map": False} | known | {
            "video.height": stream.height, "video.width": stream.width, "video.codec": stream.codec,
            "video.pix_fmt": stream.pix_fmt, "video.fps": stream.fps, "video.channels": 3,
        }  # fmt: skip
    write_aside(root / layout.INFO, json_bytes(info))


def _true_statistics(root: Path, tell: Tell) -> str:
    """Statistics with quantiles, which v2 does not know; returns why not, if the data allows none."""
    try:
        repair(Store.open(root), progress=lambda done, of: tell("counted", done, of))
    except DataError as error:
        return str(error)
    return ""


def _same_rows(older: Older, store: Store, episode: SavedEpisode, table: Any) -> None:
    own = np.flatnonzero(table["episode_index"].to_numpy() == episode.index)
    old = older.table(episode.index)
    if len(own) != len(old) or len(old) != episode.length or np.any(np.diff(own) != 1):
        raise DataError(
            f"{older.root}, episode {episode.index}: {len(old)} rows before, {len(own)} after; {episode.length} frames "
            "are counted."
        )
    new = table.slice(own[0], len(own))
    for name in old.column_names:
        if name not in new.column_names or not _equal(old[name], new[name]):
            raise DataError(f"{older.root}, episode {episode.index}, {name}: the converter did not keep it.")
    for number in set(old["task_index"].to_pylist()):
        if number >= len(store.tasks) or store.tasks[number] != older.tasks.get(number):
            raise DataError(f"{older.root}, episode {episode.index}: task {number} is another one after conversion.")


def _equal(one: Any, other: Any) -> bool:
    """Whether two columns hold the same values; NaN is equal to itself here, and lists may be of another type."""
    if one.combine_chunks().equals(other.combine_chunks()):
        return True
    have, want = one.to_pylist(), other.to_pylist()
    return have == want or repr(have) == repr(want)


def _same_images(older: Older, episode: SavedEpisode, camera: str) -> int:
    path, at = older.video(episode.index, camera), episode.video_starts[camera]
    before = read_video(path, 0, episode.length)
    after = read_video(episode.videos[camera], at, episode.length)
    for frame, (one, other) in enumerate(_paired(before, after)):
        if not np.array_equal(one, other):
            raise DataError(
                f"{path}, frame {frame}: the converted video shows something else, so the original's frames are not at "
                f"index/fps, or its episodes are encoded differently. Encode it anew at {older.info['fps']} frames a "
                "second, then convert again."
            )
    return episode.length


def _paired(one: Iterator[Any], other: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(one, other, strict=True)
