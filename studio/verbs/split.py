"""split: one dataset becomes several."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import tyro

from curation.episodes import EpisodeRow, SavedEpisode
from curation.errors import UsageError
from curation.origins import Origins
from curation.plan import Keep, begin, edited
from curation.splits import sessions, together
from curation.splits import split as divided
from studio.console import Console
from studio.options import Name
from studio.planned import Into, Planned, finish, opened

_BY: dict[str, Callable[[EpisodeRow], Hashable]] = {
    "none": lambda row: "",
    "episode": lambda row: row.episode_id,
    # To a centimetre, the least distance at which anybody calls two positions different.
    "position": lambda row: (round(row.x, 2), round(row.y, 2)) if row.x == row.x else row.episode_id,
    "operator": lambda row: row.operator,
    "outcome": lambda row: row.outcome,
}


@dataclass(frozen=True, kw_only=True)
class Split:
    """Make several datasets of one, by share: TO-NAME for every part."""

    dataset: Name
    """A dataset."""
    parts: tyro.conf.Positional[tuple[str, ...]]
    """NAME=SHARE, such as train=0.8 test=0.2."""
    together: Literal["episode", "position", "session"] = "episode"
    """What is never divided, beside pieces of one recording: all episodes at one position, or of one sitting,
    which ends with a pause of a quarter of an hour."""
    stratify: Literal["none", "outcome", "operator", "position"] = "none"
    """Of what every part gets its share."""
    seed: int = 0
    """Of the choice."""
    into: Into
    json: bool = False
    """Print what was written as JSON."""


def split(options: Split, console: Console) -> int:
    """Divide, then plan, show, ask and apply for every part."""
    return finish(planned(options), options.into, console)


def planned(options: Split) -> Planned:
    """What it would do."""
    shares = _shares(options.parts)
    stores = opened([options.dataset])
    plan = begin(stores, with_masked=options.into.with_masked)
    episodes = [stores[0].episode(clip.episode_id) for clip in plan.clips]
    rows, origins = [episode.row for episode in episodes], Origins(stores[0])
    recordings = [origins.of(episode).recording for episode in episodes]
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed} must be at least 0.")
    strata = [_BY[options.stratify](row) for row in rows]
    kept = _sittings(rows, origins, episodes) if options.together == "session" else map(_BY[options.together], rows)
    groups = together(recordings, list(kept))
    part_of = divided(shares, groups, strata, options.seed)
    names = {part: f"{options.into.to}-{part}" for part in shares}
    told = f"{options.together} together, stratified by {options.stratify}, seed {options.seed}"
    plans = {}
    for part, name in names.items():
        refs = tuple(clip.ref for clip, into in zip(plan.clips, part_of, strict=True) if into == part)
        plans[name] = edited(plan, Keep(refs, f"{part} of {' '.join(options.parts)}, {told}"))
    return Planned(plans, stores)


def _sittings(rows: Sequence[EpisodeRow], origins: Origins, episodes: Sequence[SavedEpisode]) -> list[Hashable]:
    return sessions([str(row.extra.get("started", "")) for row in rows], [origins.place(e) for e in episodes])


def _shares(parts: tuple[str, ...]) -> dict[str, float]:
    shares: dict[str, float] = {}
    for text in parts:
        name, sign, share = text.partition("=")
        try:
            value = float(share) if sign and name and "/" not in name else 0.0
        except ValueError:
            value = 0.0
        if not 0 < value < float("inf") or name in shares:
            raise UsageError(f"'{text}' is not NAME=SHARE with a new name and a share above 0, such as train=0.8.")
        shares[name] = value
    if len(shares) < 2:
        raise UsageError("Name at least two parts, such as train=0.8 test=0.2.")
    return shares
