"""Episodes that are one motion, as `curation.duplicates` tells them and --no-duplicates leaves them out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curation.checks.finding import Finding, listed
from curation.checks.subject import Motion, Subject
from curation.duplicates import Track, copies, groups
from curation.motion import joints_of


class Twins:
    """Keeps the actions of every episode outside the trash, and compares them at the end."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._joints = joints_of(subject.store)
        self._tracks: list[Track] = []

    def see(self, motion: Motion) -> None:
        action, hidden = motion.action, motion.episode.row.episode_id in self._subject.hidden
        if self._joints is not None and action is not None and not hidden and np.isfinite(action).all():
            self._tracks.append(Track(motion.index, self._joints.scaled(action)))

    def findings(self) -> Iterator[Finding]:
        found = groups(len(self._tracks), copies(self._tracks))
        alike = sorted(tuple(sorted(self._index(place) for place in group)) for group in found)
        repeated = tuple(sorted(episode for group in alike for episode in group[1:]))
        if repeated:
            shown = "; ".join(listed(group) for group in alike[:4])
            yield Finding(
                "duplicates",
                "warning",
                f"{len(repeated)} episodes repeat the motion of another: {shown}{' ...' if len(alike) > 4 else ''}",
                "They count twice in training, and a split may put one into training and its twin into validation.",
                "--no-duplicates leaves the copies out of an edit; in split, keep twins on one side.",
                repeated,
            )

    def _index(self, place: int) -> int:
        index = self._tracks[place].key
        assert isinstance(index, int)
        return index
