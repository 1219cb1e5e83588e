"""What the joint numbers of a dataset mean: as it says, as its scene says, else as they look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np

from curation.columns import Change, Convert, Gripper
from curation.errors import UsageError
from curation.frames import JOINTS
from curation.layout import UNITS, read_columns
from curation.store import Store
from curation.units import Units, joint_of, stated_units

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
    stated = stated_of(store)
    if stated.keys() == asdict(Units()).keys():
        return Units(**stated), True  # type: ignore[arg-type]
    return replace(_guessed(store), **stated), False  # type: ignore[arg-type]


def stated_of(store: Store) -> dict[str, str]:
    """What a dataset says itself of `Units`; a recording of the studio says all with its scene.

    Raises:
        DataError: it names some that nobody knows.
    """
    if (store.root / UNITS).is_file() or "scene" not in store.scene:
        return stated_units(store.root)
    return asdict(Units())


def resulting_units(changes: Sequence[Sequence[Change]], stores: Sequence[Store]) -> list[Units]:
    """The units of each dataset after its changes.

    Raises:
        UsageError: a change is from another unit than the dataset has.
        DataError: a dataset's units are damaged.
    """
    return [_after(store, own)[0] for own, store in zip(changes, stores, strict=True)]


def resulting_statement(changes: Sequence[Sequence[Change]], stores: Sequence[Store]) -> dict[str, str]:
    """What can be said of the units of datasets that become one: what each of them says, or was converted to.

    What was only guessed of one is not said of all.

    Raises:
        UsageError: a change is from another unit than the dataset has.
        DataError: a dataset's units are damaged.
    """
    every = [_after(store, own) for own, store in zip(changes, stores, strict=True)]
    units = asdict(every[0][0])
    return {part: unit for part, unit in units.items() if all(part in sure for _, sure in every)}


def fits(store: Store, change: Gripper | Convert, earlier: Sequence[Change] = ()) -> bool:
    """Whether a dataset has its joints in the unit that a change converts from."""
    units, sure = units_of(store)[0], set(stated_of(store))
    for one in earlier:
        units, sure = _converted(units, one), sure | _made_sure(one)
    have, part = _part(units, change)
    return have == change.source or ({have, change.source} in _ALIKE and part not in sure)


def _guessed(store: Store) -> Units:
    feature = store.features.get("action")
    if feature is None or len(feature.shape) != 1 or len(feature.names) != feature.shape[0] or not store.episodes:
        return Units()
    paths = sorted({episode.data for episode in store.episodes})
    highest = np.max([np.abs(read_columns(path, {"action": feature})["action"]).max(axis=0) for path in paths], axis=0)
    reach = [(joint_of(name), high) for name, high in zip(feature.names, highest, strict=True)]
    gripper = [high for joint, high in reach if "gripper" in joint]
    body = [high for joint, high in reach if joint in JOINTS[:-1]]
    return Units(
        "radians" if body and max(body) <= RADIANS_AT_MOST else "degrees",
        "0..1" if gripper and max(gripper) <= ONE_AT_MOST else "0..100",
    )


def _after(store: Store, changes: Sequence[Change]) -> tuple[Units, set[str]]:
    """The units after all changes, and which of them are no guess."""
    units, sure = units_of(store)[0], set(stated_of(store))
    for number, change in enumerate(changes):
        if isinstance(change, Gripper | Convert) and not fits(store, change, changes[:number]):
            have, part = _part(units, change)
            what = "gripper" if part == "gripper" else "body joints"
            says = f"says that its {what} is in" if part in sure else f"has its {what}, as far as numbers tell, in"
            raise UsageError(
                f"{store.root.name} {says} {have}, so it cannot be converted from {change.source}. Convert from "
                f"{have}; if it is in {change.source}, say so in {store.root / UNITS} first."
            )
        units, sure = _converted(units, change), sure | _made_sure(change)
    return units, sure


def _part(units: Units, change: Gripper | Convert) -> tuple[str, str]:
    """What a change is about has which unit, and what it is."""
    return (units.gripper, "gripper") if isinstance(change, Gripper) else (units.body, "body")


def _converted(units: Units, change: Change) -> Units:
    return change.units(units) if isinstance(change, Gripper | Convert) else units


def _made_sure(change: Change) -> set[str]:
    """Whoever converts says what it was."""
    return {"gripper"} if isinstance(change, Gripper) else {"body"} if isinstance(change, Convert) else set()
