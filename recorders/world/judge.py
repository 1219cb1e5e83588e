"""The judge: what happened in an episode, from what was measured in each frame. Thresholds live here only.

Precedence of outcomes, first that holds:

1. success: lifted once, then for `DWELL_S` on end the whole block inside the rim, no jaw contact, nearly at rest.
   The first time is latched; whether it is still so at the end is reported beside it.
2. held_at_timeout: at the end the jaws hold the block off the table.
3. never_reached: the gripper never came within `REACHED_M` of the block and never touched it.
4. knocked_away: never lifted, and pushed at least `KNOCKED_M` from where it stood.
5. never_picked_up: never lifted.
6. timeout: lifted, and inside the rim at the end, but touched or moving.
7. missed_goal: lifted, and ended within `NEAR_GOAL_M` of the bowl's axis.
8. dropped_in_transport: lifted, and ended anywhere else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from curation.frames import Outcome, Phase, Vector

from . import props

LIFTED_M = 0.020
"""Lowest point of the block above the table, with both jaws touching, that counts as lifted [m]."""
OFF_TABLE_M = 0.002
"""Lowest point above the table that counts as off it [m]; above contact softness."""
DWELL_S = 0.5
"""How long the block must lie released in the bowl [s] (assumed): time to bounce out again."""
REST_SPEED = 0.01
"""Speed of the block's centre below which it is at rest [m/s]."""
REACHED_M = 0.04
"""Tool point to block centre that counts as reached [m]: beside a 25 mm cube with open jaws."""
KNOCKED_M = 0.05
"""Way from where it stood that makes a block pushed aside [m] (assumed): two widths of the cube."""
RELEASE_M = props.BOWL_RIM_RADIUS
"""Horizontal distance from the bowl's axis within which letting go of a lifted block is a release and no fumble [m]:
within the rim, at whatever height."""
NEAR_GOAL_M = 0.12
"""The earlier work's radius for a missed goal [m]."""
CARRIED_M = 0.03
"""Sideways way from the pick-up after which lifting becomes transport [m]."""
FIRM_SHARE = 0.5
"""Share of the peak force since the block left the table below which the jaws are letting go, so that motion is no
longer slip. The jaws' impact on the block, two or three times the holding force, does not count."""
LAZY_OVERLAP_M, LAZY_OFFSET_M, LAZY_SLIP_M = 0.005, 0.005, 0.005
"""A grasp shallower, further off centre or slipping more than this would not survive on hardware [m].
A centred grasp slips up to 2 mm in a transport here and 3 mm in 8 s of hard shaking, so 5 mm is not its noise."""


@dataclass(frozen=True)
class Reading:
    """One instant, measured.

    Attributes:
        time: seconds since reset.
        block: centre of the block [m], shape (3,).
        lowest: its lowest point above the table [m].
        speed: of its centre [m/s].
        fixed, moving: whether each jaw touches it.
        force: sum of the jaws' normal forces on it [N].
        inside: the whole block is inside the bowl's rim.
        goal_distance: from the bowl's axis, horizontally [m].
        approach: tool point to block centre [m].
        in_gripper: block centre in the gripper frame [m], shape (3,).
        overlap: of pad and block along the pad, the smaller of its two directions [m].
        offset: of the block's centre from the pad's middle line [m].
    """

    time: float
    block: Vector
    lowest: float
    speed: float
    fixed: bool
    moving: bool
    force: float
    inside: bool
    goal_distance: float
    approach: float
    in_gripper: Vector
    overlap: float
    offset: float

    @property
    def touched(self) -> bool:
        return self.fixed or self.moving

    @property
    def held(self) -> bool:
        return self.fixed and self.moving


@dataclass
class Grasp:
    """One time the block was between both jaws [m, N, s]."""

    start_s: float
    overlap: float
    offset: float
    reference: Vector
    peak_force: float = 0.0
    slip: float = 0.0
    lifted: bool = False
    firm_force: float = 0.0

    @property
    def lazy(self) -> bool:
        return self.overlap < LAZY_OVERLAP_M or self.offset > LAZY_OFFSET_M or self.slip > LAZY_SLIP_M

    def as_json(self) -> dict[str, Any]:
        numbers = {name: round(float(getattr(self, name)), 5) for name in ("start_s", "overlap", "offset", "slip")}
        return {**numbers, "peak_force": round(self.peak_force, 2), "lifted": self.lifted, "lazy": self.lazy}


