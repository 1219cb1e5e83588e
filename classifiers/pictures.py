"""The pictures of chosen instants, cut out of a dataset's videos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from classifiers.labels import Instant
from classifiers.look import SIDE, CutOut
from curation.episodes import SavedEpisode
from curation.names import IMAGES
from curation.store import Store
from curation.video import read_video

Pictures = NDArray[np.uint8]
"""Cut-outs, uint8 (N, cameras, SIDE, SIDE, 3), cameras in the order of their names."""


def pictures_of(
    stores: Sequence[Store],
    instants: Sequence[Instant],
    look: Mapping[str, CutOut],
    said: Callable[[int, int], None] = lambda done, total: None,
) -> Pictures:
    """Cut-outs of instants, in their order.

    Args:
        stores: the datasets the instants name.
        instants: any; an episode's video is decoded once.
        look: the cut-out of each camera.
        said: told (episodes decoded, of how many).

    Raises:
        UnreadableVideo: a video cannot be decoded.
    """
    wanted: dict[tuple[int, int], dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place, instant in enumerate(instants):
        wanted[instant.dataset, instant.episode][instant.frame].append(place)
    pictures = np.zeros((len(instants), len(look), SIDE, SIDE, 3), np.uint8)

    def decode(key: tuple[int, int]) -> None:
        store = stores[key[0]]
        for number, (camera, cut) in enumerate(sorted(look.items())):
            for frame, image in frames_of(store.episodes[key[1]], camera, sorted(wanted[key])):
                pictures[wanted[key][frame], number] = cut.of(image)

    # PyAV lets go of the interpreter while it decodes.
    with ThreadPoolExecutor(2) as pool:
        for done, _ in enumerate(pool.map(decode, wanted), start=1):
            said(done, len(wanted))
    return pictures


def frames_of(episode: SavedEpisode, camera: str, frames: Sequence[int]) -> list[tuple[int, NDArray[np.uint8]]]:
    """Some frames of one camera in order, as (frame, uint8 (height, width, 3))."""
    name = IMAGES + camera
    first, last = min(frames), max(frames)
    start = episode.video_starts[name] + first
    images = read_video(episode.videos[name], start, last - first + 1)
    wanted = set(frames)
    return [(first + at, image) for at, image in enumerate(islice(images, last - first + 1)) if first + at in wanted]
