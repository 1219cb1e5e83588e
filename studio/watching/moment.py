"""The nouns of watching: a moment, what was thought in it, and where that leads."""

from __future__ import annotations

from dataclasses import dataclass

from curation.frames import Phase, Vector
from recorders.whisker import Whisker
from training.thought import Thought


@dataclass(frozen=True)
class Outlook:
    """A thought and where it leads, simulated from the state in which the policy was asked.

    Attributes:
        thought: what the policy had in mind.
        whisker: of its plan; None where whiskers were turned off.
        alone: of the answer by itself, H + 1 rows of it; the same as `whisker` where nothing is blended or late.
        samples: of the further answers.
        denoising: of the answer on its way, noise first.
    """

    thought: Thought
    whisker: Whisker | None = None
    alone: Whisker | None = None
    samples: tuple[Whisker, ...] = ()
    denoising: tuple[Whisker, ...] = ()


@dataclass(frozen=True)
class Moment:
    """One frame of a watched episode: the observation seen and the action then chosen, before the world steps.

    Attributes:
        frame: 0 at reset.
        time: since reset [s].
        state: measured joints, shape (6,), degrees and gripper 0..100.
        action: the admitted targets, same shape and units.
        physics: the world's complete state, as `SimWorld.physics` returns it.
        tip: the tool point in the base frame [m], shape (3,).
        phase: as the judge saw it.
        outlook: of the last question, in this frame or before.
    """

    frame: int
    time: float
    state: Vector
    action: Vector
    physics: Vector
    tip: Vector
    phase: Phase
    outlook: Outlook

    @property
    def asked(self) -> bool:
        """Whether the policy was asked in this frame."""
        return self.outlook.thought.frame == self.frame

    @property
    def age(self) -> int:
        """Frames since the policy was asked; where in the plan this frame is."""
        return self.frame - self.outlook.thought.frame

    @property
    def plan(self) -> Vector:
        """Targets from this frame on, shape (H, 6), not yet limited by the world; the first is what became `action`."""
        return self.outlook.thought.plan[self.age :]

    @property
    def sure(self) -> int:
        """How many of them are carried out before the policy is asked again."""
        return max(0, self.outlook.thought.sure - self.age)

    @property
    def whisker(self) -> Whisker | None:
        """Where the plan leads from here; its first point is `tip`."""
        whole = self.outlook.whisker
        return None if whole is None else whole.after(self.age)
