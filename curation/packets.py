"""Whether two stretches of video are the same compressed frames, in whatever files they lie."""

from __future__ import annotations

import hashlib

import av

from curation.errors import UnreadableVideo
from curation.splice import Stretch


def packets_hash(stretch: Stretch) -> str:
    """SHA-256 of the compressed frames of a stretch, in the order in which they are shown, and of what decoding needs.

    Raises:
        UnreadableVideo: the file cannot be read, or has fewer frames.
    """
    wanted = range(stretch.start, stretch.start + stretch.count)
    found: dict[int, bytes] = {}
    try:
        with av.open(str(stretch.path)) as container:
            stream = container.streams.video[0]
            step = 1 / (stream.average_rate * stream.time_base)
            if stretch.start:
                container.seek(round(stretch.start * step), stream=stream)
            beyond = 0
            for packet in container.demux(stream):
                if not packet.size or packet.pts is None:
                    continue
                place = round(packet.pts / step)
                if place in wanted:
                    found[place] = hashlib.sha256(bytes(packet)).digest()
                beyond += place >= wanted.stop and packet.is_keyframe
                # In open groups some frames of the stretch come after the key frame that is shown after them.
                if beyond > 1:
                    break
            extra = stream.codec_context.extradata or b""
    except (av.FFmpegError, IndexError, TypeError, ZeroDivisionError) as error:
        raise UnreadableVideo(stretch.path, str(error)) from error
    if len(found) != stretch.count:
        raise UnreadableVideo(stretch.path, f"frames {wanted.start} to {wanted.stop} are not all there")
    return hashlib.sha256(extra + b"".join(found[place] for place in wanted)).hexdigest()
