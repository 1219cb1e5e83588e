"""trim: episodes without the frames at their ends that teach nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from curation.episodes import SavedEpisode
from curation.errors import UsageError
from curation.library import chosen
from curation.phases import after_success, by_phase, require_phases, stillness, while_moving
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
    store = stores[0]
    plan = begin(stores, with_masked=options.into.with_masked)
    meant = {entry.episode_id for entry in chosen(store.root, options.episodes)}
    stretch, told = _stretches(options, store), _Told()
    for clip in plan.clips:
        if meant and clip.episode_id not in meant:
            continue
        episode = store.episode(clip.episode_id)
        try:
            start, stop, why = stretch(episode)
        except UsageError as error:
            if meant or options.frames is not None:
                raise
            start, stop, why = 0, clip.length, str(error)
        if why:
            told.add(episode, whole=(start, stop) == (0, clip.length), why=why)
        if (start, stop) != (0, clip.length):
            plan = edited(plan, TrimEdit(clip.ref, start, stop, _why(options)))
    if not any(not clip.whole for clip in plan.clips):
        raise UsageError(" ".join([f"There is nothing to trim in {store.root}. Nothing was written.", *told.lines()]))
    return Planned({options.into.to: plan}, stores, notes=tuple(told.lines()))


Stretch = Callable[[SavedEpisode], tuple[int, int, str]]
"""The frames to keep of an episode, start and stop, and why they are not all that was asked for."""


class _Told:
    """Episodes that are not trimmed as asked, by reason."""

    def __init__(self) -> None:
        self._episodes: dict[tuple[bool, str], list[int]] = {}

    def add(self, episode: SavedEpisode, *, whole: bool, why: str) -> None:
        # An error that is about one episode names it; here the number is named in front.
        plain = why.removeprefix(f"Episode {episode.index} ").removesuffix(".")
        self._episodes.setdefault((whole, plain), []).append(episode.index)

    def lines(self) -> list[str]:
        return [
            f"{'episode' if len(which) == 1 else 'episodes'} {', '.join(map(str, which))}"
            f"{': stays whole' if whole else ''}: {why}."
            for (whole, why), which in self._episodes.items()
        ]


def _stretches(options: Trim, store: Store) -> Stretch:
    """How to trim, with what must be right for all episodes looked at once."""
    if options.frames is not None:
        return partial(_between, *options.frames)
    if options.phase is not None:
        require_phases(*options.phase)
        first, last = options.phase
        return lambda episode: (*by_phase(episode, first, last), "")
    if options.after_success is not None:
        return partial(_after_success, store.fps, _seconds(options.after_success))
    still = stillness(store)
    return partial(_moving, Rows(store), store.fps, _seconds(options.idle or 0.0), still)


def _between(start: int, stop: int, episode: SavedEpisode) -> tuple[int, int, str]:
    if start < episode.length < stop:
        return start, episode.length, f"has no frame {episode.length}, so it ends there instead of at {stop}"
    return start, stop, ""


def _after_success(fps: int, seconds: float, episode: SavedEpisode) -> tuple[int, int, str]:
    start, stop = after_success(episode, fps, seconds)
    if not episode.row.success:
        return start, stop, "did not succeed" if episode.row.outcome else "nobody knows whether it succeeded"
    if not isinstance(episode.row.extra.get("success_s"), int | float):
        return start, stop, "nobody knows when it succeeded"
    return start, stop, "ends sooner than that" if stop == episode.length else ""


def _moving(
    rows: Rows, fps: int, seconds: float, still: NDArray[np.float64], episode: SavedEpisode
) -> tuple[int, int, str]:
    actions = rows.numbers(episode)["action"]
    start, stop = while_moving(actions, fps, seconds, still)
    if (start, stop) != (0, episode.length):
        return start, stop, ""
    moves = bool((np.abs(np.diff(actions.astype(np.float64), axis=0)) > still).any())
    return start, stop, "does not stand still for longer than that" if moves else "never moves"


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
