"""Attitudes as quaternions: q and -q are one attitude, and a jump from one to the other is none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from curation.checks.finding import Finding, joined, listed
from curation.checks.subject import Motion, Subject

_PARTS = ("qw", "qx", "qy", "qz")


class Turns:
    """Sign flips within an episode, in every feature whose columns are called qw, qx, qy, qz."""

    def __init__(self, subject: Subject) -> None:
        self._columns: dict[str, list[int]] = {}
        for key in subject.features:
            ends = [name.rpartition(".")[2].rpartition("_")[2] for name in subject.names(key)]
            if set(_PARTS) <= set(ends):
                self._columns[key] = [ends.index(part) for part in _PARTS]
        self._flipped: dict[str, list[int]] = {}

    def see(self, motion: Motion) -> None:
        for key, columns in self._columns.items():
            turns = motion.numbers[key][:, columns].astype(np.float64)
            if np.any((turns[1:] * turns[:-1]).sum(axis=1) < 0):
                self._flipped.setdefault(key, []).append(motion.index)

    def findings(self) -> Iterator[Finding]:
        if self._flipped:
            episodes = tuple(sorted({episode for mine in self._flipped.values() for episode in mine}))
            yield Finding(
                "turns",
                "warning",
                f"the quaternions of {joined(self._flipped)} change their sign within {listed(episodes)}",
                "One attitude is learnt under two numbers, and between them a turn that nobody made.",
                "Compute them again, with the sign that is nearer to the frame before.",
                episodes,
            )
