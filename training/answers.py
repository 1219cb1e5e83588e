"""Further answers of a policy to one question, with other noise: how far they are apart is how unsure it is.

They are asked for after the answer that counts, with seeds of their own, and leave no trace in what drives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from curation.frames import Vector

from .policy import PolicyOperator, Question

SAMPLE_STREAM = 1
"""Keeps the noise of further answers apart from that of the one which drives."""


class Answers:
    """Asks an operator's policy again.

    Args:
        operator: whose questions are asked again.
        samples: further answers to every question.

    Attributes:
        draws: whether answers depend on noise; None while nobody knows. Where they do not nobody asks again: all would
            be the answer that is there.
    """

    def __init__(self, operator: PolicyOperator, samples: int) -> None:
        self.draws: bool | None = None
        self._operator, self._samples = operator, samples

    def before(self) -> dict[str, Any]:
        """What the policy keeps to itself, to be had before a question of which `samples` are wanted."""
        model = self._operator.model
        return model.remember() if self._samples and not model.chunked else {}

    def chunks(self, answer: Any, worlds: Sequence[int]) -> Vector:
        """An answer that was just given, with what the policy keeps of it to itself, as it would be driven.

        Args:
            answer: normalised, as a `Question` has it.
            worlds: W of the batch.

        Returns:
            Shape (W, T, 6).
        """
        done = self._operator.finished(answer)
        if self._operator.model.chunked:
            return done[list(worlds)]
        return np.array([np.vstack([done[number][None], self._operator.ahead(number)]) for number in worlds])

    def samples(self, question: Question, chunks: Vector, before: dict[str, Any], worlds: Sequence[int]) -> Vector:
        """Further answers.

        Args:
            question: just answered.
            chunks: the answer to it, as `chunks` gives it, shape (W, T, 6).
            before: it was asked.
            worlds: W of the batch.

        Returns:
            Shape (N, W, T, 6); N is 0 where none are wanted, or where the policy draws nothing.
        """
        if not self._samples or self.draws is False:
            return np.zeros((0, *chunks.shape))
        model = self._operator.model
        after = {} if model.chunked else model.remember()
        found = np.array([self._again(question, number, before, worlds) for number in range(self._samples)])
        if not model.chunked:
            model.recall(after)
        if self.draws is None:
            self.draws = bool((found != chunks).any())
        return found if self.draws else np.zeros((0, *chunks.shape))

    def _again(self, question: Question, number: int, before: dict[str, Any], worlds: Sequence[int]) -> Vector:
        model = self._operator.model
        words = np.random.SeedSequence([question.seed, SAMPLE_STREAM, number]).generate_state(1, np.uint64)
        seed = int(words[0]) >> 1
        if model.chunked:
            return self.chunks(model.chunk(dict(question.seen), seed), worlds)
        model.recall(before)
        return self.chunks(model.select(dict(question.seen), seed), worlds)
