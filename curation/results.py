"""What is known about an episode that an edit made of another one, and what an edit must know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from curation.columns import SUCCESS, AddFeature
from curation.episodes import EpisodeRow
from curation.errors import UsageError
from curation.plan import Clip, Plan
from curation.store import Store

NAMED = 20
"""Episodes that an error lists."""


def resulting_row(row: EpisodeRow, clip: Clip, episode_id: str, fps: int) -> EpisodeRow:
    """The row of a clip's episode.

    An outcome stays only with the frames it speaks of: a success where the moment of success is among them, everything
    else where the episode's end is.

    Args:
        row: of the source.
        clip: the frames.
        episode_id: of the new episode.
        fps: frames per second.
    """
    if episode_id == row.episode_id:
        return row
    extra: dict[str, Any] = {**row.extra, "source_episode_id": row.episode_id}
    if clip.whole:
        return replace(row, episode_id=episode_id, extra=extra)
    extra["cut"] = {"start": clip.start, "stop": clip.stop, "length": clip.length}
    success_s = row.extra.get("success_s")
    judged = clip.stop == clip.length
    if row.success and isinstance(success_s, int | float):
        judged = clip.start < success_s * fps <= clip.stop
        extra["success_s"] = success_s - clip.start / fps if judged else None
    outcome = row.outcome if judged else ""
    return replace(row, episode_id=episode_id, outcome=outcome, success=row.success and judged, extra=extra)


def require_outcomes(plan: Plan, stores: Sequence[Store]) -> None:
    """Refuse to write the success of episodes of which nobody knows it: a guess would teach that they failed.

    Raises:
        UsageError: some are in the plan.
    """
    for number, (store, parent) in enumerate(zip(stores, plan.parents, strict=True)):
        if not any(isinstance(change, AddFeature) and change.value == SUCCESS for change in parent.changes):
            continue
        clips = [(store.episode(clip.episode_id), clip) for clip in plan.clips if clip.parent == number]
        unknown = sorted({episode.index for episode, clip in clips if not _tells(episode.row, clip)})
        if unknown:
            listed = " ".join(map(str, unknown[:NAMED])) + (" and others" if len(unknown) > NAMED else "")
            raise UsageError(
                f"Nobody knows whether {len(unknown)} episodes of {store.root} succeeded, so it cannot be written for "
                f"their frames: {listed}. Leave them out with studio drop, or give a number instead of {SUCCESS}."
            )


def _tells(row: EpisodeRow, clip: Clip) -> bool:
    """Whether an episode tells if the frames of a clip succeeded."""
    if not row.outcome and not row.success:
        return False
    return not row.success or clip.stop == clip.length or isinstance(row.extra.get("success_s"), int | float)
