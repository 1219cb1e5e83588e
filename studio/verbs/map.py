"""map: where on the table policies succeed, how surely that is known, how unsure they are, and where to try next."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from curation.errors import DataError, TargetExists, UsageError
from curation.radius import Radius, radius
from curation.rates import Rate, wilson
from curation.table import Points, Table
from curation.targets import Target, named, write_targets
from curation.trials import Trials
from studio.console import Console
from studio.options import Names
from studio.paths import run_path, runs_home
from studio.table_of import table_of_scene
from training.choice import latest_each
from training.contest import Contest, contest
from training.evaluated import Evaluation, Row, evaluations_of
from training.foretelling import MEASURES, Unsureness, unsureness
from training.map_difference import CellDifference, cell_differences
from training.maps import (
    Cell,
    Ring,
    cells,
    field,
    pooled,
    rings,
    rows_of,
    training_positions,
    trials_of,
)
from training.proposals import Aim, Proposal, propose
from training.runs import Run
from training.unsure_map import UnsureCell, scaled, unsure_cells, ways
from training.verdict import points as signed


@dataclass(frozen=True, kw_only=True)
class Map:
    """Draw success over the table from evaluations: cells with intervals, distance rings, two policies' difference.

    All evaluations of a checkpoint that differ in placements only are on its map together, so that proposed places add
    to what is known.
    """

    runs: Names
    """Runs, run@step, groups, evaluations' folders or checkpoints' paths: one map each."""
    center: tuple[float, float] | None = None
    """X Y in metres: distances are measured from here instead of from the nearest training position."""
    rings: tuple[float, ...] | None = None
    """Draw distance rings about --center; with edges in metres, else every 0.05."""
    difference: bool = False
    """Two policies: also map A less B on their shared episodes."""
    show: Literal["success", "disagreement", "spread"] = "success"
    """What cells say. disagreement: how unsure the policy was, as far as each chunk contradicts the one before. spread:
    as far as answers to one question differ (studio evaluate --samples N)."""
    smooth: bool = False
    """Draw a smoothed field instead of cells, and say so."""
    cell: float = 0.05
    """Side in metres of the squares in which scattered episodes are counted; a grid's own cells are kept."""
    picture: Path | None = None
    """Draw it to this new PNG file."""
    propose: int = 0
    """Propose so many places to try next."""
    aim: Aim = "doubt"
    """What they are for. doubt: to evaluate, where success is least known. edge: to generate attempts, where the policy
    succeeds about every other time. unsure: where it was most unsure, by --show spread or else by disagreement."""
    to: Path | None = None
    """Write the proposals to this new positions file, for studio evaluate --targets."""
    box: tuple[float, float, float, float] | None = None
    """X-low X-high Y-low Y-high in metres: proposals are made in here only."""
    seed: int = 0
    """Of the interval of the distance at which success crosses one half."""
    json: bool = False
    """Print everything as JSON."""


@dataclass(frozen=True)
class Mapped:
    """One training as a map: the evaluation that stands for it, and those that differ from it in placements only."""

    evaluation: Evaluation
    pool: tuple[Evaluation, ...]
    rows: list[Row]
    trials: Trials
    training: Points
    cells: list[Cell]
    rings: list[Ring]
    everywhere: Rate
    crossing: Radius | None
    unsure: Unsureness | None = None
    doubts: Sequence[UnsureCell] = ()


def map(options: Map, console: Console) -> int:  # noqa: A001  the command's name
    """Print the maps, and write what was asked for."""
    _require_sensible(options)
    home = runs_home()
    found = [evaluations_of(home, name) for name in options.runs]
    mapped = [_mapped(options, one, pooled(one, side)) for side in found for one in latest_each(side)]
    if options.show != "success":
        mapped = _shown(options, mapped)
    pair = None
    if options.difference:
        pair = contest(options.runs[0], found[0], options.runs[1], found[1])
    table = _table(mapped[0].evaluation, console)
    proposals = _proposals(options, mapped, table)
    if options.to is not None:
        write_targets(options.to, named([Target("", p.x, p.y, None, _why(p, options.aim)) for p in proposals]))
        console.step(f"{options.to} holds {len(proposals)} positions: studio evaluate --targets {options.to}")
    if len(proposals) < options.propose:
        console.step(f"Only {len(proposals)} of {options.propose} places are apart enough where anything was tried.")
    if options.picture is not None:
        _draw(options, mapped, pair, table, proposals)
        console.step(f"{options.picture} is drawn.")
    console.result("\n".join(_text(options, mapped, pair, proposals)), _data(options, mapped, pair, proposals))
    return 0


