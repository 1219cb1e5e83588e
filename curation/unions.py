"""What belongs together, directly or through others."""

from __future__ import annotations

from collections.abc import Iterable


def joined(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` things the first one that it belongs together with, itself if there is none before.

    Args:
        count: things, by number.
        pairs: of numbers that belong together.
    """
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for one, other in pairs:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    return [root(i) for i in range(count)]
