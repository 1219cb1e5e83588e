"""A policy operator that is watched: it drives as it would, and says what it had in mind.

The plan comes from the operator's own queue, never from a second question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from curation.errors import StudioError
from curation.frames import Command, Observation, Vector

from .answers import Answers
from .denoising import Heard
from .policy import Memory, PolicyOperator, PolicySettings, Question
from .thought import NO_CHUNKS, Thought


@dataclass(frozen=True)
class Seat:
    """Which world of a batch is watched; the others' places hold the same observation.

    A policy's noise, and its last bits, depend on where in a batch a world is.

    Attributes:
        number: of the watched one.
        seeds: of the batch's worlds; empty for a batch of copies.
    """

    number: int = 0
    seeds: tuple[int, ...] = ()


class Thinker:
    """An operator of one world.

    Args:
        operator: drives.
        samples: further answers to every question, with other noise.
        seat: in the operator's batch.

    Attributes:
        thought: of the last question; None before the first.
    """

    def __init__(self, operator: PolicyOperator, *, samples: int = 0, seat: Seat | None = None) -> None:
        self.operator = operator
        self.thought: Thought | None = None
        self._answers, self._seat = Answers(operator, samples), seat or Seat()
        self._places = max(len(self._seat.seeds), self._seat.number + 1)
        self._frame = 0
        self._questions: list[Question] = []
        operator.watcher = self._questions.append

    @property
    def settings(self) -> PolicySettings:
        return self.operator.settings

    @property
    def draws(self) -> bool | None:
        """Whether answers depend on noise; None while nobody knows."""
        return self._answers.draws

    @property
    def failure(self) -> StudioError | None:
        return self.operator.failure

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        """Start in the one world.

        Raises:
            UsageError: its seat is outside the batch.
        """
        self.thought, self._frame = None, 0
        places = self._places
        self.operator.begin([observations[0]] * places, self._seat.seeds or [seeds[0]] * places)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        """The command; `thought` is new if the policy thought in this frame.

        Raises:
            PolicyFailed: the policy raised an error.
        """
        places: list[Observation | None] = [None] * self._places
        places[self._seat.number] = observations[0]
        operator = self.operator
        thinks = operator.model.chunked or not self._decided()
        before = self._answers.before()
        spent = sum(operator.seconds.values())
        self._questions.clear()
        with operator.model.overheard() as heard:
            command = operator.act(places)[self._seat.number]
        if command is not None and self._questions and thinks:
            spent = sum(operator.seconds.values()) - spent
            self.thought = self._think(self._questions[0], command.action, heard, before, spent)
        self._frame += 1
        return [command]

    def remember(self) -> tuple[Memory, int, Thought | None]:
        """What `recall` needs to go on from here bit for bit."""
        return self.operator.remember(), self._frame, self.thought

    def recall(self, memory: tuple[Memory, int, Thought | None], *, anew: bool = False) -> None:
        """Go on from a memory of this thinker or of another one of the same policy; `anew` asks at once."""
        own, self._frame, self.thought = memory
        self.operator.recall(own, anew=anew)

    def _decided(self) -> bool:
        """Whether the policy, which keeps its chunk to itself, has actions left of it."""
        kept = self.operator.model.decided()
        return kept is not None and kept.shape[1] > 0

    def _think(self, question: Question, action: Vector, heard: Heard, before: dict[str, object], s: float) -> Thought:
        operator, number = self.operator, self._seat.number
        plan = np.vstack([action[None], operator.ahead(number)])
        chunks = self._answers.chunks(question.answer, (number,))
        samples = self._answers.samples(question, chunks, before, (number,))
        chunk = chunks[0]
        on_the_way = [operator.finished(one.actions)[number, : len(chunk)] for one in heard]
        return Thought(
            frame=self._frame,
            plan=plan,
            sure=1 + operator.sure(number),
            chunk=chunk,
            blended=operator.settings.ensemble is not None,
            samples=samples[:, 0] if len(samples) else NO_CHUNKS,
            denoising=np.array([*on_the_way, chunk]) if on_the_way else NO_CHUNKS,
            times=np.array([*(one.time for one in heard), 0.0] if on_the_way else []),
            seconds=s,
        )