@dataclass
class Judge:
    """Accumulates readings of one episode, oldest first; the first is at reset."""

    first: Reading | None = None
    last: Reading | None = None
    phase: Phase = Phase.REACH
    success_s: float | None = None
    lifted_s: float | None = None
    closest: float = math.inf
    touched: bool = False
    grasps: list[Grasp] = field(default_factory=list)
    fumbles: int = 0
    _good_since: float | None = None
    _holding: Grasp | None = None
    _pickup: Vector | None = None

    def see(self, reading: Reading) -> None:
        """Take in one frame."""
        self.first = self.first or reading
        self.closest = min(self.closest, reading.approach)
        self.touched = self.touched or reading.touched
        self._track_grasp(reading)
        if reading.held and reading.lowest > LIFTED_M and self.lifted_s is None:
            self.lifted_s = reading.time
        self._track_success(reading)
        self.phase = self._next_phase(reading)
        self.last = reading

    def outcome(self) -> Outcome:
        """The outcome if the episode ended now."""
        first, last = self.first, self.last
        if first is None or last is None:
            raise ValueError("the judge has seen no frame")
        if self.success_s is not None:
            return Outcome.SUCCESS
        if last.held and last.lowest > OFF_TABLE_M:
            return Outcome.HELD_AT_TIMEOUT
        if not self.touched and self.closest > REACHED_M:
            return Outcome.NEVER_REACHED
        if self.lifted_s is None:
            pushed = float(np.linalg.norm(last.block[:2] - first.block[:2]))
            return Outcome.KNOCKED_AWAY if pushed >= KNOCKED_M else Outcome.NEVER_PICKED_UP
        if last.inside:
            return Outcome.TIMEOUT
        return Outcome.MISSED_GOAL if last.goal_distance < NEAR_GOAL_M else Outcome.DROPPED_IN_TRANSPORT

    def report(self) -> dict[str, Any]:
        """Everything else about the episode, JSON values only; metres, newtons, seconds."""
        last = self.last
        at_end = last is not None and last.inside and not last.touched and last.speed < REST_SPEED
        return {
            "success_s": self.success_s,
            "success_at_end": self.success_s is not None and at_end,
            "clean": self.success_s is not None and self.fumbles == 0,
            "fumbles": self.fumbles,
            "lifted_s": self.lifted_s,
            "closest_approach": round(float(self.closest), 5),
            "grasps": [grasp.as_json() for grasp in self.grasps],
            "lazy_grip": any(grasp.lazy for grasp in self.grasps if grasp.lifted),
        }

    def _track_success(self, reading: Reading) -> None:
        good = self.lifted_s is not None and reading.inside and not reading.touched and reading.speed < REST_SPEED
        if not good:
            self._good_since = None
            return
        if self._good_since is None:
            self._good_since = reading.time
        # Half a millisecond absorbs float rounding of frame times.
        if self.success_s is None and reading.time - self._good_since >= DWELL_S - 5e-4:
            self.success_s = reading.time

    def _track_grasp(self, reading: Reading) -> None:
        grasp = self._holding
        if not reading.held:
            released = reading.inside or reading.goal_distance <= RELEASE_M
            if grasp is not None and not (grasp.lifted and released):
                self.fumbles += 1
            self._holding = None
            return
        if grasp is None:
            grasp = Grasp(reading.time, reading.overlap, reading.offset, reading.in_gripper)
            self._holding = grasp
            self.grasps.append(grasp)
        if not grasp.lifted:
            # Squeezing moves the block into the pads; the grip that counts is the one it is lifted with.
            grasp.overlap, grasp.offset, grasp.reference = reading.overlap, reading.offset, reading.in_gripper
        grasp.lifted = grasp.lifted or reading.lowest > OFF_TABLE_M
        grasp.peak_force = max(grasp.peak_force, reading.force)
        # Only along the pads' faces: a push along the closing axis is squeezing, not slip.
        if grasp.lifted:
            grasp.firm_force = max(grasp.firm_force, reading.force)
        if reading.force >= FIRM_SHARE * grasp.firm_force:
            grasp.slip = max(grasp.slip, float(np.linalg.norm((reading.in_gripper - grasp.reference)[1:])))

    def _next_phase(self, reading: Reading) -> Phase:
        if reading.held and reading.lowest > OFF_TABLE_M:
            if self._pickup is None:
                self._pickup = reading.block[:2].copy()
            carried = float(np.linalg.norm(reading.block[:2] - self._pickup))
            return Phase.TRANSPORT if carried >= CARRIED_M or self.phase is Phase.TRANSPORT else Phase.LIFT
        if self.phase in (Phase.LIFT, Phase.TRANSPORT, Phase.RELEASE) and self.lifted_s is not None:
            regrasp = reading.held and reading.lowest <= OFF_TABLE_M
            return Phase.GRASP if regrasp else Phase.RELEASE
        self._pickup = None
        return Phase.GRASP if reading.touched else Phase.REACH
