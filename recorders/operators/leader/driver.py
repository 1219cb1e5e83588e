"""A leader arm as a driver: the simulated arm takes the leader's joint angles, as a real follower would.

Whatever makes those doubtful lets the arm stand where it was commanded last: a bus that does not answer, a joint that
went over the end of its encoder. What comes after that, and every take, begins with a slow way to where the leader is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import numpy as np

from curation.frames import JOINTS, Command, Observation, Vector
from recorders.devices.leader.readings import STALE_S, LeaderReading, LeaderSource
from recorders.operators.controller.delays import Delays
from recorders.operators.controller.feel import Feel
from recorders.operators.jog import PERSON
from recorders.operators.keymap import Intent
from recorders.world.servo import STEP_LIMIT_DEG_PER_S, limit_step, step_limit
from recorders.world.units import HIGH, LOW

from .encoders import Encoders

RAMP_DEG_PER_S = 60.0
"""Speed of the fastest joint on the way to the leader [deg/s] (assumed): a person has time to let go, and across the
whole range it is four seconds."""
HICCUP_S = 0.5
HICCUP_FRAMES = 3
"""After a silence of the bus of less than this [s] that left the leader no farther than the servos go in so many
frames, the arm goes on following: a slow way would leave it behind a hand that goes on."""
ROUNDING = 1e-3
"""Beyond a limit by less than this is a reading's rounding [deg]."""


class Hold(StrEnum):
    """How the arm and the leader stand to each other."""

    LOST = "no answer"
    TURNED = "turned over"
    HALTED = "held"
    NEARING = "nearing"
    FOLLOWING = "following"


DRIVES = (Hold.NEARING, Hold.FOLLOWING)


