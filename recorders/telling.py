"""What a booth shows of itself: the sitting at one instant, ten times a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from curation.frames import Frame
from curation.targets import Target

from .meter import Meter
from .operators.by_hand import ByHand, Sensed
from .operators.jog import PERSON
from .rollout import Start
from .shelf import Shelf
from .signals import Stage, Tick
from .sitting import Sitting
from .world.sim import SimWorld

TICKS_PER_S = 10
MEASURED_S = 300.0
"""Takes per minute are counted over the last five minutes [s]."""


@dataclass(frozen=True)
class Turn:
    """One take to come: its number, the position of a list it is of, its start, and where the block shall be [m]."""

    attempt: int
    target: Target | None
    start: Start
    planned: tuple[float, float] | None


@dataclass
class Teller:
    """Where a sitting stands; shows it when it is time to.

    Attributes:
        sitting, world, hands, shelf: of the booth.
        show: is shown ticks; must not block.
        stage, turn, frame, meter: of the take in progress.
        ended: when takes of this sitting ended, of `time.monotonic()` [s].
    """

    sitting: Sitting
    world: SimWorld
    hands: ByHand | None
    shelf: Shelf
    show: Callable[[Tick], None]
    stage: Stage = Stage.STARTING
    turn: Turn | None = None
    frame: Frame | None = None
    meter: Meter | None = None
    ended: list[float] = field(default_factory=list)
    _shown: float = 0.0

    def enter(self, stage: Stage, meter: Meter | None = None) -> None:
        """Begin a stage with nothing driven yet."""
        self.stage, self.frame, self.meter = stage, None, meter

    def tick(self) -> None:
        """Show the present instant, unless one was shown just now."""
        now = time.monotonic()
        if now - self._shown >= 1 / TICKS_PER_S:
            self._shown = now
            self.show(self._tick(now))

    def _tick(self, now: float) -> Tick:
        world, turn, hands, frame = self.world, self.turn, self.hands, self.frame
        observation = world.observe()
        pose, yaw = world.block_pose()
        per_minute, left_s = self._pace(now)
        target = turn.target if turn else None
        meter = self.meter if frame else None
        by = frame.command.by if frame else ""
        return Tick(
            stage=self.stage,
            stamp=now,
            frame=frame.index + 1 if frame else 0,
            seconds=observation.time,
            limit_s=self.sitting.limit_s,
            physics=world.physics(),
            state=tuple(observation.state),
            action=tuple(frame.command.action if frame else observation.state),
            block=(float(pose[0]), float(pose[1]), float(yaw)),
            tip=world.tip(),
            planned=turn.planned if turn else None,
            target=" ".join(filter(None, (target.id, target.note))) if target else "",
            phase=world.phase.value,
            outcome=world.verdict()[0].value if frame else "",
            gauges=meter.gauges() if meter else (),
            advice=meter.advice() if meter else "",
            by=by,
            driving=hands.driving if hands and self.stage is Stage.RECORDING and by in ("", PERSON) else (),
            mode=hands.mode.value if hands else "",
            pace=hands.pace if hands else 1.0,
            stopped_at=hands.stopped_at if hands else "",
            delays=hands.delays if isinstance(hands, Sensed) else (),
            kept=self.shelf.count(),
            goal=self.sitting.episodes,
            waiting=self.shelf.waiting,
            per_minute=per_minute,
            left_s=left_s,
        )

    def _pace(self, now: float) -> tuple[float, float | None]:
        """Takes per minute, and seconds until the goal at that pace."""
        recent = [at for at in self.ended if now - at <= MEASURED_S]
        if len(recent) < 2:
            return 0.0, None
        pace = 60 * (len(recent) - 1) / (recent[-1] - recent[0])
        open_ = max(0, self.sitting.episodes - self.shelf.count())
        return pace, 60 * open_ / pace if self.sitting.episodes else None
