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


def generations(
    story: Mapping[str, Any], episode_id: str
) -> Iterator[tuple[Mapping[str, Any], str, Mapping[str, Any]]]:
    """The stories that an episode is in, its own dataset's first.

    Args:
        story: what its dataset says of its origin; it may lack parts, as that of a converted one does.
        episode_id: of the dataset.

    Yields:
        A story, the id that the episode has in it, and what it says of its source.
    """
    while source := (story.get("episodes") or {}).get(episode_id):
        yield story, episode_id, source
        episode_id = source["episode_id"]
        story = story["parents"][source["parent"]].get("provenance") or {}


def steps(story: Mapping[str, Any], episode_id: str) -> Iterator[Step]:
    """The sources of an episode, the nearest first; arguments as of `generations`."""
    for told, _, source in generations(story, episode_id):
        parent = told["parents"][source["parent"]]
        yield Step(
            str(parent.get("name", "?")),
            str(parent.get("fingerprint") or ""),
            source["episode_id"],
            source["start"],
            source["stop"],
        )


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
