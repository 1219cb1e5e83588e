"""How far a training is, in one line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from training.runs import Run

_WINDOW = 20
"""Lines of the curve from which the pace is taken."""


@dataclass(frozen=True)
class Progress:
    """A moment of a training.

    Attributes:
        step: made, of `steps`.
        loss: mean over the last line's steps; None before the first.
        step_s: seconds a step; 0 if not known.
    """

    step: int
    steps: int
    loss: float | None
    step_s: float

    @property
    def left_s(self) -> float | None:
        """Seconds left at this pace; None if nobody can say."""
        return (self.steps - self.step) * self.step_s if self.step_s > 0 else None

    @property
    def text(self) -> str:
        """Such as "step 1200 of 5000, loss 0.0534, 0.28 s a step, 18 min left"."""
        if not self.step and self.loss is None:
            return "loading"
        parts = [f"step {self.step} of {self.steps}"]
        if self.loss is not None:
            parts.append(f"loss {self.loss:.4g}")
        if self.step_s > 0:
            parts.append(f"{self.step_s:.2g} s a step")
        if self.left_s is not None:
            parts.append(f"{duration(self.left_s)} left")
        return ", ".join(parts)


def progress_of(run: Run, steps: int) -> Progress:
    """As its files say now."""
    return progress_from([line for line in run.curve() if "loss" in line], run.beat(), steps)


def progress_from(curve: list[dict[str, Any]], beat: dict[str, Any], steps: int) -> Progress:
    """As these lines with a loss and this beat say."""
    last = curve[-1] if curve else None
    step = max(int(beat.get("step", 0)), int(last["step"]) if last else 0)
    return Progress(step, steps, float(last["loss"]) if last else None, _pace(curve))


def _pace(curve: list[dict[str, Any]]) -> float:
    """Seconds a step, by the clock where two lines say, else by LeRobot's own count."""
    recent = curve[-_WINDOW:]
    gaps = [(float(b["at"]) - float(a["at"]), int(b["step"]) - int(a["step"])) for a, b in pairwise(recent)]
    if paces := [passed / made for passed, made in gaps if passed > 0 and made > 0]:
        return median(paces)  # where a training went on another day, one gap is of hours
    return float(recent[-1].get("step_s", 0)) + float(recent[-1].get("data_s", 0)) if recent else 0.0


def duration(seconds: float) -> str:
    """Such as "45 s", "18 min" or "3.2 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
