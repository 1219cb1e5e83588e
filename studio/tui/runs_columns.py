"""The columns of the ledger, and one line of it in full."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from studio.tui.runs_read import TRAINING, Entry
from studio.tui.training_words import LOOKS
from studio.tui.widgets.outcome_bar import outcome_bar
from studio.tui.widgets.rows import Column
from studio.tui.words import ago, counted, interval_words
from training.evaluated import Evaluation

Colours = dict[str, str]


def columns(marked: Callable[[Entry], bool], clock: Callable[[], datetime], colours: Colours) -> list[Column[Entry]]:
    """All of them; narrow terminals leave some out."""

    def quiet(text: str) -> Text:
        return Text(text, colours["muted"])

    return [
        Column("", 1, lambda e: Text("●" if marked(e) else " ", colours["secondary"])),
        Column("run", 18, lambda e: _name(e, colours)),
        Column("on", 15, lambda e: quiet(_on(e))),
        Column("state", 8, lambda e: Text(e.state, colours[LOOKS.get(e.state, "muted")])),
        Column("seed", 4, lambda e: quiet(str(_told(e).get("seed", ""))), right=True, least=110),
        Column("step", 11, lambda e: Text(_step(e)), right=True),
        Column("loss", 8, lambda e: Text(_loss(e)), right=True, least=100),
        Column("success", 20, lambda e: _rate(e, colours)),
        Column("begun", 12, lambda e: quiet(_ago(e, clock())), least=120),
        Column("where", 0, lambda e: quiet(_where(e)), least=150),
    ]


def words(entry: Entry | None, width: int, colours: Colours) -> Text:
    """What the table has no room for, in a few lines."""
    text = Text()
    if entry is None:
        return text
    if entry.wrong:
        return text.append(entry.wrong, colours["error"])
    if entry.evaluation is not None:
        return _evaluation_words(entry.evaluation, width, colours)
    return _training_words(entry, colours)


def _training_words(entry: Entry, colours: Colours) -> Text:
    line, text = entry.line, Text()
    if line is None:
        return text
    told, data = line.told, dict(line.told["dataset"])
    where = f" ({data['where']})" if data.get("where") else ""
    text.append(f"{told['name']}  ", f"bold {colours['foreground']}")
    text.append(
        f"{told['policy']} on {data['name']}{where}, {counted(data['episodes'], 'episode')}, seed {told['seed']}\n",
        colours["muted"],
    )
    loss = "no loss yet" if line.loss is None else f"loss {line.loss:.4g}"
    text.append(
        f"step {line.step} of {told['steps']}, {loss}, {counted(line.checkpoints, 'checkpoint')}", colours["foreground"]
    )
    if told.get("group") not in (None, told["name"]):
        text.append(f", of group {told['group']}", colours["muted"])
    text.append("\n")
    if told.get("forced"):
        text.append(f"Preflight was passed over: {', '.join(told['forced'])}.\n", colours["warning"])
    for again in list(told.get("resumed") or [])[-1:]:
        text.append(
            f"Went on from step {again['from_step']}, {again['lost_steps']} steps were lost.\n", colours["muted"]
        )
    if line.shown is not None:
        text.append("evaluation: ", colours["muted"]).append(rate_words(line.shown), colours["foreground"])
        text.append(f" at step {line.shown.step}, {line.shown.conditions_words}", colours["muted"])
    elif line.checkpoints:
        text.append("not evaluated yet: e evaluates it", colours["muted"])
    return text


def _evaluation_words(one: Evaluation, width: int, colours: Colours) -> Text:
    text = Text().append(one.name, f"bold {colours['foreground']}")
    text.append(f"  {rate_words(one)}", colours["foreground"])
    clean = one.rate("clean")
    text.append(f", clean {clean.k}, 95 % CI {interval_words(clean)}\n", colours["muted"])
    counts: dict[str, int] = {}
    for row in one.rows:
        counts[row.outcome] = counts.get(row.outcome, 0) + 1
    text.append_text(outcome_bar(counts, max(10, width), colours["line"])).append("\n")
    return text.append(one.conditions_words, colours["muted"])


def rate_words(one: Evaluation) -> str:
    """A rate with its interval; one of a policy that sees what no robot does is marked."""
    rate = one.rate()
    sees = " ‡ privileged: it sees the block" if one.told.get("privileged") else ""
    return f"{rate.k} of {rate.n}, 95 % CI {interval_words(rate)}{sees}"


def _name(entry: Entry, colours: Colours) -> Text:
    if entry.kind == TRAINING:
        return Text(entry.folder.name, colours["foreground"])
    one = entry.evaluation
    step = "" if one is None or one.step is None else f"@{one.step:06d}"
    name = step or (one.name if one is not None else entry.folder.name)
    return Text("└ ", colours["faint"]).append(name, colours["muted"])


def _on(entry: Entry) -> str:
    """What a training is on, or where an evaluation put blocks."""
    told = _told(entry)
    if entry.kind == TRAINING:
        data = dict(told.get("dataset") or {})
        return f"{data['name']} ({data['episodes']})" if data else ""
    placements: Mapping[str, Any] = dict(entry.evaluation.told.get("placements") or {}) if entry.evaluation else {}
    kind = str(placements.get("kind", ""))
    where = placements.get(kind)
    if kind in ("at", "grid") and isinstance(where, list):
        return f"{kind} {' '.join(f'{number:g}' for number in where)}"
    return kind


def _step(entry: Entry) -> str:
    if entry.kind != TRAINING or entry.line is None:
        return ""
    return f"{entry.line.step}/{entry.line.told['steps']}"


def _loss(entry: Entry) -> str:
    if entry.kind != TRAINING or entry.line is None:
        return ""
    return "-" if entry.line.loss is None else f"{entry.line.loss:.4g}"


def _rate(entry: Entry, colours: Colours) -> Text:
    """Of an evaluation, or the one that stands for a training."""
    one = entry.evaluation
    if one is None and entry.kind == TRAINING and entry.line is not None:
        one = entry.line.shown
    if one is None:
        return Text("")
    rate = one.rate()
    look = colours["foreground" if entry.evaluation is None else "muted"]
    text = Text().append(f"{f'{rate.k} of {rate.n}':<10}", look).append(f" {interval_words(rate)}", colours["muted"])
    return text.append(" ‡", colours["warning"]) if one.told.get("privileged") else text


def _ago(entry: Entry, now: datetime) -> str:
    told = entry.evaluation.told if entry.evaluation is not None else _told(entry)
    try:
        when = datetime.fromisoformat(str(told.get("when", "")))
    except ValueError:
        return ""
    return ago(when if when.tzinfo else when.replace(tzinfo=UTC), now)


def _where(entry: Entry) -> str:
    return entry.evaluation.conditions_words if entry.evaluation is not None else ""


def _told(entry: Entry) -> Mapping[str, Any]:
    return entry.line.told if entry.line is not None and not entry.wrong else {}
