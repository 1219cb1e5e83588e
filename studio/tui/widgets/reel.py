"""The pictures of an episode, decoded in a thread and kept small, and its joints."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from curation.errors import StudioError
from curation.frames import Image, Vector
from curation.names import ACTION, STATE
from curation.store import Store
from curation.video import read_video

MOST_BYTES = 64_000_000
"""Memory for the pictures of one episode."""
MOST_HEIGHT, LEAST_HEIGHT = 144, 36
"""Of kept pictures [px]; long episodes are kept smaller."""


class Reel:
    """An episode being read; all attributes only grow, so any thread may look.

    Args:
        root: of the dataset.
        episode_id: of the episode.
        tell: called with the reel, in the reading thread: when joints are known, when the first pictures are,
            and in the end.

    Attributes:
        pictures: of each camera, those decoded so far.
        length: frames of the episode; 0 until known.
        fps: frames per second.
        time, state, action: of every frame; empty until known.
        error: why it could not be read on; "" while all is well.
        done: whether all pictures are there, or never will be.
    """

    def __init__(self, root: Path, episode_id: str, tell: Callable[[Reel], object]) -> None:
        self.pictures: dict[str, list[Image]] = {}
        self.length = 0
        self.fps = 30
        self.time: Vector = np.zeros(0)
        self.state: Vector = np.zeros((0, 6))
        self.action: Vector = np.zeros((0, 6))
        self.error = ""
        self.done = False
        self._root, self._id, self._tell = root, episode_id, tell
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read, name="reel", daemon=True)
        self._thread.start()

    @property
    def ready(self) -> int:
        """Frames of which every camera's picture is there."""
        return min((len(pictures) for pictures in self.pictures.values()), default=0)

    def stop(self) -> None:
        """Read no further; the thread ends after the frame it is at."""
        self._stop.set()

    def join(self, timeout: float) -> bool:
        """Whether the thread has ended within a time [s]."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _read(self) -> None:
        try:
            self._read_all()
        except StudioError as error:
            self.error = str(error)
        except Exception as error:  # noqa: BLE001  told on the screen; a thread's traceback would tear the terminal
            self.error = f"unexpected {type(error).__name__} while reading {self._id}: {error}"
        self.done = True
        if not self._stop.is_set():
            self._tell(self)

    def _read_all(self) -> None:
        store = Store.open(self._root)
        episode = store.episode(self._id)
        columns = store.numeric(self._id)
        self.fps = store.fps
        if STATE in columns and ACTION in columns:
            self.state, self.action = columns[STATE], columns[ACTION]
            self.time = np.arange(episode.length) / store.fps
        self.pictures = {name.rpartition(".")[2]: [] for name in episode.videos}
        self.length = episode.length
        self._tell(self)
        streams = [
            read_video(path, episode.video_starts[name], episode.length) for name, path in episode.videos.items()
        ]
        for images in zip(*streams, strict=True):
            if self._stop.is_set():
                return
            first = not self.ready
            for kept, image in zip(self.pictures.values(), images, strict=True):
                kept.append(small(image, self.length * len(streams)))
            if first:
                self._tell(self)


def small(image: Image, among: int) -> Image:
    """An image so small that `among` of them fit into memory; never enlarged."""
    height, width = image.shape[:2]
    fitting = int((MOST_BYTES / (max(1, among) * 3 * width / height)) ** 0.5)
    tall = min(height, max(LEAST_HEIGHT, min(MOST_HEIGHT, fitting)))
    size = (max(1, round(width * tall / height)), tall)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
