"""stress: simulate episodes again under other friction, mass, delay and servos; how often each survives is noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import DataError, TargetExists, UsageError
from curation.frames import Outcome
from curation.library import Entry, entries
from curation.notes import Note, add_notes, read_notes, survivals
from curation.query import query
from curation.rates import Rate, wilson
from curation.store import Store
from curation.stress_log import Line, add_line, read_lines
from recorders import stress as stressing
from recorders.recorded import require_as_recorded
from recorders.stress import RANGES, RUNS, Change
from recorders.world.scene import scene_from
from studio.console import Console
from studio.options import Name, process_count
from studio.paths import dataset_path

GROUPS = 3
"""Of runs, by each number that was changed in them."""
COLUMNS = ("#", "id", "outcome", "lazy", "overlap", "survived", "95 % CI", "mostly fails as")


@dataclass(frozen=True, kw_only=True)
class Stress:
    """Drive the stored actions again under changed friction, mass, delay and servos, and note how often they succeed.

    Nothing of an episode changes. Afterwards: studio filter DATASET --where "survival>=0.8" --to FIRM.
    Of several stresses the one of most runs counts, of equal ones the last; "stressed>=50" asks how many they were.
    """

    dataset: Name
    """A dataset recorded by the studio."""
    runs: int = RUNS
    """Changes that every episode is driven under; the same ones for all."""
    seed: int = 0
    """Of the changes."""
    where: str = ""
    """Only episodes that fit, such as "outcome:success". Those in the trash are always left out."""
    processes: int = 0
    """Episodes worked on at once; 0 is one per processor core."""
    picture: Path | None = None
    """Draw survival by grip and by what was changed to this new PNG file."""
    json: bool = False
    """Print every episode and every change as JSON."""


@dataclass(frozen=True)
class Found:
    """One episode and what became of it."""

    entry: Entry
    overlap: float | None
    line: Line

    @property
    def survived(self) -> Rate:
        """Of the changes."""
        return wilson(sum(one == Outcome.SUCCESS for one in self.line.outcomes), len(self.line.outcomes))


def stress(options: Stress, console: Console) -> int:
    """Simulate what was not simulated yet, note it, and print the table."""
    if options.runs < 1 or options.seed < 0:
        raise UsageError(f"--runs {options.runs} must be at least 1 and --seed {options.seed} at least 0.")
    if options.picture is not None and options.picture.exists():
        raise TargetExists(options.picture, "Choose another name.")
    store = Store.open(dataset_path(options.dataset))
    require_as_recorded(store, "Stressing")
    asked = _asked(options, store, console)
    by, drawn = stressing.mark(options.runs, options.seed), stressing.changes(options.runs, options.seed)
    if not asked:
        console.result(f"No episode of {store.root} fits {options.where}: none was stressed.", _data([], drawn, by))
        return 0
    known = dict(read_lines(store.root, by))
    left = [entry.episode_id for entry in asked if entry.episode_id not in known]
    if len(left) < len(asked):
        console.step(f"{len(asked) - len(left)} of {len(asked)} episodes were stressed before.")
    for line in _simulated(store, left, by, drawn, process_count(options.processes)):
        known[line.episode_id] = line
        done = sum(entry.episode_id in known for entry in asked)
        console.progress(f"episode {done} of {len(asked)}")
        console.advance(done, len(asked))
    _note(store, [known[entry.episode_id] for entry in asked])
    found = [Found(entry, overlap_of(store, entry), known[entry.episode_id]) for entry in asked]
    bands = by_change(drawn, found)
    if options.picture is not None:
        from studio.stress_picture import picture
        from training.sheet import save

        save(picture(options.dataset, [(one.overlap, one.survived, bool(one.entry.lazy)) for one in found], bands),
             options.picture)  # fmt: skip
        console.step(f"{options.picture} is drawn.")
    console.result(_text(found, bands, by), _data(found, drawn, by))
    return 0


def by_change(drawn: Sequence[Change], found: Sequence[Found]) -> dict[str, list[tuple[float, float, Rate]]]:
    """For every number that is changed: the runs in three groups by its value, each with its lowest and highest value
    and the share of runs that survived. Few values are a group each."""
    success = np.array([[one == Outcome.SUCCESS for one in each.line.outcomes] for each in found], bool)
    bands = {}
    for name in RANGES:
        value = np.array([getattr(change, name) for change in drawn], float)
        distinct = np.unique(value)
        groups = (
            [np.flatnonzero(value == one) for one in distinct]
            if len(distinct) <= GROUPS
            else np.array_split(np.argsort(value), GROUPS)
        )
        bands[name] = [_group(value[each], success[:, each]) for each in groups if len(each)]
    return bands


def _group(values: NDArray[np.float64], success: NDArray[np.bool_]) -> tuple[float, float, Rate]:
    """Lowest and highest value of some runs, and how many of them survived."""
    return float(values.min()), float(values.max()), wilson(int(success.sum()), success.size)


def overlap_of(store: Store, entry: Entry) -> float | None:
    """How far pads and block overlapped in an episode's last grasp that lifted [m]; None if there was none."""
    grasps = store.episode(entry.episode_id).row.extra.get("grasps") or []
    lifted = [float(grasp["overlap"]) for grasp in grasps if grasp.get("lifted")]
    return lifted[-1] if lifted else None


