"""Divide episodes into parts: by share, keeping together what belongs together, alike in every part."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import numpy as np

from curation.errors import UsageError


def split(
    shares: Mapping[str, float],
    groups: Sequence[Hashable],
    strata: Sequence[Hashable],
    seed: int,
) -> list[str]:
    """The part of each episode.

    Groups are dealt to the part that lacks most of its share, stratum by stratum, in an order drawn from the seed.

    Args:
        shares: part to share; they need not add up to 1.
        groups: of each episode; those of one group go to one part.
        strata: of each episode; every part gets its share of each.
        seed: of the order.

    Raises:
        UsageError: a share is not positive, or a part gets nothing.
    """
    if not shares or min(shares.values()) <= 0:
        raise UsageError(f"Every part needs a share above 0; got {dict(shares)}.")
    total = sum(shares.values())
    members: dict[Hashable, list[int]] = {}
    for index, group in enumerate(groups):
        members.setdefault(group, []).append(index)
    # A group belongs to the stratum of its first episode.
    layers: dict[Hashable, list[Hashable]] = {}
    for group, indices in members.items():
        layers.setdefault(strata[indices[0]], []).append(group)
    rng = np.random.default_rng(seed)
    part_of = [""] * len(groups)
    counts = dict.fromkeys(shares, 0.0)
    dealt = 0
    for layer in layers.values():
        for number in rng.permutation(len(layer)):
            indices = members[layer[int(number)]]
            dealt += len(indices)
            lacking = {name: share / total * dealt - counts[name] for name, share in shares.items()}
            name = max(lacking, key=lambda part: lacking[part])
            counts[name] += len(indices)
            for index in indices:
                part_of[index] = name
    empty = [name for name, count in counts.items() if not count]
    if empty:
        raise UsageError(
            f"{len(members)} groups of episodes cannot be divided so that {', '.join(empty)} gets any. "
            "Give it a larger share, or keep less together."
        )
    return part_of
