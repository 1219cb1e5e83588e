"""What a booth and whoever sits before it say to each other: small, picklable, one way each."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .meter import Gauge
from .operators.keymap import Intent


class Stage(StrEnum):
    """Where a sitting stands."""

    STARTING = "starting"
    READY = "ready"
    RECORDING = "recording"
    REVIEW = "review"
    DONE = "done"
    SAVING = "saving"
    OVER = "over"


# From the person to the booth.


@dataclass(frozen=True)
class Wish:
    """One intent, by a key or a button."""

    intent: Intent


@dataclass(frozen=True)
class Reason:
    """Why the take that was just discarded was discarded."""

    text: str


@dataclass(frozen=True)
class Beat:
    """The face is alive; without one for `hearing.SILENCE_S` the arm stops."""


# From the booth to the person.


@dataclass(frozen=True, kw_only=True)
class Tick:
    """The booth at one instant, about ten times a second.

    Attributes:
        stage: of the sitting.
        stamp: of `time.monotonic()` [s].
        frame: of the take.
        seconds, limit_s: into the take, and the longest it may be.
        physics: complete state, for pictures, as a list of floats.
        state, action: joints, shape (6,), degrees and gripper 0..100.
        block: x, y [m] and yaw [deg].
        tip: tool point x, y, z [m].
        planned: x, y asked for [m]; None if drawn from a box.
        target: id and note of the position; "" if there is none.
        phase: as the judge sees it.
        outcome: if the take ended now.
        gauges: of the meter; empty before the first frame.
        advice: why to discard the take; "" for no reason.
        by: who chose the last action; "" before the first.
        driving: keys that drive now.
        mode, pace: of the keys, or of the device.
        stopped_at: what keeps the arm from following.
        delays: of a device [ms], as `operators.controller.delays.NAMES`; empty for keys.
        kept: episodes kept or saved, without masked ones.
        goal: how many are wanted; 0 for no end.
        waiting: takes kept and not yet saved.
        per_minute: takes of this sitting.
        left_s: until the goal at that pace; None if that is not known.
    """

    stage: Stage
    stamp: float = 0.0
    frame: int = 0
    seconds: float = 0.0
    limit_s: float = 0.0
    physics: Any = None
    state: tuple[float, ...] = ()
    action: tuple[float, ...] = ()
    block: tuple[float, float, float] = (0.0, 0.0, 0.0)
    tip: tuple[float, float, float] = (0.0, 0.0, 0.0)
    planned: tuple[float, float] | None = None
    target: str = ""
    phase: str = ""
    outcome: str = ""
    gauges: tuple[Gauge, ...] = ()
    advice: str = ""
    by: str = ""
    driving: tuple[str, ...] = ()
    mode: str = ""
    pace: float = 1.0
    stopped_at: str = ""
    delays: tuple[float, ...] = ()
    kept: int = 0
    goal: int = 0
    waiting: int = 0
    per_minute: float = 0.0
    left_s: float | None = None


class Bell(StrEnum):
    """What a bell is rung for."""

    SUCCESS = "success"
    TIME = "time"
    ENDED = "ended"


@dataclass(frozen=True)
class Rang:
    """A bell."""

    bell: Bell


@dataclass(frozen=True)
class Ready:
    """The scene is set: attempt number, and where the block stands x, y [m], yaw [deg]."""

    attempt: int
    block: tuple[float, float, float]
    target: str = ""


@dataclass(frozen=True)
class Finished:
    """A take is over.

    Attributes:
        episode_id: of the take; "" in practice.
        outcome: as judged.
        kept: whether it becomes an episode.
        discarded: by the person, who may now say why.
        x, y: where the block was put [m].
        target: id of the position of a list; "" without one.
        why: it was not kept, in words for people.
    """

    episode_id: str
    outcome: str
    kept: bool
    discarded: bool
    frames: int
    late: int
    x: float
    y: float
    target: str = ""
    why: str = ""
    gauges: tuple[Gauge, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Stored:
    """An episode is in the dataset."""

    index: int
    episode_id: str


@dataclass(frozen=True)
class Masked:
    """An episode was put to the trash, or restored from it."""

    episode_id: str
    masked: bool


@dataclass(frozen=True)
class Said:
    """Something to tell a person; `grave` if it needs attention."""

    text: str
    grave: bool = False


@dataclass(frozen=True)
class Invited:
    """Where a page waits for a headset.

    Attributes:
        address: holds the page's secret, so it is kept nowhere.
        fingerprint: of the page's certificate, SHA-256.
    """

    address: str
    fingerprint: str


@dataclass(frozen=True)
class Closed:
    """The sitting is over: exit code as of a command, and a closing word."""

    code: int
    text: str


Message = Wish | Reason | Beat
Event = Rang | Ready | Finished | Stored | Masked | Said | Invited | Closed
