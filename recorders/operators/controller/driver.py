"""A person's controller as a driver: many readings in, one target per frame out.

While the clutch is held the tool point moves as the hand does, scaled, and the gripper turns as the hand does, one to
one. Whatever makes the hand's motion doubtful lets the arm stand where it was commanded last: loss of tracking, a
reading that is late or cannot be true, an opened menu, a headset that is gone.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from curation.frames import Command, Observation, Vector
from recorders.devices.controller import STALE_S, Batch, Button, ControllerSample, ControllerSource
from recorders.operators.jog import PERSON
from recorders.operators.keymap import Intent
from recorders.operators.reaching import FLOOR, Reaching
from recorders.world.servo import STEP_LIMIT_DEG_PER_S
from recorders.world.units import to_radians

from .clutch import Clutch, Hold
from .delays import Delays
from .facing import Facing
from .feel import Feel, Feeling
from .jaws import Jaws
from .rotations import to_matrix

SCALES = (0.25, 0.5, 0.75, 1.0, 1.5)
"""Shares of the hand's way that the tool point makes; a person sweeps 0.7 m and the arm reaches 0.35 m."""
SCALE = 0.75
BOX_LOW, BOX_HIGH = np.array([0.05, -0.40, FLOOR]), np.array([0.46, 0.40, 0.40])
"""Where the tool point may be asked to be, in the base frame [m]: the table the arm reaches and a forearm above it."""
SPEED = 0.75
"""Fastest way of the tool point [m/s]: 25 mm in a frame of 30 Hz. A person who moves a block makes about half of it;
LeRobot's 0.10 m a frame is beyond what these servos can do (assumed)."""
SHARES = (1.0, 0.5, 0.25, 0.12, 0.06)
"""Shares of a step that are tried, down to 1.5 mm before a limit."""
ROLL_SHARE = 0.9
"""Share of a servo's step that the roll may use."""
_STICK_ON, _STICK_OFF = 0.7, 0.3
_SAVES = {Button.LOWER: Intent.SAVE, Button.UPPER: Intent.DISCARD}


