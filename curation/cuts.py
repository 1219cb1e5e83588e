"""Which episodes are parts of what was recorded, from what a dataset says of its origin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.origins import generations
from curation.provenance import read_provenance

SHORTENING = ("trim", "cut")
"""Edits that leave a part of an episode."""


def cut_episodes(root: Path) -> set[str]:
    """Ids of the episodes of a dataset that lost frames on the way from their recording.

    Raises:
        DataError: what it says of its origin is damaged.
    """
    story = read_provenance(root)
    shortened: dict[int, set[tuple[str, str]]] = {}

    def is_part(told: Mapping[str, Any], name: str, source: Mapping[str, Any]) -> bool:
        # All episodes of a generation share its story, which may have thousands of edits.
        if id(told) not in shortened:
            shortened[id(told)] = _shortened(told)
        ref = (str(source["parent"]), source["episode_id"])
        # A trim to the whole episode leaves it as it is, with its id.
        return bool(source["start"]) or (ref in shortened[id(told)] and name != source["episode_id"])

    return {name for name in story.get("episodes") or {} if any(is_part(*told) for told in generations(story, name))}


def _shortened(story: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Parent and id of the episodes that its edits took frames from."""
    named = (edit.get("episode") for edit in story.get("edits") or () if edit.get("edit") in SHORTENING)
    return {(str(ref[0]), str(ref[1])) for ref in named if isinstance(ref, list) and len(ref) == 2}