def _require_sensible(options: Map) -> None:
    if not options.runs:
        raise UsageError("Name at least one run that was evaluated.")
    if options.difference and len(options.runs) != 2:
        raise UsageError(f"--difference needs two policies; got {len(options.runs)}.")
    if options.rings is not None and options.center is None:
        raise UsageError("--rings needs --center X Y, about which they are drawn.")
    if options.propose < 0 or (options.to and not options.propose):
        raise UsageError("--to needs --propose K with K of at least 1: how many positions shall it hold?")
    if not options.cell > 0:
        raise UsageError(f"--cell {options.cell:g} must be a positive number of metres.")
    if options.show != "success" and (options.smooth or options.difference or options.rings is not None):
        raise UsageError(f"--show {options.show} draws cells: leave --smooth, --difference and --rings away.")
    for path in (options.to, options.picture):
        if path is not None and path.exists():
            raise TargetExists(path, "Choose another name.")


def _mapped(options: Map, evaluation: Evaluation, pool: tuple[Evaluation, ...]) -> Mapped:
    rows = rows_of(pool)
    trials = trials_of(rows, MEASURES[0] if options.show == "success" else options.show)
    training = _training(evaluation)
    origins = np.array([options.center], float) if options.center else training
    found = radius(trials, origins, options.seed) if len(origins) and len(trials) else None
    return Mapped(
        evaluation,
        pool,
        rows,
        trials,
        training,
        cells(rows, options.cell),
        rings(trials, origins, options.rings or ()) if len(origins) else [],
        wilson(sum(row.success for row in evaluation.rows), len(evaluation.rows)),
        found,
    )


def _shown(options: Map, mapped: Sequence[Mapped]) -> list[Mapped]:
    """The same with how unsure the policies were."""
    found = []
    for one in mapped:
        unsure = unsureness([row.told for row in one.rows], options.show)
        if unsure.middle is None:
            raise UsageError(
                f"{one.evaluation.name}: no {options.show} to show; {unsure.why_not}. {_MEND[options.show]}"
            )
        found.append(replace(one, unsure=unsure))
    doubts = [unsure_cells(one.rows, options.show, options.cell) for one in found]
    apart = _ways(found)
    doubts = [scaled([each])[0] for each in doubts] if apart else scaled(doubts)
    return [replace(one, doubts=each) for one, each in zip(found, doubts, strict=True)]


def _ways(mapped: Sequence[Mapped]) -> str:
    return ways([one.evaluation for one in mapped])


_APART = "They were carried out in different ways, which decides how large this is: compare places, not policies"
_MEND = {
    "disagreement": "Chunks overlap in studio evaluate --n-action-steps below the policy's chunk, or with --ensemble.",
    "spread": "Run studio evaluate --samples 8 with a policy that draws, such as smolvla, pi0 or diffusion.",
}


def _training(evaluation: Evaluation) -> Points:
    """Where the policy was trained, as its run says; none for checkpoints from elsewhere."""
    if evaluation.run:
        with suppress(DataError):
            return training_positions(Run(run_path(evaluation.run)).read())
    return np.zeros((0, 2))


def _table(evaluation: Evaluation, console: Console) -> Table | None:
    scene = evaluation.told.get("scene")
    table = table_of_scene(scene) if isinstance(scene, dict) else None
    if table is None:
        console.step("The evaluation says nothing of its table, so reach and bowl are not drawn.")
    return table


