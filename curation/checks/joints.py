"""What the joints do that no arm does: values that are no numbers, jumps, wraps, frozen and saturated joints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, Level, joined, listed
from curation.checks.scale import Scale, scales
from curation.checks.subject import Motion, Subject
from curation.names import ACTION, STATE

WRAP = 0.75
"""A step from one frame to the next by this share of the joint's range is an encoder that went past its zero: the
earlier work looked for 150 of the 200 that a range was there."""
FASTEST = 900.0
"""Speed of a body joint that no servo of this kind reaches [deg/s]; theirs do about 300 without load."""
SATURATED = 0.4
"""Share of frames at a limit that is a joint driven against its end."""
_AT_LIMIT = 0.005
"""Distance to an end that counts as at it, of the range."""
_MOVES = 0.05
"""Share of its range by which a joint moves when it is meant to."""
STUCK_S = 1.0
"""How long a measured joint stands perfectly still, while it is driven, before it is stuck [s]."""
_CLOSE = "Look at them (studio inspect --video); studio drop leaves them out, studio trim keeps their good part."


class Joints:
    """Every column of state and action by itself."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._columns = {
            (key, column): scale
            for key in (ACTION, STATE)
            if key in subject.features
            for column, scale in enumerate(scales(subject, key))
        }
        self._rules: dict[str, dict[str, list[int]]] = {}
        self._worst: dict[str, tuple[float, str]] = {}
        self._frames = 0
        self._at_limit = dict.fromkeys(self._columns, 0)
        self._span = {place: [np.inf, -np.inf] for place in self._columns}
        self._broken: dict[str, list[int]] = {}

    def see(self, motion: Motion) -> None:
        for key, column in motion.numbers.items():
            if not np.isfinite(column).all():
                self._broken.setdefault(key, []).append(motion.index)
        self._frames += len(motion.rows)
        wide = {ACTION: motion.action, STATE: motion.state}
        for (key, place), scale in self._columns.items():
            values = wide[key]
            assert values is not None
            self._see_column(motion, (key, place), scale, values[:, place])
        for name, driven, measured in self._subject.paired:
            self._see_pair(motion, name, driven, measured)

    def _see_column(self, motion: Motion, place: tuple[str, int], scale: Scale, values: NDArray[np.float64]) -> None:
        finite = values[np.isfinite(values)]
        if not finite.size:
            return
        span = self._span[place]
        span[:] = min(span[0], finite.min()), max(span[1], finite.max())
        name = f"{place[0]} {scale.name}"
        step = float(np.abs(np.diff(values)).max(initial=0.0)) if finite.size == values.size else 0.0
        if scale.width is not None:
            near = np.minimum(np.abs(values - scale.low), np.abs(scale.high - values)) < _AT_LIMIT * scale.width
            self._at_limit[place] += int(near.sum())
            if not scale.gripper and step > WRAP * scale.width:
                self._note("wrap", name, motion.index, step, f"{name} jumps by {step:.4g} {scale.unit}")
            elif not scale.gripper and step * self._subject.fps > FASTEST * scale.per_degree:
                speed = step * self._subject.fps / scale.per_degree
                self._note("jumps", name, motion.index, speed, f"{name} moves at {speed:.0f} deg/s")

    def _see_pair(self, motion: Motion, name: str, driven: int, measured: int) -> None:
        action, state = motion.action, motion.state
        assert action is not None
        assert state is not None
        scale = self._columns[(STATE, measured)]
        asked, was = action[:, driven], state[:, measured]
        moved = float(np.ptp(asked))
        meant = moved > _MOVES * (scale.width or 0.0) and moved > 0
        if scale.width is not None and not scale.gripper:
            first = abs(float(asked[0] - was[0]))
            if first > 20.0 * scale.per_degree:
                self._note("first step", name, motion.index, first, f"{name} is sent {first:.4g} {scale.unit} away")
        if meant and len(was) > 2 and float(np.ptp(was)) == 0.0:
            self._note(
                "frozen", name, motion.index, moved, f"{name} stands still while its action moves by {moved:.4g}"
            )
            return
        still = longest_still(was)
        if scale.width is None or scale.gripper or still[1] - still[0] < STUCK_S * self._subject.fps:
            return
        away = float(np.ptp(asked[still[0] : still[1] - 1])) if still[1] - still[0] > 2 else 0.0
        if away > 10.0 * scale.per_degree:
            seconds = (still[1] - still[0]) / self._subject.fps
            self._note("stuck", name, motion.index, away, f"{name} is the same for {seconds:.1f} s while it is driven")

    def _note(self, rule: str, name: str, episode: int, size: float, words: str) -> None:
        self._rules.setdefault(rule, {}).setdefault(name, []).append(episode)
        if size > self._worst.get(rule, (-1.0, ""))[0]:
            self._worst[rule] = size, f"{words} in episode {episode}"

    def findings(self) -> Iterator[Finding]:
        for key, episodes in self._broken.items():
            yield Finding(
                "finite",
                "error",
                f"{key} holds values that are no numbers in {listed(episodes)}",
                "One of them makes the loss and then every weight of the policy no number.",
                "studio drop leaves these episodes out; studio trim keeps the part before.",
                tuple(episodes),
            )
        for rule, level, means, mend in _RULES:
            if rule in self._rules:
                found = self._rules[rule]
                mine = tuple(sorted({episode for those in found.values() for episode in those}))
                what = f"{self._worst[rule][1]} ({joined(found)}; {listed(mine)})"
                yield Finding(rule, level, what, means, mend, mine)
        yield from self._saturated()
        yield from self._idle()

    def _saturated(self) -> Iterator[Finding]:
        found = {
            f"{key} {scale.name}": self._at_limit[key, column] / self._frames
            for (key, column), scale in self._columns.items()
            if not scale.gripper and self._frames
        }
        full = {name: share for name, share in found.items() if share > SATURATED}
        if full:
            name, share = max(full.items(), key=lambda item: item[1])
            yield Finding(
                "saturated",
                "warning",
                f"{name} is at its limit in {share:.0%} of all frames ({joined(full)})",
                "The joint was driven against its end, or its calibration is off: what was meant beyond is lost.",
                "Calibrate the arm and record anew; studio drop leaves single episodes out.",
            )

    def _idle(self) -> Iterator[Finding]:
        if self._frames < 2:
            return
        idle = [
            f"{key} {scale.name}" for (key, column), scale in self._columns.items()
            if self._span[key, column][0] == self._span[key, column][1]
        ]  # fmt: skip
        if idle:
            yield Finding(
                "frozen",
                "note" if all(name.startswith(ACTION) for name in idle) else "warning",
                f"{joined(idle)} never changes in the whole dataset",
                "Its standard deviation is 0: divided by it, the smallest difference on the robot becomes huge.",
                "If the joint is meant to move, its cable or its driver is at fault: record anew.",
            )


