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
from curation.plan import Plan, digest
from curation.store import Store

_PACKAGES = ("teleop-studio", "av", "numpy", "pyarrow")


def read_provenance(root: Path) -> dict[str, Any]:
    """What a dataset says of its origin; empty for a recording.

    Raises:
        DataError: the file is damaged.
    """
    try:
        story = json.loads((root / PROVENANCE).read_bytes())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise DataError(f"{root / PROVENANCE} cannot be read: {error}") from error
    if not isinstance(story, dict):
        raise DataError(f"{root / PROVENANCE} holds no object.")
    return story


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


def tree(name: str, provenance: Mapping[str, Any], indent: int = 0) -> list[str]:
    """The family of a dataset, a line each, parents below their child."""
    edits = ", ".join(_edit_words(edit) for edit in provenance.get("edits", ()))
    made = f"  ({edits or 'merged'}, {provenance.get('when', '')[:16]})" if provenance else "  (recorded)"
    lines = [f"{'  ' * indent}{name}{made}"]
    for parent in provenance.get("parents", ()):
        hub = parent.get("hub") or {}
        where = f" from {hub['repo']}@{hub.get('commit', '')[:8]}" if hub.get("repo") else ""
        size = f"{parent['episodes']} episodes, {parent['frames']} frames, " if "episodes" in parent else ""
        mark = str(parent.get("fingerprint", ""))[:12]
        below = tree(f"{parent.get('name', '?')}{where}  {size}{mark}", parent.get("provenance") or {}, indent + 1)
        lines += below
    return lines


def _edit_words(edit: Mapping[str, Any]) -> str:
    match edit.get("edit"):
        case "keep" | "drop" as word:
            why = f" {edit['why']}" if edit.get("why") else ""
            return f"{word} {len(edit.get('episodes', ()))}{why}"
        case "trim":
            return f"trim {str(edit['episode'][1])[:8]} to {edit['start']}:{edit['stop']}"
        case "columns":
            return str(edit["change"].get("edit", "columns"))
        case word:
            return str(word)


def _parent(store: Store, mark: str) -> dict[str, Any]:
    return {
        "name": store.root.name,
        "path": str(store.root),
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