def _proposals(options: Map, mapped: Sequence[Mapped], table: Table | None) -> list[Proposal]:
    if not options.propose:
        return []
    if table is None:
        raise UsageError("Nothing is known about the table of this evaluation, so no places on it are proposed.")
    lattice = table.lattice
    if options.box is not None:
        x_low, x_high, y_low, y_high = options.box
        x, y = lattice.T
        lattice = lattice[(x_low <= x) & (x <= x_high) & (y_low <= y) & (y <= y_high)]
    if options.aim == "unsure" and (apart := _ways(mapped)):
        raise UsageError(f"--aim unsure of several policies: {_APART} ({apart}). Name one of them.")
    points = np.concatenate([one.trials.points for one in mapped])
    success = np.concatenate([one.trials.success for one in mapped])
    unsure = np.concatenate([_unsure_of(one.trials) for one in mapped])
    return propose(lattice, Trials(points, success, unsure=unsure), options.propose, options.aim)


def _unsure_of(trials: Trials) -> np.ndarray:
    return np.full(len(trials), np.nan) if trials.unsure is None else trials.unsure


def _why(proposal: Proposal, aim: Aim) -> str:
    heard = f"weight {proposal.trials:.1f} trials"
    if proposal.trials < 1e-9:
        return "nothing was tried here"
    if aim == "unsure":
        return f"unsure by {proposal.unsure:.2f} deg ({heard})"
    if aim == "edge":
        return f"succeeds in about {100 * proposal.rate:.0f} % ({heard})"
    return f"success known to within {100 * proposal.doubt:.0f} points only ({heard})"


def _draw(
    options: Map, mapped: Sequence[Mapped], pair: Contest | None, table: Table | None, proposals: Sequence[Proposal]
) -> None:
    from training.map_picture import Panel, picture
    from training.sheet import save

    assert options.picture is not None
    lattice = table.lattice if table is not None else np.zeros((0, 2))
    panels = [
        Panel(
            title=one.evaluation.title,
            rate=_rate_words(one),
            cells=one.doubts or one.cells,
            rings=() if one.doubts else one.rings,
            origin_name="centre" if options.center else "nearest training position",
            training=one.training,
            infeasible=np.array([(r.x, r.y) for r in one.rows if not r.feasible]).reshape(-1, 2),
            proposals=proposals,
            smooth=field(lattice, one.trials) if options.smooth and len(lattice) else None,
            centre=options.center if options.rings is not None else None,
        )
        for one in mapped
    ]
    if pair is not None:
        panels.append(
            Panel(
                title=f"A - B: {options.runs[0]} less {options.runs[1]}",
                rate=f"{len(pair.indices)} shared episodes, points with 95 % intervals",
                cells=cell_differences(pair),
                training=mapped[0].training,
            )
        )
    save(picture(panels, table, _note(mapped)), options.picture)


def _note(mapped: Sequence[Mapped]) -> str:
    """At the bottom: the conditions, and of a map of doubt what that is worth."""
    judged = [f"{one.evaluation.name}: {_judged(one.unsure)}" for one in mapped if one.unsure is not None]
    apart = [_APART] if judged and _ways(mapped) else []
    return ". ".join([*judged, *apart, mapped[0].evaluation.conditions_words])


def _judged(unsure: Unsureness) -> str:
    first = next((each for each in unsure.tells if each.judged), None)
    if first is None:
        return f"whether it tells failure: {unsure.why_not or 'nobody can say'}"
    return f"{first.what}: AUROC {first.auroc}, {unsure.n} episodes, {unsure.failed} failed: {first.verdict}"


def _rate_words(one: Mapped) -> str:
    if one.unsure is not None:
        return one.unsure.words
    if len(one.pool) > 1:
        # Placements of several kinds, some of them chosen by what was seen before: their common rate is of nothing.
        return f"{len(one.trials)} feasible episodes of {len(one.pool)} evaluations"
    rate = one.evaluation.rate()
    words = f"{rate.k} of {rate.n} feasible, {rate.interval}"
    return words if not one.trials.infeasible else f"{words}; of all {one.everywhere.k} of {one.everywhere.n}"


