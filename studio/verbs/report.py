"""report: one page that says what was trained on what, how it did, and shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from curation.atomic import write_aside
from curation.errors import DataError, StudioError, TargetExists, UsageError
from curation.store import Store
from studio.console import Console
from studio.options import Names
from studio.paths import run_path, runs_home
from studio.table_of import table_of_scene
from training import page
from training import report as parts
from training.choice import latest_each
from training.contest import Contest, NotComparable, contest
from training.evaluated import Evaluation, evaluations_of
from training.map_difference import CellDifference, cell_differences
from training.map_picture import Panel, picture
from training.maps import cells, rings, training_positions, trials_of
from training.page import Markup
from training.runs import Run
from training.verdict import tell


@dataclass(frozen=True, kw_only=True)
class Report:
    """Write one self-contained HTML page about a run, or about two that are compared."""

    runs: Names
    """A run, run@step, group, evaluation's folder or checkpoint's path; or two of them."""
    to: Path | None = None
    """This new .html file; by default ./reports/NAME.html."""
    no_films: bool = False
    """Leave out the films, for which episodes are run again."""
    json: bool = False
    """Print where it is as JSON."""


def report(options: Report, console: Console) -> int:
    """Gather, draw, film, write."""
    if len(options.runs) not in (1, 2):
        raise UsageError(f"A report is of one run, or of two that are compared; got {len(options.runs)}.")
    home = runs_home()
    found = [evaluations_of(home, name) for name in options.runs]
    to = _target(options)
    if len(found) == 1:
        title, body = _one(options, found[0], console)
    else:
        title, body = _two(options, found, console)
    write_aside(to, page.page(title, body).encode())
    size = to.stat().st_size
    console.result(f"{to} ({size / 1e6:.1f} MB) opens in any browser.", {"report": str(to), "bytes": size})
    return 0


def _target(options: Report) -> Path:
    name = "-".join(part.replace("/", "_").replace("@", "_").strip("._") for part in options.runs)
    to = options.to or Path("reports") / f"{name}.html"
    if to.suffix != ".html":
        raise UsageError(f"{to} must end in .html.")
    if to.exists():
        raise TargetExists(to, "Give another file with --to.")
    return to


def _one(options: Report, found: Sequence[Evaluation], console: Console) -> tuple[str, list[Markup]]:
    shown = latest_each(found)
    title = options.runs[0]
    body = [page.heading(title, 1)]
    for one in shown:
        if len(shown) > 1:
            body.append(page.heading(one.name))
        body += parts.headline(one, len(shown))
        body += [page.heading("What was trained on what"), *_training(one)]
    body += [page.heading("Evaluations"), parts.evaluations(found)]
    body += [page.heading("Outcomes"), *parts.outcomes(shown)]
    body += [page.heading("How unsure it was"), *parts.unsure(shown)]
    body += [page.heading("Where"), *_maps(shown, None)]
    body += _all_films(options, shown, console)
    body += [page.heading("Every episode"), *(parts.episodes(one) for one in shown)]
    return title, body


def _two(options: Report, found: Sequence[Sequence[Evaluation]], console: Console) -> tuple[str, list[Markup]]:
    title = f"{options.runs[0]} against {options.runs[1]}"
    body = [page.heading(title, 1)]
    pair: Contest | None = None
    try:
        pair = contest(options.runs[0], found[0], options.runs[1], found[1])
    except NotComparable as error:
        body.append(page.paragraph(str(error), "warn"))
        sides = [latest_each(each) for each in found]
    else:
        body.append(page.preformatted(tell(pair)[0]))
        sides = [pair.a.evaluations, pair.b.evaluations]
    for side in sides:
        for one in side:
            body += [page.heading(one.name), *parts.headline(one, len(side)), *_training(one)]
    every = [one for side in sides for one in side]
    body += [page.heading("Outcomes"), *parts.outcomes(every)]
    body += [page.heading("How unsure they were"), *parts.unsure(every)]
    body += [page.heading("Where"), *_maps(every, pair)]
    body += _all_films(options, every, console)
    body += [page.heading("Every episode"), *(parts.episodes(one) for one in every)]
    return title, body


def _training(one: Evaluation) -> list[Markup]:
    if not one.run:
        return [page.paragraph("The checkpoint was made elsewhere; nothing is known about its training.", "muted")]
    run = Run(run_path(one.run))
    try:
        told = run.read()
    except DataError as error:
        return [page.paragraph(str(error), "warn")]
    made = parts.training(told, _operators(told))
    curve = parts.loss_curve(run.curve())
    if curve is not None:
        made.append(page.image(parts.png(curve), f"Loss of {one.run}"))
    return [*made, parts.recipe(told)]


def _operators(told: dict[str, object]) -> Counter[str] | None:
    """Episodes of a training by who drove; None where its dataset is gone."""
    dataset = told.get("dataset")
    if not isinstance(dataset, dict):
        return None
    with suppress(StudioError):
        wanted = set(dataset.get("episode_ids") or ())
        rows = Store.open(Path(str(dataset.get("path")))).rows()
        return Counter(row.operator for row in rows if row.episode_id in wanted)
    return None


def _maps(shown: Sequence[Evaluation], pair: Contest | None) -> list[Markup]:
    """One picture of all maps, at most three in a row."""
    scene = shown[0].told.get("scene")
    table = table_of_scene(scene) if isinstance(scene, dict) else None
    panels = []
    for one in shown:
        trials, training = trials_of(one.rows), _positions(one)
        panels.append(
            Panel(
                title=one.title,
                rate=one.rate().of("feasible episodes"),
                cells=cells(one.rows),
                rings=rings(trials, training) if len(training) and len(trials) else [],
                origin_name="nearest training position",
                training=training,
                infeasible=np.array([(row.x, row.y) for row in one.rows if not row.feasible]).reshape(-1, 2),
            )
        )
    differ: list[CellDifference] = []
    if pair is not None:
        with suppress(UsageError):  # too few trainings of a group: the text says so
            differ = cell_differences(pair)
    if pair is not None and differ:
        rate = f"{len(pair.indices)} shared episodes, points with 95 % intervals"
        panels.append(Panel(title="A - B", rate=rate, cells=differ))
    drawn = picture(panels, table, shown[0].conditions_words)
    return [page.image(parts.png(drawn), "Success over the table, as the overhead camera sees it")]


def _positions(one: Evaluation) -> np.ndarray:
    with suppress(DataError):
        if one.run:
            return training_positions(Run(run_path(one.run)).read())
    return np.zeros((0, 2))


def _all_films(options: Report, shown: Sequence[Evaluation], console: Console) -> list[Markup]:
    if options.no_films:
        return []
    body = [
        page.heading("Films"),
        page.paragraph("Twice the real speed: overview, from above, at the gripper.", "muted"),
    ]
    for one in shown:
        body += [page.heading(one.name, 3)] if len(shown) > 1 else []
        body += _films(one, console)
    return body


def _films(one: Evaluation, console: Console) -> list[Markup]:
    from studio.filming import films

    chosen = parts.stand_for(one.rows)
    try:
        drawn = films(one, [each.row.index for each in chosen], console.step)
    except StudioError as error:
        console.step(str(error))
        return [page.paragraph(str(error), "warn")]
    figures = []
    for each in chosen:
        film = drawn[each.row.index]
        caption = f"Episode {each.row.index}, {each.why}"
        if not film.faithful:
            caption += f" (run again here it went otherwise: {film.outcome})"
        figures.append(page.film(film.mp4, caption))
    return [page.films(figures)]