def _asked(options: Stress, store: Store, console: Console) -> list[Entry]:
    """Whole takes that fit; none where none fits the query."""
    fits = query(options.where)
    saved = [entry for entry in entries(store.root) if entry.state == "saved" and fits(entry)]
    if options.where and not saved:
        return []
    # The start of a part of a take was never a reset, so its actions lead nowhere by themselves.
    whole = [entry for entry in saved if not entry.cut]
    if len(whole) < len(saved):
        console.step(f"{len(saved) - len(whole)} episodes are parts of takes and cannot be driven from their start.")
    if not whole:
        raise DataError(f"No episode of {store.root} is left to stress. studio episodes shows what there is.")
    return whole


def _simulated(store: Store, ids: Sequence[str], by: str, drawn: Sequence[Change], processes: int) -> Iterator[Line]:
    """A line for every episode, on disk before it is given out."""
    scene = scene_from(store.scene.get("driven", store.scene["scene"]))
    jobs = [
        stressing.Job(one, store.episode(one).frames, store.numeric(one)["action"].astype(np.float64)) for one in ids
    ]
    for episode_id, result in stressing.stressed(scene, jobs, drawn, processes) if jobs else ():
        line = Line(episode_id, by, result.as_recorded, result.outcomes)
        add_line(store.root, line)
        yield line


def _note(store: Store, lines: Sequence[Line]) -> None:
    """Note what is not noted yet, for a kill may have come between a line and its note; and once more what another
    stress of no more runs was noted after."""
    notes = read_notes(store.root)
    there = {(note.episode_id, note.by, note.runs) for note in notes if note.kind == "survival"}
    counts = survivals(notes)
    new = []
    for line in lines:
        share, runs = round(line.outcomes.count(Outcome.SUCCESS) / len(line.outcomes), 4), len(line.outcomes)
        noted = (line.episode_id, line.by, runs) in there
        if not noted or (counts[line.episode_id].by != line.by and counts[line.episode_id].runs <= runs):
            new.append(Note(line.episode_id, "survival", share, line.by, runs=runs))
    add_notes(store.root, new)


def _text(found: Sequence[Found], bands: Mapping[str, Sequence[tuple[float, float, Rate]]], by: str) -> str:
    rows = [COLUMNS, *(_row(one) for one in sorted(found, key=lambda one: one.survived.k))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    lines += ["", f"{by}: share of runs that succeeded, by what was changed"]
    lines += [f"  {name:<10}" + "   ".join(_band(*band) for band in each) for name, each in bands.items()]
    strayed = [one for one in found if one.line.as_recorded != one.entry.outcome]
    if strayed:
        names = ", ".join(str(one.entry.index) for one in strayed)
        lines.append(f"Without any change these do not end as recorded: {names}. studio replay says more.")
    return "\n".join(lines)


def _row(one: Found) -> tuple[str, ...]:
    fails = Counter(outcome for outcome in one.line.outcomes if outcome != Outcome.SUCCESS).most_common(1)
    rate = one.survived
    return (
        str(one.entry.index),
        one.entry.episode_id[:8],
        one.entry.outcome,
        "lazy" if one.entry.lazy else "",
        "-" if one.overlap is None else f"{1e3 * one.overlap:.1f} mm",
        f"{rate.k} of {rate.n}",
        f"{100 * rate.low:.0f} to {100 * rate.high:.0f} %",
        fails[0][0] if fails else "",
    )


def _band(low: float, high: float, rate: Rate) -> str:
    share = f"{100 * rate.k / rate.n:.0f} %" if rate.n else "none"
    return f"{f'{low:g}' if low == high else f'{low:.2f} to {high:.2f}'}: {share}"


def _data(found: Sequence[Found], drawn: Sequence[Change], by: str) -> dict[str, Any]:
    episodes = [
        {
            "episode": one.entry.index,
            "episode_id": one.entry.episode_id,
            "outcome": one.entry.outcome,
            "as_recorded": one.line.as_recorded,
            "lazy": one.entry.lazy,
            "overlap": one.overlap,
            "survived": asdict(one.survived),
            "outcomes": one.line.outcomes,
        }
        for one in found
    ]
    return {"by": by, "changes": [asdict(change) for change in drawn], "episodes": episodes}
