"""Edits as the command line spells them, made into plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import tyro

from curation.columns import AddFeature, Change, Convert, DropFeature, Gripper, Rename, camera_key, changed_features
from curation.errors import UnknownChoice, UsageError
from curation.meaning import fits
from curation.plan import Columns, Drop, Plan, Reencode, Relabel, edited
from curation.preflight import differences
from curation.store import Store

Yes = Annotated[bool, tyro.conf.arg(aliases=["-y"])]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What changes in the datasets; each change is made wherever it fits."""

    rename: tuple[str, ...] = ()
    """OLD:NEW names of features or cameras."""
    drop_feature: tuple[str, ...] = ()
    """Features or cameras to leave out."""
    add_feature: tuple[str, ...] = ()
    """KEY=VALUE, a number for every frame, or "success": 1 on the last frame of a success."""
    gripper: str = ""
    """FROM:TO range of the gripper: 0..100, 0..97, 0..1 or radians."""
    units: str = ""
    """FROM:TO unit of the body joints: degrees, radians or -100..100."""
    calibration: str = ""
    """Of the arm, for -100..100: the file of lerobot-calibrate, or so101 for the simulated arm."""
    relabel: str = ""
    """A new instruction for all episodes."""
    reencode: bool = False
    """Encode videos anew where they are not encoded as those of the first dataset."""
    duplicates: Literal["refuse", "first"] = "refuse"
    """What to do with episodes that several datasets hold: refuse, or take each once."""
    allow: tuple[Literal["robot", "scene", "tasks"], ...] = ()
    """Differences between the datasets to accept."""


def changed(plan: Plan, stores: Sequence[Store], changes: Changes) -> Plan:
    """A plan with the changes made.

    Raises:
        UsageError: a change is malformed or fits no dataset.
    """
    for text in changes.rename:
        old, new = _pair(text, ":", "--rename OLD:NEW")
        plan = _where_it_fits(plan, stores, partial(_renaming, new), old)
    for key in changes.drop_feature:
        plan = _where_it_fits(plan, stores, DropFeature, key)
    for text in changes.add_feature:
        key, value = _pair(text, "=", "--add-feature KEY=VALUE")
        plan = edited(plan, Columns(AddFeature(key, "success" if value == "success" else _number(text, value))))
    if changes.gripper:
        plan = _converted(plan, stores, Gripper(*_pair(changes.gripper, ":", "--gripper FROM:TO")))
    if changes.units:
        source, target = _pair(changes.units, ":", "--units FROM:TO")
        plan = _converted(plan, stores, Convert(source, target, changes.calibration))
    if changes.relabel:
        plan = edited(plan, Relabel(changes.relabel))
    if changes.reencode:
        other = {d.dataset for d in differences(plan, stores) if d.kind == "encoding"}
        for number, store in enumerate(stores):
            if store.root.name in other:
                plan = edited(plan, Reencode(number))
    return _without_copies(plan) if changes.duplicates == "first" else plan


def _without_copies(plan: Plan) -> Plan:
    seen: set[str] = set()
    again = []
    for clip in plan.clips:
        if clip.episode_id in seen and not clip.episode_id.startswith("episode-"):
            again.append(clip.ref)
        seen.add(clip.episode_id)
    return edited(plan, Drop(tuple(again), "in a dataset before it")) if again else plan


def _where_it_fits(plan: Plan, stores: Sequence[Store], change: Callable[[str], Change], name: str) -> Plan:
    """The plan with a feature changed in every dataset that has it; cameras may be named in short."""
    known: set[str] = set()
    found = False
    for number, store in enumerate(stores):
        features = changed_features(store.features, plan.parents[number].changes)
        known |= set(features)
        key = name if name in features else camera_key(name)
        if key in features:
            plan = edited(plan, Columns(change(key), number))
            found = True
    if not found:
        raise UnknownChoice("feature", name, sorted(known))
    return plan


def _converted(plan: Plan, stores: Sequence[Store], change: Gripper | Convert) -> Plan:
    fitting = [n for n, store in enumerate(stores) if fits(store, change, plan.parents[n].changes)]
    # Where it fits none, the first dataset says why.
    for number in fitting or [0]:
        plan = edited(plan, Columns(change, number))
    return plan


def _renaming(new: str, old: str) -> Rename:
    """A camera's new name may be short, too."""
    return Rename(old, camera_key(new) if old.startswith("observation.images.") else new)


def _pair(text: str, sign: str, how: str) -> tuple[str, str]:
    one, found, other = text.partition(sign)
    if not (one and found and other):
        raise UsageError(f"'{text}' is not {how}.")
    return one, other


def _number(text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"'{text}': the value must be a number, or success.") from None
