"""An episode's stretch of a video as a file of its own: copied as it is where that is possible, else encoded anew."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Literal

import av
import numpy as np

from curation.atomic import make_folder
from curation.errors import CannotWrite, DataError, UnreadableVideo
from curation.frames import Image
from curation.stats import ImageStats
from curation.video import Encoding, VideoWriter, read_video

How = Literal["copied", "remuxed", "encoded"]
"""copied: the file byte for byte; remuxed: the same compressed frames in a new file; encoded: decoded and encoded."""

LEAST_PSNR_DB = 30.0
"""Least likeness of a frame that was encoded anew to its source [dB]; below it an edit is refused. LeRobot's own edits
measured 0.1 to 0.2 dB of loss beside 34 dB against the camera."""

FINER = 6
"""How much lower the crf of a second encoding is than that of the first: its loss comes on top of the first one's, and
six steps of x264 halve it in amplitude."""

_NESTED = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
"""Boxes of an mp4 on the way to where its frames are counted."""

_FICLONE = 0x40049409
"""Linux: let one file share the other's blocks until either is written to."""


@dataclass(frozen=True)
class Stretch:
    """Frames of a video.

    Attributes:
        path: the mp4.
        start: its first frame.
        count: frames.
        alone: whether the file holds nothing else.
    """

    path: Path
    start: int
    count: int
    alone: bool


def splice(stretch: Stretch, to: Path, *, fps: int, encoding: Encoding, encode: bool = False) -> How:
    """Write a stretch as an mp4 of its own.

    Args:
        stretch: of the source.
        to: the new file.
        fps: frames per second.
        encoding: where frames must be encoded anew.
        encode: encode them in any case.

    Raises:
        UnreadableVideo: the source cannot be read, or has fewer frames.
        CannotWrite: the disk refused.
    """
    if not encode:
        if stretch.alone:
            copy_file(stretch.path, to)
            return "copied"
        if _remux(stretch, to):
            return "remuxed"
    _encode(stretch, to, fps, replace(encoding, crf=max(0, encoding.crf - FINER)))
    return "encoded"


def copy_file(source: Path, to: Path) -> None:
    """Copy a file; where the file system can, its blocks are shared and nothing is read.

    Raises:
        DataError: the source cannot be read.
        CannotWrite: the disk refused.
    """
    make_folder(to.parent)
    try:
        reading = source.open("rb")
    except OSError as error:
        raise DataError(f"{source} cannot be read: {error.strerror or error}.") from error
    with reading:
        try:
            with to.open("xb") as writing:
                if not _cloned(reading.fileno(), writing.fileno()):
                    shutil.copyfileobj(reading, writing, 1 << 20)
        except OSError as error:
            raise CannotWrite(to, error) from error


