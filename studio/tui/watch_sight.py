"""A watched episode with what screens work out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from curation.frames import Vector
from recorders.events import Event
from studio.watching.history import History
from studio.watching.moment import Moment
from training.thought import GRIPPER
from training.tracking import Tracked


@dataclass(frozen=True)
class Sight:
    """A history with what is worked out of it once, so that moving through it costs nothing.

    Attributes:
        history: the episode.
        votes: of overlapping chunks for the gripper, shape (N, T).
        foretold: what the plan in force said, shape (N, 6).
        tracked: lag and error of every joint.
        events: in order.
    """

    history: History
    votes: Vector
    foretold: Vector
    tracked: tuple[Tracked, ...]
    events: tuple[Event, ...]

    @staticmethod
    def of(history: History) -> Sight:
        return Sight(history, history.votes(), history.foretold(), history.tracked(), tuple(history.events))

    def apart(self, frame: int) -> float | None:
        """Standard deviation of the votes for the gripper in a frame; None where fewer than two chunks cover it."""
        said = self.votes[frame][np.isfinite(self.votes[frame])]
        return float(said.std(ddof=1)) if len(said) > 1 else None

    def unsure(self, moment: Moment) -> float | None:
        """Standard deviation of samples, mean over frames to come and joints of the arm [deg]; None without any."""
        thought = moment.outlook.thought
        spread = thought.spread
        return None if spread is None else float(spread[thought.place(moment.age) :, :GRIPPER].mean())


def settings_words(told: dict[str, Any]) -> str:
    """How the policy is carried out, in a few words."""
    settings = told["settings"]
    parts = []
    if settings.get("ensemble") is not None:
        parts.append(f"ensembling {settings['ensemble']:g}")
    elif settings.get("n_action_steps") is not None:
        parts.append(f"{settings['n_action_steps']} of each chunk")
    if settings.get("blind"):
        parts.append(f"blind: {', '.join(settings['blind'])}")
    return " · ".join(parts)