_RULES: tuple[tuple[str, Level, str, str], ...] = (
    (
        "wrap",
        "error",
        "The encoder went past its zero: a whole turn in one frame is learnt as a command and averaged into others.",
        f"Set the servo's homing offset and record anew. {_CLOSE}",
    ),
    (
        "jumps",
        "warning",
        "No servo moves so fast: a reading was lost or a leader was moved between frames. A policy learns to jerk.",
        _CLOSE,
    ),
    (
        "first step",
        "warning",
        "The arm jumps when the episode begins, as with a leader that was elsewhere; a policy learns to start so.",
        "studio trim leaves the first frames out.",
    ),
    (
        "frozen",
        "error",
        "The joint is driven and its position is not measured: the policy learns that its actions do nothing.",
        _CLOSE,
    ),
    (
        "stuck",
        "warning",
        "Readings stopped for a while and the last one was repeated: states are late there, and the policy blind.",
        _CLOSE,
    ),
)


def longest_still(values: NDArray[np.float64]) -> tuple[int, int]:
    """The longest run of one and the same value: its first row and the one after its last."""
    edges = np.flatnonzero(np.diff(values)) + 1
    bounds = np.concatenate([[0], edges, [len(values)]])
    runs = np.diff(bounds)
    place = int(np.argmax(runs))
    return int(bounds[place]), int(bounds[place + 1])
