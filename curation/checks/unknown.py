"""Columns of state and action that are named after no joint of this arm, so that neither their unit nor their range is
known: what can be said of them by what they do themselves, and which rules were left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, joined, listed
from curation.checks.joints import SATURATED, STUCK_S, longest_still
from curation.checks.scale import scales
from curation.checks.subject import Motion, Subject
from curation.names import ACTION, STATE

JUMP = 0.5
"""Share of a column's usual range that no drive covers from one frame to the next (assumed)."""
USUAL = 8.0
"""Times the fastest usual step from which a step is a jump (assumed)."""
_MOVES = 0.2
"""Share of an episode's range by which a column is driven when its measurement should move."""
_FEW = 5
"""Distinct values up to which a column is a switch and no joint."""


@dataclass
class _Column:
    """What is kept of one column.

    Attributes:
        steps: largest step of each episode, and its index.
        usual: the 99 % quantile of the steps of each episode, and the range between its 5 and 95 %.
        ends: lowest and highest value, each with how many frames have it.
    """

    steps: list[tuple[float, int]] = field(default_factory=list)
    usual: list[tuple[float, float]] = field(default_factory=list)
    ends: list[tuple[float, int]] = field(default_factory=lambda: [(np.inf, 0), (np.inf, 0)])
    frames: int = 0

    def add(self, values: NDArray[np.float64], episode: int) -> None:
        if len(np.unique(values)) <= _FEW:
            return
        steps = np.abs(np.diff(values))
        self.steps.append((float(steps.max()), episode))
        low, high = np.quantile(values, (0.05, 0.95))
        self.usual.append((float(np.quantile(steps, 0.99)), float(high - low)))
        self.frames += len(values)
        for place, turned in enumerate((values, -values)):
            end, count = self.ends[place]
            lowest = float(turned.min())
            here = int((turned == lowest).sum())
            if lowest <= end:
                self.ends[place] = lowest, here + (count if lowest == end else 0)

    def jumps(self) -> list[tuple[float, int]]:
        """Share of the usual range, and the episode."""
        if not self.usual:
            return []
        fast, wide = np.median(np.array(self.usual), axis=0)
        return [(step / wide, e) for step, e in self.steps if wide > 0 and step > max(JUMP * wide, USUAL * fast)]

    def saturated(self) -> float:
        """Share of the frames in which it is exactly at one of its ends."""
        return max(count for _, count in self.ends) / self.frames if self.frames else 0.0


class Unknown:
    """Rules that need no scale, over the columns without one."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._columns = {
            (key, column): scale.name
            for key in (ACTION, STATE)
            if key in subject.features
            for column, scale in enumerate(scales(subject, key))
            if scale.width is None
        }
        self._kept = {place: _Column() for place in self._columns}
        self._stuck: dict[str, list[int]] = {}

    def see(self, motion: Motion) -> None:
        wide = {ACTION: motion.action, STATE: motion.state}
        for (key, column), kept in self._kept.items():
            values = wide[key]
            if values is not None and len(values) > 2 and np.isfinite(values[:, column]).all():
                kept.add(values[:, column], motion.index)
        action, state = motion.action, motion.state
        for name, driven, measured in self._subject.paired:
            if (STATE, measured) in self._columns and action is not None and state is not None:
                self._see_pair(motion, name, action[:, driven], state[:, measured])

    def _see_pair(self, motion: Motion, name: str, asked: NDArray[np.float64], was: NDArray[np.float64]) -> None:
        if len(np.unique(was)) <= _FEW or not np.isfinite([*asked, *was]).all():
            return
        begin, end = longest_still(was)
        if end - begin < max(3.0, STUCK_S * self._subject.fps):
            return
        # Noise of what asks is no drive: it must have gone on as it does elsewhere.
        if float(np.ptp(asked[begin : end - 1])) > _MOVES * float(np.ptp(asked)):
            self._stuck.setdefault(name, []).append(motion.index)

    def findings(self) -> Iterator[Finding]:
        jumps = {self._name(place): kept.jumps() for place, kept in self._kept.items()}
        jumps = {name: found for name, found in jumps.items() if found}
        if jumps:
            name, (share, episode) = max(((n, max(f)) for n, f in jumps.items()), key=lambda item: item[1])
            mine = tuple(sorted({one[1] for found in jumps.values() for one in found}))
            yield Finding(
                "jumps",
                "warning",
                f"{name} jumps by {share:.0%} of its usual range in one frame in episode {episode} ({joined(jumps)}; "
                f"{listed(mine)})",
                "An encoder went past its zero, a reading was lost, or a leader was moved: a policy learns to jerk.",
                "Look at them (studio inspect --video); studio drop leaves them out.",
                mine,
            )
        if self._stuck:
            mine = tuple(sorted({episode for found in self._stuck.values() for episode in found}))
            yield Finding(
                "stuck",
                "warning",
                f"{joined(self._stuck)} stays the same for a second or more while it is driven ({listed(mine)})",
                "Readings stopped for a while and the last one was repeated: states are late there.",
                "Look at them (studio inspect --video); studio drop leaves them out.",
                mine,
            )
        full = {self._name(place): kept.saturated() for place, kept in self._kept.items()}
        full = {name: share for name, share in full.items() if share > SATURATED}
        if full:
            name, share = max(full.items(), key=lambda item: item[1])
            yield Finding(
                "saturated",
                "warning",
                f"{name} is exactly at one end of its values in {share:.0%} of all frames ({joined(full)})",
                "It was driven against its end, or cut off there: what was meant beyond is lost.",
                "Calibrate the arm and record anew, if it is a joint.",
            )
        if self._columns:
            yield Finding(
                "scope",
                "note",
                f"what {joined(self._name(place) for place in self._columns)} measures is not known: it is named "
                "after no joint of an SO-101",
                "Units, ranges, speeds, first steps and gaps in degrees were not looked at; jumps, stuck readings and "
                "ends were, by the columns' own values.",
                "Nothing needs to be done; an SO-101 recorded with LeRobot's names of its joints is looked at closer.",
            )

    def _name(self, place: tuple[str, int]) -> str:
        return f"{place[0]} {self._columns[place]}"
