"""Whether joints are in the units that the dataset names: degrees, radians, -100..100; gripper 0..100, 0..97, 0..1."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from curation.checks.finding import Finding, joined
from curation.checks.scale import scales
from curation.checks.subject import Motion, Subject
from curation.frames import JOINTS
from curation.motion import joint_name
from curation.names import ACTION, STATE
from curation.units import GRIPPER, MODEL, spans

_SLACK = 0.08
"""How far beyond its nominal range a joint may be, of that range: calibrations differ, soft joints overshoot."""
_ENOUGH = 100
"""Frames below which a range says nothing about units."""
_APART = 20.0
"""Factor between the spans of state and action that no lag explains."""
_MEANS = "Merged with others, or driven on a robot, the numbers mean another pose: the arm goes elsewhere."
_SAY = "Say what they are in meta/studio/units.json; studio gripper and studio merge DATASET --units convert them."


class Ranges:
    """Lowest and highest of every joint; against the simulation where its physics is stored."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._keys = [key for key in (ACTION, STATE) if key in subject.features]
        self._low = {key: np.full(subject.features[key].shape[0], np.inf) for key in self._keys}
        self._high = {key: np.full(subject.features[key].shape[0], -np.inf) for key in self._keys}
        self._fits: dict[str, list[tuple[float, float]]] = {}
        self._at_hundred = {key: np.zeros(subject.features[key].shape[0]) for key in self._keys}
        self._frames = 0

    def see(self, motion: Motion) -> None:
        self._frames += len(motion.rows)
        for key in self._keys:
            values = motion.action if key == ACTION else motion.state
            assert values is not None
            if not np.isfinite(values).all():
                continue
            self._low[key] = np.minimum(self._low[key], values.min(axis=0))
            self._high[key] = np.maximum(self._high[key], values.max(axis=0))
            self._at_hundred[key] += (np.abs(np.abs(values) - 100.0) < 1e-4).sum(axis=0)
        if motion.state is not None:
            self._fit(motion, motion.state)

    def _fit(self, motion: Motion, state: np.ndarray) -> None:
        """Factor from the simulation's radians to each measured column, where the joint moves."""
        for column, name in enumerate(self._subject.names(STATE)):
            joint = joint_name(name)
            true = motion.physics.get(joint) if joint in JOINTS else None
            if true is None or float(np.ptp(true)) < 0.1 or not np.isfinite(state[:, column]).all():
                continue
            factor, offset = np.polyfit(true[:, 0], state[:, column], 1)
            left = state[:, column] - (factor * true[:, 0] + offset)
            if float(np.std(left)) < 0.02 * float(np.std(state[:, column])):
                self._fits.setdefault(joint, []).append((float(factor), float(offset)))

    def findings(self) -> Iterator[Finding]:
        body: dict[str, str] = {}
        for key in self._keys:
            for column, scale in enumerate(scales(self._subject, key)):
                low, high = float(self._low[key][column]), float(self._high[key][column])
                if scale.width is None or not low <= high:
                    continue
                place = f"{key} {scale.name}"
                if scale.gripper:
                    yield from self._gripper(place, low, high)
                elif self._beyond(scale.low, scale.high, low, high):
                    body[place] = f"{low:.4g} to {high:.4g}"
        if body:
            place, seen = next(iter(body.items()))
            yield _error(
                f"{place} goes from {seen}, which are no {self._words()} of this arm ({joined(body)})",
                f"They may be {self._guess()}. {_SAY}",
            )
        else:
            yield from self._looks_like()
        yield from self._against_physics()
        yield from self._disagree()

    def _words(self) -> str:
        unit = self._subject.units.body
        return "values of -100..100" if unit == "-100..100" else unit

    def _beyond(self, low: float, high: float, least: float, most: float) -> bool:
        """Whether values lie outside a range by more than slack; ends differ by calibration, within a whole turn."""
        slack = _SLACK * (high - low)
        if self._subject.units.body == "degrees":
            return least < min(low - slack, -125.0) or most > max(high + slack, 125.0)
        return least < low - slack or most > high + slack

    def _guess(self) -> str:
        return "degrees" if self._subject.units.body != "degrees" else "encoder ticks, or turns that were not unwrapped"

    def _looks_like(self) -> Iterator[Finding]:
        """Radians and -100..100 where degrees are named."""
        if self._subject.units.body != "degrees":
            return
        for key in self._keys:
            columns = [c for c, s in enumerate(scales(self._subject, key)) if s.width is not None and not s.gripper]
            if not columns or self._frames < _ENOUGH:
                continue
            low, high = self._low[key][columns], self._high[key][columns]
            reach = float(np.maximum(np.abs(low), np.abs(high)).max())
            moves = float((high - low).max())
            if moves > 0.1 and reach <= math.pi:
                yield _error(
                    f"{key}: no body joint is beyond {reach:.3g}, as radians are; degrees are named",
                    f"{_SAY} If they are degrees, the arm moved by {moves:.2g} only.",
                )
            elif (self._at_hundred[key][columns] > 0.01 * self._frames).sum() >= 2:
                yield Finding(
                    "units",
                    "warning",
                    f"{key}: several body joints stop at exactly 100, as values of -100..100 do; degrees are named",
                    _MEANS,
                    f"{_SAY} Degrees can be computed with the arm's calibration only.",
                )

    def _gripper(self, place: str, low: float, high: float) -> Iterator[Finding]:
        unit = self._subject.units.gripper
        least, most = GRIPPER[unit]
        slack = _SLACK * (most - least)
        if low < least - slack or high > most + (0.02 if unit == "0..97" else 1.0) * slack:
            yield _error(f"{place} goes from {low:.4g} to {high:.4g}, {unit} is named", f"{_guess(low, high)} {_SAY}")
        elif unit in ("0..100", "0..97") and high <= 1.85 and high - low > 0.02 and self._frames >= _ENOUGH:
            yield _error(
                f"{place} goes from {low:.4g} to {high:.4g}, {unit} is named: it is closed all the time, or "
                f"{_guess(low, high).lower()}",
                _SAY,
            )

    def _against_physics(self) -> Iterator[Finding]:
        wrong: dict[str, str] = {}
        for joint, fits in self._fits.items():
            factor = float(np.median([fit[0] for fit in fits]))
            due, words = self._due(joint)
            if abs(factor / due - 1) > 0.02:
                wrong[joint] = f"{factor / due:.3g} times {words}"
        if wrong:
            joint, words = next(iter(wrong.items()))
            yield _error(
                f"{STATE} {joint} is {words} of the simulated joint ({joined(wrong)})",
                f"The physics is the truth. {_SAY}",
            )

    def _due(self, joint: str) -> tuple[float, str]:
        """What one radian is in the units that are named."""
        if joint == "gripper":
            (least, most), unit = GRIPPER[self._subject.units.gripper], self._subject.units.gripper
            return (most - least) / math.radians(110.0), f"the {unit}"
        low, high = spans(MODEL)[joint]
        factor = {"degrees": math.degrees(1.0), "radians": 1.0}.get(
            self._subject.units.body, 200.0 / math.radians(high - low)
        )
        return factor, f"the {self._words()}"

    def _disagree(self) -> Iterator[Finding]:
        """State and action in different units: their spans differ by a factor that no lag explains."""
        for name, driven, measured in self._subject.paired:
            asked = float(self._high[ACTION][driven] - self._low[ACTION][driven])
            was = float(self._high[STATE][measured] - self._low[STATE][measured])
            low, high = sorted((asked, was))
            if self._frames >= _ENOUGH and low > 0 and high > _APART * low:
                yield Finding(
                    "units",
                    "warning",
                    f"{name}: the action spans {asked:.4g}, the state {was:.4g}, as if in two units",
                    "The policy reads one unit and commands another; a robot that feeds back its state goes astray.",
                    _SAY,
                )
                return


def _guess(low: float, high: float) -> str:
    if low > -0.03 and high <= 1.02:
        return "They look like 0..1."
    if low >= -0.3 and high <= 1.85:
        return "They look like radians."
    return "They look like 0..100." if high <= 105 else "They look like encoder ticks."


def _error(what: str, mend: str) -> Finding:
    return Finding("units", "error", what, _MEANS, mend)
