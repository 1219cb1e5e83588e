"""Which frames of an episode to keep: by what the arm was doing, by when it succeeded, by when it moved."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import DataError, UnknownChoice, UsageError
from curation.frames import JOINTS, Phase
from curation.meaning import units_of
from curation.rows import Rows
from curation.store import Store
from curation.units import GRIPPER, joint_of

MOVING_DEG = 0.05
"""Change of any joint's target between two frames from which it moves [deg]; below a keyboard's slowest step. The same
number of a gripper's hundredths, and of -100..100."""
_USUAL_DEG = 200.0
"""What a joint of an SO-101 can turn, about [deg]."""


def by_phase(episode: SavedEpisode, first: str, last: str) -> tuple[int, int]:
    """From the first frame of one phase to the last frame of another, as (start, stop).

    Raises:
        UsageError: the episode does not have it, or the last comes before the first.
        DataError: nobody knows its phases.
    """
    phases = _phases(episode.frames)
    begins = [frame for frame, phase in enumerate(phases) if phase == first]
    ends = [frame for frame, phase in enumerate(phases) if phase == last]
    if not begins or not ends or ends[-1] < begins[0]:
        had = ", ".join(dict.fromkeys(phases))
        raise UsageError(f"Episode {episode.index} does not go from {first} to {last}; its phases are {had}.")
    return begins[0], ends[-1] + 1


def require_phases(*phases: str) -> None:
    """Refuse what is no phase.

    Raises:
        UnknownChoice: one is none.
    """
    for phase in phases:
        if phase not in list(Phase):
            raise UnknownChoice("phase", phase, Phase)


def after_success(episode: SavedEpisode, fps: int, seconds: float) -> tuple[int, int]:
    """All but what comes later than some seconds after the success, as (start, stop); everything without a success."""
    at = episode.row.extra.get("success_s")
    if not episode.row.success or not isinstance(at, int | float):
        return 0, episode.length
    # The judge speaks at the observation; the frame that shows it must stay.
    return 0, min(episode.length, round((at + seconds) * fps) + 1)


def while_moving(
    actions: NDArray[np.float32], fps: int, seconds: float, still: NDArray[np.float64] | float = MOVING_DEG
) -> tuple[int, int]:
    """All but idle beginnings and ends, of which some seconds are left, as (start, stop).

    Args:
        actions: joint targets, shape (N, D).
        fps: frames per second.
        seconds: left of each.
        still: as `stillness` gives it, shape (D,), or one for all.
    """
    moves = np.flatnonzero((np.abs(np.diff(actions.astype(np.float64), axis=0)) > still).any(axis=1))
    if not len(moves):
        return 0, len(actions)
    rest = round(seconds * fps)
    return max(0, int(moves[0]) - rest), min(len(actions), int(moves[-1]) + 2 + rest)


def stillness(store: Store) -> NDArray[np.float64]:
    """By how much each column of the action may change between two frames in which the arm stands still, in the
    column's own unit, shape (D,).

    It is one share of a joint's range whatever the unit; of a column that is no known joint, of how far it goes here.

    Raises:
        UsageError: there is no action that is a vector.
        DataError: units or data of the dataset cannot be read.
    """
    action = store.features.get("action")
    if action is None or len(action.shape) != 1:
        raise UsageError(f"{store.root} has no action, so nobody knows when the arm stood still.")
    units, (count,) = units_of(store)[0], action.shape
    names = [joint_of(name) for name in action.names] if len(action.names) == count else [""] * count
    low, high = GRIPPER[units.gripper]
    grip, body = (high - low) * MOVING_DEG / 100.0, math.radians(MOVING_DEG) if units.body == "radians" else MOVING_DEG
    known = [grip if "gripper" in name else body if name in JOINTS else np.nan for name in names]
    return np.where(np.isnan(known), _reach(store) * MOVING_DEG / _USUAL_DEG, known)


def _reach(store: Store) -> NDArray[np.float64]:
    """From the lowest to the highest value of each column of the action in a whole dataset, shape (D,)."""
    rows = Rows(store)
    ends = [(a.min(axis=0), a.max(axis=0)) for a in (rows.numbers(episode)["action"] for episode in store.episodes)]
    low, high = (np.array(side, np.float64) for side in zip(*ends, strict=True))
    span: NDArray[np.float64] = high.max(axis=0) - low.min(axis=0)
    return span


def _phases(sidecar: Path) -> list[str]:
    try:
        column: list[str] = pq.read_table(sidecar, columns=["phase"])["phase"].to_pylist()
    except (OSError, pa.ArrowException, KeyError) as error:
        raise DataError(f"Nobody knows the phases of this episode: {sidecar} cannot be read ({error}).") from error
    return column
