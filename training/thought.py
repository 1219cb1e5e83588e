"""What a policy had in mind when it was asked: plain numbers, as they would be driven.

All actions here are in the world's units (degrees, gripper 0..100), after the checkpoint's own post-processing and with
the gripper's bias and limits; what the world's speed limit makes of them is the world's matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from curation.frames import JOINTS, Vector

NO_CHUNKS = np.zeros((0, 0, len(JOINTS)))
GRIPPER = JOINTS.index("gripper")


@dataclass(frozen=True)
class Thought:
    """One question and its answer; of T actions each, H of them still to come.

    Attributes:
        frame: in which it was asked.
        plan: targets from that frame on as the operator gives them if nobody asks again, shape (H, 6): what is left of
            the old chunk while the policy thinks, then the new one; with ensembling the blend as far as it is known.
        sure: how many of them are carried out before the policy is asked again; 1 with ensembling.
        chunk: the answer itself, shape (T, 6); what `plan` is made of.
        blended: whether `plan` is a blend of several answers.
        samples: further answers to the same question with other noise, shape (N, T, 6).
        denoising: the answer on its way, from noise to itself, shape (S, T, 6); S is 0 where it is not made so.
        times: of those, from 1 (noise) to 0 (the answer), shape (S,).
        seconds: that the answer took, drawing included.
    """

    frame: int
    plan: Vector
    sure: int
    chunk: Vector
    blended: bool
    samples: Vector = field(default_factory=NO_CHUNKS.copy)
    denoising: Vector = field(default_factory=NO_CHUNKS.copy)
    times: Vector = field(default_factory=lambda: np.zeros(0))
    seconds: float = 0.0

    @property
    def timed(self) -> Vector:
        """The answer by the frames that its actions are of, from the one it was asked in on, shape (T + held, 6).

        While the policy thinks, an arm that has nothing left to do holds its last target, and the answer's actions wait
        for as long: nothing is said for these frames, which are NaN.
        """
        held = 0 if self.blended else max(0, len(self.plan) - len(self.chunk))
        if not held:
            return self.chunk
        # The plan ends with what is left of the answer when it comes.
        other = (self.plan[held:] != self.chunk).any(axis=1)
        passed = int(np.flatnonzero(other)[-1]) + 1 if other.any() else 0
        nothing = np.full((held, len(JOINTS)), np.nan)
        found: Vector = np.vstack([self.chunk[:passed], nothing, self.chunk[passed:]])
        return found

    def place(self, age: int) -> int:
        """Index of its first action that is not of a frame before `age` frames after the question."""
        return int(np.isfinite(self.timed[:age]).all(axis=1).sum())

    @property
    def spread(self) -> Vector | None:
        """Standard deviation of the answers over noise, per future frame and joint, shape (T, 6).

        None where there is but one answer: no spread is known, which is not the same as none.
        """
        if not len(self.samples):
            return None
        spread: Vector = np.concatenate([self.chunk[None], self.samples]).std(axis=0, ddof=1)
        return spread


def votes(chunks: Mapping[int, Vector], frames: int, joint: int = GRIPPER) -> Vector:
    """What every chunk that covers a frame says for it: the strip of overlapping chunks.

    Args:
        chunks: shape (T, 6) each, by the frame in which they were asked for; NaN where one says nothing for a frame.
        frames: of the episode.
        joint: by its index; the gripper by default.

    Returns:
        Shape (frames, T) with T the longest chunk: [t, k] is what the chunk asked k frames before t says for t; NaN
        where none was asked then or none reaches so far.
    """
    longest = max(map(len, chunks.values()), default=0)
    found = np.full((frames, longest), np.nan)
    for asked, chunk in chunks.items():
        said = chunk[: max(0, frames - asked), joint]
        ahead = np.arange(len(said))
        found[asked + ahead, ahead] = said
    return found


def disagreement(chunks: Mapping[int, Vector], frames: int) -> Vector:
    """How far apart the chunks are that cover a frame: standard deviation per joint, shape (frames, 6).

    NaN where fewer than two cover it. Of an evaluated episode its mean over frames is a measure of doubt.

    Args:
        chunks: as `votes` takes them.
        frames: of the episode.
    """
    found = np.full((frames, len(JOINTS)), np.nan)
    for joint in range(len(JOINTS)):
        said = votes(chunks, frames, joint)
        known = np.isfinite(said)
        count = known.sum(axis=1)
        several = count >= 2
        kept = np.where(known, said, 0.0)
        mean = kept.sum(axis=1) / np.maximum(count, 1)
        square = (np.where(known, said - mean[:, None], 0.0) ** 2).sum(axis=1)
        found[several, joint] = np.sqrt(square[several] / (count[several] - 1))
    return found
