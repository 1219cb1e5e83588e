"""Whether a watched episode went as the recorded or evaluated one that it is of."""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.frames import Vector
from training.evaluated import Row

from .history import History


def with_row(history: History, row: Row) -> dict[str, Any]:
    """Beside the row of an evaluation: outcome and number of frames.

    Returns:
        {"equal", "words"}; for `History.told["compared"]`.
    """
    ending = history.told["ending"] or {}
    ours, theirs = (ending.get("outcome"), len(history)), (row.outcome, row.told.get("frames"))
    if ours == theirs:
        return {"equal": True, "words": f"as row {row.index} says"}
    return {"equal": False, "words": f"NOT as row {row.index} says: {theirs[0]} after {theirs[1]} frames"}


def with_episode(history: History, actions: Vector, *, same_policy: bool) -> dict[str, Any]:
    """Beside the actions of a saved episode.

    Args:
        history: of the watched one.
        actions: of the saved one, shape (N, 6).
        same_policy: whether this very policy drove then, so that it should do the same again.

    Returns:
        {"equal", "from_frame", "apart", "words"}: the first frame in which the actions differ, None if none does; and
        the largest difference [degrees, percent of the gripper] in frames that both have.
    """
    ours = history.columns.action
    both = min(len(ours), len(actions))
    difference = np.abs(ours[:both] - actions[:both])
    apart = np.flatnonzero(difference.any(axis=1))
    frame = int(apart[0]) if len(apart) else None if len(ours) == len(actions) else both
    most = float(difference.max(initial=0.0))
    if not same_policy:
        words = ""
    elif frame is None:
        words = "bit for bit as recorded"
    else:
        words = (
            f"NOT as recorded ({len(actions)} frames): other actions from frame {frame} on, {most:.3g} deg apart at "
            "most; settings, batch or build differ"
        )
    return {"equal": frame is None, "from_frame": frame, "apart": most, "words": words}