def _text(
    options: Map, mapped: Sequence[Mapped], pair: Contest | None, proposals: Sequence[Proposal]
) -> list[str]:  # fmt: skip
    lines: list[str] = []
    for one in mapped:
        lines.append(one.evaluation.title)
        for each in one.pool:
            every = wilson(sum(row.success for row in each.rows), len(each.rows))
            lines += [f"  conditions: {each.conditions_words}", f"  feasible places: {each.rate().of('episodes')}",
                      f"  all places: {every.of('episodes')}"]  # fmt: skip
        together = f" of {len(one.pool)} evaluations" if len(one.pool) > 1 else ""
        lines.append(f"  cells{together} (x, y in metres):")
        lines += [f"    {cell.x:6.3f} {cell.y:7.3f}  {_cell_words(cell)}" for cell in one.cells if not one.doubts]
        lines += [f"    {each.cell.x:6.3f} {each.cell.y:7.3f}  {each.words}" for each in one.doubts]
        if one.unsure is not None:
            lines += [f"  {line}" for line in one.unsure.lines]
        if one.rings:
            of = "--center" if options.center else "the nearest training position"
            lines.append(f"  distance to {of}:")
            lines += [f"    {100 * r.low:4.1f} to {100 * r.high:4.1f} cm  {r.rate.of('episodes')}" for r in one.rings]
        if one.crossing is not None:
            lines.append(f"  distance at which success crosses 50 %: {one.crossing.whole.words}")
    if options.show != "success" and (apart := _ways(mapped)):
        lines.append(f"{_APART} ({apart}).")
    if pair is not None:
        many = len(pair.a.evaluations)
        unit = f", {many} and {len(pair.b.evaluations)} trainings as the unit" if many > 1 else ""
        lines += [note for side in (pair.a, pair.b) for note in side.notes]
        lines.append(f"A - B on {len(pair.indices)} shared episodes{unit} (points, 95 % CI of each cell by itself; "
                     "* told apart at 5 % though all cells are looked at):")  # fmt: skip
        lines += [_difference_line(each) for each in cell_differences(pair)]
    lines += [
        f"  {number:>3}  {p.x:.3f} {p.y:.3f}  {_why(p, options.aim)}" for number, p in enumerate(proposals, start=1)
    ]
    return lines


def _difference_line(each: CellDifference) -> str:
    interval = f"({signed(each.low)} to {signed(each.high)})"
    place = f"    {each.cell.x:6.3f} {each.cell.y:7.3f}"
    return f"{place}  {signed(each.difference)} {interval}, n = {each.n}{' *' if each.better else ''}"


def _cell_words(cell: Cell) -> str:
    words = cell.rate.of("episodes") if cell.rate.n else "no feasible episode"
    return words + (f", {cell.infeasible} infeasible" if cell.infeasible else "")


def _data(
    options: Map, mapped: Sequence[Mapped], pair: Contest | None, proposals: Sequence[Proposal]
) -> dict[str, Any]:
    return {
        "maps": [
            {
                "name": one.evaluation.name,
                "folder": str(one.evaluation.folder),
                "conditions": one.evaluation.conditions,
                "pool": [str(each.folder) for each in one.pool],
                "episodes": len(one.rows),
                "feasible": asdict(one.evaluation.rate()),
                "all": asdict(one.everywhere),
                "cells": [asdict(cell) for cell in one.cells],
                "rings": [asdict(ring) for ring in one.rings],
                "crossing": None if one.crossing is None else asdict(one.crossing),
                "training_positions": one.training.tolist(),
                "unsure": None if one.unsure is None else one.unsure.as_json(),
                "unsure_cells": [asdict(each) for each in one.doubts],
            }
            for one in mapped
        ],
        "difference": None if pair is None else [_difference_data(each) for each in cell_differences(pair)],
        "proposals": [{**asdict(p), "why": _why(p, options.aim)} for p in proposals],
    }


def _difference_data(each: CellDifference) -> dict[str, Any]:
    return {**asdict(each.cell), **{name: value for name, value in asdict(each).items() if name != "cell"}}
