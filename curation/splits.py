"""Divide episodes into parts: by share, keeping together what belongs together, alike in every part."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime

import numpy as np

from curation.errors import UsageError
from curation.unions import joined

PAUSE_S = 15 * 60
"""A longer pause between the beginnings of two episodes ends a sitting [s] (assumed): an episode takes at most a
minute, and whoever gets up moves lamp, table or camera."""


def together(*groupings: Sequence[Hashable]) -> list[int]:
    """Groups that keep together whatever any of several groupings keeps together, by number.

    Args:
        groupings: of each episode its group.
    """
    first: dict[Hashable, int] = {}
    pairs = [
        (first.setdefault((number, group), index), index)
        for number, grouping in enumerate(groupings)
        for index, group in enumerate(grouping)
    ]
    return joined(len(groupings[0]), pairs)


def sessions(started: Sequence[str], places: Sequence[Hashable]) -> list[Hashable]:
    """The sitting in which each episode was recorded: without a pause of more than `PAUSE_S` to the one before.

    Args:
        started: when each was, ISO 8601; "" if unknown.
        places: the dataset that each was recorded into; another one is another sitting.

    Returns:
        Of each episode its sitting; what has no time is one with all of its place that have none.
    """
    found: list[Hashable] = [(place, "") for place in places]
    known = [(place, datetime.fromisoformat(when), index)
             for index, (place, when) in enumerate(zip(places, started, strict=True)) if _is_time(when)]  # fmt: skip
    order = sorted(known, key=lambda one: (str(one[0]), one[1].timestamp()))
    number = 0
    for before, (place, when, index) in zip([None, *order[:-1]], order, strict=True):
        if before is None or before[0] != place or when.timestamp() - before[1].timestamp() > PAUSE_S:
            number += 1
        found[index] = number
    return found


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


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
