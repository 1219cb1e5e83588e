"""Which frames of an episode to keep: by what the arm was doing, by when it succeeded, by when it moved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import DataError, UnknownChoice, UsageError
from curation.frames import Phase

MOVING_DEG = 0.05
"""Change of any joint's target between two frames from which it moves [deg]; below a keyboard's slowest step."""


def by_phase(episode: SavedEpisode, first: str, last: str) -> tuple[int, int]:
    """From the first frame of one phase to the last frame of another, as (start, stop).

    Raises:
        UnknownChoice: a phase is none.
        UsageError: the episode does not have it, or the last comes before the first.
        DataError: nobody knows its phases.
    """
    for phase in (first, last):
        if phase not in list(Phase):
            raise UnknownChoice("phase", phase, Phase)
    phases = _phases(episode.frames)
    begins = [frame for frame, phase in enumerate(phases) if phase == first]
    ends = [frame for frame, phase in enumerate(phases) if phase == last]
    if not begins or not ends or ends[-1] < begins[0]:
        had = ", ".join(dict.fromkeys(phases))
        raise UsageError(f"Episode {episode.index} does not go from {first} to {last}; its phases are {had}.")
    return begins[0], ends[-1] + 1


def after_success(episode: SavedEpisode, fps: int, seconds: float) -> tuple[int, int]:
    """All but what comes later than some seconds after the success, as (start, stop); everything without a success."""
    at = episode.row.extra.get("success_s")
    if not episode.row.success or not isinstance(at, int | float):
        return 0, episode.length
    # The judge speaks at the observation; the frame that shows it must stay.
    return 0, min(episode.length, round((at + seconds) * fps) + 1)


def while_moving(actions: NDArray[np.float32], fps: int, seconds: float) -> tuple[int, int]:
    """All but idle beginnings and ends, of which some seconds are left, as (start, stop).

    Args:
        actions: joint targets, shape (N, D).
        fps: frames per second.
        seconds: left of each.
    """
    moves = np.flatnonzero(np.abs(np.diff(actions, axis=0)).max(axis=1) > MOVING_DEG)
    if not len(moves):
        return 0, len(actions)
    rest = round(seconds * fps)
    return max(0, int(moves[0]) - rest), min(len(actions), int(moves[-1]) + 2 + rest)


def _phases(sidecar: Path) -> list[str]:
    try:
        column: list[str] = pq.read_table(sidecar, columns=["phase"])["phase"].to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DataError(f"Nobody knows the phases of this episode: {sidecar} cannot be read ({error}).") from error
    return column
