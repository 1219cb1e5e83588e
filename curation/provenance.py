"""Where a dataset comes from: its parents as they were, the edits between, and the source of every episode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from curation.errors import DataError
from curation.layout import HUB, PROVENANCE
from curation.naming import is_numbered
from curation.plan import Plan, digest
from curation.store import Store

_PACKAGES = ("teleop-studio", "av", "numpy", "pyarrow")


def read_provenance(root: Path) -> dict[str, Any]:
    """What a dataset says of its origin; empty for a recording.

    Raises:
        DataError: the file is damaged, or something in it is not what `story` writes.
    """
    path = root / PROVENANCE
    try:
        story: dict[str, Any] = json.loads(path.read_bytes())
        wrong = _wrong(story)
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError) as error:
        wrong = str(error)
    if wrong:
        raise DataError(
            f"{path} cannot be read: {wrong}. Take it from another copy of the dataset, or delete it: without it the "
            "dataset only says nothing of its origin."
        )
    return story


def _wrong(story: Any, at: str = "") -> str:
    """What in a story is not as it is written, "" if everything is; parts may be absent."""
    if not isinstance(story, dict):
        return f"{at or 'what it holds'} is no object"
    lists = {name: story.get(name) or [] for name in ("parents", "edits")}
    for name, entries in lists.items():
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            return f"{at}{name} is no list of objects"
    for number, parent in enumerate(lists["parents"]):
        here = f"{at}parents[{number}]"
        if not isinstance(parent.get("hub") or {}, dict):
            return f"{here}.hub is no object"
        if not isinstance(parent.get("episodes") or 0, int):
            return f"{here}.episodes is no number"
        if wrong := _wrong(parent.get("provenance") or {}, f"{here}.provenance."):
            return wrong
    episodes = story.get("episodes") or {}
    if not isinstance(episodes, dict):
        return f"{at}episodes is no object"
    strange = [name for name, source in episodes.items() if not _is_source(source, len(lists["parents"]))]
    return f"{at}episodes.{strange[0]} names no frames of a parent" if strange else ""


def _is_source(source: Any, parents: int) -> bool:
    if not isinstance(source, dict) or not isinstance(source.get("episode_id"), str):
        return False
    parent, start, stop = (source.get(name) for name in ("parent", "start", "stop"))
    if not (isinstance(parent, int) and isinstance(start, int) and isinstance(stop, int)):
        return False
    return 0 <= parent < parents and 0 <= start < stop


def story(plan: Plan, stores: Sequence[Store], fingerprints: Sequence[str], ids: Sequence[str]) -> dict[str, Any]:
    """What is written beside the result of a plan.

    Args:
        plan: what was applied.
        stores: the parents, as they were opened.
        fingerprints: of the parents.
        ids: of the resulting episodes.
    """
    return {
        "version": 1,
        "parents": [_parent(store, mark) for store, mark in zip(stores, fingerprints, strict=True)],
        "edits": [asdict(edit) for edit in plan.edits],
        "plan": digest(plan, fingerprints),
        "left_out": [list(ref) for ref in plan.left_out],
        "episodes": {
            name: {"parent": clip.parent, "episode_id": clip.episode_id, "start": clip.start, "stop": clip.stop}
            for name, clip in zip(ids, plan.clips, strict=True)
        },
        "versions": {name: _version(name) for name in _PACKAGES},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def whole_story(source: Store, mark: str, edit: Mapping[str, Any], ids: Mapping[str, str]) -> dict[str, Any]:
    """What is written beside a dataset whose episodes show all frames of those of another.

    Args:
        source: the parent, as it was opened.
        mark: its fingerprint.
        edit: what was done, under "edit" in a word.
        ids: of every episode, with that of the parent's.
    """
    lengths = {episode.row.episode_id: episode.length for episode in source.episodes}
    return {
        "version": 1,
        "parents": [_parent(source, mark)],
        "edits": [dict(edit)],
        "episodes": {
            name: {"parent": 0, "episode_id": old, "start": 0, "stop": lengths[old]} for name, old in ids.items()
        },
        "versions": {name: _version(name) for name in (*_PACKAGES, "mujoco")},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def converted_story(old: Path, version_of_old: str, episodes: int, frames: int) -> dict[str, Any]:
    """What is written beside a dataset that was converted from an older version of LeRobot's format.

    Its episodes are only numbered, as those of the old one are, so they count as recorded in it.

    Args:
        old: the dataset that was converted.
        version_of_old: such as "v2.1".
        episodes, frames: in both.
    """
    parent = {
        "name": old.resolve().name,
        "path": str(old.resolve()),
        "recorded": False,
        "fingerprint": None,
        "episodes": episodes,
        "frames": frames,
        "hub": _hub(old),
        "provenance": None,
    }
    return {
        "version": 1,
        "parents": [parent],
        "edits": [{"edit": "convert", "from": version_of_old}],
        "versions": {name: _version(name) for name in (*_PACKAGES, "lerobot")},
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def recorded(store: Store) -> bool:
    """Whether the studio recorded a dataset's first episode; else its episodes are only numbered."""
    return not store.episodes or not is_numbered(store.episodes[0].row.episode_id)


