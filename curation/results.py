"""What is known about an episode that an edit made of another one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from curation.episodes import EpisodeRow
from curation.plan import Clip


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
