"""What a report says of a run and of its evaluations, as parts of a page."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from curation.auroc import Measured
from curation.rates import Rate, wilson

from . import page
from .evaluated import Evaluation, Row
from .foretelling import MEASURES, Unsureness, asked_for, unsureness
from .page import Markup
from .sheet import BLUE, Chart, Sheet
from .unsure_map import ways

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

PHASES = ("reach", "grasp", "lift", "transport", "release")


@dataclass(frozen=True)
class Shown:
    """An episode that stands for its class.

    Attributes:
        row: the episode.
        why: "median" or "worst", and of what.
    """

    row: Row
    why: str


def stand_for(rows: Sequence[Row]) -> list[Shown]:
    """The median and the worst episode of every outcome class, the commonest class first.

    Successes are ordered by time, failures by how near the gripper ever came to the block.
    """
    classes: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.feasible:
            classes[row.outcome].append(row)
    found = []
    for outcome, here in sorted(classes.items(), key=lambda item: (-len(item[1]), item[0])):
        by = "time" if here[0].success else "closest approach"
        ordered = sorted(here, key=lambda row: (_badness(row), row.index))
        middle, worst = ordered[(len(ordered) - 1) // 2], ordered[-1]
        found.append(Shown(middle, f"{_words(outcome)}: median of {len(ordered)} by {by}"))
        if worst is not middle:
            found.append(Shown(worst, f"{_words(outcome)}: worst of {len(ordered)} by {by}"))
    return found


def _badness(row: Row) -> float:
    value = row.told.get("seconds") if row.success else row.told.get("closest_m")
    return float(value) if isinstance(value, int | float) else 0.0


def _words(outcome: str) -> str:
    return outcome.replace("_", " ") or "no outcome"


def headline(evaluation: Evaluation, trainings: int) -> list[Markup]:
    """The rate that may be quoted, with all it holds under."""
    rate = evaluation.rate()
    every = wilson(sum(row.success for row in evaluation.rows), len(evaluation.rows))
    parts = [
        page.paragraph(f"{rate.k} of {rate.n}", "big"),
        page.paragraph(f"success at feasible places, {rate.interval}"),
        page.rate_bar(rate),
    ]
    if every.n != rate.n:
        parts.append(page.paragraph(f"At all places: {every.of('episodes')}."))
    parts.append(page.paragraph(f"Clean, without fumbling: {evaluation.rate('clean').of('feasible episodes')}."))
    parts.append(page.paragraph(evaluation.conditions_words, "muted"))
    if evaluation.changes:
        parts.append(page.paragraph(f"Not as it was trained: {', '.join(evaluation.changes)}.", "warn"))
    if evaluation.raced:
        text = "A checkpoint was chosen by these episodes (studio sweep), so this rate is no estimate."
        parts.append(page.paragraph(text, "warn"))
    if evaluation.told.get("privileged"):
        parts.append(page.paragraph("The policy sees the block's pose, as no robot does: this is no result.", "warn"))
    if trainings == 1:
        parts.append(page.paragraph("One training: says nothing about the recipe.", "warn"))
    return parts


def training(told: Mapping[str, Any], operators: Mapping[str, int] | None) -> list[Markup]:
    """What was trained on what.

    Args:
        told: run.json.
        operators: episodes by who drove; None where the dataset is not at hand.
    """
    dataset = dict(told.get("dataset") or {})
    scene = dict(told.get("scene") or {})
    if operators is None:
        mix = "unknown: the dataset is not here any more"
    else:
        total = sum(operators.values())
        mix = ", ".join(f"{name or 'unknown'} {count} of {total}" for name, count in operators.items())
    resumed = [f"from step {one.get('from_step')} ({one.get('lost_steps')} steps lost)" for one in
               told.get("resumed") or ()]  # fmt: skip
    pairs = [
        ("policy", told.get("policy")),
        ("dataset", f"{dataset.get('name')} (fingerprint {str(dataset.get('fingerprint'))[:12]})"),
        ("episodes", f"{dataset.get('episodes')}, {dataset.get('frames')} frames"),
        ("operators", mix),
        ("scene", scene.get("fingerprint") or "unknown"),
        ("steps, batch, seed", f"{told.get('steps')}, {told.get('batch_size')}, {told.get('seed')}"),
        ("state", told.get("state")),
        ("resumed", "; ".join(resumed) or "never"),
        ("when", told.get("when")),
    ]
    return [page.facts(pairs)]


def recipe(told: Mapping[str, Any]) -> Markup:
    """All settings and versions, folded."""
    settings = dict(told.get("recipe") or {})
    pairs = [(name, value) for name, value in sorted(settings.items())]
    pairs += [(f"version of {name}", value) for name, value in sorted(dict(told.get("versions") or {}).items())]
    return page.folded("All settings and versions", page.facts(pairs))


def evaluations(found: Sequence[Evaluation]) -> Markup:
    """Every evaluation of a run in a table."""
    rows = []
    for one in sorted(found, key=lambda each: (each.step or 0, str(each.told.get("when", "")))):
        rate = one.rate()
        settings = ", ".join(
            f"{name} {value}" for name, value in sorted(one.settings.items()) if value not in (None, [], 0.0)
        )
        rows.append((one.title, f"{rate.k} of {rate.n}", rate.interval, page.rate_bar(rate),
                     f"{one.rate('clean').k}", settings, one.conditions_words))  # fmt: skip
    head = ("checkpoint", "success", "", "", "clean", "settings", "conditions")
    return page.table(head, rows)


def outcomes(sides: Sequence[Evaluation]) -> list[Markup]:
    """Outcome classes and phases got through, of feasible episodes; a column for every evaluation."""
    rows: list[list[object]] = []
    counts = [Counter(row.outcome for row in one.feasible) for one in sides]
    words = sorted({outcome for each in counts for outcome in each}, key=lambda word: (word != "success", word))
    for outcome in words:
        line: list[object] = [_words(outcome)]
        for count, one in zip(counts, sides, strict=True):
            line += _rate_cells(wilson(count[outcome], len(one.feasible)))
        rows.append(line)
    head = [name for side in labels(sides) for name in (side, "95 % CI", "")]
    phases: list[list[object]] = []
    for phase in PHASES:
        line = [phase]
        for one in sides:
            got = [bool(dict(row.told.get("phases") or {}).get(phase)) for row in one.feasible]
            line += _rate_cells(wilson(sum(got), len(got)))
        phases.append(line)
    return [page.table(["outcome", *head], rows), page.table(["got through", *head], phases)]


def labels(sides: Sequence[Evaluation]) -> list[str]:
    """A name for every evaluation; those of one checkpoint are told apart by what was changed, then by their folder."""
    names = Counter(one.name for one in sides)
    told = [
        f"{one.name} ({', '.join(one.changes) or 'as trained'})" if names[one.name] > 1 else one.name for one in sides
    ]
    twice = Counter(told)
    return [f"{label} {one.folder.name}" if twice[label] > 1 else label for label, one in zip(told, sides, strict=True)]


def _rate_cells(rate: Rate) -> list[object]:
    return [f"{rate.k} of {rate.n}", f"{100 * rate.low:.0f} to {100 * rate.high:.0f} %", page.rate_bar(rate)]


def unsure(sides: Sequence[Evaluation]) -> list[Markup]:
    """How unsure policies were, and how well that tells failure."""
    parts, judged, known = [], False, []
    for one, label in zip(sides, labels(sides), strict=True):
        told = [row.told for row in one.rows]
        for found in (unsureness(told, measure) for measure in asked_for(told) or MEASURES[:1]):
            parts.append(page.paragraph(f"{label}: {found.words}."))
            known += [] if found.middle is None else [one]
            if found.middle is not None and not found.tells:
                parts.append(page.paragraph(f"Whether that tells failure {found.why_not}.", "muted"))
            if found.tells:
                parts.append(_telling(found))
                judged = True
    if apart := ways(known):
        parts.append(page.paragraph(f"{_APART} ({apart}).", "muted"))
    return [*parts, page.paragraph(_UNSURE, "muted")] if judged else parts


def _telling(found: Unsureness) -> Markup:
    first, *rest = found.tells
    rows = [(first.what, *_auroc_cells(first.auroc), first.verdict)]
    rows += [(f"in frame {frame} alone", *_auroc_cells(auroc), "") for frame, auroc in found.course]
    rows += [(each.what, *_auroc_cells(each.auroc), each.verdict) for each in rest]
    head = (f"larger in failures? {found.n} episodes, {found.failed} failed", "AUROC", "95 % CI", "", "verdict")
    return page.table(head, rows)


def _auroc_cells(auroc: Measured) -> tuple[str, str, Markup]:
    bar = page.interval_bar(auroc.value, auroc.low, auroc.high, str(auroc))
    return f"{auroc.value:.2f}", f"{auroc.low:.2f} to {auroc.high:.2f}", bar


_APART = (
    "How far chunks and answers are apart depends on how the policy is carried out, and that differs here: compare "
    "episodes of one, not one with the other"
)
_UNSURE = (
    "0.5 is a coin. Judged is what was known while every episode still ran, which may be after it was lost: what tells "
    "in an early frame foresees, what tells in a late one has seen. The others know how it went on: failures last "
    "until the time limit, so length alone tells them in the end, and whatever grows with length does too."
)


def episodes(evaluation: Evaluation) -> Markup:
    """Every row, folded."""
    rows = [
        (row.index, row.seed, f"{row.x:.4f}", f"{row.y:.4f}", f"{row.yaw_deg:.1f}", "yes" if row.feasible else "no",
         _words(row.outcome), "yes" if row.clean else "", row.told.get("seconds"), row.told.get("closest_m"))
        for row in evaluation.rows
    ]  # fmt: skip
    head = ("episode", "seed", "x [m]", "y [m]", "yaw [deg]", "feasible", "outcome", "clean", "seconds", "closest [m]")
    return page.folded(f"All {len(rows)} episodes of {evaluation.name}", page.table(head, rows))


def loss_curve(lines: Sequence[Mapping[str, Any]]) -> Picture | None:
    """Loss by step; None without lines."""
    spots = [(float(line["step"]), float(line["loss"])) for line in lines if "step" in line and "loss" in line]
    if len(spots) < 2:
        return None
    sheet = Sheet(1000, 340)
    losses = sorted(loss for _, loss in spots)
    # The first losses are so high that the rest would be a line on the floor.
    high = max(losses[min(len(losses) - 1, round(0.98 * len(losses)))], losses[0] * 1.5)
    chart = Chart(sheet, 70, 40, 970, 280, (spots[0][0], spots[-1][0]), (0.0, high))
    chart.axes("step", "loss")
    chart.line(spots, BLUE, 2)
    return sheet.finished()


def png(picture: Picture) -> bytes:
    """A picture as a file's bytes."""
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return out.getvalue()
