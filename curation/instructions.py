"""The instruction of every frame of a clip."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import DataError
from curation.plan import Clip
from curation.rows import Rows
from curation.store import Store


def instructions_of(clip: Clip, store: Store, numbers: dict[str, NDArray[Any]]) -> list[str]:
    """What each frame of a clip is told to do, one text for each.

    Args:
        clip: the frames.
        store: their dataset.
        numbers: all columns of the whole source episode, shape (length, D), bookkeeping included.

    Raises:
        DataError: the source does not say which instruction its frames have.
    """
    episode = store.episode(clip.episode_id)
    if not clip.tasks and clip.task not in episode.tasks:
        return [clip.task] * clip.frames
    said = said_by(store, episode, numbers["task_index"])
    become = dict(clip.tasks)
    return [become.get(task, clip.task) for task in said[clip.start : clip.stop]]


def said_in(store: Store, episode: SavedEpisode, rows: Rows) -> list[str]:
    """The instruction of every frame of an episode; errors as `said_by`. With only one its frames are not read.

    Args:
        store: the dataset.
        episode: one of it.
        rows: its numbers.
    """
    if len(episode.tasks) <= 1:
        return [episode.task] * episode.length
    return said_by(store, episode, rows.of(episode)["task_index"])


def said_by(store: Store, episode: SavedEpisode, task_index: NDArray[Any]) -> list[str]:
    """The instruction of every frame of an episode, as LeRobot reads it.

    Args:
        store: the dataset.
        episode: one of it.
        task_index: of its frames, shape (length, 1).

    Raises:
        DataError: frames name tasks that nobody knows, or that their episode does not have.
    """
    used = np.unique(task_index)
    texts = {int(n): store.tasks[n] if 0 <= n < len(store.tasks) else None for n in used}
    strange = {n for n, text in texts.items() if text not in episode.tasks}
    if strange:
        told = ", ".join(f"{n} ({texts[n]})" if texts[n] is not None else f"{n} (unknown)" for n in sorted(strange))
        raise DataError(
            f"{store.root}, episode {episode.index}: its frames name task {told}, its row says "
            f"{', '.join(episode.tasks) or 'none'}. Say which is true with studio relabel {store.root} TASK "
            f"--episodes {episode.index}."
        )
    return [str(texts[int(n)]) for n in task_index[:, 0]]
