"""Camera streams as h264 mp4 files: one file, one camera, one episode.

A frame's time stamp is its index over fps, exactly, which is what LeRobot looks frames up by.
The encoder gets the options that LeRobot 0.6.1 gives its own, so that streams of both can be
joined without re-encoding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from curation.atomic import make_folder
from curation.errors import CannotWrite, DataError, UnreadableVideo

_ENCODERS = {"av1": "libsvtav1"}
"""Where FFmpeg's first choice would be a slower encoder that LeRobot does not use."""

_EARLIER = 64
"""Frames by which decoding begins earlier where the nearest key frame is not enough."""


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How images become video.

    Attributes:
        codec: FFmpeg's name of the stream; its encoder is FFmpeg's first choice, for av1 SVT-AV1.
        preset: the encoder's speed; other people's datasets have numbers there.
        crf: quality, lower is better.
        gop: frames from one key frame to the next; 2 makes random access cheap.
        pix_fmt: pixel format of the stream.
        threads: encoder threads, 0 for FFmpeg's choice. 1 costs the least CPU per frame.
    """

    codec: str = "h264"
    preset: str | int = "veryfast"
    crf: int = 18
    gop: int = 2
    pix_fmt: str = "yuv420p"
    threads: int = 1

    def options(self) -> dict[str, str]:
        """FFmpeg's private options for this encoder."""
        chosen = {"preset": str(self.preset), "crf": str(self.crf), "g": str(self.gop)}
        # With frames between frames, x265's groups need the one before them: none decodes from its key frame on.
        x265 = {"x265-params": "bframes=0:log-level=error"} if self.codec in ("hevc", "libx265") else {}
        return chosen | x265 | ({"threads": str(self.threads)} if self.threads else {})


def video_info(encoding: Encoding, width: int, height: int, fps: int) -> dict[str, Any]:
    """What LeRobot 0.6.1 stores under a video feature's "info"; keys and order are its own.

    Merging compares all of it but g, crf, preset, fast_decode, extra_options and video_backend.
    """
    return {
        "video.height": height,
        "video.width": width,
        "video.codec": encoding.codec,
        "video.pix_fmt": encoding.pix_fmt,
        "video.fps": fps,
        "video.channels": 3,
        "has_audio": False,
        "video.g": encoding.gop,
        "video.crf": encoding.crf,
        "video.preset": encoding.preset,
        "video.fast_decode": 0,
        "video.video_backend": "pyav",
        "video.extra_options": {},
        "is_depth_map": False,
    }


