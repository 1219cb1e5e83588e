"""coverage: where the data is, how far a policy reaches beyond it, and where to record next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from curation.coverage import RADIUS, cover, farthest, nearest, placements_of
from curation.coverage import Coverage as Covered
from curation.coverage_picture import picture
from curation.coverage_text import LETTERS, text_map
from curation.doubt import doubtful
from curation.errors import CannotWrite, TargetExists, UsageError
from curation.radius import Radius, radius
from curation.store import Store
from curation.table import Box, NoTable, Points, Table
from curation.targets import Target, named, write_targets
from curation.trials import Trials, read_trials
from curation.unsure import most_unsure
from studio.console import Console
from studio.paths import dataset_path
from studio.table_of import standard_table, table_of


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """Draw where the data of datasets is, and propose the next positions to record at."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets; masked episodes do not count."""
    next: int = 0
    """Propose so many positions."""
    by: Literal["gaps", "evaluation", "unsure"] | None = None
    """Where: farthest from all data and from each other, where --evaluation is worst or says least, or where it says
    that the policy was most unsure; by default the second where there is one."""
    to: Path | None = None
    """Write the proposals to this new positions file, for studio record --targets."""
    evaluation: Path | None = None
    """A table of trials, CSV, JSON lines or JSON: x, y (metres), success, and perhaps feasible and unsure; an
    evaluation's rows.jsonl is one. The radius is estimated from it."""
    farther_than: float | None = None
    """The radius in metres: what is nearer to data is taken as covered. By default what --evaluation tells, else
    0.07."""
    box: tuple[float, float, float, float] | None = None
    """X-low X-high Y-low Y-high in metres: only this part of the table counts; by default all that is recordable."""
    picture: Path | None = None
    """Draw the table to this new PNG file."""
    seed: int = 0
    """Of the radius' interval."""
    json: bool = False
    """Print everything as JSON."""


@dataclass(frozen=True)
class Proposal:
    """A position to record at next: metres, distance to data [m] (None without), and why."""

    x: float
    y: float
    nearest: float | None
    why: str


def coverage(options: Coverage, console: Console) -> int:
    """Show it, and write what was asked for."""
    _require_sensible(options)
    stores = [Store.open(dataset_path(name)) for name in options.datasets]
    table, lattice = _table(stores, console)
    lattice = _inside(lattice, options.box)
    data = np.concatenate([np.zeros((0, 2)), *(placements_of(store) for store in stores)])
    trials = read_trials(options.evaluation) if options.evaluation else None
    found = radius(trials, data, options.seed) if trials is not None else None
    metres = options.farther_than if options.farther_than is not None else found.metres if found else RADIUS
    covered = cover(table, data, metres, lattice)
    proposals = _proposals(options, lattice, data, trials, metres)
    if len(proposals) < options.next:
        console.step(f"Only {len(proposals)} of {options.next} positions are {metres:g} m apart"
                     f"{' and from data' if _mode(options) == 'gaps' else ''}.")  # fmt: skip
    _write(options, table, data, trials, metres, proposals, console)
    episodes = sum(store.total_episodes for store in stores)
    text = _text(options, covered, found, trials, proposals, episodes)
    drawn = text_map(table, data, [(p.x, p.y) for p in proposals], metres)
    console.result(f"{text}\n\n{drawn}", _data(covered, found, trials, proposals, episodes))
    return 0


def _require_sensible(options: Coverage) -> None:
    if not options.datasets:
        raise UsageError("Name at least one dataset.")
    if options.next < 0:
        raise UsageError(f"--next {options.next} must be 0 or more.")
    if options.to and not options.next:
        raise UsageError(f"--to {options.to} needs --next: how many positions shall it hold?")
    if options.by in ("evaluation", "unsure") and not options.evaluation:
        raise UsageError(f"--by {options.by} needs --evaluation FILE.")
    for path in (options.to, options.picture):
        if path is not None and path.exists():
            raise TargetExists(path, "Choose another name.")


def _table(stores: Sequence[Store], console: Console) -> tuple[Table, Points]:
    """The first dataset's table, and where a block can be recorded on all of them."""
    tables = []
    for store in stores:
        try:
            tables.append(table_of(store))
        except NoTable:
            console.step(f"{store.root} stores no scene, so nothing is known about its reach and view.")
    if not tables:
        console.step("The standard scene's table is shown.")
        tables = [standard_table()]
    lattice = tables[0].lattice
    if any(other != tables[0] for other in tables):
        console.step("The datasets were recorded on different tables: the first one's is shown, and only what can be "
                     "recorded on all of them is proposed.")  # fmt: skip
        for other in tables[1:]:
            lattice = lattice[other.allowed(lattice)]
    return tables[0], lattice


