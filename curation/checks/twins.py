"""Episodes that are one motion: the same actions, perhaps begun a little earlier or later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, listed
from curation.checks.subject import Motion, Subject

SHARE = 0.6
"""Share of the shorter episode's moving frames that another has in the same order, from which they are one motion."""
GRAIN = 1e-3
"""Actions that differ by less count as the same."""
_LEAST = 10
"""Frames that must agree."""


class Twins:
    """Remembers a number for each moving frame, and pairs episodes by them; linear in the number of frames."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._marks: list[NDArray[np.uint64]] = []
        self._places: list[NDArray[np.int64]] = []
        self._owners: list[int] = []

    def see(self, motion: Motion) -> None:
        action = motion.action
        if action is None or len(action) < _LEAST or not np.isfinite(action).all():
            return
        marks = _marks(action)
        # An arm that rests has the same frame again and again, as every other resting arm has.
        _, first, count = np.unique(marks, return_index=True, return_counts=True)
        lone = np.sort(first[count == 1])
        self._marks.append(marks[lone])
        self._places.append(lone)
        self._owners.append(motion.index)

    def findings(self) -> Iterator[Finding]:
        groups = groups_of(self._pairs())
        copies = tuple(sorted(episode for group in groups for episode in group[1:]))
        if copies:
            shown = "; ".join(listed(group) for group in groups[:4])
            yield Finding(
                "duplicates",
                "warning",
                f"{len(copies)} episodes repeat the motion of another: {shown}{' ...' if len(groups) > 4 else ''}",
                "They count twice in training, and a split may put one into training and its twin into validation.",
                "studio drop leaves the copies out; in split, keep twins on one side.",
                copies,
            )

    def _pairs(self) -> list[tuple[int, int]]:
        if len(self._owners) < 2:
            return []
        marks = np.concatenate(self._marks)
        places = np.concatenate(self._places)
        owners = np.concatenate([np.full(len(m), i) for i, m in enumerate(self._marks)])
        order = np.lexsort((owners, marks))
        same = marks[order][1:] == marks[order][:-1]
        one, other = order[:-1][same], order[1:][same]
        # Neighbours in this order suffice: of a motion that is there five times, four pairs are found.
        shared: Counter[tuple[int, int, int]] = Counter(
            zip(owners[one].tolist(), owners[other].tolist(), (places[other] - places[one]).tolist(), strict=True)
        )
        found = []
        for (a, b, _), count in shared.items():
            if a != b and count >= max(_LEAST, SHARE * min(len(self._marks[a]), len(self._marks[b]))):
                found.append((self._owners[a], self._owners[b]))
        return found


def groups_of(pairs: list[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Episodes that are linked by pairs, each group in order."""
    group: dict[int, set[int]] = {}
    for a, b in pairs:
        both = group.get(a, {a}) | group.get(b, {b})
        for episode in both:
            group[episode] = both
    return sorted({tuple(sorted(members)) for members in group.values()})


def _marks(action: NDArray[np.float64]) -> NDArray[np.uint64]:
    """A number for each frame, which frames with the same action share."""
    grains = np.round(action / GRAIN).astype(np.int64).view(np.uint64)
    found: NDArray[np.uint64] = np.zeros(len(action), np.uint64)
    for column in range(grains.shape[1]):
        found = (found ^ grains[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return found
