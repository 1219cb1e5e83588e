"""The videos, sidecars and histograms of a plan's clips, a few at once and in order, each proved against its source."""

from __future__ import annotations

import math
import os
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from curation import layout
from curation.commit import kept_histograms
from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.fingerprint import file_hash
from curation.naming import is_numbered
from curation.plan import Clip
from curation.sidecars import cut_sidecar
from curation.splice import (
    LEAST_PSNR_DB,
    How,
    Stretch,
    copy_file,
    frames_in,
    images_of,
    likeness,
    same_packets,
    splice,
)
from curation.stats import ImageStats
from curation.video import Encoding, check_video

AHEAD = 16
"""Clips that are worked on or wait to be taken."""


@dataclass(frozen=True)
class Source:
    """Where a clip's pictures come from.

    Attributes:
        clip: the frames.
        episode_id: of the new episode.
        root: the source dataset.
        episode: the source episode.
        cameras: key in the result to key in the source.
        alone: videos that hold no other episode.
        encode: cameras of the source that are encoded anew in any case, and how.
    """

    clip: Clip
    episode_id: str
    root: Path
    episode: SavedEpisode
    cameras: Mapping[str, str]
    alone: AbstractSet[Path]
    encode: Mapping[str, Encoding]


class Pictures:
    """Iterating makes the files of one clip after another and gives its image statistics, by camera.

    Args:
        root: of the new dataset.
        sources: of the clips, in order.
        encodings: of each camera of the result, for what must be encoded anew.
        fps: frames per second.
        hashes: SHA-256 of every source video.

    Attributes:
        made: how many videos were copied, remuxed and encoded.
        least_psnr: of any frame that was encoded anew [dB].
    """

    def __init__(
        self,
        root: Path,
        sources: Sequence[Source],
        encodings: Mapping[str, Encoding],
        fps: int,
        hashes: Mapping[Path, str],
    ) -> None:
        self._root, self._sources, self._encodings, self._fps = root, sources, encodings, fps
        self._hashes = hashes
        self.made: Counter[How] = Counter()
        self.least_psnr = math.inf

    def __iter__(self) -> Iterator[dict[str, ImageStats]]:
        """Yield per clip.

        Raises:
            DataError: a source is damaged, or a copy is not what it should be.
            CannotWrite: the disk refused.
        """
        waiting: deque[Future[dict[str, tuple[How, float, ImageStats]]]] = deque()
        todo = iter(enumerate(self._sources))
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            try:
                while True:
                    while len(waiting) < AHEAD and (job := next(todo, None)) is not None:
                        waiting.append(pool.submit(self._make, *job))
                    if not waiting:
                        return
                    yield self._count(waiting.popleft().result())
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _count(self, found: dict[str, tuple[How, float, ImageStats]]) -> dict[str, ImageStats]:
        for how, psnr, _ in found.values():
            self.made[how] += 1
            self.least_psnr = min(self.least_psnr, psnr)
        return {camera: images for camera, (_, _, images) in found.items()}

    def _make(self, index: int, source: Source) -> dict[str, tuple[How, float, ImageStats]]:
        self._sidecar(source)
        known = self._histograms(source)
        made = {camera: self._video(index, source, camera, known.get(key)) for camera, key in source.cameras.items()}
        kept = known.keys() == made.keys() and all(images is known[key] for key, (_, _, images) in made.items())
        if known and kept and source.episode_id == source.clip.episode_id:
            name = layout.histograms_path(source.episode_id)
            copy_file(source.root / name, self._root / name)
        return made

    def _video(
        self, index: int, source: Source, camera: str, known: ImageStats | None
    ) -> tuple[How, float, ImageStats]:
        key, clip = source.cameras[camera], source.clip
        path, first = source.episode.videos[key], source.episode.video_starts[key]
        alone = clip.whole and first == 0 and path in source.alone and frames_in(path) == clip.length
        stretch = Stretch(path, first + clip.start, clip.frames, alone)
        to = self._root / layout.Position(*divmod(index, layout.FILES_PER_CHUNK)).path(layout.VIDEO, camera)
        encoding = source.encode.get(key, self._encodings[camera])
        how = splice(stretch, to, fps=self._fps, encoding=encoding, encode=key in source.encode)
        psnr = self._prove(stretch, to, how)
        if known is None or how == "encoded":
            known = images_of(Stretch(to, 0, clip.frames, alone=True))
        return how, psnr, known

    def _prove(self, stretch: Stretch, to: Path, how: How) -> float:
        """The least PSNR to the source [dB].

        Raises:
            DataError: the file does not show what the source shows.
        """
        if how == "copied" and file_hash(to) == self._hashes[stretch.path]:
            return math.inf
        if how == "remuxed" and same_packets(stretch, to) and check_video(to).frames == stretch.count:
            return math.inf
        psnr = likeness(stretch, to) if how == "encoded" else -math.inf
        if psnr < LEAST_PSNR_DB:
            raise DataError(
                f"{stretch.path}, frames {stretch.start} to {stretch.start + stretch.count}: the {how} video does not "
                f"show what the source shows (PSNR {psnr:.1f} dB, {LEAST_PSNR_DB:g} are needed). Nothing was changed; "
                "if the disk is sound, the source changed meanwhile: run the command again."
            )
        return psnr

    def _sidecar(self, source: Source) -> None:
        physics, to = source.episode.frames, self._root / layout.frames_path(source.episode_id)
        if not physics.is_file():
            return
        if source.clip.whole and source.episode_id == source.clip.episode_id:
            copy_file(physics, to)
        else:
            cut_sidecar(physics, to, source.clip.start, source.clip.stop, source.episode_id)

    def _histograms(self, source: Source) -> dict[str, ImageStats]:
        """Those the recorder made, of an episode that is kept whole."""
        if source.clip.whole and not is_numbered(source.episode.row.episode_id):
            return kept_histograms(source.root, source.episode)
        return {}
