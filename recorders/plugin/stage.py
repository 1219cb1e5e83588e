"""The world that LeRobot's robot and teleoperator share, and how its episodes begin.

LeRobot's robots are never told that a new episode begins: on a desk, a person puts the block back. It does announce
each one, though, in its log and out loud: "Recording episode 3", from `lerobot-record` and from the episodic strategy
of `lerobot-rollout`, before the first observation of every recorded loop, also after a re-recording and after
`--resume`. The stage listens to that log. On an announcement it puts everything in place before the next
observation, at the placement that belongs to that number, so that no recorded frame ever shows a reset and a
re-recorded episode starts again from the same placement.

In between, in LeRobot's "Reset the environment" phase, nobody has anything to do: pass `--dataset.reset_time_s=0`.
Programs that announce nothing (`lerobot-teleoperate`, `lerobot-replay`, the base strategy) get one episode, begun when
the robot connects. Wall-clock time is never used to guess where an episode begins.
"""

from __future__ import annotations

import logging
import re

from curation.errors import UsageError
from curation.frames import Observation, Vector
from recorders.placements import Placing, start
from recorders.rollout import Start
from recorders.world.scene import Scene

from .worlds import make_world

logger = logging.getLogger(__name__)

_ANNOUNCEMENT = re.compile(r"Recording episode (\d+)")
_stages: dict[str, Stage] = {}


class Stage:
    """One world and its episodes.

    Args:
        name: by which robot and teleoperator find it.
        scene: what it is made of.
        placing: where the block goes.
        seed: of the session; each episode derives its own from this and its number.
        first: number of the episode that begins now.

    Attributes:
        start: seed and placement of the episode in progress.
        count: episodes begun so far, so that a teleoperator knows when there is a new one.
    """

    def __init__(self, name: str, scene: Scene, placing: Placing, seed: int, first: int) -> None:
        self.world = make_world(scene)
        self.count = 0
        self._name = name
        self._placing = placing
        self._seed = seed
        self._first = first
        self._announced: int | None = None
        self._driven = False
        self._begin(first)

    def announce(self, number: int) -> None:
        """LeRobot is about to record its episode `number`; it begins with the next observation."""
        self._announced = self._first + number

    def observe(self) -> Observation:
        """The present observation: the first of a new episode if one was announced."""
        if self._announced is not None:
            number, self._announced = self._announced, None
            if self._driven or number != self._number:
                self._report()
                self._begin(number)
        return self._observation

    def drive(self, action: Vector) -> Vector:
        """Drive the world for one control period; returns what was really driven, shape (6,)."""
        admitted = self.world.admit(action)
        self._observation = self.world.step(admitted)
        self._driven = True
        return admitted

    def close(self) -> None:
        """Say how the last episode ended."""
        self._report()

    def _begin(self, number: int) -> None:
        self.start: Start = start(self._placing, self.world.scene, self._seed, number)
        self._number = number
        self._observation = self.world.reset(self.start.seed, self.start.placement)
        self._driven = False
        self.count += 1

    def _report(self) -> None:
        if self._driven:
            at, outcome = self.start.placement, self.world.verdict()[0]
            where = f"({at.x:g}, {at.y:g}), {at.yaw_deg:g} deg"
            logger.info("World '%s', episode %d with the block at %s: %s", self._name, self._number, where, outcome)


class _Listener(logging.Handler):
    """Hands LeRobot's announcements to every open stage."""

    def emit(self, record: logging.LogRecord) -> None:
        said = _ANNOUNCEMENT.fullmatch(record.getMessage())
        if said:
            for stage in _stages.values():
                stage.announce(int(said.group(1)))


_listener = _Listener(logging.INFO)


def open_stage(name: str, stage: Stage) -> None:
    """Make a stage known under its name.

    Raises:
        UsageError: if another robot of this process has that name.
    """
    if name in _stages:
        raise UsageError(f"A world '{name}' is open already. Give each robot of a process its own --robot.world.")
    _stages[name] = stage
    logging.getLogger().addHandler(_listener)


def find_stage(name: str) -> Stage:
    """The open stage of that name.

    Raises:
        UsageError: if there is none.
    """
    if name not in _stages:
        raise UsageError(
            f"No world '{name}' is open (open: {', '.join(_stages) or 'none'}). The teleoperator drives the robot "
            "studio_sim of the same process: use --robot.type=studio_sim, and the same --robot.world and "
            "--teleop.world."
        )
    return _stages[name]


def close_stage(name: str) -> None:
    """Forget a stage."""
    _stages.pop(name).close()
    if not _stages:
        logging.getLogger().removeHandler(_listener)
