"""The calibration card in words, as a table for the terminal and as a page for whoever gets the classifier."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

import numpy as np

from classifiers.card import BASE_RATES, RECALL, Card, Part
from classifiers.over_time import LATE_S, Stops
from curation.auroc import Measured
from curation.rates import Rate

CONTROL_HIGH = 0.8
"""AUROC of a control from which it is named as a danger."""
SHUFFLED = "shuffled labels"
WORSE = 0.9
"""AUROC in another look below which a classifier does not carry over to it."""
WIDTH = 100
"""Characters of a line of sentences."""
FEW = 10
"""Episodes of a kind below which hardly anything is known of it."""


def card_lines(card: Card) -> list[str]:
    """The card, line by line."""
    rates, good = card.rates, int(card.truth.sum())
    over = f" {card.passed_over} it learned from, and copies, did not count." if card.passed_over else ""
    lines = [
        f"{card.classifier} on {len(card.tested)} episodes it has not seen: {good} successes, "
        f"{len(card.tested) - good} failures.{over}",
        "",
        *(line for sentence in trust(card) for line in wrap(sentence, WIDTH)),
        "",
        f"AUROC                     {card.auroc}",
        f"kept from                 probability {card.threshold:g} on, {chosen(card)}",
        f"recall                    {rates.recall.of('successes kept')}",
        f"false positives           {rates.false_positives.of('failures kept')}",
        f"precision here            {rates.precision.of('kept are successes')}",
        f"Brier score               {card.brier:.3f} (a coin has 0.25)",
        f"precision at recall {100 * RECALL:.0f} %  {_three(card.precision_at_recall())}, if half of all succeed,",
        "                          from the probability on that keeps so many here",
    ]
    for title, rows in _sections(card):
        lines += ["", title, *(f"  {name:<22}  {told}" for name, told in rows)]
    return lines


def _sections(card: Card) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Headed lists of (what, how it does), those without anything left out."""
    sections: list[tuple[str, list[tuple[str, str]]]] = [
        (
            "precision, by how often whoever drives succeeds",
            [(f"{100 * base:>3.0f} %", _three(card.rates.precision_at(base))) for base in BASE_RATES],
        ),
        ("kept, by outcome", _rates(card.by_outcome().items())),
        (
            "calibration: of those it said this of, so many are successes",
            _rates((f"{100 * one.said:>3.0f} %", one.true) for one in card.curve),
        ),
        ("what is new to it", [(what, _part(part)) for what, part in card.where_new().items()]),
        ("by who drove", [(who, _part(part)) for who, part in several(card.by_policy()).items()]),
        (
            "by where the block began, around x, y [m]",
            [(f"{x:.2f}, {y:+.2f}", _part(part)) for (x, y), part in card.by_area().items()],
        ),
        ("the same instant with the block elsewhere: told apart", _rates(card.pairs.items())),
        ("what should not be enough to tell: AUROC, 0.5 is a coin", _measured(card.controls)),
        ("in another look or camera: AUROC", _measured(card.looks)),
        ('a recorder that stops at "done", by the decoded video', [] if card.stops is None else _stops(card.stops)),
    ]
    yield from ((title, rows) for title, rows in sections if rows)


def chosen(card: Card) -> str:
    """Whether the threshold was chosen before these episodes were looked at."""
    if card.earlier is None:
        return "and nobody knows which others were looked at before"
    if not card.others:
        return "chosen before"
    told = ", ".join(f"{other:g}" for other in card.others)
    return f"the {_ordinal(len(card.others) + 1)} threshold looked at on these episodes (earlier: {told})"


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def trust(card: Card) -> list[str]:
    """What follows from it, in sentences."""
    return [*filter(None, [promise(card)]), *warnings(card)]


def promise(card: Card) -> str:
    """What may be relied on where successes are rare; "" where that is not known."""
    low = card.rates.precision_at(0.2)[1]
    if math.isnan(low):
        return ""
    return (
        f"Where one attempt in five succeeds, at least {100 * low:.0f} % of what it keeps are successes (95 % bound)."
    )


def warnings(card: Card) -> list[str]:
    """What stands against relying on it, in sentences."""
    said = []
    if not any(card.truth) or all(card.truth):
        said.append("Only one kind of episode was tested: this card says nothing about telling them apart.")
    if card.others:
        said.append(
            "The threshold may have been chosen by these episodes, so what it keeps looks better here than it is: make "
            "the card on others."
        )
    beside = ("block and bowl painted out", SHUFFLED)
    high = [what for what, one in card.controls.items() if one.value >= CONTROL_HIGH and what not in beside]
    if high:
        said.append(
            f"In this data {' and '.join(high)} would nearly be enough to tell, so the numbers do not show what it "
            "looks at; the pairs do."
        )
    shuffled = card.controls.get(SHUFFLED)
    if shuffled is not None and shuffled.low > 0.5:
        said.append(
            "Trainings on shuffled labels tell them apart too: either the procedure is at fault, or this is the one "
            "card in forty on which they do by chance. Make it again with another --seed."
        )
    worse = [what for what, one in card.looks.items() if one.value < WORSE]
    if worse:
        said.append(f"It does not carry over to: {', '.join(worse)}. Train it on such pictures first.")
    unknown = [what for what, part in card.where_new().items() if not part.episodes]
    if unknown:
        said.append(f"No episode of {' or '.join(unknown)} was among them.")
    thin = [word.replace("_", " ") for word, rate in card.by_outcome().items() if rate.n < FEW]
    if thin:
        said.append(f"Fewer than {FEW} episodes of {', '.join(thin)}: what it does with those is hardly known.")
    return said


def card_page(card: Card, picture: str) -> str:
    """The card as Markdown, with its picture."""
    title = f"# Calibration card of {card.classifier}"
    return "\n".join([title, "", f"![the card]({picture})", "", "```text", *card_lines(card), "```", ""])


def several[Key](parts: dict[Key, Part]) -> dict[Key, Part]:
    """The parts, if there is more than one."""
    return parts if len(parts) > 1 else {}


def _three(values: tuple[float, float, float]) -> str:
    value, low, high = values
    if math.isnan(value):
        return "unknown"
    return f"{100 * value:5.1f} %, 95 % bounds {100 * low:.0f} to {100 * high:.0f} %"


def _rates(rates: Iterable[tuple[str, Rate]]) -> list[tuple[str, str]]:
    return [(name.replace("_", " "), f"{rate.k:>4} of {rate.n:<4} {rate.interval}") for name, rate in rates]


def _measured(found: Mapping[str, Measured]) -> list[tuple[str, str]]:
    return [(name, str(one)) for name, one in found.items()]


def _part(part: Part) -> str:
    if not part.episodes:
        return "no episode"
    auroc = part.auroc
    told = "" if math.isnan(auroc.value) else f"AUROC {auroc.value:.3f} ({auroc.low:.2f} to {auroc.high:.2f}), "
    recall, wrong = part.recall, part.false_positives
    return f"{told}kept {recall.k} of {recall.n} successes, {wrong.k} of {wrong.n} failures"


def _stops(stops: Stops) -> list[tuple[str, str]]:
    rates = {
        f"within {LATE_S:g} s of rest": stops.seen,
        "before a success": stops.early,
        "in a failure": stops.wrong,
    }
    late = f", median {np.median(stops.delays_s):.1f} s after" if stops.delays_s else ""
    rows = _rates(rates.items())
    return [(rows[0][0], rows[0][1] + late), *rows[1:]]