class VideoWriter:
    """Encodes images to a new mp4 as they come.

    Args:
        path: the file to write; its folder is made if needed.
        fps: frames per second.
        width: pixels, even.
        height: pixels, even.
        encoding: codec and quality.

    Raises:
        CannotWrite: the disk refused.
        DataError: the size is odd, which 4:2:0 video cannot hold.
    """

    def __init__(self, path: Path, fps: int, width: int, height: int, encoding: Encoding) -> None:
        if width % 2 or height % 2:
            raise DataError(f"Images of {width}x{height} cannot be stored: width and height must be even.")
        self.path = path
        self.frames = 0
        self._shape = (height, width, 3)
        self._pix_fmt = encoding.pix_fmt
        self._time_base = Fraction(1, fps)
        self._reformatter = VideoReformatter()
        make_folder(path.parent)
        try:
            self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        except av.FFmpegError as error:
            raise _cannot_write(path, error) from error
        encoder = _ENCODERS.get(encoding.codec, encoding.codec)
        # SVT-AV1 tells its settings to stderr, where people read what the studio says; this leaves errors.
        os.environ.setdefault("SVT_LOG", "1")
        stream = self._container.add_stream(encoder, rate=fps, options=encoding.options())
        self._stream = cast("av.VideoStream", stream)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = encoding.pix_fmt
        self._stream.time_base = self._time_base

    def add(self, image: NDArray[np.uint8]) -> None:
        """Encode the next frame.

        Args:
            image: uint8 RGB, shape (height, width, 3).

        Raises:
            DataError: another shape or dtype.
            CannotWrite: the disk refused.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise DataError(
                f"Frame {self.frames} of {self.path.name} is {image.dtype} {image.shape}; "
                f"uint8 {self._shape} is needed."
            )
        # The conversion reads the array in place, so an image is copied once: into the encoder's format.
        borrowed = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(image), format="rgb24")
        frame = self._reformatter.reformat(borrowed, format=self._pix_fmt)
        frame.pts, frame.time_base = self.frames, self._time_base
        self._mux(frame)
        self.frames += 1

    def close(self) -> int:
        """Finish the file and count what it holds.

        Returns:
            The number of frames encoded.

        Raises:
            UnreadableVideo: the file does not hold exactly the frames that were added.
            CannotWrite: the disk refused.
        """
        self._mux(None)
        try:
            self._container.close()
        except av.FFmpegError as error:
            raise _cannot_write(self.path, error) from error
        held = check_video(self.path).frames
        if held != self.frames:
            raise UnreadableVideo(self.path, f"it holds {held} frames, {self.frames} were added")
        return held

    def abort(self) -> None:
        """Stop and remove the file."""
        with suppress(av.FFmpegError):
            self._container.close()
        self.path.unlink(missing_ok=True)

    def _mux(self, frame: av.VideoFrame | None) -> None:
        try:
            for packet in self._stream.encode(frame):
                self._container.mux(packet)
        except av.FFmpegError as error:
            raise _cannot_write(self.path, error) from error


def read_video(path: Path, start: int = 0, count: int | None = None) -> Iterator[NDArray[np.uint8]]:
    """Decode frames in order.

    Args:
        path: an mp4.
        start: the first frame wanted; what lies before its key frame is skipped, not decoded.
        count: how many, or all that follow.

    Yields:
        uint8 RGB images, shape (height, width, 3).

    Raises:
        UnreadableVideo: the file cannot be decoded or ends before `count` frames.
    """
    found = 0
    for frame in islice(_decode(path, start), count):
        yield frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
        found += 1
    if count is not None and found < count:
        raise UnreadableVideo(path, f"{count} frames from frame {start} were asked for, {found} are there")


def count_frames(path: Path) -> int:
    """How many frames really decode.

    Raises:
        UnreadableVideo: the file cannot be decoded.
    """
    return sum(1 for _ in _decode(path, 0))


@dataclass(frozen=True, kw_only=True)
class Stream:
    """What a video file says of itself.

    Attributes:
        width: pixels.
        height: pixels.
        fps: frames per second.
        codec: FFmpeg's name of the codec.
        pix_fmt: pixel format.
        frames: number of packets, one for each frame.
    """

    width: int
    height: int
    fps: int
    codec: str
    pix_fmt: str
    frames: int


def check_video(path: Path) -> Stream:
    """Check cheaply (about 10 ms) that a video is whole, and describe it.

    Every packet must be there, in its place at index/fps, and the last key frame and what follows
    it must decode.

    Raises:
        UnreadableVideo: anything else.
    """
    with _opened(path) as container:
        try:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            packets = [packet for packet in container.demux(stream) if packet.size]
            _check_packets(path, packets, Fraction(stream.average_rate or 0))
            if not _tail_decodes(stream, packets):
                raise UnreadableVideo(path, "its last frames do not decode")
        except (av.FFmpegError, IndexError) as error:
            raise UnreadableVideo(path, str(error)) from error
        return Stream(
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=round(stream.average_rate or 0),
            codec=stream.codec_context.codec.canonical_name,
            pix_fmt=stream.codec_context.pix_fmt or "",
            frames=len(packets),
        )


def _tail_decodes(stream: av.VideoStream, packets: list[av.Packet]) -> bool:
    """Whether the last key frame and what follows it decode; in open groups some of that needs the group before."""
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    wanted = {packet.pts for packet in packets[keys[-1] :]}
    for begin in keys[:-3:-1]:
        decoded = [frame for packet in [*packets[begin:], None] for frame in stream.decode(packet)]
        if any(frame.is_corrupt for frame in decoded):
            return False
        if wanted <= {frame.pts for frame in decoded}:
            return True
        stream.codec_context.flush_buffers()
    return False


def _check_packets(path: Path, packets: list[av.Packet], rate: Fraction) -> None:
    if not packets or any(packet.is_corrupt or packet.pts is None for packet in packets):
        raise UnreadableVideo(path, "frames are missing or damaged")
    times = sorted(round((packet.pts or 0) * packet.time_base * rate) for packet in packets)
    if times != list(range(len(packets))):
        raise UnreadableVideo(path, f"its {len(packets)} frames are not at index/fps")


def _decode(path: Path, start: int) -> Iterator[av.VideoFrame]:
    """Frames from `start` on. The key frame that is found may be shown after `start`, or `start` may be drawn from the
    group before it: then decoding begins earlier, at last with the first frame."""
    for early in (0, _EARLIER, start):
        frames = (found for found in _decode_near(path, max(0, start - early)) if found[0] >= start)
        first = next(frames, None)
        if first is None or start == 0 or first[0] == start:
            break
    if first is None:
        return
    if start and first[0] != start:
        raise UnreadableVideo(path, f"frame {start} is missing")
    yield first[1]
    for _, frame in frames:
        yield frame


def _decode_near(path: Path, start: int) -> Iterator[tuple[int, av.VideoFrame]]:
    """Frames with their numbers, from a key frame on that is near `start`."""
    with _opened(path) as container:
        try:
            stream = container.streams.video[0]
            stream.codec_context.options = {"err_detect": "explode"}
            step = 1 / (stream.average_rate * stream.time_base)
            if start:
                container.seek(round(start * step), stream=stream)
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    raise UnreadableVideo(path, "a frame is damaged")
                if frame.pts is not None:
                    yield round(frame.pts / step), frame
        except (av.FFmpegError, IndexError, TypeError, ZeroDivisionError) as error:
            raise UnreadableVideo(path, str(error)) from error


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except av.FFmpegError as error:
        raise UnreadableVideo(path, error.strerror or str(error)) from error


def _cannot_write(path: Path, error: av.FFmpegError) -> CannotWrite:
    return CannotWrite(path, OSError(error.errno, error.strerror))
