"""Patterns of positions as a sheet of questions, and from the answers to points."""

from __future__ import annotations

from curation.coverage import gaps, grid, ring, scatter
from curation.errors import UsageError
from studio.tui.ask import Answers
from studio.tui.finder_plan import CLOSE_M, Plan
from studio.tui.widgets.form_row import Question

BOX = (0.18, 0.40, -0.12, 0.28)
"""The usual box of placements: x low, x high, y low, y high [m]."""
PATTERNS = ("grid", "ring", "random", "gaps")
_SPANNING = ("grid", "random", "gaps")
_COUNTED = ("ring", "random", "gaps")


def pattern_questions(box: tuple[float, float, float, float]) -> list[Question]:
    """What a pattern needs to know."""
    span = " ".join(f"{value:g}" for value in box)
    return [
        Question("pattern", "pattern", "grid", options=PATTERNS),
        Question("box", "box", span, "x and y, m", wide=True, only_if=("pattern", _SPANNING)),
        Question("grid", "columns rows", "3 4", "along x, y", only_if=("pattern", ("grid",))),
        Question("centre", "centre", "0.27 0.10", "m", only_if=("pattern", ("ring",))),
        Question("radius", "radius", "0.08", "m", only_if=("pattern", ("ring",))),
        Question("count", "how many", "12", only_if=("pattern", _COUNTED)),
        Question("seed", "seed", "0", only_if=("pattern", ("random",))),
    ]


def pattern_points(answers: Answers, plan: Plan) -> list[tuple[float, float]]:
    """The points of a pattern [m]; gaps are where recorded placements and targets are farthest away.

    Raises:
        UsageError: an answer is not a number or out of range.
    """
    pattern = answers["pattern"]
    box = _numbers(answers, "box", 4)
    span = (box[0], box[1], box[2], box[3])
    count = _count(answers, "count")
    match pattern:
        case "grid":
            nx, ny = (int(value) for value in _numbers(answers, "grid", 2))
            return [*grid(span, nx, ny)]
        case "ring":
            x, y = _numbers(answers, "centre", 2)
            return [*ring((x, y), _numbers(answers, "radius", 1)[0], count)]
        case "random":
            return [*scatter(span, count, _count(answers, "seed", least=0))]
    return [*gaps(plan.allowed, span, plan.taken(), count, CLOSE_M)]


def _numbers(answers: Answers, name: str, how_many: int) -> list[float]:
    try:
        values = [float(part) for part in answers[name].replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) != how_many:
        what = "a number" if how_many == 1 else f"{how_many} numbers"
        raise UsageError(f"{name} '{answers[name]}' must be {what}.")
    return values


def _count(answers: Answers, name: str, least: int = 1) -> int:
    value = _numbers(answers, name, 1)[0]
    if value != int(value) or not least <= value <= 1000:
        raise UsageError(f"{name} '{answers[name]}' must be a whole number, {least} to 1000.")
    return int(value)
