"""Which episodes are parts of what was recorded, from what a dataset says of its origin."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.errors import DataError
from curation.layout import PROVENANCE

SHORTENING = ("trim", "cut")
"""Edits that leave a part of an episode."""


def cut_episodes(root: Path) -> set[str]:
    """Ids of the episodes of a dataset that lost frames on the way from their recording.

    Raises:
        DataError: what it says of its origin is damaged.
    """
    path = root / PROVENANCE
    try:
        return cut_in(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return set()
    except (AttributeError, IndexError, TypeError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error


def cut_in(story: Mapping[str, Any]) -> set[str]:
    """The same of a story, which may lack parts: that of a rerendered dataset is shorter."""
    parents = story.get("parents") or []
    before = [cut_in(parent.get("provenance") or {}) for parent in parents]
    shortened = {
        tuple(edit.get("episode") or ()) for edit in story.get("edits") or [] if edit.get("edit") in SHORTENING
    }
    found = set()
    for name, source in (story.get("episodes") or {}).items():
        parent, earlier = source.get("parent", 0), source.get("episode_id", "")
        # A trim to the whole episode leaves it as it is, with its id.
        now = bool(source.get("start")) or ((parent, earlier) in shortened and name != earlier)
        if now or (parent < len(before) and earlier in before[parent]):
            found.add(name)
    return found