def frames_in(path: Path) -> int:
    """How many frames a video's header counts, of a file that is as long as its boxes say.

    Raises:
        UnreadableVideo: it cannot be read, or its end is missing.
    """
    try:
        with path.open("rb") as file:
            counted = _counted(file)
    except OSError as error:
        raise UnreadableVideo(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise UnreadableVideo(path, str(error)) from error
    if len(counted) == 1:
        return counted[0]
    try:
        with av.open(str(path)) as container:
            return int(container.streams.video[0].frames)
    except (av.FFmpegError, IndexError) as error:
        raise UnreadableVideo(path, str(error)) from error


def _counted(file: IO[bytes]) -> list[int]:
    """Samples of each track of an mp4, read from its boxes; 20 times as fast as opening it with FFmpeg.

    A header in front counts frames that a file cut short no longer has, but the boxes tell its length.

    Raises:
        ValueError: the boxes go beyond the end of the file.
    """
    size = file.seek(0, os.SEEK_END)
    found, todo = [], [(0, size)]
    while todo:
        at, end = todo.pop()
        while at < end:
            file.seek(at)
            head = file.read(16)
            length = int.from_bytes(head[:4])
            body = at + (16 if length == 1 else 8)
            after = at + max(int.from_bytes(head[8:16]) if length == 1 else length or end - at, 8)
            if after > end:
                raise ValueError(f"a box ends at byte {after}, beyond {end}")
            if head[4:8] in _NESTED:
                todo.append((body, after))
            elif head[4:8] == b"stsz":
                file.seek(body + 8)
                found.append(int.from_bytes(file.read(4)))
            at = after
    return found


def images_of(stretch: Stretch) -> ImageStats:
    """Histograms of a stretch, decoded.

    Raises:
        UnreadableVideo: it cannot be decoded.
    """
    stats = ImageStats()
    for image in read_video(stretch.path, stretch.start, stretch.count):
        stats.add(image)
    return stats


def likeness(stretch: Stretch, path: Path) -> float:
    """The least PSNR [dB] of any frame of a file to its source; infinite where all are equal.

    Raises:
        UnreadableVideo: one of them cannot be decoded, or the file has other frames than the stretch.
    """
    if (held := frames_in(path)) != stretch.count:
        raise UnreadableVideo(path, f"it holds {held} frames, {stretch.count} are needed")
    pairs = zip(read_video(stretch.path, stretch.start, stretch.count), read_video(path), strict=True)
    return min(_psnr(one, other) for one, other in pairs)


def same_packets(stretch: Stretch, path: Path) -> bool:
    """Whether a file holds the very compressed frames of a stretch, in order."""
    source = [bytes(packet) for packet in _whole_groups(stretch) or ()]
    with av.open(str(path)) as container:
        return source == [bytes(packet) for packet in container.demux(video=0) if packet.size]


def _psnr(one: Image, other: Image) -> float:
    error = float(np.mean((one.astype(np.float32) - other.astype(np.float32)) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255.0**2 / error))


def _encode(stretch: Stretch, to: Path, fps: int, encoding: Encoding) -> None:
    _require_eight_bits(stretch)
    writer: VideoWriter | None = None
    try:
        for image in read_video(stretch.path, stretch.start, stretch.count):
            height, width = image.shape[:2]
            writer = writer or VideoWriter(to, fps, width, height, encoding)
            writer.add(image)
        if writer is not None:
            writer.close()
    except BaseException:
        if writer is not None:
            writer.abort()
        raise


def _require_eight_bits(stretch: Stretch) -> None:
    """Depth images have more, which decoding to RGB would take from them unnoticed."""
    try:
        with av.open(str(stretch.path)) as container:
            pixels = container.streams.video[0].codec_context.format
    except (av.FFmpegError, IndexError) as error:
        raise UnreadableVideo(stretch.path, str(error)) from error
    if pixels is None or max(part.bits for part in pixels.components) > 8:
        raise DataError(
            f"{stretch.path} holds {pixels.name if pixels else 'unknown'} images, which cannot be encoded anew without "
            f"loss, and frames {stretch.start} to {stretch.start + stretch.count} do not begin and end with whole "
            "groups of pictures. Cut elsewhere, or leave the feature out with --drop-feature."
        )


def _remux(stretch: Stretch, to: Path) -> bool:
    """Put the stretch's packets into a new file, if it begins and ends with whole groups of pictures."""
    packets = _whole_groups(stretch)
    if packets is None:
        return False
    make_folder(to.parent)
    source = packets[0].stream
    try:
        with av.open(str(to), "w", format="mp4", options={"movflags": "+faststart"}) as container:
            # Opaque: without looking for an encoder of the decoder's name, which for av1 there is none of.
            stream = container.add_stream_from_template(source, opaque=True)
            first = min(packet.pts for packet in packets if packet.pts is not None)
            for packet in packets:
                packet.pts -= first
                packet.dts -= first
                packet.stream = stream
                container.mux(packet)
    except av.FFmpegError as error:
        raise CannotWrite(to, OSError(error.errno, error.strerror)) from error
    return True


def _whole_groups(stretch: Stretch) -> list[av.Packet] | None:
    """The packets of a stretch in decoding order, or None if decoding them alone would not give its frames.

    They must begin with a key frame, follow each other, and need nothing beyond them.
    """
    wanted = range(stretch.start, stretch.start + stretch.count)
    found: list[av.Packet] = []
    beyond = 0
    try:
        # Left open: packets are muxed from the stream they came from, and the last reference closes it.
        container = av.open(str(stretch.path))
        stream = container.streams.video[0]
        step = 1 / (stream.average_rate * stream.time_base)
        if stretch.start:
            container.seek(round(stretch.start * step), stream=stream)
        for packet in container.demux(stream):
            if not packet.size:
                continue
            if round(packet.pts / step) in wanted:
                if beyond:  # shown before the key frame that comes ahead of it, and drawn from it
                    return None
                found.append(packet)
            elif found:
                if not beyond and not packet.is_keyframe:
                    return None
                beyond += 1
                if beyond > 1 and packet.is_keyframe:
                    break
    except (av.FFmpegError, IndexError, TypeError, ZeroDivisionError) as error:
        raise UnreadableVideo(stretch.path, str(error)) from error
    whole = len(found) == stretch.count and found[0].is_keyframe and round(found[0].pts / step) == stretch.start
    return found if whole else None


def _cloned(source: int, target: int) -> bool:
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        os.lseek(target, 0, os.SEEK_SET)
        return False
    return True
