"""Whether datasets fit into one: every difference by name, what it would do to a policy, and the edit that mends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from curation import layout
from curation.columns import changed_features
from curation.errors import DataError, UnknownChoice
from curation.frames import Feature
from curation.info import NUMBERS
from curation.meaning import resulting_units
from curation.plan import Plan
from curation.store import Store

Kind = Literal["fps", "features", "units", "encoding", "robot", "scene", "tasks", "duplicates"]
_SOFT: tuple[Kind, ...] = ("robot", "scene", "tasks")
"""Kinds that may be allowed; the others cannot be written into one dataset, or would say something false there."""
_ENCODED = ("video.codec", "video.pix_fmt")


@dataclass(frozen=True)
class Difference:
    """One thing in which a dataset differs from the first.

    Attributes:
        kind: what it is about.
        dataset: name of the dataset that differs.
        what: both values, in words.
        mend: what reconciles them.
        blocks: whether it must be mended, or allowed, before the datasets can be one.
    """

    kind: Kind
    dataset: str
    what: str
    mend: str
    blocks: bool = True

    def __str__(self) -> str:
        return f"{self.kind}: {self.dataset}: {self.what}. {self.mend}"


class Disagreement(DataError):
    """Datasets that do not fit together."""

    def __init__(self, found: Sequence[Difference]) -> None:
        listed = "\n".join(f"  {difference}" for difference in found)
        super().__init__(f"The datasets do not fit together:\n{listed}")


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
        if kind not in _SOFT:
            raise UnknownChoice("difference to allow", kind, _SOFT)
    blocking = [d for d in differences(plan, stores) if d.blocks and d.kind not in allow]
    if blocking:
        raise Disagreement(blocking)


def differences(plan: Plan, stores: Sequence[Store]) -> list[Difference]:
    """Every difference between the first dataset and each other, after the plan's changes, and what no plan can write.

    Raises:
        UsageError: a change does not fit its dataset.
    """
    found = [d for store, parent in zip(stores, plan.parents, strict=True) for d in _unwritable(store, parent.changes)]
    if found:
        return found
    features = [changed_features(s.features, p.changes) for s, p in zip(stores, plan.parents, strict=True)]
    units = resulting_units([p.changes for p in plan.parents], stores)
    first = stores[0]
    for number, store in enumerate(stores[1:], start=1):
        name = store.root.name
        if store.fps != first.fps:
            mend = "Frames cannot be made or left out without changing the motion; keep them apart."
            found.append(Difference("fps", name, f"{store.fps} frames a second, {first.fps} before", mend))
        found += _features(name, features[0], features[number])
        for what, have, want in (
            ("body joints", units[number].body, units[0].body),
            ("gripper", units[number].gripper, units[0].gripper),
        ):
            if have != want:
                option = "--gripper" if what == "gripper" else "--units"
                found.append(
                    Difference(
                        "units", name, f"{what} in {have}, {want} before", f"Convert with {option} {have}:{want}"
                    )
                )
        if not plan.parents[number].encode:
            found += _encoding(name, first, store, plan, number)
        if store.robot_type != first.robot_type:
            what = f"robot {store.robot_type or 'unnamed'}, {first.robot_type or 'unnamed'} before"
            found.append(Difference("robot", name, what, "If the arms are the same, --allow robot."))
        found += _scene(name, first, store)
    found += _tasks(plan, stores)
    return [*found, *_duplicates(plan, stores)]


def _unwritable(store: Store, changes: tuple[Any, ...]) -> Iterator[Difference]:
    """Features that our files cannot hold."""
    for key, feature in changed_features(store.features, changes).items():
        video = feature.dtype == "video" and len(feature.shape) == 3
        if not video and not (feature.dtype in NUMBERS and len(feature.shape) == 1):
            mend = f"Leave it out with --drop-feature {key}"
            if feature.dtype == "image":
                mend += ", or make videos of it first: lerobot-edit-dataset --operation.type convert_image_to_video"
            what = f"{key} is {feature.dtype} of shape {feature.shape}, which cannot be written"
            yield Difference("features", store.root.name, what, f"{mend}.")


def _features(name: str, first: dict[str, Feature], other: dict[str, Feature]) -> Iterator[Difference]:
    missing, surplus = [k for k in first if k not in other], [k for k in other if k not in first]
    for key in missing:
        like = [k for k in surplus if (other[k].dtype, other[k].shape) == (first[key].dtype, first[key].shape)]
        mend = (
            f"Rename it with --rename {like[0]}:{key}" if like else f"Leave it out everywhere with --drop-feature {key}"
        )
        yield Difference("features", name, f"has no {key}" + (f", but {like[0]}" if like else ""), f"{mend}.")
    for key in surplus:
        mend = f"Leave it out with --drop-feature {key}, or rename it with --rename {key}:NEW."
        yield Difference("features", name, f"also has {key}", mend)
    for key in first:
        if key in other and first[key] != other[key]:
            what = f"{key} is {_words(other[key])}, {_words(first[key])} before"
            mend = f"Record or draw it alike (studio rerender), or leave it out everywhere with --drop-feature {key}."
            yield Difference("features", name, what, mend)


def _words(feature: Feature) -> str:
    names = f" ({', '.join(feature.names)})" if feature.names and len(feature.shape) == 1 else ""
    return f"{feature.dtype} {'x'.join(map(str, feature.shape))}{names}"


def _encoding(name: str, first: Store, store: Store, plan: Plan, number: int) -> Iterator[Difference]:
    def described(one: Store, key: str) -> dict[str, Any]:
        info = one.info["features"][key].get("info") or {}
        return {fact: info.get(fact) for fact in _ENCODED}

    mine, theirs = layout.cameras(first.features), layout.cameras(store.features)
    if not mine or not theirs:
        return
    have, want = described(store, theirs[0]), described(first, mine[0])
    if have != want:
        what = f"videos in {' '.join(map(str, have.values()))}, {' '.join(map(str, want.values()))} before"
        yield Difference("encoding", name, what, "Encode them anew with --reencode.")


def _scene(name: str, first: Store, store: Store) -> Iterator[Difference]:
    mine, theirs = first.scene.get("fingerprint"), store.scene.get("fingerprint")
    if mine == theirs:
        return
    if mine is None or theirs is None:
        what = "nobody knows in which scene it was recorded" if theirs is None else f"scene {theirs}, unknown before"
        yield Difference("scene", name, what, "Compare the pictures yourself: studio inspect --poster.", blocks=False)
        return
    one, other = first.scene.get("scene", {}), store.scene.get("scene", {})
    fields = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    told = (
        ", ".join(f"{key} {other.get(key)} instead of {one.get(key)}" for key in fields) or f"{theirs}, {mine} before"
    )
    mend = f"Draw it in the other scene with studio rerender {name}, or take both looks with --allow scene."
    yield Difference("scene", name, f"another scene: {told}", mend)


def _tasks(plan: Plan, stores: Sequence[Store]) -> Iterator[Difference]:
    """Instructions that say the same in other letters would be two tasks to a policy."""
    seen: dict[str, str] = {}
    for clip in plan.clips:
        plain = " ".join(clip.task.casefold().replace(".", "").split())
        other = seen.setdefault(plain, clip.task)
        if other != clip.task:
            seen[plain] = clip.task
            mend = f'Make them one with --relabel "{other}".'
            name = stores[clip.parent].root.name
            yield Difference("tasks", name, f"the task is '{clip.task}', '{other}' before", mend, blocks=False)


def _duplicates(plan: Plan, stores: Sequence[Store]) -> Iterator[Difference]:
    owners: dict[str, set[int]] = {}
    for clip in plan.clips:
        if not clip.episode_id.startswith("episode-"):
            owners.setdefault(clip.episode_id, set()).add(clip.parent)
    twice = Counter(max(parents) for parents in owners.values() if len(parents) > 1)
    for parent, count in sorted(twice.items()):
        what = f"{count} of its episodes are in a dataset before it as well"
        yield Difference("duplicates", stores[parent].root.name, what, "Take each once with --duplicates first.")


assert set(_SOFT) <= set(get_args(Kind))
