"""What shall become of datasets, as data: which frames of which episodes, and what changes in their columns.

A plan is built by edits that change nothing on disk, can be looked at, saved as a recipe and applied later. Edits name
episodes by permanent id and frames by their number in the source, so none depends on what another one did before.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from curation.columns import Change
from curation.errors import UnknownChoice, UsageError
from curation.naming import is_numbered
from curation.notes import masked, read_notes
from curation.store import Store
from curation.video import Encoding

Ref = tuple[int, str]
"""An episode: the number of its parent, and its id there."""

Encodings = tuple[tuple[str, Encoding], ...]
"""Cameras by their names in the source, and the encoding each gets."""

_NAMESPACE = uuid.UUID("5d2f4d3c-52a4-4a8c-9d0b-3f1c35a4c7e1")


@dataclass(frozen=True)
class Clip:
    """A run of frames of one source episode, an episode of the result.

    Attributes:
        parent: number of the source among the plan's parents.
        episode_id: of the source episode.
        start, stop: its frames, stop excluded.
        length: of the source episode.
        task: the instruction it gets; of several, one.
        tasks: where the source's frames have several instructions: each of them, and what becomes of it. Empty where
            all frames have `task`.
    """

    parent: int
    episode_id: str
    start: int
    stop: int
    length: int
    task: str
    tasks: tuple[tuple[str, str], ...] = ()

    @property
    def ref(self) -> Ref:
        return self.parent, self.episode_id

    @property
    def whole(self) -> bool:
        return self.start == 0 and self.stop == self.length

    @property
    def frames(self) -> int:
        return self.stop - self.start

    @property
    def instructions(self) -> tuple[str, ...]:
        """All that its frames may have."""
        return tuple(dict.fromkeys(now for _, now in self.tasks)) or (self.task,)


@dataclass(frozen=True)
class Parent:
    """A source dataset, what changes in its columns, in order, and which cameras are encoded anew, and how."""

    path: Path
    changes: tuple[Change, ...] = ()
    encode: Encodings = ()


@dataclass(frozen=True)
class Keep:
    """Only these episodes."""

    episodes: tuple[Ref, ...]
    why: str = ""
    edit: Literal["keep"] = "keep"


@dataclass(frozen=True)
class Drop:
    """All but these episodes."""

    episodes: tuple[Ref, ...]
    why: str = ""
    edit: Literal["drop"] = "drop"


@dataclass(frozen=True)
class Once:
    """Of episodes that several parents hold only one each: what is left out, and what is kept for it. What was noted
    about either is then said of the one."""

    pairs: tuple[tuple[Ref, Ref], ...]
    edit: Literal["once"] = "once"


@dataclass(frozen=True)
class Trim:
    """Of an episode only the frames from start to stop, stop excluded."""

    episode: Ref
    start: int
    stop: int
    why: str = ""
    edit: Literal["trim"] = "trim"


@dataclass(frozen=True)
class Cut:
    """An episode in pieces: a new one begins at each of these frames."""

    episode: Ref
    at: tuple[int, ...]
    edit: Literal["cut"] = "cut"


@dataclass(frozen=True)
class Relabel:
    """Another instruction, for these episodes or for all that have the old one, or for all."""

    task: str
    old: str | None = None
    episodes: tuple[Ref, ...] | None = None
    edit: Literal["relabel"] = "relabel"


@dataclass(frozen=True)
class Columns:
    """A change of the columns of one parent, or of all."""

    change: Change
    parent: int | None = None
    edit: Literal["columns"] = "columns"


@dataclass(frozen=True)
class Reencode:
    """Cameras of a parent in another encoding, so that one description fits all."""

    parent: int
    cameras: Encodings
    edit: Literal["reencode"] = "reencode"


Edit = Keep | Drop | Once | Trim | Cut | Relabel | Columns | Reencode


@dataclass(frozen=True)
class Plan:
    """Sources, clips in the order of the result, and the edits that led here.

    Attributes:
        parents: sources.
        clips: episodes of the result.
        edits: from `begin` on, in order.
        left_out: masked episodes that were left out at the beginning.
        gone: what edits took away whole; another edit may still name it, without effect.
        with_masked: whether masked episodes were asked for.
    """

    parents: tuple[Parent, ...]
    clips: tuple[Clip, ...]
    edits: tuple[Edit, ...] = ()
    left_out: tuple[Ref, ...] = ()
    gone: tuple[Clip, ...] = ()
    with_masked: bool = False

    @property
    def frames(self) -> int:
        return sum(clip.frames for clip in self.clips)


def begin(stores: Sequence[Store], *, with_masked: bool = False) -> Plan:
    """Everything that these datasets hold, in order, but episodes in the trash.

    Raises:
        UsageError: a dataset is named twice, or none is.
    """
    roots = [store.root.resolve() for store in stores]
    twice = sorted({str(root) for root in roots if roots.count(root) > 1})
    if twice or not stores:
        raise UsageError(f"Name each dataset once; {', '.join(twice) or 'none'} given{' twice' if twice else ''}.")
    hidden = [set() if with_masked else masked(read_notes(store.root)) for store in stores]
    clips = [
        Clip(number, episode.row.episode_id, 0, episode.length, episode.length, episode.task, _several(episode.tasks))
        for number, store in enumerate(stores)
        for episode in store.episodes
    ]
    return Plan(
        parents=tuple(Parent(store.root) for store in stores),
        clips=tuple(clip for clip in clips if clip.episode_id not in hidden[clip.parent]),
        left_out=tuple(clip.ref for clip in clips if clip.episode_id in hidden[clip.parent]),
        with_masked=with_masked,
    )


def edited(plan: Plan, edit: Edit) -> Plan:
    """The plan after one more edit.

    Raises:
        UnknownChoice: it names an episode that the plan does not have.
        UsageError: it leaves no frames, or names frames that an episode does not have.
    """
    before = plan
    match edit:
        case Keep(episodes):
            wanted = _known(plan, episodes)
            plan = replace(plan, clips=tuple(clip for clip in plan.clips if clip.ref in wanted))
        case Drop(episodes):
            unwanted = _known(plan, episodes)
            plan = replace(plan, clips=tuple(clip for clip in plan.clips if clip.ref not in unwanted))
        case Once(pairs):
            _known(plan, [kept for _, kept in pairs])
            unwanted = _known(plan, [gone for gone, _ in pairs])
            plan = replace(plan, clips=tuple(clip for clip in plan.clips if clip.ref not in unwanted))
        case Trim(episode, start, stop):
            plan = _on(plan, episode, lambda clip: _trimmed(clip, start, stop))
        case Cut(episode, at):
            plan = _on(plan, episode, lambda clip: _pieces(clip, at))
        case Relabel(task, old, episodes):
            if not task.strip():
                raise UsageError("The new task is empty; give an instruction in words.")
            wanted = {clip.ref for clip in plan.clips} if episodes is None else _known(plan, episodes)
            known = {one for clip in (*plan.clips, *plan.gone) for one in clip.instructions}
            if old is not None and old not in known:
                raise UnknownChoice("task", old, sorted(known))
            clips = tuple(_relabelled(clip, task, old) if clip.ref in wanted else clip for clip in plan.clips)
            plan = replace(plan, clips=clips)
        case Columns(change, parent):
            plan = _on_parents(plan, parent, lambda one: replace(one, changes=(*one.changes, change)))
        case Reencode(parent, cameras):
            plan = _on_parents(plan, parent, lambda one: replace(one, encode=cameras))
    left = {clip.ref for clip in plan.clips}
    gone = {clip.ref: clip for clip in before.clips if clip.ref not in left}
    return replace(plan, edits=(*plan.edits, edit), gone=(*before.gone, *gone.values()))


def result_ids(plan: Plan, fingerprints: Sequence[str]) -> list[str]:
    """The permanent id of each clip's episode: its own if every frame stays as it is, else one made from what changed.

    Args:
        plan: the plan.
        fingerprints: of its parents. Sources without ids of their own get theirs from them.
    """
    return [_result_id(clip, plan.parents[clip.parent], fingerprints[clip.parent]) for clip in plan.clips]


def digest(plan: Plan, fingerprints: Sequence[str]) -> str:
    """SHA-256 of all that decides the result: sources as they are, clips and changes."""
    told = {
        "parents": [
            {"fingerprint": mark, "changes": [asdict(change) for change in parent.changes], "encode": _told(parent)}
            for parent, mark in zip(plan.parents, fingerprints, strict=True)
        ],
        "clips": [asdict(clip) for clip in plan.clips],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _result_id(clip: Clip, parent: Parent, fingerprint: str) -> str:
    foreign = is_numbered(clip.episode_id)
    if clip.whole and not parent.changes and not parent.encode and not foreign:
        return clip.episode_id
    source = f"{fingerprint}/{clip.episode_id}" if foreign else clip.episode_id
    changes = [asdict(change) for change in parent.changes]
    told = json.dumps([source, clip.start, clip.stop, changes, _told(parent)], sort_keys=True)
    return str(uuid.uuid5(_NAMESPACE, told))


def _told(parent: Parent) -> list[Any]:
    """The encodings of what is encoded anew, as JSON values; by how many threads is no property of the result."""
    plain = [(camera, asdict(encoding)) for camera, encoding in parent.encode]
    return [[camera, {name: value for name, value in told.items() if name != "threads"}] for camera, told in plain]


def _several(tasks: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((task, task) for task in tasks) if len(tasks) > 1 else ()


def _relabelled(clip: Clip, task: str, old: str | None) -> Clip:
    """The clip with another instruction, in the frames that have the old one."""
    if old is None or clip.instructions == (old,):
        return replace(clip, task=task, tasks=())
    tasks = tuple((source, task if now == old else now) for source, now in clip.tasks)
    return replace(clip, task=task if clip.task == old else clip.task, tasks=tasks)


def _known(plan: Plan, episodes: Iterable[Ref]) -> set[Ref]:
    wanted = {(int(parent), str(name)) for parent, name in episodes}
    known = {clip.ref: clip for clip in (*plan.clips, *plan.gone)}
    for parent, name in sorted(wanted - known.keys()):
        raise UnknownChoice("episode", name, (one.episode_id for one in known.values() if one.parent == parent))
    return wanted


def _on(plan: Plan, episode: Ref, change: Callable[[Clip], list[Clip]]) -> Plan:
    wanted = _known(plan, [episode])
    for clip in plan.gone:
        if clip.ref in wanted:
            change(clip)  # without effect, but refused if it makes no sense
    return replace(
        plan, clips=tuple(new for clip in plan.clips for new in (change(clip) if clip.ref in wanted else [clip]))
    )


def _on_parents(plan: Plan, parent: int | None, change: Callable[[Parent], Parent]) -> Plan:
    if parent is not None and not 0 <= parent < len(plan.parents):
        raise UnknownChoice("dataset", parent, range(len(plan.parents)))
    parents = (change(one) if parent in (None, number) else one for number, one in enumerate(plan.parents))
    return replace(plan, parents=tuple(parents))


def _trimmed(clip: Clip, start: int, stop: int) -> list[Clip]:
    """What is left of a clip; nothing, if another edit has taken it all away."""
    if not 0 <= start < stop <= clip.length:
        raise UsageError(
            f"Episode {clip.episode_id} has frames 0 to {clip.length}; it cannot be trimmed to {start} to {stop}."
        )
    low, high = max(start, clip.start), min(stop, clip.stop)
    return [replace(clip, start=low, stop=high)] if low < high else []


def _pieces(clip: Clip, at: tuple[int, ...]) -> list[Clip]:
    for frame in at:
        if not 0 < frame < clip.length:
            raise UsageError(f"Episode {clip.episode_id} has frames 0 to {clip.length}; it cannot be cut at {frame}.")
    ends = sorted({clip.start, clip.stop, *(frame for frame in at if clip.start < frame < clip.stop)})
    return [replace(clip, start=low, stop=high) for low, high in pairwise(ends)]
