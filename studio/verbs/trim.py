"""trim: episodes without the frames at their ends that teach nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from curation.episodes import SavedEpisode
from curation.errors import UsageError
from curation.library import chosen
from curation.phases import after_success, by_phase, while_moving
from curation.plan import Trim as TrimEdit
from curation.plan import begin, edited
from curation.rows import Rows
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.planned import Into, Planned, finish, opened


@dataclass(frozen=True, kw_only=True)
class Trim:
    """Make a dataset of shorter episodes: by frames, by phase, by the moment of success, or without standing still."""

    dataset: Name
    """A dataset."""
    episodes: tuple[str, ...] = ()
    """Numbers or ids of those to trim; all by default."""
    frames: tuple[int, int] | None = None
    """START STOP: from a frame up to another, which is left out."""
    phase: tuple[str, str] | None = None
    """FIRST LAST: from the beginning of one phase to the end of another: reach, grasp, lift, transport, release."""
    after_success: float | None = None
    """Seconds to keep after the success; episodes without one stay whole."""
    idle: float | None = None
    """Seconds of standing still to keep at both ends."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def trim(options: Trim, console: Console) -> int:
    """Plan, show, ask, apply."""
    return finish(planned(options), options.into, console)


def planned(options: Trim) -> Planned:
    """What it would do."""
    given = [options.frames, options.phase, options.after_success, options.idle]
    if sum(value is not None for value in given) != 1:
        raise UsageError("Say how to trim with one of --frames, --phase, --after-success and --idle.")
    stores = opened([options.dataset])
    store, rows = stores[0], Rows(stores[0])
    plan = begin(stores, with_masked=options.into.with_masked)
    meant = {entry.episode_id for entry in chosen(store.root, options.episodes)}
    for clip in plan.clips:
        if meant and clip.episode_id not in meant:
            continue
        start, stop = _frames(options, store, rows, store.episode(clip.episode_id))
        if (start, stop) != (0, clip.length):
            plan = edited(plan, TrimEdit(clip.ref, start, stop, _why(options)))
    if not any(not clip.whole for clip in plan.clips):
        raise UsageError(f"There is nothing to trim in {store.root}. Nothing was written.")
    return Planned({options.into.to: plan}, stores)


def _frames(options: Trim, store: Store, rows: Rows, episode: SavedEpisode) -> tuple[int, int]:
    if options.frames is not None:
        return options.frames
    if options.phase is not None:
        return by_phase(episode, *options.phase)
    if options.after_success is not None:
        return after_success(episode, store.fps, _seconds(options.after_success))
    numbers: dict[str, Any] = rows.numbers(episode)
    if "action" not in numbers:
        raise UsageError(f"{store.root} has no action, so nobody knows when the arm stood still.")
    return while_moving(numbers["action"], store.fps, _seconds(options.idle or 0.0))


def _seconds(value: float) -> float:
    if not 0 <= value < float("inf"):
        raise UsageError(f"{value:g} seconds cannot be kept; give 0 or more.")
    return value


def _why(options: Trim) -> str:
    if options.phase is not None:
        return f"phase {options.phase[0]} to {options.phase[1]}"
    if options.after_success is not None:
        return f"{options.after_success:g} s after success"
    return "" if options.idle is None else f"idle beyond {options.idle:g} s"
