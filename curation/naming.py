"""What datasets and episodes are called where people read of several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from curation.store import Store

_NUMBERED = re.compile(r"episode-\d{6,}")


def is_numbered(episode_id: str) -> bool:
    """Whether an id only says an episode's place in its dataset, as those do that other tools recorded."""
    return _NUMBERED.fullmatch(episode_id) is not None


def dataset_names(roots: Sequence[Path]) -> list[str]:
    """Folder names, or whole paths of those that share one."""
    count = Counter(root.resolve().name for root in roots)
    return [root.resolve().name if count[root.resolve().name] == 1 else str(root) for root in roots]


def episode_name(store: Store, episode_id: str) -> str:
    """An episode by its number, such as "episode 3".

    Raises:
        UnknownChoice: there is none of this id.
    """
    return f"episode {store.episode(episode_id).index}"
