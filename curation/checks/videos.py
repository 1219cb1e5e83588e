"""Whether every frame has its image: videos against rows, and whether they decode.

Quickly, a video is only unpacked: every packet must be there and the last ones must decode. Deeply, every frame is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from curation.checks.finding import Finding, listed
from curation.checks.indices import TOLERANCE_S
from curation.checks.subject import Subject
from curation.errors import UnreadableVideo
from curation.layout import cameras
from curation.video import Stream, check_video

_DROP = "studio drop makes a dataset without these episodes; if the source dataset is whole, use that one."


@dataclass(kw_only=True)
class Reel:
    """A video file and which of its frames belong to whom.

    Attributes:
        camera: key of the feature.
        path: the file.
        spans: (episode, first frame wanted, frames), in frames of the file.
    """

    camera: str
    path: Path
    spans: list[tuple[int, float, int]] = field(default_factory=list)

    @property
    def episodes(self) -> tuple[int, ...]:
        return tuple(episode for episode, _, _ in self.spans)


def videos(subject: Subject) -> Iterator[Finding]:
    """Check every video file of every camera once."""
    yield from _spans_fit(subject)
    found = reels(subject)
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        streams = list(pool.map(_stream, [reel.path for reel in found]))
    whole = [(reel, stream) for reel, stream in zip(found, streams, strict=True) if isinstance(stream, Stream)]
    for reel, refused in zip(found, streams, strict=True):
        if isinstance(refused, UnreadableVideo):
            yield _unreadable(subject, reel, refused)
    for reel, stream in whole:
        yield from _fits(subject, reel, stream)
    yield from _alike(subject, whole)


def reels(subject: Subject) -> list[Reel]:
    """Every video file that episodes name."""
    found: dict[Path, Reel] = {}
    for episode, record in zip(subject.store.episodes, subject.records, strict=True):
        for camera, path in episode.videos.items():
            reel = found.setdefault(path, Reel(camera=camera, path=path))
            start = float(record[f"videos/{camera}/from_timestamp"]) * subject.fps
            reel.spans.append((episode.index, start, episode.length))
    return list(found.values())


def _stream(path: Path) -> Stream | UnreadableVideo:
    try:
        return check_video(path)
    except UnreadableVideo as refused:
        return refused


def _spans_fit(subject: Subject) -> Iterator[Finding]:
    """Whether the times that meta/episodes names are as long as the episodes."""
    for camera in cameras(subject.store.features):
        wrong, drifted = [], []
        for episode, record in zip(subject.store.episodes, subject.records, strict=True):
            start, stop = (float(record[f"videos/{camera}/{end}_timestamp"]) for end in ("from", "to"))
            if round((stop - start) * subject.fps) != episode.length:
                wrong.append((episode.index, round((stop - start) * subject.fps), episode.length))
            elif abs(start - round(start * subject.fps) / subject.fps) > TOLERANCE_S:
                drifted.append(episode.index)
        if wrong:
            index, frames, rows = wrong[0]
            found = tuple(index for index, _, _ in wrong)
            yield Finding(
                "video frames",
                "error",
                f"{camera}: episode {index} has {frames} images for {rows} rows ({listed(found)})",
                "The recorder dropped images and kept the rows: later rows see images of another moment or episode.",
                _DROP,
                found,
            )
        if drifted:
            yield Finding(
                "video frames",
                "warning",
                f"{camera}: {listed(drifted)} start between two images of their video",
                f"LeRobot finds no image within {TOLERANCE_S:g} s and stops with a FrameTimestampError.",
                "studio merge DATASET --to NEW writes exact times.",
                tuple(drifted),
            )


def _fits(subject: Subject, reel: Reel, stream: Stream) -> Iterator[Finding]:
    name = reel.path.relative_to(subject.root)
    spans = sorted(reel.spans, key=lambda span: span[1])
    beyond = [episode for episode, start, count in spans if round(start) < 0 or round(start) + count > stream.frames]
    wanted = sum(count for _, _, count in spans)
    if beyond:
        yield _wrong(f"{name} has {stream.frames} images, {wanted} rows point at it; {listed(beyond)} run past its end",
                     tuple(beyond))  # fmt: skip
    mixed = [(one[0], other[0]) for one, other in pairwise(spans) if round(one[1]) + one[2] > round(other[1])]
    if mixed:
        yield _wrong(
            f"{name}: episodes {mixed[0][0]} and {mixed[0][1]} claim the same images"
            + (f", and {len(mixed) - 1} more pairs" if len(mixed) > 1 else ""),
            tuple(sorted({episode for pair in mixed for episode in pair})),
        )
    if not beyond and not mixed and stream.frames > wanted:
        yield Finding(
            "video frames",
            "note",
            f"{name} has {stream.frames} images, {wanted} are used",
            "Nothing; images that no row points at are never read. They take up space.",
            "Nothing needs to be done.",
            reel.episodes,
        )


def _alike(subject: Subject, reels: list[tuple[Reel, Stream]]) -> Iterator[Finding]:
    """Whether size, rate and codec are those that info.json names."""
    for camera in cameras(subject.store.features):
        mine = [(reel, stream) for reel, stream in reels if reel.camera == camera]
        info = subject.store.info["features"][camera].get("info") or {}
        height, width = subject.size(camera)
        due: dict[str, Any] = {"width": width, "height": height, "fps": subject.fps}
        for key, value in due.items():
            odd = [(reel, stream) for reel, stream in mine if getattr(stream, key) != value]
            if odd:
                found = tuple(index for reel, _ in odd for index in reel.episodes)
                yield _wrong(
                    f"{camera}: {odd[0][0].path.relative_to(subject.root)} has {key} {getattr(odd[0][1], key)}, "
                    f"info.json says {value} ({listed(found)})",
                    found,
                )
        codecs = sorted({f"{stream.codec} {stream.pix_fmt}" for _, stream in mine})
        said = " ".join(str(info.get(f"video.{key}")) for key in ("codec", "pix_fmt"))
        if mine and codecs != [said] and "None" not in said and not _same_codec(codecs, said):
            yield Finding(
                "video codec",
                "note",
                f"{camera}: videos are {', '.join(codecs)}, info.json says {said}",
                "Nothing while training; LeRobot refuses to merge by what info.json says.",
                "studio merge reads what the videos are.",
            )


def _same_codec(codecs: list[str], said: str) -> bool:
    """Encoders are named where streams are meant: libsvtav1 for av1, libx264 for h264."""
    names = {"libsvtav1": "av1", "libaom-av1": "av1", "libx264": "h264", "libx265": "hevc"}
    codec, _, rest = said.partition(" ")
    return codecs == [f"{names.get(codec, codec)} {rest}"]


def _wrong(what: str, episodes: tuple[int, ...]) -> Finding:
    means = "Rows are shown images of another moment or another episode, and the policy learns from them."
    return Finding("video frames", "error", what, means, _DROP, episodes)


def _unreadable(subject: Subject, reel: Reel, refused: UnreadableVideo) -> Finding:
    there = reel.path.exists()
    return Finding(
        "video readable",
        "error",
        str(refused) if there else f"{reel.path.relative_to(subject.root)} is missing ({listed(reel.episodes)})",
        "Training stops at the first sample of it, or silently skips what cannot be decoded.",
        "studio rerender draws pictures anew from the physics, if it was stored; else studio drop leaves them out.",
        reel.episodes,
    )