def tree(name: str, provenance: Mapping[str, Any], indent: int = 0, *, ours: bool | None = True) -> list[str]:
    """The family of a dataset, a line each, parents below their child.

    Args:
        name: of the dataset.
        provenance: what it says of its origin.
        indent: of its line, in steps.
        ours: where it says nothing, whether the studio recorded it; None if nobody knows.
    """
    edits = ", ".join(_edit_words(edit) for edit in provenance.get("edits") or ())
    origin = {True: "recorded", False: "recorded by another tool", None: "its origin is not known"}[ours]
    made = f"  ({edits or 'merged'}, {str(provenance.get('when') or '')[:16]})" if provenance else f"  ({origin})"
    lines = [f"{'  ' * indent}{name}{made}"]
    for parent in provenance.get("parents") or ():
        hub = parent.get("hub") or {}
        where = f" from {hub['repo']}@{str(hub.get('commit') or '')[:8]}" if hub.get("repo") else ""
        size = f"{parent['episodes']} episodes, {parent.get('frames', '?')} frames, " if "episodes" in parent else ""
        mark = str(parent.get("fingerprint") or "")[:12]
        called = f"{parent.get('name', '?')}{where}  {size}{mark}"
        lines += tree(called, parent.get("provenance") or {}, indent + 1, ours=parent.get("recorded"))
    return lines


def _edit_words(edit: Mapping[str, Any]) -> str:
    """An edit in a few words; one that lacks parts, by its name."""
    try:
        return _in_words(edit)
    except (AttributeError, IndexError, KeyError, TypeError):
        return str(edit.get("edit"))


def _in_words(edit: Mapping[str, Any]) -> str:
    match edit.get("edit"):
        case "keep" | "drop" as word:
            why = f" {edit['why']}" if edit.get("why") else ""
            return f"{word} {len(edit.get('episodes', ()))}{why}"
        case "once":
            return f"take {len(edit.get('pairs', ()))} copies once"
        case "trim":
            return f"trim {edit['episode'][1]} to {edit['start']}:{edit['stop']}"
        case "convert":
            return f"convert from {edit.get('from', 'an older version')}"
        case "relabel":
            return f"relabel to '{edit['task']}'"
        case "columns":
            return str(edit["change"].get("edit", "columns"))
        case word:
            return str(word)


def _parent(store: Store, mark: str) -> dict[str, Any]:
    return {
        "name": store.root.resolve().name,
        "path": str(store.root.resolve()),
        "recorded": recorded(store),
        "fingerprint": mark,
        "episodes": store.total_episodes,
        "frames": store.total_frames,
        "hub": _hub(store.root),
        "provenance": read_provenance(store.root) or None,
    }


def _hub(root: Path) -> dict[str, Any] | None:
    try:
        found = json.loads((root / HUB).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"
