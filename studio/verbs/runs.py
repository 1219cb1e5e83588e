"""runs: the ledger of trainings, and why one came out otherwise than another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from curation.errors import OK, UsageError
from studio.console import Console
from studio.options import Names
from studio.paths import runs_home
from training.evaluated import Evaluation
from training.ledger import Line, differences, ledger, level, line_of
from training.runs import damaged_runs, opened


@dataclass(frozen=True, kw_only=True)
class Runs:
    """List trainings; of one everything, of two what differs between them and what came of it."""

    runs: Names = ()
    """None for all, or one or two names."""
    markdown: bool = False
    """As a table for a log."""
    json: bool = False
    """Print it as JSON."""


def runs(options: Runs, console: Console) -> int:
    """Print the ledger, or a comparison."""
    home = runs_home()
    every = ledger(home)
    if len(options.runs) > 2:
        raise UsageError(f"{len(options.runs)} runs were named; name one, or two to see what differs.")
    lines = [line_of(opened(home, name)) for name in options.runs]
    text: str
    data: Any
    if len(lines) == 2:
        text, data = _compared(lines[0], lines[1], every, markdown=options.markdown)
    elif lines:
        text, data = _one(lines[0], markdown=options.markdown), lines[0].data()
    else:
        damaged = damaged_runs(home)
        text = _listed(every, damaged, markdown=options.markdown)
        data = [line.data() for line in every]
        data += [{"name": name, "state": "damaged", "why": why} for name, why in damaged]
    console.result(text, data)
    return OK


def _listed(lines: Sequence[Line], damaged: Sequence[tuple[str, str]] = (), *, markdown: bool) -> str:
    if not lines and not damaged:
        return "Nothing was trained yet: studio train DATASET --to NAME."
    head = ("run", "policy", "seed", "dataset", "step", "loss", "state", "evaluation")
    rows = [_row(line) for line in lines]
    rows += [(name, *("-" * (len(head) - 3)), "damaged", "-") for name, _ in damaged]
    where = [f"{line.shown.name}: {line.shown.conditions_words}" for line in lines if line.shown]
    under = ["\n" + "\n\n".join(where)] if where else []
    return "\n".join([table(head, rows, markdown=markdown), *under, *(f"\n{why}" for _, why in damaged)])


def _row(line: Line) -> tuple[str, ...]:
    told, data = line.told, line.told["dataset"]
    return (
        str(told["name"]),
        str(told["policy"]),
        str(told["seed"]),
        f"{data['name']} ({data['episodes']} episodes)",
        f"{line.step}/{told['steps']}",
        "-" if line.loss is None else f"{line.loss:.4g}",
        line.state,
        _rate(line.shown) if line.shown else "none yet",
    )


def _rate(one: Evaluation) -> str:
    rate = one.rate()
    of = "" if one.step is None else f" at step {one.step}"
    said = [*(["not as trained"] if one.changes else []), *(["chosen on these"] if one.raced else [])]
    marks = f" ({', '.join(said)})" if said else ""
    return f"{rate.k} of {rate.n} [{100 * rate.low:.0f}-{100 * rate.high:.0f} %]{of}{marks}"


def _one(line: Line, *, markdown: bool) -> str:
    rows = [(one.name, _rate(one), one.conditions_words) for one in line.evaluations]
    parts = [_listed([line], markdown=markdown)]
    if forced := line.told.get("forced"):
        parts.append(f"Preflight was passed over: {', '.join(forced)}.")
    parts += [
        f"Resumed {again['when']} from step {again['from_step']}, {again['lost_steps']} steps were lost."
        for again in line.told.get("resumed", [])
    ]
    if rows:
        parts.append(table(("evaluated", "success", "where"), rows, markdown=markdown))
    return "\n\n".join(parts)


def _compared(a: Line, b: Line, every: Sequence[Line], *, markdown: bool) -> tuple[str, dict[str, Any]]:
    names = (str(a.told["name"]), str(b.told["name"]))
    apart = differences(a.told, b.told)
    rows = [(key, _word(one), _word(other)) for key, one, other in apart]
    came = [
        ("state", a.state, b.state),
        ("step", str(a.step), str(b.step)),
        ("last loss", _word(a.loss), _word(b.loss)),
        ("evaluation", *(_rate(line.shown) if line.shown else "none yet" for line in (a, b))),
        ("where", *(line.shown.conditions_words if line.shown else "-" for line in (a, b))),
    ]
    same = "Nothing that was asked differs."
    parts = [
        table(("what was asked", *names), rows, markdown=markdown) if rows else same,
        table(("what came of it", *names), came, markdown=markdown),
    ]
    if said := level((a, b), every):
        parts.append(said)
    elif a.shown and b.shown and a.shown.conditions != b.shown.conditions:
        parts.append("The evaluations were not made alike; studio compare says whether they can be compared.")
    data = {
        "differences": [{"name": key, names[0]: one, names[1]: other} for key, one, other in apart],
        "runs": [a.data(), b.data()],
        "level": said,
    }
    return "\n\n".join(parts), data


def _word(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, markdown: bool) -> str:
    """Columns under their heads, as wide as they need to be; or a table in Markdown."""
    if markdown:
        lines = [head, ["---"] * len(head), *rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    plain = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in (head, *rows)]
    return "\n".join(line.rstrip() for line in plain)
