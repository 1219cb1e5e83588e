"""Which recording the frames of an episode come from, however often it was edited since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from curation.episodes import SavedEpisode
from curation.fingerprint import fingerprint
from curation.naming import is_numbered
from curation.provenance import read_provenance
from curation.store import Store


@dataclass(frozen=True)
class Step:
    """Where an episode was taken from.

    Attributes:
        name: of the dataset.
        fingerprint: of it; "" where nobody wrote it down.
        episode_id: there.
        start, stop: frames of it, stop excluded.
    """

    name: str
    fingerprint: str
    episode_id: str
    start: int
    stop: int


@dataclass(frozen=True, order=True)
class Origin:
    """Frames of a recording.

    Attributes:
        recording: its permanent id; the dataset's fingerprint goes before a mere number.
        start, stop: frames of it, stop excluded.
    """

    recording: str
    start: int
    stop: int

    def overlaps(self, other: Origin) -> bool:
        """Whether some frames are in both."""
        return self.recording == other.recording and self.start < other.stop and other.start < self.stop


def steps(story: Mapping[str, Any], episode_id: str) -> Iterator[Step]:
    """The sources of an episode, the nearest first.

    Args:
        story: what its dataset says of its origin; it may lack parts, as that of a rerendered one does.
        episode_id: of the dataset.
    """
    while story:
        source = (story.get("episodes") or {}).get(episode_id)
        if source is None:
            return
        parent = story["parents"][source["parent"]]
        episode_id = source["episode_id"]
        yield Step(
            str(parent.get("name", "?")),
            str(parent.get("fingerprint") or ""),
            episode_id,
            source["start"],
            source["stop"],
        )
        story = parent.get("provenance") or {}


def origin_of(story: Mapping[str, Any], episode_id: str) -> tuple[str, int]:
    """The recorded episode that an episode comes from, and the frame where it begins there."""
    start = 0
    for step in steps(story, episode_id):
        episode_id, start = step.episode_id, start + step.start
    return episode_id, start


class Origins:
    """The origins of a dataset's episodes.

    Args:
        store: the dataset.

    Raises:
        DataError: what it says of its origin is damaged.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._story = read_provenance(store.root)

    def of(self, episode: SavedEpisode) -> Origin:
        """Where its frames come from.

        Raises:
            DataError: it is only numbered, and a file that tells its dataset from others cannot be read.
        """
        name, start, mark = episode.row.episode_id, 0, ""
        for step in steps(self._story, name):
            name, start, mark = step.episode_id, start + step.start, step.fingerprint
        if is_numbered(name):
            name = f"{mark or self.mark}/{name}"
        return Origin(name, start, start + episode.length)

    def place(self, episode: SavedEpisode) -> str:
        """Fingerprint of the dataset that its recording was in when it was first edited; "" if it never was."""
        return next((step.fingerprint for step in reversed(list(steps(self._story, episode.row.episode_id)))), "")

    @cached_property
    def mark(self) -> str:
        """Fingerprint of the dataset itself."""
        return fingerprint(self._store)
