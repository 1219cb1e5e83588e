"""Looking at results as they come in, without being fooled by looking often.

The evidence that one candidate beats another is a bet on every episode on which they differ: the stake is mixed evenly
over all chances above one half, and while neither is better the expected capital never grows. So the chance that it
ever reaches 1 / error is at most `error` (Ville), however often one looks and whenever one stops.

Episodes must come in an order that results do not choose: placements drawn at random, or a list in random order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import Literal

from scipy.special import bdtr, betaln

ERROR = 0.05
"""Chance of any wrong claim in a whole race."""
_HALVINGS = 60


@dataclass(frozen=True)
class Standing:
    """What a race says now.

    Attributes:
        state: "continue", "winner" (everyone else is beaten) or "inconclusive" (nothing more can come of it).
        winner: its name, if there is one.
        alive: candidates that nobody has beaten, in the order given.
        beaten: candidate to the one that beat it first.
    """

    state: Literal["continue", "winner", "inconclusive"]
    winner: str | None
    alive: tuple[str, ...]
    beaten: dict[str, str]


class Race:
    """Candidates on the same episodes, until one has beaten all others or none can.

    The chance that any claim "i is better than j" made in the whole race is wrong is at most `error`. Candidates that
    are beaten need no further episodes.

    Args:
        names: the candidates.
        cap: episodes per candidate after which the race ends.
        error: of the whole race.

    Raises:
        ValueError: fewer than two candidates, a name twice, no episodes, or an error that is no share.
    """

    def __init__(self, names: Sequence[str], cap: int, error: float = ERROR) -> None:
        if len(names) < 2 or len(set(names)) < len(names) or cap < 1 or not 0 < error < 1:
            raise ValueError(f"No race of {list(names)} with {cap} episodes and an error of {error}")
        self.names = tuple(names)
        self.cap = cap
        # Every ordered pair has its own bet, and they share the error.
        self._needed = math.log(len(names) * (len(names) - 1) / error)
        self._seen: dict[str, dict[int, bool]] = {name: {} for name in names}
        self._wins: dict[tuple[str, str], int] = dict.fromkeys(permutations(names, 2), 0)
        self._beaten: dict[str, str] = {}

    def add(self, name: str, index: int, success: bool) -> None:
        """The result of one candidate's episode.

        Args:
            name: the candidate.
            index: of the episode, the same for all candidates: equal indices are a pair.
            success: of it.

        Raises:
            KeyError: no such candidate.
            ValueError: this episode of it was added before.
        """
        mine = self._seen[name]
        if index in mine:
            raise ValueError(f"Episode {index} of {name} was added before")
        mine[index] = success
        for other in self.names:
            theirs = self._seen[other].get(index) if other != name else None
            if theirs is not None and theirs != success:
                first, second = (name, other) if success else (other, name)
                self._wins[first, second] += 1
                self._judge(first, second)

    def _judge(self, first: str, second: str) -> None:
        if second not in self._beaten and self.evidence(first, second) >= self._needed:
            self._beaten[second] = first

    def evidence(self, first: str, second: str) -> float:
        """The logarithm of the capital that was bet on `first` being better than `second`."""
        return log_capital(self._wins[first, second], self._wins[second, first])

    @property
    def standing(self) -> Standing:
        """Who is still in, and whether more episodes can decide it."""
        alive = tuple(name for name in self.names if name not in self._beaten)
        if len(alive) == 1:
            return Standing("winner", alive[0], alive, dict(self._beaten))
        state: Literal["continue", "inconclusive"] = "continue" if self._can_go_on(alive) else "inconclusive"
        return Standing(state, None, alive, dict(self._beaten))

    def _can_go_on(self, alive: Sequence[str]) -> bool:
        """Whether anyone alive could still be beaten by another if all remaining episodes went that way."""
        for first, second in permutations(alive, 2):
            common = len(self._seen[first].keys() & self._seen[second].keys())
            left = self.cap - common
            wins, losses = self._wins[first, second], self._wins[second, first]
            if left > 0 and log_capital(wins + left, losses) >= self._needed:
                return True
        return False


@cache
def log_capital(wins: int, losses: int) -> float:
    """Log of what a stake of 1 has become that bet on wins being likelier than losses.

    The mean over all chances q between 1/2 and 1 of (2q)^wins (2 - 2q)^losses.
    """
    n = wins + losses
    above_half = float(bdtr(wins, n + 1, 0.5))
    if above_half == 0.0:
        return -math.inf
    return (n + 1) * math.log(2) + float(betaln(wins + 1, losses + 1)) + math.log(above_half)


def anytime_interval(k: int, n: int, error: float = ERROR) -> tuple[float, float]:
    """An interval of a success rate that holds at all n at once: stop whenever it is narrow enough, or on one side.

    It is the chances that a bet mixed evenly over all others has not ruled out; wider than Wilson's, which holds at one
    n that was chosen before.

    Args:
        k: successes.
        n: of so many episodes; without any the interval is all of 0 to 1.
        error: chance that the rate is ever outside.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no rate")
    if n == 0:
        return 0.0, 1.0
    share, bar = k / n, -math.log(error)

    def ruled_out(chance: float) -> bool:
        return float(betaln(k + 1, n - k + 1)) - _log_likelihood(k, n, chance) >= bar

    low, high = 0.0, 1.0
    if k > 0:
        low = _edge(ruled_out, 0.0, share)
    if k < n:
        high = _edge(ruled_out, 1.0, share)
    return low, high


def _edge(ruled_out: Callable[[float], bool], outside: float, inside: float) -> float:
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if ruled_out(middle) else (outside, middle)
    return outside


def _log_likelihood(k: int, n: int, chance: float) -> float:
    found = 0.0
    for count, share in ((k, chance), (n - k, 1 - chance)):
        if count:
            found += count * math.log(share) if share > 0 else -math.inf
    return found
