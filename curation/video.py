"""Camera streams as h264 mp4 files: one file, one camera, one episode.

A frame's time stamp is its index over fps, exactly, which is what LeRobot looks frames up by.
The encoder gets the options that LeRobot 0.6.1 gives its own, so that streams of both can be
joined without re-encoding.
"""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """How images become video.

    Attributes:
        codec: FFmpeg's name of the encoder and of the stream.
        preset: the encoder's speed.
        crf: quality, lower is better.
        gop: frames from one key frame to the next; 2 makes random access cheap.
        pix_fmt: pixel format of the stream.
        threads: encoder threads, 0 for FFmpeg's choice. 1 costs the least CPU per frame.
    """

    codec: str = "h264"
    preset: str = "veryfast"
    crf: int = 18
    gop: int = 2
    pix_fmt: str = "yuv420p"
    threads: int = 0

    def options(self) -> dict[str, str]:
        """FFmpeg's private options for this encoder."""
        chosen = {"preset": self.preset, "crf": str(self.crf), "g": str(self.gop)}
        return chosen | ({"threads": str(self.threads)} if self.threads else {})


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
        stream = self._container.add_stream(encoding.codec, rate=fps, options=encoding.options())
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
            tail = max(index for index, packet in enumerate(packets) if packet.is_keyframe)
            decoded = [frame for packet in [*packets[tail:], None] for frame in stream.decode(packet)]
        except (av.FFmpegError, IndexError) as error:
            raise UnreadableVideo(path, str(error)) from error
        if len(decoded) != len(packets) - tail or any(frame.is_corrupt for frame in decoded):
            raise UnreadableVideo(path, "its last frames do not decode")
        return Stream(
            width=stream.codec_context.width,
            height=stream.codec_context.height,
            fps=round(stream.average_rate or 0),
            codec=stream.codec_context.codec.canonical_name,
            pix_fmt=stream.codec_context.pix_fmt or "",
            frames=len(packets),
        )


def _check_packets(path: Path, packets: list[av.Packet], rate: Fraction) -> None:
    if not packets or any(packet.is_corrupt or packet.pts is None for packet in packets):
        raise UnreadableVideo(path, "frames are missing or damaged")
    times = sorted(round((packet.pts or 0) * packet.time_base * rate) for packet in packets)
    if times != list(range(len(packets))):
        raise UnreadableVideo(path, f"its {len(packets)} frames are not at index/fps")


def _decode(path: Path, start: int) -> Iterator[av.VideoFrame]:
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
                if frame.pts is not None and round(frame.pts / step) >= start:
                    yield frame
        except (av.FFmpegError, IndexError, TypeError, ZeroDivisionError) as error:
            raise UnreadableVideo(path, str(error)) from error


def _opened(path: Path) -> av.container.InputContainer:
    try:
        return av.open(str(path))
    except av.FFmpegError as error:
        raise UnreadableVideo(path, error.strerror or str(error)) from error


def _cannot_write(path: Path, error: av.FFmpegError) -> CannotWrite:
    return CannotWrite(path, OSError(error.errno, error.strerror))
