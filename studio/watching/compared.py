"""Whether a watched episode went as the recorded or evaluated one that it is of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from curation.frames import Ending, Outcome, Status, Vector
from training.evaluated import Row
from training.rows import facts

from .history import History


def with_row(history: History, row: Row) -> dict[str, Any]:
    """Beside the row of an evaluation: everything that the judge says of an episode, closest approach included.

    Two failures of one kind that ran into the time limit have outcome and length in common by themselves; how near the
    gripper came, to a hundredth of a millimetre, they have not.

    Returns:
        {"equal", "words"}; for `History.told["compared"]`.
    """
    ours = _facts(history)
    other = [name for name, value in ours.items() if name in row.told and row.told[name] != value]
    if not other:
        near = ours.get("closest_m")
        return {
            "equal": True,
            "words": f"as row {row.index} says: {row.outcome} after {len(history)} frames"
            + ("" if near is None else f", {1000 * near:.2f} mm at the nearest"),
        }
    listed = "; ".join(f"{name} {row.told[name]} there, {ours[name]} here" for name in other)
    return {"equal": False, "words": f"NOT as row {row.index} says: {listed}"}


def with_episode(history: History, recorded: Mapping[str, Vector], *, same_policy: bool) -> dict[str, Any]:
    """Beside the columns of a saved episode.

    Args:
        history: of the watched one.
        recorded: columns by their names in `Columns`, N rows each: "action", "state", and "physics" where it is
            stored in the layout of now.
        same_policy: whether this very policy drove then, so that it should do the same again.

    Returns:
        {"equal", "from_frame", "apart", "words"}: the first frame in which any of them differs, None if none does; and
        the largest difference of an action [degrees, percent of the gripper] in frames that both have.
    """
    count = len(recorded["action"])
    both = min(len(history), count)
    apart = np.zeros(both, dtype=bool)
    physics = "physics" in recorded and recorded["physics"].shape[1:] == history.columns.physics.shape[1:]
    for name in ("action", "state", *(["physics"] if physics else [])):
        theirs = recorded[name]
        ours = getattr(history.columns, name)[:both].astype(theirs.dtype)
        apart |= (ours != theirs[:both]).any(axis=1)
    found = np.flatnonzero(apart)
    frame = int(found[0]) if len(found) else None if len(history) == count else both
    most = float(np.abs(history.columns.action[:both] - recorded["action"][:both]).max(initial=0.0))
    words = _words(len(history), count, int(found[0]) if len(found) else None, most, physics)
    return {"equal": frame is None, "from_frame": frame, "apart": most, "words": words if same_policy else ""}


def _words(ours: int, theirs: int, apart: int | None, most: float, physics: bool) -> str:
    if apart is not None:
        return (
            f"NOT as recorded ({theirs} frames): otherwise from frame {apart} on, actions {most:.3g} deg apart at "
            "most; settings, batch or build differ"
        )
    how = "bit for bit as recorded" if physics else "actions and joints as recorded (its physics is not stored)"
    if ours == theirs:
        return how
    return f"{how} for {min(ours, theirs)} frames, but it has {ours} here and {theirs} there; see --limit"


def _facts(history: History) -> dict[str, Any]:
    """What a row would say of it; nothing while it goes on."""
    ending = history.told["ending"]
    if ending is None:
        return {"frames": len(history)}
    judged = Ending(Status(ending["status"]), Outcome(ending["outcome"]), ending["report"])
    return facts(judged, (mark.phase for mark in history.columns.marks), len(history), history.fps)
