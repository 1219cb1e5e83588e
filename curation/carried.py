"""What datasets hold beyond what LeRobot and the studio know, and what of it an edit takes along.

Columns of episodes stay with episodes that are kept whole, splits with the episodes they name, words of info.json where
all datasets say them, files that nobody knows where nothing changes that they could speak of. The rest is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from curation import layout
from curation.info import LEROBOTS, splits_of
from curation.plan import Clip, Plan
from curation.store import Store

_OURS = (
    "meta/info.json",
    "meta/stats.json",
    "meta/tasks.parquet",
    "meta/episodes/",
    "meta/studio/",
    "data/",
    "videos/",
)
_GENERATED = ("README.md", ".gitattributes", ".gitignore", ".cache/", ".git/", "images/")
"""Made anew where they are needed."""


@dataclass(frozen=True)
class Carried:
    """What goes along.

    Attributes:
        columns: of meta/episodes, with their types.
        info: words of info.json, by key.
        splits: name to "first:last", last excluded.
        files: relative to the dataset.
        lost: what does not go along, and why, a sentence each.
    """

    columns: dict[str, pa.DataType]
    info: dict[str, Any]
    splits: dict[str, str]
    files: tuple[Path, ...]
    lost: tuple[str, ...]

    def values(self, clip: Clip, store: Store) -> dict[str, Any]:
        """The values of `columns` for the episode of a clip."""
        others = store.episode(clip.episode_id).others if clip.whole else {}
        return {name: others.get(name) for name in self.columns}


def carried(plan: Plan, stores: Sequence[Store]) -> Carried:
    """Look at what the sources of a plan hold.

    Args:
        plan: with clips.
        stores: its parents.

    Raises:
        DataError: meta/episodes of a source cannot be read.
    """
    names = _names(stores)
    lost: list[str] = []
    return Carried(
        columns=_columns(plan, stores, names, lost),
        info=_info(stores, names, lost),
        splits=_splits(plan, stores, names, lost),
        files=_files(plan, stores, names, lost),
        lost=tuple(lost),
    )


def _names(stores: Sequence[Store]) -> list[str]:
    short = [store.root.name for store in stores]
    return [str(s.root) if short.count(name) > 1 else name for s, name in zip(stores, short, strict=True)]


def _columns(plan: Plan, stores: Sequence[Store], names: Sequence[str], lost: list[str]) -> dict[str, pa.DataType]:
    found: dict[str, pa.DataType] = {}
    unlike: dict[str, str] = {}
    for store, dataset in zip(stores, names, strict=True):
        for column, kind in _types(store).items():
            if found.setdefault(column, kind) != kind:
                unlike[column] = f"{kind} in {dataset}, {found[column]} before"
    lost += [f"The episodes' column {column} is not carried: it is {why}." for column, why in unlike.items()]
    for number, dataset in enumerate(names):
        cut = [clip for clip in plan.clips if clip.parent == number and not clip.whole]
        told = {
            name for clip in cut for name, v in stores[number].episode(clip.episode_id).others.items() if v is not None
        }
        if told - unlike.keys():
            lost.append(
                f"{', '.join(sorted(told - unlike.keys()))} of {len(cut)} episodes of {dataset} is not carried: a part "
                "of an episode may be another thing."
            )
    return {
        column: kind
        for column, kind in found.items()
        if column not in unlike and any(column in stores[c.parent].episode(c.episode_id).others for c in plan.clips)
    }


def _types(store: Store) -> dict[str, pa.DataType]:
    """Columns of meta/episodes that nobody knows, with their types."""
    found: dict[str, pa.DataType] = {}
    for path in sorted({episode.record for episode in store.episodes if episode.others}):
        with layout.whole_parquet(path) as file:
            for field in file.schema_arrow:
                if not layout.known_column(field.name):
                    found.setdefault(field.name, field.type)
    return found


def _info(stores: Sequence[Store], names: Sequence[str], lost: list[str]) -> dict[str, Any]:
    said = [{key: value for key, value in store.info.items() if key not in LEROBOTS and value} for store in stores]
    same = {key: value for key, value in said[0].items() if all(one.get(key) == value for one in said)}
    for words, dataset in zip(said, names, strict=True):
        lost += [
            f"{key} of {dataset}'s info.json is not carried: not all datasets say the same."
            for key in words
            if key not in same
        ]
    return same


def _splits(plan: Plan, stores: Sequence[Store], names: Sequence[str], lost: list[str]) -> dict[str, str]:
    """Where the episodes of each split are in the result; empty if the datasets name none, or it cannot be said."""
    ranges = [splits_of(store.info) for store in stores]
    for store, said, dataset in zip(stores, ranges, names, strict=True):
        if not said and len(store.info.get("splits") or ()) > 1:
            lost.append(f"The splits of {dataset}'s info.json are not carried: they do not hold all of its episodes.")
    if all(said.keys() <= {"train"} for said in ranges):
        return {}
    members: dict[str, list[int]] = {}
    for place, clip in enumerate(plan.clips):
        index = stores[clip.parent].episode(clip.episode_id).index
        # Where a dataset names none, all of it is for training, as LeRobot says.
        for name, span in (ranges[clip.parent] or {"train": range(index, index + 1)}).items():
            if index in span:
                members.setdefault(name, []).append(place)
    torn = [name for name, places in members.items() if places[-1] - places[0] + 1 != len(places)]
    if torn:
        lost.append(
            f"The splits of info.json are not carried: the episodes of {', '.join(torn)} do not follow each other "
            "here, and LeRobot knows only runs of episodes. studio split makes a dataset of each part."
        )
        return {}
    return {name: f"{places[0]}:{places[-1] + 1}" for name, places in members.items()}


def _files(plan: Plan, stores: Sequence[Store], names: Sequence[str], lost: list[str]) -> tuple[Path, ...]:
    unknown = [sorted(_unknown(store.root)) for store in stores]
    if len(stores) == 1 and _as_it_was(plan, stores[0]):
        return tuple(unknown[0])
    for paths, dataset in zip(unknown, names, strict=True):
        if paths:
            told = ", ".join(path.as_posix() for path in paths[:5]) + (" and others" if len(paths) > 5 else "")
            lost.append(
                f"{told} of {dataset} is not carried: nobody here knows what it says, and episodes or columns change."
            )
    return ()


def _as_it_was(plan: Plan, store: Store) -> bool:
    """Whether every frame keeps its number, and its numbers."""
    ids = [episode.row.episode_id for episode in store.episodes]
    whole = all(clip.whole for clip in plan.clips) and [clip.episode_id for clip in plan.clips] == ids
    return whole and not plan.parents[0].changes


def _unknown(root: Path) -> Iterator[Path]:
    """Files that neither LeRobot nor the studio wrote."""
    for top in root.iterdir():
        inside = [top] if top.is_file() else top.rglob("*") if top.name == "meta" else ()
        for path in inside:
            name = path.relative_to(root)
            if path.is_file() and not name.as_posix().startswith((*_OURS, *_GENERATED)):
                yield name
