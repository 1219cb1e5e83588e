"""Whether the state knows where the block is. The earlier work read the first six numbers of the simulation as joints:
they were the block's place and attitude, and every policy drove by them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, joined
from curation.checks.subject import Motion, Subject
from curation.motion import joint_name
from curation.names import POSE, STATE

ALIKE = 0.995
"""Correlation over a dataset above which a column of the state is the block's."""
_FEW, _MANY = 3, 8
"""Episodes with different placements from which equal values, or only correlated ones, prove it."""
_NAMED = ("block", "cube", "object", "duplo", "target", "goal", "bowl")
"""Words in a column's name that name a thing and no joint."""


class Leak:
    """Columns of the state against the block's placement, and against its path where the physics is stored."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._names = subject.names(STATE) if STATE in subject.features else ()
        self._named = [name for name in self._names if any(word in name.lower() for word in _NAMED)]
        self._beside = [key for key in subject.features if key.startswith(POSE)]
        self._starts: list[tuple[float, float, NDArray[np.float64]]] = []
        self._sums: dict[tuple[str, str], NDArray[np.float64]] = {}
        self._joints: list[str] = []

    def see(self, motion: Motion) -> None:
        row, physics = motion.episode.row, motion.physics
        state = motion.state
        if state is not None and motion.begins and np.isfinite([row.x, row.y, *state[0]]).all():
            self._starts.append((row.x, row.y, state[0]))
        if "block" not in physics:
            return
        self._joints = [name for name in physics if name != "block" and physics[name].shape[1] == 1]
        own = np.column_stack([np.zeros(len(motion.rows)), *(physics[name] for name in self._joints)])
        for key in (*([STATE] if self._names else []), *self._beside):
            values = motion.numbers[key].astype(np.float64)
            if np.isfinite(values).all():
                self._add((key, "block"), values, physics["block"])
                self._add((key, "joints"), values, own)

    def _add(self, kind: tuple[str, str], state: NDArray[np.float64], other: NDArray[np.float64]) -> None:
        """Sums from which correlations over all episodes follow: 1, s, o, s², o², s·o for every pair of columns."""
        pairs = np.stack(
            [
                np.full((state.shape[1], other.shape[1]), float(len(state))),
                np.repeat(state.sum(0)[:, None], other.shape[1], 1),
                np.repeat(other.sum(0)[None], state.shape[1], 0),
                np.repeat((state**2).sum(0)[:, None], other.shape[1], 1),
                np.repeat((other**2).sum(0)[None], state.shape[1], 0),
                state.T @ other,
            ]
        )
        self._sums[kind] = self._sums.get(kind, 0.0) + pairs

    def findings(self) -> Iterator[Finding]:
        if self._named:
            yield _leak(f"{STATE} has columns named {joined(self._named)}", "note")
        moved = [name for name in self._by_path(STATE, self._names) if name not in self._named]
        placed = [] if moved else self._by_placement()
        if moved:
            yield _leak(f"{STATE} {joined(moved)} follow the simulated block, not the joint they are named after")
        elif placed:
            yield _leak(f"{STATE} {joined(placed)} begin every episode at the block's placement")
        for key in self._beside:
            told = self._by_path(key, self._subject.names(key))
            if told:
                yield _leak(f"{key} {joined(told)} follow the simulated block", "note")

    def _by_path(self, key: str, names: tuple[str, ...]) -> list[str]:
        """Columns that go with the block and with no joint; of those named after a joint, not with that one."""
        if (key, "block") not in self._sums:
            return []
        with_block = np.abs(_correlations(self._sums[key, "block"])).max(axis=1)
        with_joints = np.abs(_correlations(self._sums[key, "joints"]))
        found = []
        for column, name in enumerate(names):
            joint = joint_name(name)
            known = [1 + self._joints.index(joint)] if joint in self._joints else slice(None)
            if with_block[column] > ALIKE and with_joints[column, known].max() < ALIKE:
                found.append(name)
        return found

    def _by_placement(self) -> list[str]:
        """Without physics: the first state, which is the arm's rest, must not tell where the block was put."""
        if len({(x, y) for x, y, _ in self._starts}) < _FEW:
            return []
        first = np.array([state for _, _, state in self._starts])
        found = []
        for place in (np.array([x for x, _, _ in self._starts]), np.array([y for _, y, _ in self._starts])):
            if np.ptp(place) < 0.005:
                continue
            for column, name in enumerate(self._names):
                values = first[:, column]
                equal = np.abs(values - place).max() < 0.002
                spread = float(values.std() * place.std())
                alike = spread > 0 and abs(float(np.mean((values - values.mean()) * (place - place.mean())))) / spread
                if equal or (len(place) >= _MANY and alike > ALIKE):
                    found.append(name)
        return found


def _correlations(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape (state columns, other columns); 0 where one does not move."""
    n, s, o, ss, oo, so = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.maximum(ss - s * s / n, 0) * np.maximum(oo - o * o / n, 0))
        values = np.where(spread > 1e-9 * n, (so - s * o / n) / spread, 0.0)
    return np.asarray(np.nan_to_num(values))


def _leak(what: str, level: str = "error") -> Finding:
    return Finding(
        "state",
        "note" if level == "note" else "error",
        what,
        "The policy is told where the block is, which no robot knows, and is not told where its own joints are: it "
        "cannot work on a robot, and its success in simulation says nothing about its sight.",
        "Where the physics is stored, studio rerender writes the true joints; else leave the state out "
        "(studio merge DATASET --drop-feature), or record anew.",
    )
