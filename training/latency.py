"""What thinking costs: frames that pass before an answer is there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from curation.errors import UsageError

LONGEST_MS = 60_000.0


@dataclass(frozen=True)
class Latency:
    """How long a policy thinks.

    Attributes:
        ms: simulated for every call, in milliseconds; None takes what each call really took.
    """

    ms: float | None = 0.0

    @property
    def real(self) -> bool:
        return self.ms is None

    @property
    def text(self) -> str:
        """As it is asked for on the command line."""
        return "real" if self.ms is None else f"{self.ms:g}"

    def lost(self, took_s: float, fps: int) -> int:
        """Frames that pass without the answer.

        What is thought within the control period in which it was asked costs nothing: a control loop sends its action
        in the period in which it looked.

        Args:
            took_s: what the call really took [s].
            fps: control rate [Hz].
        """
        seconds = took_s if self.ms is None else self.ms / 1000.0
        # A billionth absorbs the rounding of whole periods.
        return max(0, math.ceil(seconds * fps - 1e-9) - 1)


def parse_latency(text: str) -> Latency:
    """`real`, or milliseconds.

    Raises:
        UsageError: it is neither.
    """
    if text == "real":
        return Latency(None)
    try:
        ms = float(text)
    except ValueError:
        ms = math.nan
    if not 0.0 <= ms <= LONGEST_MS:
        raise UsageError(f"--latency {text} must be real, or milliseconds from 0 to {LONGEST_MS:g}.")
    return Latency(ms)
