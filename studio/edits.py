"""Edits as the command line spells them, made into plans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

import tyro

from curation.columns import AddFeature, Change, Convert, DropFeature, Gripper, Rename, changed_features
from curation.encodings import encoding_differences, reencoding
from curation.errors import UnknownChoice, UsageError
from curation.meaning import fits, stated_of
from curation.names import IMAGES, camera_key
from curation.naming import dataset_names
from curation.plan import Columns, Plan, Relabel, edited
from curation.results import require_outcomes
from curation.store import Store
from curation.twins import once, once_words
from curation.units import Span, spans

Yes = Annotated[bool, tyro.conf.arg(aliases=["-y"])]


Allow = tuple[Literal["robot", "scene", "state", "tasks"], ...]


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
    """FROM:TO range of the gripper: 0..100, 0..97, 0..1 or radians. One alone says what it is in, where nobody did."""
    units: str = ""
    """FROM:TO unit of the body joints: degrees, radians or -100..100. One alone says what they are in, where nobody
    did."""
    calibration: str = ""
    """Of the arm, for -100..100: the file of lerobot-calibrate, or so101 for the simulated arm."""
    relabel: tuple[str, ...] = ()
    """OLD:NEW instructions; one without a colon is for all episodes, and so is :NEW."""
    reencode: bool = False
    """Encode videos anew where they are not encoded as those of the first dataset."""
    duplicates: Literal["refuse", "first"] = "refuse"
    """What to do with episodes that several datasets hold: refuse, or take each once."""
    allow: Allow = ()
    """Differences between the datasets to accept."""


def changed(plan: Plan, stores: Sequence[Store], changes: Changes) -> Plan:
    """A plan with the changes made.

    Raises:
        UsageError: a change is malformed or fits no dataset.
    """
    for key in changes.drop_feature:
        plan = _where_it_fits(plan, stores, DropFeature, key)
    if changes.gripper:
        plan = _converted(plan, stores, Gripper(*_from_to(changes.gripper, "--gripper FROM:TO")))
    if changes.units:
        source, target = _from_to(changes.units, "--units FROM:TO")
        plan = _converted(plan, stores, Convert(source, target, _spans(changes.calibration)))
    # Conversions look for action and state by name, so those are called otherwise only afterwards.
    for text in changes.rename:
        old, new = _pair(text, ":", "--rename OLD:NEW")
        plan = _where_it_fits(plan, stores, partial(_renaming, new), old)
    for text in changes.add_feature:
        key, value = _pair(text, "=", "--add-feature KEY=VALUE")
        plan = edited(plan, Columns(AddFeature(key, "success" if value == "success" else _number(text, value))))
    for text in changes.relabel:
        plan = edited(plan, _relabelling(plan, text))
    if changes.reencode:
        names = dataset_names([store.root for store in stores])
        for number in sorted({d.parent for d in encoding_differences(plan, stores, names) if d.kind == "encoding"}):
            plan = edited(plan, reencoding(plan, stores, number))
    copies = once(plan, stores) if changes.duplicates == "first" else None
    plan = plan if copies is None else edited(plan, copies)
    require_outcomes(plan, stores)
    return plan


def decisions(plan: Plan, stores: Sequence[Store]) -> tuple[str, ...]:
    """What a plan decides about copies that are not alike."""
    return tuple(once_words(plan, stores, dataset_names([store.root for store in stores])))


def _relabelling(plan: Plan, text: str) -> Relabel:
    """OLD:NEW of an instruction that is there, which may have colons itself; else one for all."""
    if ":" not in text:
        return Relabel(text)
    known = {task for clip in plan.clips for task in clip.instructions}
    places = [at for at, sign in enumerate(text) if sign == ":"]
    old = next((text[:at] for at in places if text[:at] in known), None)
    if old is not None:
        return Relabel(text[len(old) + 1 :], old)
    if text.startswith(":"):
        return Relabel(text[1:])
    raise UnknownChoice("task", text.partition(":")[0], sorted(known))


def _spans(calibration: str) -> tuple[tuple[str, Span], ...]:
    return tuple(sorted(spans(calibration).items())) if calibration else ()


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
    if change.source == change.target:
        # To say what a dataset is in says nothing new of one that says so itself.
        part = "gripper" if isinstance(change, Gripper) else "body"
        unsure = [n for n, store in enumerate(stores) if part not in stated_of(store)]
        if not unsure:
            return plan
        fitting = [n for n in fitting if n in unsure] or unsure[:1]
    # Where it fits none, the first dataset says why.
    for number in fitting or [0]:
        plan = edited(plan, Columns(change, number))
    return plan


def _renaming(new: str, old: str) -> Rename:
    """A camera's new name may be short, too."""
    return Rename(old, camera_key(new) if old.startswith(IMAGES) else new)


def _pair(text: str, sign: str, how: str) -> tuple[str, str]:
    one, found, other = text.partition(sign)
    if not (one and found and other):
        raise UsageError(f"'{text}' is not {how}.")
    return one, other


def _from_to(text: str, form: str) -> tuple[str, str]:
    return _pair(text, ":", form) if ":" in text else (text, text)


def _number(text: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"'{text}': the value must be a number, or success.") from None