class Follower:
    """Drives one world by a leader arm.

    Args:
        source: of the readings, open.
        fps: of the world.
        say: is told what the person must know.
        clock: `time.perf_counter`, for delays alone.

    Attributes:
        mode: how the arm and the leader stand to each other.
        pace: 1; a leader has one.
        stopped_at: what kept the arm from following in the last frame, in words; "" if nothing did.
    """

    def __init__(
        self,
        source: LeaderSource,
        fps: int,
        say: Callable[[str], object] = lambda text: None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._source = source
        self._fps = fps
        self._say = say
        self._clock = clock
        self._share = RAMP_DEG_PER_S / STEP_LIMIT_DEG_PER_S
        self._encoders = Encoders()
        self._seen = -np.inf
        self._joints: Vector = np.zeros(6)
        self._target: Vector = np.zeros(6)
        self._now = 0.0
        self._fresh = self._near = self._halted = self._released = False
        self._delays = Delays()
        self._counts = dict.fromkeys(Hold, 0)
        self.mode = Hold.LOST
        self.pace = 1.0
        self.stopped_at = ""

    # What others see of it.

    @property
    def driving(self) -> tuple[str, ...]:
        """ "leader" while it drives."""
        return ("leader",) if self.mode in DRIVES else ()

    @property
    def delays(self) -> tuple[float, ...]:
        """As `Delays.recent`."""
        return self._delays.recent

    def measured(self) -> dict[str, Any]:
        """Facts about the take: the source, delays and in how many frames the arm followed, neared or stood."""
        frames = {hold.name.lower(): count for hold, count in self._counts.items()}
        return {"leader": {"source": self._source.name, "frames": frames} | self._delays.summary()}

    # What a person does beside driving.

    def faster(self, steps: int = 1) -> None:
        """There is one pace only."""

    def switch(self) -> None:
        """Hold the arm, or let it follow again."""
        self._halted = not self._halted

    def halt(self) -> None:
        """Hold the arm until the person switches, or the next take."""
        self._halted = True

    def release(self) -> None:
        """Let the arm stand in the next frame; it nears the leader again after that."""
        self._released = True

    def pressed(self, now: float) -> tuple[str, ...]:
        """Nothing: a leader is never at rest while it is held, so a key begins a take."""
        return ()

    def tell(self, feel: Feel) -> None:
        """A leader's servos are not driven: there is nothing to feel."""

    def listen(self) -> list[Intent]:
        """Take in what the leader says since the last time; a leader has no buttons to want anything with."""
        batch = self._source.take()
        unasked, self._now = batch.now - self._now, batch.now
        for text in batch.said:
            self._say(text)
        for reading in batch.readings:
            # A reading from the future would keep all others out until then.
            if reading.sound and self._seen < reading.time <= batch.now + STALE_S:
                self._see(reading)
        self._doubt(unasked)
        self._judge()
        return []

    def _see(self, reading: LeaderReading) -> None:
        before, silent = self._encoders.turned, reading.time - self._seen
        if silent > HICCUP_S:
            self._encoders.forget()
        leapt = self._encoders.see(np.array(reading.turns))
        self._tell_turns(before, self._encoders.turned)
        self._seen, self._joints, self._fresh = reading.time, np.array(reading.joints), True
        self._near = self._near and not leapt
        self._doubt(silent)

    def _doubt(self, seconds: float) -> None:
        """Near the leader anew if nothing was heard of it, or nobody asked, for so long that it may be elsewhere."""
        frames = float((np.abs(self._joints - self._target) / step_limit(self._fps)).max())
        if seconds > HICCUP_S or (seconds > STALE_S and frames > HICCUP_FRAMES):
            self._near = False

    def _tell_turns(self, before: Vector, after: Vector) -> None:
        for joint, was, now in zip(JOINTS, before, after, strict=True):
            if now and not was:
                self._say(
                    f"{joint} of the leader went over the end of its encoder: its angle leapt by a turn. The arm "
                    "stands; turn it back."
                )
            elif was and not now:
                self._say(f"{joint} of the leader is back within its turn; the arm nears it.")

    def _judge(self) -> None:
        """Whether the arm may follow."""
        if self._now - self._seen > STALE_S:
            self.mode = Hold.LOST
        elif self._encoders.turned.any():
            self.mode = Hold.TURNED
        elif self._halted:
            self.mode = Hold.HALTED
        else:
            self.mode = Hold.FOLLOWING if self._near else Hold.NEARING
        self._near = self._near and self.mode not in (Hold.TURNED, Hold.HALTED)

    # Driving.

    def begin(self, observation: Observation, seed: int) -> None:
        """Start from where the arm is."""
        self._target = observation.state.clip(LOW, HIGH)
        self._near = self._halted = self._released = False
        self._delays = Delays()
        self._counts = dict.fromkeys(Hold, 0)
        self.stopped_at = ""

    def act(self, observation: Observation) -> Command:
        """One frame further towards where the leader is."""
        self.stopped_at = ""
        self._counts[self.mode] += 1
        if self._released:
            self._released = self._near = False
        elif self.mode in DRIVES:
            self._follow()
            if self._fresh:
                self._delays.chosen(self._seen, self._now, self._clock())
        self._fresh = False
        return Command(self._target.copy(), PERSON)

    def framed(self) -> None:
        """The frame that was asked for last goes to the arm."""
        self._delays.framed(self._clock())

    def _follow(self) -> None:
        wished = self._joints.clip(LOW, HIGH)
        beyond = np.flatnonzero(np.abs(wished - self._joints) > ROUNDING)
        if len(beyond):
            self.stopped_at = f"the limit of {JOINTS[beyond[0]]}"
        if self._near:
            limited = limit_step(wished, self._target, self._fps)
            if np.abs(limited - wished).max() > ROUNDING:
                self.stopped_at = "the servos' speed"
            self._target = limited
            return
        # All joints together, so that the way is a straight one and no joint waits for another.
        way = wished - self._target
        share = float((np.abs(way) / (self._share * step_limit(self._fps))).max())
        self._near = share <= 1.0
        self._target = self._target + way / max(share, 1.0)