def _inside(lattice: Points, box: Box | None) -> Points:
    if box is None:
        return lattice
    x, y = lattice.T
    found: Points = lattice[(box[0] <= x) & (x <= box[1]) & (box[2] <= y) & (y <= box[3])]
    if not len(found):
        raise UsageError(f"Nothing can be recorded in the box {' '.join(f'{side:g}' for side in box)}.")
    return found


def _mode(options: Coverage) -> str:
    return options.by or ("evaluation" if options.evaluation else "gaps")


def _proposals(
    options: Coverage, lattice: Points, data: Points, trials: Trials | None, metres: float
) -> list[Proposal]:
    if not options.next:
        return []
    if _mode(options) == "gaps" or trials is None:
        places = farthest(lattice, data, options.next, metres)
        why = [""] * len(places)
    elif _mode(options) == "unsure":
        unsure = most_unsure(lattice, trials, options.next, reach=metres, apart=metres)
        places, why = [(one.x, one.y) for one in unsure], [one.words for one in unsure]
    else:
        doubts = doubtful(lattice, trials, data, options.next, metres)
        places, why = [(doubt.x, doubt.y) for doubt in doubts], [doubt.words for doubt in doubts]
    away, _ = nearest(np.array(places).reshape(-1, 2), data)
    return [
        Proposal(x, y, round(float(d), 4) if len(data) else None, reason or _far(float(d)))
        for (x, y), d, reason in zip(places, away, why, strict=True)
    ]


def _far(metres: float) -> str:
    return f"{100 * metres:.1f} cm from data" if np.isfinite(metres) else "no data yet"


def _write(
    options: Coverage, table: Table, data: Points, trials: Trials | None, metres: float,
    proposals: Sequence[Proposal], console: Console,
) -> None:  # fmt: skip
    if options.to is not None:
        if not proposals:
            raise UsageError(f"No position is left to propose, so {options.to} is not written.")
        write_targets(options.to, named([Target("", p.x, p.y, None, p.why) for p in proposals]))
        console.step(f"{options.to} holds {len(proposals)} positions: studio record --targets {options.to}")
    if options.picture is not None:
        title = f"{', '.join(options.datasets)}: {len(data)} episodes"
        image = picture(table, data, proposals=[(p.x, p.y) for p in proposals], trials=trials, radius=metres,
                        title=title)  # fmt: skip
        try:
            options.picture.parent.mkdir(parents=True, exist_ok=True)
            image.save(options.picture, format="PNG")
        except OSError as error:
            raise CannotWrite(options.picture, error) from error
        console.step(f"{options.picture} is drawn.")


def _text(
    options: Coverage, covered: Covered, found: Radius | None, trials: Trials | None, proposals: Sequence[Proposal],
    episodes: int,
) -> str:  # fmt: skip
    unplaced = episodes - covered.episodes
    lines = [
        f"{covered.episodes} episodes with a known placement"
        + (f", {unplaced} masked or without one" if unplaced else ""),
        f"recordable: {1e4 * covered.area:.0f} cm2, {100 * covered.share:.0f} % of it within "
        f"{100 * covered.radius:.1f} cm of an episode",
    ]
    if covered.spacing:
        median, largest = covered.spacing
        lines.append(
            f"distance to the nearest other episode: median {1e3 * median:.0f} mm, largest {1e3 * largest:.0f}"
        )
    if covered.gap:
        x, y, away = covered.gap
        lines.append(f"largest gap: ({x:.3f}, {y:.3f}), {100 * away:.1f} cm from data")
    if covered.outside:
        lines.append(f"{covered.outside} episodes began where none can be recorded on this table")
    lines += _radius_lines(options, found, trials)
    for number, p in enumerate(proposals):
        letter = LETTERS[number] if number < len(LETTERS) else "-"
        lines.append(f"  {letter}  {p.x:.3f} {p.y:.3f}  {p.why}")
    return "\n".join(lines)


def _radius_lines(options: Coverage, found: Radius | None, trials: Trials | None) -> list[str]:
    if found is None or trials is None:
        asked = options.farther_than is not None
        return [] if asked else [f"radius: {100 * RADIUS:.0f} cm is taken; an --evaluation would tell"]
    lines = [f"radius, where success crosses 50 %: {found.whole.words}"]
    lines += [f"  {name:<8} {each.words}" for name, each in found.directions.items()]
    if trials.infeasible:
        lines.append(f"  {trials.infeasible} infeasible trials are left out")
    if options.farther_than is None and found.whole.why:
        lines.append(f"  {100 * RADIUS:.0f} cm is taken instead")
    return lines


def _data(
    covered: Covered, found: Radius | None, trials: Trials | None, proposals: Sequence[Proposal], episodes: int
) -> dict[str, Any]:
    return {
        **asdict(covered),
        "without_placement": episodes - covered.episodes,
        "estimate": None if found is None else asdict(found),
        "infeasible_trials": 0 if trials is None else trials.infeasible,
        "proposals": [asdict(proposal) for proposal in proposals],
    }
