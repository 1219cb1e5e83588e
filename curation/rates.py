"""Rates with their intervals: a rate without an interval does not exist."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""


@dataclass(frozen=True)
class Rate:
    """k of n with its Wilson 95 % interval."""

    k: int
    n: int
    low: float
    high: float

    @property
    def interval(self) -> str:
        """The interval in words."""
        return f"95 % CI {100 * self.low:.0f} to {100 * self.high:.0f} %"

    def of(self, what: str) -> str:
        """The rate in words, such as "20 of 23 attempts, 95 % CI 68 to 95 %"."""
        return f"{self.k} of {self.n} {what}, {self.interval}"


def wilson(k: int, n: int) -> Rate:
    """The rate k of n; without trials its interval is all of 0 to 1."""
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no rate")
    if n == 0:
        return Rate(0, 0, 0.0, 1.0)
    share, z2 = k / n, Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z_95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # Rounding would leave 1 - 1e-16 where the interval ends at exactly 0 or 1.
    return Rate(k, n, 0.0 if k == 0 else middle - half, 1.0 if k == n else middle + half)
