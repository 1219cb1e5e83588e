"""How unsure a policy was in an episode: how far each chunk contradicts the one before, and how far answers spread.

Where two chunks overlap, the later one contradicts the earlier by the distance of its targets from those that would
have come if nobody had asked again. That costs no forward pass. How large it is depends on how often the policy is
asked, so it compares episodes that were carried out in one way only. The spread of answers to one question needs
further ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.errors import StudioError
from curation.frames import JOINTS, Command, Observation, Vector

from .answers import Answers
from .chunks import BODY
from .policy import PolicyOperator, Question

_DIGITS = 4
"""Of stored degrees: a servo resolves 0.088 degrees."""


class Gathered:
    """One kind of distance over an episode, question after question."""

    def __init__(self) -> None:
        self._frames: list[int] = []
        self._means: list[Vector] = []
        self._most = np.zeros(len(JOINTS))

    def add(self, frame: int, apart: Vector) -> None:
        """Distances that were found in a frame, shape (H, 6).

        Nothing where H is 0, or where an answer was no number: such an episode breaks off.
        """
        if len(apart) and np.isfinite(apart).all():
            self._frames.append(frame)
            self._means.append(apart.mean(axis=0))
            self._most = np.maximum(self._most, apart.max(axis=0))

    def columns(self, name: str, why_not: str) -> dict[str, Any]:
        """Columns of a row.

        `<name>_deg` is the mean over questions, frames and the joints before the gripper [deg]; None where there is
        nothing, and `why_not` says why. `<name>` holds mean and maximum of every joint (degrees, gripper 0..100), and
        `course`: frame and mean [deg] of every question that found something.

        Args:
            name: of the kind.
            why_not: said where nothing was found.
        """
        if not self._frames:
            return {f"{name}_deg": None, name: {"times": 0, "why_not": why_not}}
        means = np.array(self._means)
        course = means[:, :BODY].mean(axis=1)
        return {
            f"{name}_deg": round(float(course.mean()), _DIGITS),
            name: {
                "times": len(course),
                "mean": _by_joint(means.mean(axis=0)),
                "max": _by_joint(self._most),
                "course": [
                    [frame, round(float(deg), _DIGITS)] for frame, deg in zip(self._frames, course, strict=True)
                ],
            },
        }


class Unsure:
    """An operator that drives as the one inside does, and is listened to.

    Args:
        operator: drives K worlds.
        samples: further answers to every question; with none nothing is said of their spread.
    """

    def __init__(self, operator: PolicyOperator, samples: int = 0) -> None:
        self.operator = operator
        self._samples, self._answers = samples, Answers(operator, samples)
        # Only the last one is kept: it holds what the policy saw, images too.
        self._heard: deque[Question] = deque(maxlen=1)
        self._frame = 0
        self._last: list[Vector] = []
        self._apart: list[Gathered] = []
        self._spread: list[Gathered] = []
        operator.watcher = self._heard.append

    @property
    def failure(self) -> StudioError | None:
        return self.operator.failure

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        """Forget everything, and start in all worlds; errors as of the operator."""
        self._frame, worlds = 0, range(len(observations))
        self._last = [np.zeros((0, len(JOINTS))) for _ in worlds]
        self._apart, self._spread = [Gathered() for _ in worlds], [Gathered() for _ in worlds]
        self.operator.begin(observations, seeds)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        """One command per world.

        Raises:
            PolicyFailed: the policy raised an error.
        """
        operator = self.operator
        calls, coming = list(operator.calls), [at for _, at in operator.chunks]
        thinks = operator.model.chunked or (self._samples > 0 and not self._decided())
        before = self._answers.before()
        self._heard.clear()
        commands = operator.act(observations)
        asked = [number for number, (was, now) in enumerate(zip(calls, operator.calls, strict=True)) if now > was]
        if self._heard and thinks:
            self._hear(self._heard.pop(), asked, coming, before)
        self._frame += 1
        return commands

    def columns(self, number: int) -> dict[str, Any]:
        """What a world's row says of it; of the spread only where samples were asked for."""
        found = self._apart[number].columns("disagreement", self._no_overlap())
        if self._samples:
            found |= self._spread[number].columns("spread", self._no_spread())
        return found

    def _hear(self, question: Question, asked: Sequence[int], coming: Sequence[int], before: dict[str, Any]) -> None:
        chunks = self._answers.chunks(question.answer, asked)
        if self.operator.model.chunked:
            for number, chunk in zip(asked, chunks, strict=True):
                # The last answer is the chunk in execution, or went into the blend a frame ago.
                left = self._last[number][coming[number] :][: len(chunk)]
                self._apart[number].add(self._frame, np.abs(chunk[: len(left)] - left))
                self._last[number] = chunk
        samples = self._answers.samples(question, chunks, before, asked)
        if len(samples):
            # Shape (worlds, frames, 6).
            spread = np.concatenate([chunks[None], samples]).std(axis=0, ddof=1)
            for number, each in zip(asked, spread, strict=True):
                self._spread[number].add(self._frame, each)

    def _decided(self) -> bool:
        """Whether the policy, which keeps its chunk to itself, has actions left of it."""
        kept = self.operator.model.decided()
        return kept is not None and kept.shape[1] > 0

    def _no_overlap(self) -> str:
        model, settings = self.operator.model, self.operator.settings
        if not model.chunked:
            return f"{model.kind} keeps its chunk to itself"
        if settings.ensemble is None and settings.n_action_steps == model.chunk_size:
            return f"all {model.chunk_size} actions of every chunk are carried out, so no two overlap"
        return "it ended before a second chunk"

    def _no_spread(self) -> str:
        if self._answers.draws is False:
            return f"{self.operator.model.kind} draws nothing: asked again it says the same"
        return "it ended before it was asked"


def _by_joint(values: Vector) -> dict[str, float]:
    return {joint: round(float(value), _DIGITS) for joint, value in zip(JOINTS, values, strict=True)}
