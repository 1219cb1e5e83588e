"""Two checkpoints on the same episodes: the exact McNemar test, and Tango's score interval of the difference.

Only episodes on which the two differ say which is better; the test counts them as tosses of a coin. Pairing takes the
difficulty of a placement out of the comparison. What is found holds for these two checkpoints, not for how they were
trained.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

from scipy.special import bdtr

from curation.rates import Z_95, Rate, wilson

POWER = 0.8
"""Chance of finding a difference that is there, for which episodes are counted."""
_HALVINGS = 60


@dataclass(frozen=True)
class Paired:
    """A and B on n shared episodes.

    Attributes:
        both, only_a, only_b, neither: episodes that succeeded with both, with one, with none.
        low, high: 95 % interval of the difference of the success rates A - B (Tango's score interval).
        p: of the exact two-sided McNemar test.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    low: float
    high: float
    p: float

    @property
    def n(self) -> int:
        """Shared episodes."""
        return self.both + self.only_a + self.only_b + self.neither

    @property
    def a(self) -> Rate:
        """A's success rate with its Wilson interval."""
        return wilson(self.both + self.only_a, self.n)

    @property
    def b(self) -> Rate:
        """B's success rate with its Wilson interval."""
        return wilson(self.both + self.only_b, self.n)

    @property
    def difference(self) -> float:
        """A's rate less B's."""
        return (self.only_a - self.only_b) / self.n if self.n else 0.0

    @property
    def better(self) -> str | None:
        """ "A" or "B" if the test tells them apart at 5 %, else None: inconclusive."""
        if self.p >= 0.05:
            return None
        return "A" if self.only_a > self.only_b else "B"

    @property
    def more_needed(self) -> int | None:
        """Further shared episodes that would tell a difference like the one seen apart; None if none was seen."""
        needed = pairs_needed(self.difference, (self.only_a + self.only_b) / self.n) if self.n else None
        return None if needed is None else max(1, needed - self.n)


def paired(outcomes: Iterable[tuple[bool, bool]]) -> Paired:
    """Compare A and B from (success of A, success of B) of every shared episode."""
    counts = [0, 0, 0, 0]
    for a, b in outcomes:
        counts[2 * (not a) + (not b)] += 1
    both, only_a, only_b, neither = counts
    low, high = difference_interval(only_a, only_b, sum(counts))
    return Paired(both, only_a, only_b, neither, low, high, mcnemar(only_a, only_b))


def mcnemar(only_a: int, only_b: int) -> float:
    """The exact two-sided p: how often a fair coin splits the differing episodes at least as unevenly."""
    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def difference_interval(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """Tango's 95 % score interval of the difference of two paired rates (Statistics in Medicine 17, 1998).

    Args:
        only_a: episodes that succeeded with A only.
        only_b: with B only.
        n: all shared episodes; without any the interval is all of -1 to 1.
    """
    if not 0 <= only_a + only_b <= n:
        raise ValueError(f"{only_a} and {only_b} of {n} episodes cannot differ")
    if n == 0:
        return -1.0, 1.0
    middle = (only_a - only_b) / n
    low = -1.0 if middle == -1 else _crossing(only_a, only_b, n, Z_95, -1.0, middle)
    high = 1.0 if middle == 1 else _crossing(only_a, only_b, n, -Z_95, middle, 1.0)
    return low, high


def pairs_needed(difference: float, differing: float, power: float = POWER) -> int | None:
    """Shared episodes at which McNemar's test finds a difference of this size, at 5 %, in `power` of the cases.

    Args:
        difference: of the two rates; nothing finds a difference of 0.
        differing: share of the episodes on which the two differ, at least the difference.
        power: between 0 and 1.
    """
    size = abs(difference)
    if size == 0:
        return None
    differing = max(differing, size)
    z = NormalDist().inv_cdf(power)
    spread = Z_95 * math.sqrt(differing) + z * math.sqrt(max(0.0, differing - size * size))
    return math.ceil((spread / size) ** 2)


def _crossing(only_a: int, only_b: int, n: int, level: float, low: float, high: float) -> float:
    """Where the score, which falls as the assumed difference grows, is `level`."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(only_a, only_b, n, middle) > level else (low, middle)
    return (low + high) / 2


def _score(only_a: int, only_b: int, n: int, difference: float) -> float:
    """The distance of what was seen from an assumed difference, in standard errors under it."""
    linear = (2 * n - only_a + only_b) * difference - only_a - only_b
    product = -only_b * difference * (1 - difference)
    # The share of "only B" that is likeliest if the difference is the assumed one.
    share = (math.sqrt(max(0.0, linear**2 - 8 * n * product)) - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    seen = only_a - only_b - n * difference
    if variance <= 1e-12:
        return math.copysign(math.inf, seen) if seen else 0.0
    return seen / math.sqrt(variance)
