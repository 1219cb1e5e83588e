"""Triage in words: whose word an episode has, how many are looked at, and how far a classifier is to be trusted."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from curation.library import Entry
from curation.rates import Rate
from curation.verdicts import Verdict, verdict
from studio.triage import Classifier, Classifiers, Order, disputed, likely, progress
from studio.tui.theme import outcome_style
from studio.tui.widgets.rows import Column
from studio.tui.words import counted, interval_words, outcome_word

Colours = dict[str, str]
SIGNS = {Verdict.ACCEPTED: ("✓", "success"), Verdict.REJECTED: ("✗", "error"), Verdict.UNDECIDED: ("?", "warning")}
DISPUTED = "≠"
ORDER_WORDS: dict[Order, str] = {
    "score": "highest score first",
    "low": "lowest score first",
    "doubt": "most doubtful first",
    "index": "as recorded",
}


def columns(known: Classifiers, colours: Colours) -> list[Column[Entry]]:
    """The table; narrow terminals leave some out."""
    return [
        Column("", 1, lambda e: _sign(e, colours)),
        Column("#", 4, lambda e: Text("-" if e.index is None else str(e.index)), right=True),
        Column("score", 5, lambda e: _score(e), right=True),
        Column(DISPUTED, 1, lambda e: Text(DISPUTED if disputed(e, known) else "", colours["warning"])),
        Column("judge", 13, lambda e: Text(outcome_word(e.outcome), outcome_style(e.outcome))),
        Column("x", 6, lambda e: _metres(e.x), right=True, least=60),
        Column("y", 6, lambda e: _metres(e.y), right=True, least=60),
        Column("operator", 18, lambda e: Text(e.operator), least=90),
        Column("notes", 0, lambda e: Text("; ".join(e.comments))),
    ]


def progress_words(listed: Sequence[Entry], colours: Colours) -> Text:
    """ "12 of 40 looked at"."""
    looked, saved = progress(listed)
    colour = "success" if saved and looked == saved else "foreground"
    return Text(f"{looked} of {saved} looked at", colours[colour], no_wrap=True)


def mode_words(order: Order, only_disputed: bool, only_unseen: bool, disputes: int, colours: Colours) -> Text:
    """In which order, and what of it is shown."""
    text = Text(ORDER_WORDS[order], colours["foreground"], no_wrap=True, overflow="ellipsis")
    disputed_words = "only" if only_disputed else "disputed"
    text.append(f"  {DISPUTED} {disputes} {disputed_words}", colours["warning" if disputes else "muted"])
    if only_unseen:
        text.append("  unseen only", colours["accent"])
    return text


def entry_words(entry: Entry | None, known: Classifiers, colours: Colours) -> Text:
    """One episode: what a person, the classifier and the judge say of it."""
    if entry is None:
        return Text("")
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"episode {entry.index}", f"bold {colours['foreground']}")
    said = verdict(entry)
    if said is not None:
        sign, colour = SIGNS[said]
        text.append(f"  {sign} {said.value}", colours[colour])
    if entry.predicted is not None:
        name = known[entry.predicted_by].name if entry.predicted_by in known else entry.predicted_by
        text.append(f"  {name} {entry.predicted:.2f}", colours["accent"])
    judge = entry.outcome.replace("_", " ") or "nobody judged it"
    text.append("  judge: ", colours["muted"]).append(judge, outcome_style(entry.outcome))
    if disputed(entry, known):
        text.append(f"  {DISPUTED} they disagree", colours["warning"])
    text.append(f"  {entry.seconds:.1f} s", colours["muted"])
    if entry.x is not None and entry.y is not None:
        text.append(f"  at {entry.x:.3f}, {entry.y:.3f}", colours["muted"])
    for words in entry.comments:
        text.append(f"  “{words}”", colours["secondary"])
    return text


def card_words(one: Classifier | None, dataset: str, colours: Colours) -> Text:
    """How far a classifier is to be trusted: its card's key numbers with their 95 % intervals, and its warnings."""
    if one is None:
        text = Text("No classifier has scored these episodes.\n", colours["foreground"])
        return text.append(f"studio score {dataset} --by NAME lets one say how sure it is.", colours["muted"])
    text = Text().append(one.name, f"bold {colours['foreground']}")
    text.append(f"  success from {one.threshold:g} on\n", colours["muted"])
    if one.card is None:
        text.append(f"! {one.why[:1].upper()}{one.why[1:]}. ", colours["warning"])
        return text.append("What its scores are worth is not known.", colours["muted"])
    from classifiers.card_text import promise, warnings

    card, rates = one.card, one.card.rates
    text.append(f"{counted(len(card.tested), 'unseen episode')}; c: whole card\n", colours["muted"])
    measured = card.auroc
    spread = f"{measured.low:.2f}-{measured.high:.2f}"
    text.append_text(_line("AUROC", f"{measured.value:.3f}", spread, colours))
    named = {"precision": rates.precision, "recall": rates.recall, "false alarms": rates.false_positives}
    for name, rate in named.items():
        text.append_text(_rate_line(name, rate, colours))
    for words in warnings(card):
        text.append(f"! {words}\n", colours["warning"])
    return text.append(promise(card), colours["foreground"])


def _rate_line(name: str, rate: Rate, colours: Colours) -> Text:
    return _line(
        name, f"{rate.k} of {rate.n}" if rate.n else "unknown", interval_words(rate) if rate.n else "", colours
    )


def _line(name: str, value: str, spread: str, colours: Colours) -> Text:
    text = Text().append(f"{name:<12} ", colours["muted"]).append(f"{value:<9} ", colours["foreground"])
    return text.append(f"{spread}\n", colours["muted"])


def _sign(entry: Entry, colours: Colours) -> Text:
    said = verdict(entry)
    if said is None:
        return Text(" ")
    sign, colour = SIGNS[said]
    return Text(sign, f"bold {colours[colour]}")


def _score(entry: Entry) -> Text:
    score = likely(entry)
    return Text("" if score is None else f"{score:.2f}")


def _metres(value: float | None) -> Text:
    return Text("" if value is None else f"{value:.3f}")
