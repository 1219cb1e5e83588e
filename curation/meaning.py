"""What the joint numbers of a dataset mean: as it says, as its scene says, else as they look."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from curation.columns import Change, Convert, Gripper
from curation.errors import UsageError
from curation.frames import JOINTS
from curation.layout import UNITS, read_columns
from curation.store import Store
from curation.units import Units, read_units

RADIANS_AT_MOST = 3.3
"""Body joints that never leave this are no degrees: half a turn and a little [rad]."""
ONE_AT_MOST = 1.5
"""A gripper that never leaves this is none of 0..100."""
_ALIKE = ({"degrees", "-100..100"}, {"0..100", "0..97"})
"""Units that numbers alone cannot tell apart."""


def units_of(store: Store) -> tuple[Units, bool]:
    """The units of a dataset, and whether it says so itself; else they are guessed from how far its actions go.

    Raises:
        DataError: it names some that nobody knows, or its data cannot be read.
    """
    if (store.root / UNITS).is_file() or store.scene:
        return read_units(store.root), True
    feature = store.features.get("action")
    if feature is None or len(feature.shape) != 1 or len(feature.names) != feature.shape[0] or not store.episodes:
        return Units(), False
    paths = sorted({episode.data for episode in store.episodes})
    highest = np.max([np.abs(read_columns(path, {"action": feature})["action"]).max(axis=0) for path in paths], axis=0)
    reach = dict(zip(feature.names, highest, strict=True))
    gripper = [high for name, high in reach.items() if "gripper" in name]
    body = [high for name, high in reach.items() if name.partition(".")[0] in JOINTS[:-1]]
    return Units(
        "radians" if body and max(body) <= RADIANS_AT_MOST else "degrees",
        "0..1" if gripper and max(gripper) <= ONE_AT_MOST else "0..100",
    ), False


def resulting_units(changes: Sequence[Sequence[Change]], stores: Sequence[Store]) -> list[Units]:
    """The units of each dataset after its changes.

    Raises:
        UsageError: a change is from another unit than the dataset has.
        DataError: a dataset's units are damaged.
    """
    return [_after(store, own) for own, store in zip(changes, stores, strict=True)]


def fits(store: Store, change: Gripper | Convert, earlier: Sequence[Change] = ()) -> bool:
    """Whether a dataset has its joints in the unit that a change converts from."""
    units, sure = units_of(store)
    for one in earlier:
        units = _converted(units, one)
    have = units.gripper if isinstance(change, Gripper) else units.body
    return have == change.source or ({have, change.source} in _ALIKE and (not sure or isinstance(change, Gripper)))


def _after(store: Store, changes: Sequence[Change]) -> Units:
    units, _ = units_of(store)
    for number, change in enumerate(changes):
        if isinstance(change, Gripper | Convert) and not fits(store, change, changes[:number]):
            have = units.gripper if isinstance(change, Gripper) else units.body
            raise UsageError(
                f"{store.root.name} has its {'gripper' if isinstance(change, Gripper) else 'body joints'} in {have}, "
                f"so it cannot be converted from {change.source}. Convert from {have}."
            )
        units = _converted(units, change)
    return units


def _converted(units: Units, change: Change) -> Units:
    return change.units(units) if isinstance(change, Gripper | Convert) else units
