"""log: where a dataset comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from curation.errors import UsageError
from curation.library import chosen
from curation.provenance import read_provenance, tree
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Log:
    """Show the family of a dataset: its parents, theirs, and the edits between; or where one episode comes from."""

    dataset: Name
    """A dataset."""
    episode: str = ""
    """Number or id."""
    json: bool = False
    """Print it as JSON."""


def log(options: Log, console: Console) -> int:
    """Print the tree."""
    root = dataset_path(options.dataset)
    store = Store.open(root)
    story = read_provenance(root)
    if not options.episode:
        console.result("\n".join(tree(root.name, story)), story)
        return 0
    entry = chosen(root, [options.episode])[0]
    steps = list(_steps(story, entry.episode_id))
    if entry.index is None:
        raise UsageError(f"{entry.episode_id[:8]} is {entry.state}, no saved episode.")
    lines = [f"{name}: {episode_id}, frames {start} to {stop}" for name, episode_id, start, stop in steps]
    here = f"{root.name}: {entry.episode_id}, frames 0 to {store.episode(entry.index).length}"
    console.result("\n".join([here, *(f"  from {line}" for line in lines)]), steps)
    return 0


def _steps(story: dict[str, Any], episode_id: str) -> Iterator[tuple[str, str, int, int]]:
    """The sources of an episode, the nearest first."""
    while story:
        source = story.get("episodes", {}).get(episode_id)
        if source is None:
            return
        parent = story["parents"][source["parent"]]
        yield parent["name"], source["episode_id"], source["start"], source["stop"]
        story, episode_id = parent.get("provenance") or {}, source["episode_id"]
