"""Whether datasets fit into one: every difference by name, what it would do to a policy, and the edit that mends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curation.answers import answer_differences
from curation.columns import Convert, Gripper, changed_features
from curation.difference import SOFT, Difference, Disagreement, Kind
from curation.encodings import encoding_differences
from curation.errors import UnknownChoice
from curation.frames import JOINTS, Feature
from curation.info import NUMBERS
from curation.meaning import resulting_units, stated_of, units_of
from curation.names import ACTION, STATE
from curation.naming import dataset_names
from curation.plan import Plan
from curation.scenes import scene_differences
from curation.store import Store
from curation.twins import twin_differences

__all__ = ["Difference", "Disagreement", "Kind", "differences", "require_agreement"]

_UNTOLD = {"degrees": "or -100..100", "-100..100": "or degrees", "0..100": "or 0..97", "0..97": "or 0..100"}
"""What numbers alone cannot tell from it."""


def require_agreement(plan: Plan, stores: Sequence[Store], allow: Sequence[str] = ()) -> None:
    """Refuse a plan whose parents do not fit together after its changes.

    Args:
        plan: with changes.
        stores: its parents.
        allow: kinds of differences that are accepted.

    Raises:
        UnknownChoice: a kind is none that can be allowed.
        Disagreement: something differs that is not allowed.
        UsageError: a change does not fit its dataset.
    """
    for kind in allow:
        if kind not in SOFT:
            raise UnknownChoice("difference to allow", kind, SOFT)
    blocking = [d for d in differences(plan, stores) if d.blocks and d.kind not in allow]
    if blocking:
        raise Disagreement(blocking)


def differences(plan: Plan, stores: Sequence[Store]) -> list[Difference]:
    """Every difference between each dataset and those before it, after the plan's changes, and what no plan can write.

    Raises:
        UsageError: a change does not fit its dataset.
        DataError: a dataset cannot be read.
    """
    names = dataset_names([store.root for store in stores])
    found = [d for number in range(len(stores)) for d in _unwritable(plan, stores[number], names[number], number)]
    if found:
        return found
    features = [changed_features(s.features, p.changes) for s, p in zip(stores, plan.parents, strict=True)]
    for number, store in enumerate(stores):
        found += _plain(stores[0], store, names[number], number)
        found += _features(names[number], features[0], features[number], number)
    found += _units(plan, stores, names)
    found += encoding_differences(plan, stores, names)
    found += scene_differences(plan, stores, names)
    if not any(difference.kind in ("fps", "features", "units") and difference.blocks for difference in found):
        found += answer_differences(plan, stores, names)
    found += _tasks(plan, names)
    return [*found, *twin_differences(plan, stores, names)]


def _plain(first: Store, store: Store, name: str, number: int) -> Iterator[Difference]:
    if store.fps != first.fps:
        mend = "Frames cannot be made or left out without changing the motion; keep them apart."
        yield Difference("fps", name, f"{store.fps} frames a second, {first.fps} before", mend, parent=number)
    if store.robot_type != first.robot_type:
        what = f"robot {store.robot_type or 'unnamed'}, {first.robot_type or 'unnamed'} before"
        yield Difference("robot", name, what, "If the arms are the same, --allow robot.", parent=number)


def _units(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[Difference]:
    """Units that differ, and those that nobody named: what is guessed from numbers may be wrong."""
    units = resulting_units([parent.changes for parent in plan.parents], stores)
    for number, (store, parent) in enumerate(zip(stores, plan.parents, strict=True)):
        parts = (("body joints", units[number].body, units[0].body, "--units", Convert),
                 ("gripper", units[number].gripper, units[0].gripper, "--gripper", Gripper))  # fmt: skip
        for what, have, want, option, _ in parts:
            if have != want:
                told, mend = f"{what} in {have}, {want} before", f"Convert with {option} {have}:{want}"
                yield Difference("units", names[number], told, mend, parent=number)
        if len(stores) > 1 and _nameless(store):
            told = "its action has no names, so nobody can tell which column is which joint, nor its unit"
            mend = "Compare the numbers yourself: studio inspect."
            yield Difference("units", names[number], told, mend, blocks=False, parent=number)
        elif len(stores) > 1 and not _said(store):
            known = {{"body": Convert, "gripper": Gripper}[part] for part in stated_of(store)}
            known |= {type(change) for change in parent.changes}
            guessed = [(p[0], p[1], p[3]) for p in parts if p[1] == p[2] and p[4] not in known]
            if guessed:
                yield _unknown(guessed, names[number], number)


def _unknown(guessed: Sequence[tuple[str, str, str]], name: str, number: int) -> Difference:
    look = " and ".join(f"the {what} in {have} ({_UNTOLD.get(have, 'by its range')})" for what, have, _ in guessed)
    state = " and ".join(f"{option}={have}" for _, have, option in guessed)
    what = f"its units cannot be known: nobody named them. By their numbers they look like {look}"
    mend = f"If that is true, say {state}; else convert with FROM:TO."
    return Difference("units", name, what, mend, blocks=False, parent=number)


def _said(store: Store) -> bool:
    """Whether a dataset names its units, or has no joints that could be in any."""
    named = {name.partition(".")[0] for key in (ACTION, STATE) if key in store.features
             for name in store.features[key].names}  # fmt: skip
    return units_of(store)[1] or not named & set(JOINTS)


def _nameless(store: Store) -> bool:
    feature = store.features.get("action")
    return feature is not None and len(feature.shape) == 1 and not feature.names and not units_of(store)[1]


def _unwritable(plan: Plan, store: Store, name: str, number: int) -> Iterator[Difference]:
    """Features that our files cannot hold."""
    for key, feature in changed_features(store.features, plan.parents[number].changes).items():
        video = feature.dtype == "video" and len(feature.shape) == 3
        if not video and not (feature.dtype in NUMBERS and len(feature.shape) == 1):
            mend = f"Leave it out with --drop-feature {key}"
            if feature.dtype == "image":
                mend += ", or make videos of it first: lerobot-edit-dataset --operation.type convert_image_to_video"
            what = f"{key} is {feature.dtype} of shape {feature.shape}, which cannot be written"
            yield Difference("features", name, what, f"{mend}.", parent=number)


def _features(name: str, first: dict[str, Feature], other: dict[str, Feature], number: int) -> Iterator[Difference]:
    missing, surplus = [k for k in first if k not in other], [k for k in other if k not in first]
    for key in missing:
        like = [k for k in surplus if (other[k].dtype, other[k].shape) == (first[key].dtype, first[key].shape)]
        mend = (
            f"Rename it with --rename {like[0]}:{key}" if like else f"Leave it out everywhere with --drop-feature {key}"
        )
        yield Difference(
            "features", name, f"has no {key}" + (f", but {like[0]}" if like else ""), f"{mend}.", parent=number
        )
    for key in surplus:
        mend = f"Leave it out with --drop-feature {key}, or rename it with --rename {key}:NEW."
        yield Difference("features", name, f"also has {key}", mend, parent=number)
    for key in first:
        if key in other and first[key] != other[key]:
            what = f"{key} is {_words(other[key])}, {_words(first[key])} before"
            mend = f"Record or draw it alike (studio rerender), or leave it out everywhere with --drop-feature {key}."
            yield Difference("features", name, what, mend, parent=number)


def _words(feature: Feature) -> str:
    names = f" ({', '.join(feature.names)})" if feature.names and len(feature.shape) == 1 else ""
    return f"{feature.dtype} {'x'.join(map(str, feature.shape))}{names}"


def _tasks(plan: Plan, names: Sequence[str]) -> Iterator[Difference]:
    """Instructions that say the same in other letters would be two tasks to a policy."""
    seen: dict[str, dict[str, int]] = {}
    for clip in plan.clips:
        for task in clip.instructions:
            plain = " ".join(task.casefold().replace(".", "").split())
            known = seen.setdefault(plain, {})
            if known and task not in known:
                other, parent = next(iter(known.items()))
                mend = f'Make them one with --relabel "{task}:{other}", or --allow tasks.'
                what = f"the task is '{task}', '{other}' before"
                # Within one dataset it was so before; between datasets it comes to be so now.
                yield Difference("tasks", names[clip.parent], what, mend, parent != clip.parent, clip.parent)
            known.setdefault(task, clip.parent)
