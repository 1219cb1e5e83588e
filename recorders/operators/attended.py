"""A driver under a person's eye: whoever drives, the person can end the take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from curation.frames import Command, Observation, Verdict

from . import Driver


class Attended:
    """Asks a person once a frame whether the take ends.

    Args:
        driver: drives.
        attend: what the person says now; None goes on.
    """

    def __init__(self, driver: Driver, attend: Callable[[], Verdict | None]) -> None:
        self._driver = driver
        self._attend = attend

    def begin(self, observation: Observation, seed: int) -> None:
        self._driver.begin(observation, seed)

    def act(self, observation: Observation) -> Command:
        verdict = self._attend()
        command = self._driver.act(observation)
        # The driver's own word, such as that it has no path, goes before the person's silence.
        return command if verdict is None else replace(command, verdict=verdict)
