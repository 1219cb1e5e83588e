"""A success classifier in the judge's place: it ends and keeps takes by what it sees, as without a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifiers.checkpoint import load
from classifiers.live import Live
from curation.errors import UsageError
from curation.frames import Command, Observation, Verdict
from recorders.operators import Operator
from recorders.referee import Rule
from recorders.take import Keep
from recorders.world.scene import Scene
from studio.carding import carded_classifier
from studio.paths import run_path


def rule_of(name: str, audit: float, scene: Scene) -> Rule:
    """The rule that keeps what a classifier accepts.

    Args:
        name: of the classifier, a folder or a bare name under STUDIO_RUNS.
        audit: share of attempts whose truth is counted.
        scene: that it watches.

    Raises:
        UsageError: there is no such classifier, or a camera it looks through is not in the scene.
        DataError: it has no calibration card, or another's.
    """
    maker = maker_of(name, scene)
    return Rule(Keep.ALL, maker.by, maker, audit, maker.by)


def maker_of(name: str, scene: Scene) -> RefereeMaker:
    """A classifier that may judge what happens in a scene; arguments and errors as `rule_of`."""
    folder = run_path(name)
    made, card = carded_classifier(folder)
    missing = sorted(set(made.fitted.look) - set(scene.cameras))
    if missing:
        raise UsageError(f"The scene lacks the camera {missing[0]} that {made.name} looks through.")
    return RefereeMaker(folder.absolute(), card.threshold, made.by, scene.fps)


@dataclass(frozen=True)
class RefereeMaker:
    """Makes the referee in whichever process drives.

    Attributes:
        folder: of the classifier.
        threshold: probability from which a take is kept, as its card has it.
        by: the classifier's id.
        fps: of the worlds.
    """

    folder: Path
    threshold: float
    by: str
    fps: int

    def __call__(self) -> Watching:
        return Watching(self)

    def live(self) -> Live:
        """The classifier before one world."""
        fitted = load(self.folder).fitted
        return Live(fitted.judge, fitted.look, self.threshold, self.fps)


class Watching:
    """A referee: one classifier before several worlds.

    Args:
        maker: what it knows.
    """

    def __init__(self, maker: RefereeMaker) -> None:
        self._maker = maker
        self._fitted = load(maker.folder).fitted
        self._lives: list[Live] = []

    def around(self, operator: Operator) -> Watched:
        return Watched(operator, self)

    def word(self, number: int) -> tuple[bool, dict[str, Any]]:
        live, maker = self._lives[number], self._maker
        probability = live.probability()
        kept = probability >= maker.threshold
        told = {"by": maker.by, "probability": round(probability, 4), "threshold": maker.threshold, "accepts": kept}
        return kept, told

    def begin(self, count: int) -> None:
        """Watch so many worlds from here on."""
        fitted, maker = self._fitted, self._maker
        while len(self._lives) < count:
            self._lives.append(Live(fitted.judge, fitted.look, maker.threshold, maker.fps))
        for live in self._lives:
            live.begin()

    def live(self, number: int) -> Live:
        """The watch over one world."""
        return self._lives[number]


class Watched:
    """An operator under a referee's eyes, which ends a take as soon as that is done.

    Args:
        operator: drives.
        referee: watches what becomes a frame, and nothing else.
    """

    def __init__(self, operator: Operator, referee: Watching) -> None:
        self._operator = operator
        self._referee = referee

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        self._referee.begin(len(observations))
        self._operator.begin(observations, seeds)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        commands = self._operator.act(observations)
        pairs = enumerate(zip(observations, commands, strict=True))
        return [self._seen(number, seen, command) for number, (seen, command) in pairs]

    def _seen(self, number: int, observation: Observation | None, command: Command | None) -> Command | None:
        if observation is None or command is None or command.verdict is not None:
            return command
        live = self._referee.live(number)
        if live.done:
            return replace(command, verdict=Verdict.STOP)
        live.see(observation)
        return command
