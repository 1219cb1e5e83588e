"""Histograms of the images of episodes: those that were kept when they were recorded, or counted in decoded video."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.commit import kept_histograms
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.stats import ImageStats
from curation.store import Store
from curation.video import read_video

Images = Literal["histograms", "missing", "all"]
"""Which images are decoded: none, those that no histogram was kept of, or every one."""

Progress = Callable[[int, int], None]
"""Told how many frames are decoded, and of how many."""

_IN_ONE_PROCESS = 1500
"""Frames that are decoded sooner than processes start."""


STILL_S = 1.0
"""How long a picture must stay the same before its camera is taken to hang [s]."""
_CHANGED, _SHARE = 24, 1e-3
"""Levels by which a pixel differs from one that was coded anew, and the share of such pixels in another picture."""
_ACROSS = 160
"""Pixels of the longer side that are compared."""


@dataclass(frozen=True)
class Counted:
    """What was counted of an episode's images of one camera.

    Attributes:
        stats: their histograms.
        decoded: whether they were decoded; else counted before they were encoded.
        still: the longest stretch of decoded images that stay as its first: that one, and the one after the last.
    """

    stats: ImageStats
    decoded: bool = False
    still: tuple[int, int] = (0, 0)


def counted_images(
    store: Store, images: Images, processes: int | None, progress: Progress | None
) -> Iterator[tuple[tuple[int, str], Counted | DataError]]:
    """For each episode and camera what was counted, or why it cannot be."""
    keys = pictures(store)
    wanted: list[tuple[SavedEpisode, str]] = []
    for episode in store.episodes:
        kept = {} if images == "all" else kept_histograms(store.root, episode)
        for key in keys:
            if key in kept:
                yield (episode.index, key), Counted(kept[key])
            else:
                wanted.append((episode, key))
    if images == "histograms" or not wanted:
        return
    jobs = [_job(episode, key) for episode, key in wanted]
    for (episode, key), counted in zip(wanted, _decoded(jobs, processes, progress), strict=True):
        yield (episode.index, key), counted


def pictures(store: Store) -> list[str]:
    """Keys of colour images, as video or in the data file; depth is left out."""
    return [
        key
        for key, feature in store.features.items()
        if feature.dtype in ("video", "image") and len(feature.shape) == 3 and 3 in feature.shape
    ]


Job = tuple[Path, str, int, int]
"""A video, "", its first frame wanted and how many; or a data file, its column of images, an episode and its length."""


def _job(episode: SavedEpisode, key: str) -> Job:
    if key in episode.videos:
        return episode.videos[key], "", episode.video_starts[key], episode.length
    return episode.data, key, episode.index, episode.length


def _decoded(jobs: Sequence[Job], processes: int | None, progress: Progress | None) -> Iterator[Counted | DataError]:
    """Histograms in the order of the jobs, or why there is none."""
    frames = sum(job[3] for job in jobs)
    workers = min(processes or os.cpu_count() or 1, len(jobs))
    if workers == 1 or frames < _IN_ONE_PROCESS:
        yield from _told(map(_histogram, jobs), jobs, progress)
        return
    # Forking a process that has threads, as ours and PyAV have, may hang.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from _told(pool.map(_histogram, jobs, chunksize=4), jobs, progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _told(
    results: Iterable[Counted | DataError], jobs: Sequence[Job], progress: Progress | None
) -> Iterator[Counted | DataError]:
    done, of = 0, sum(job[3] for job in jobs)
    for job, counted in zip(jobs, results, strict=True):
        done += job[3]
        if progress is not None:
            progress(done, of)
        yield counted


def decoded_images(episode: SavedEpisode, key: str) -> ImageStats:
    """Histograms of an episode's images, decoded from its video or its data file.

    Raises:
        DataError: they cannot be decoded.
    """
    counted = _histogram(_job(episode, key))
    if isinstance(counted, DataError):
        raise counted
    return counted.stats


def _histogram(job: Job) -> Counted | DataError:
    """Count one video's images. A fault is a value: raised in a process, it would end the others' work."""
    path, column, which, count = job
    stats, still = ImageStats(), _Still()
    try:
        for image in _stored_images(path, column, which) if column else read_video(path, which, count):
            stats.add(image)
            still.add(image)
    except DataError as refused:
        return DataError(str(refused))
    if stats.images != count:
        return DataError(f"{path} has {stats.images} images of {column}, episode {which}; {count} are counted.")
    return Counted(stats, True, still.longest)


class _Still:
    """The longest stretch of images that stay as the first of it; so slow motion ends one, and noise does not."""

    def __init__(self) -> None:
        self.longest = (0, 0)
        self._first: NDArray[np.int16] | None = None
        self._begin = self._count = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        stride = max(1, max(image.shape[:2]) // _ACROSS)
        small = image[::stride, ::stride].astype(np.int16)
        if self._first is None or (np.abs(small - self._first) > _CHANGED).any(axis=2).mean() > _SHARE:
            self._first, self._begin = small, self._count
        self._count += 1
        if self._count - self._begin > self.longest[1] - self.longest[0]:
            self.longest = self._begin, self._count


def _stored_images(path: Path, column: str, episode: int) -> Iterator[NDArray[np.uint8]]:
    """Images that lie in the data file itself, as PNG."""
    from PIL import Image

    with layout.whole_parquet(path) as file:
        table = file.read(columns=["episode_index", column], use_threads=False)
    for owner, stored in zip(table["episode_index"].to_pylist(), table[column].to_pylist(), strict=True):
        if owner != episode:
            continue
        try:
            yield np.asarray(Image.open(io.BytesIO(stored["bytes"])).convert("RGB"))
        except (TypeError, OSError) as error:  # there is none, or it is no picture
            raise DataError(f"{path}: an image of {column}, episode {episode}, cannot be decoded: {error}") from error