class Controller:
    """Drives one world by one hand.

    Args:
        source: of the readings, open.
        fps: of the world.
        say: is told what the person must know, and whether it is grave.
        clock: `time.perf_counter`, for delays alone.

    Attributes:
        stopped_at: what kept the arm from following in the last frame, in words; "" if nothing did.
    """

    def __init__(
        self,
        source: ControllerSource,
        fps: int,
        say: Callable[[str], object] = lambda text: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._source = source
        self._say = say
        self._clock = clock
        self._arm = Reaching(fps)
        self._reach_step = SPEED / fps
        self._roll_step = ROLL_SHARE * math.radians(STEP_LIMIT_DEG_PER_S / fps)
        self._clutch, self._facing, self._jaws = Clutch(), Facing(), Jaws()
        self._feeling = Feeling(source.pulse)
        self._scale = SCALES.index(SCALE)
        self._home: Vector = np.zeros(3)
        self._latches = 0
        self._trigger = 0.0
        self._down: frozenset[Button] | None = None
        self._stick = 0
        self._now = 0.0
        self._fresh = False
        self._delays = Delays()
        self._counts = {Hold.LOST: 0, Hold.FREE: 0, Hold.DRIVING: 0}
        self.stopped_at = ""

    # What others see of it.

    @property
    def mode(self) -> Hold:
        """What the clutch makes of the hand."""
        return self._clutch.hold

    @property
    def pace(self) -> float:
        """The scale of translations."""
        return SCALES[self._scale]

    @property
    def driving(self) -> tuple[str, ...]:
        """ "squeeze" while the hand drives."""
        return ("squeeze",) if self._clutch.hold is Hold.DRIVING else ()

    @property
    def sampled(self) -> float:
        """When the newest reading was taken, of `time.perf_counter()` [s]."""
        return self._clutch.seen

    @property
    def delays(self) -> tuple[float, ...]:
        """As `Delays.recent`."""
        return self._delays.recent

    def measured(self) -> dict[str, Any]:
        """Facts about the take: the source, the scale, delays and how many frames the hand drove or was lost."""
        frames = {hold.name.lower(): count for hold, count in self._counts.items()}
        return {
            "controller": {"source": self._source.name, "scale": self.pace, "frames": frames} | self._delays.summary()
        }

    # What a person does beside driving.

    def faster(self, steps: int = 1) -> None:
        """Choose a larger scale, or a smaller one with a negative number; the arm stands where it is."""
        self._scale = min(max(self._scale + steps, 0), len(SCALES) - 1)
        self._clutch.rearm()

    def switch(self) -> None:
        """There is one mode only."""

    def halt(self) -> None:
        """Stand until the next squeeze."""
        self._clutch.release()

    release = halt

    def pressed(self, now: float) -> tuple[str, ...]:
        """As `driving`: what begins a take."""
        return self.driving

    def tell(self, feel: Feel) -> None:
        """Let the hand feel something."""
        self._feeling.feel(feel)

    def listen(self) -> list[Intent]:
        """Take in what the controller says since the last time; returns what the person wants of the recording."""
        batch = self._source.take()
        self._now = batch.now
        wanted: list[Intent] = []
        for sample in batch.samples:
            # A reading from the future would keep all others out until then. What is late by now the hand did while
            # nobody asked and the arm stood: to the clutch it is a gap.
            if abs(batch.now - sample.time) <= STALE_S:
                wanted += self._hear(sample)
        if batch.now - self._clutch.seen > STALE_S:
            self._clutch.lose(batch.now)
        if self._clutch.hold is Hold.LOST:
            self._jaws.lose()
            self._down = None
        self._feeling.hold(self._clutch.hold)
        return [*wanted, *self._words(batch)]

    def _words(self, batch: Batch) -> list[Intent]:
        for text in batch.said:
            self._say(text)
        return [Intent.STOP] if batch.over else []

    def _hear(self, sample: ControllerSample) -> list[Intent]:
        self._clutch.see(sample)
        if not sample.sound:
            # What a button says while nobody sees the hand may be meant for the headset's own menu.
            self._jaws.lose()
            self._down = None
            return []
        self._fresh = True
        self._trigger = sample.trigger
        self._choose_scale(sample.stick[1])
        before, self._down = self._down, sample.buttons
        fresh = sample.buttons - before if before is not None else frozenset()
        if Button.STICK in fresh and not self._clutch.recentre():
            self._say("Point level, then press the stick: the way you point becomes the robot's forward.")
        return [intent for button, intent in _SAVES.items() if button in fresh]

    def _choose_scale(self, stick: float) -> None:
        if self._stick == 0 and abs(stick) > _STICK_ON:
            self._stick = 1 if stick > 0 else -1
            self.faster(self._stick)
        elif abs(stick) < _STICK_OFF:
            self._stick = 0

    # Driving.

    def begin(self, observation: Observation, seed: int) -> None:
        """Start from where the arm is."""
        self._arm.take_up(observation.state)
        self._jaws.begin()
        self._clutch.rearm()
        self._delays = Delays()
        self._counts = dict.fromkeys(self._counts, 0)
        self.stopped_at = ""

    def act(self, observation: Observation) -> Command:
        """One frame further towards where the hand is."""
        arm = self._arm
        self.stopped_at = arm.stopped_at = ""
        self._counts[self._clutch.hold] += 1
        if self._clutch.hold is Hold.DRIVING:
            self._follow()
        if self._clutch.hold is not Hold.LOST:
            arm.close(self._jaws.see(self._trigger, float(arm.target[5])), float(observation.state[5]))
        self._feeling.limit(self.stopped_at, self._now)
        if self._fresh:
            self._delays.chosen(self._clutch.seen, self._now, self._clock())
            self._fresh = False
        return Command(arm.target.copy(), PERSON)

    def framed(self) -> None:
        """The frame that was asked for last goes to the arm."""
        self._delays.framed(self._clock())

    def _follow(self) -> None:
        arm, clutch, facing = self._arm, self._clutch, self._facing
        pan = float(to_radians(arm.target)[0])
        if clutch.latches != self._latches:
            # From what was commanded, not from what is measured: an arm that sags would sink with every squeeze.
            self._latches = clutch.latches
            self._home = arm.grip.position.copy()
            facing.begin(pan, arm.pitch, arm.grip.roll)
        wished = self._home + self.pace * clutch.shift
        # An arm that stands outside, by whoever drove it there, is not drawn in.
        point = wished.clip(np.minimum(BOX_LOW, self._home), np.maximum(BOX_HIGH, self._home))
        way = point - arm.grip.position
        length = float(np.linalg.norm(way))
        if length > self._reach_step:
            way *= self._reach_step / length
        pitch, roll = facing.see(to_matrix(clutch.turn), pan)
        arm.tilt(pitch)
        turn = min(max(roll - arm.grip.roll, -self._roll_step), self._roll_step)
        arm.move(way, turn, SHARES)
        self.stopped_at = arm.stopped_at or _edge(wished, point) or ("the wrist's limit" if facing.roll.stopped else "")


def _edge(wished: Vector, point: Vector) -> str:
    """Which side of the workspace holds the hand back; "" for none."""
    beyond = np.flatnonzero(wished != point)
    if not len(beyond):
        return ""
    return "the table" if beyond[0] == 2 and wished[2] < point[2] else "the workspace's edge"
