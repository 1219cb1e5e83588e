"""The calibration card in words, as a table for the terminal and as a page for whoever gets the classifier."""

from __future__ import annotations

import math

from classifiers.card import BASE_RATES, RECALL, Card
from curation.rates import Rate

CONTROL_HIGH = 0.8
"""AUROC of a control from which it is named as a danger."""


def card_lines(card: Card) -> list[str]:
    """The card, line by line."""
    rates, good = card.rates, int(card.truth.sum())
    lines = [
        f"{card.classifier} on {len(card.tested)} episodes it has not seen: {good} successes, "
        f"{len(card.tested) - good} failures",
        "",
        f"AUROC                      {card.auroc}",
        f"kept from                  probability {card.threshold:g} on",
        f"recall                     {rates.recall.of('successes kept')}",
        f"false positives            {rates.false_positives.of('failures kept')}",
        f"precision here             {rates.precision.of('kept are successes')}",
        f"precision at recall {100 * RECALL:.0f} %   {_three(card.precision_at_recall())} if half of all succeed",
        f"Brier score                {card.brier:.3f} (a coin has 0.25)",
        "",
        "precision by how often whoever drives succeeds:",
        *(f"  {100 * base:>3.0f} %   {_three(rates.precision_at(base))}" for base in BASE_RATES),
        "",
        "kept, by outcome:",
        *(f"  {word:<22} {_kept(rate)}" for word, rate in card.by_outcome().items()),
        "",
        "calibration (said -> came true):",
        *(f"  {100 * one.said:>3.0f} %   {_kept(one.true)}" for one in card.curve),
        "",
        "new to it:",
        *(f"  {what:<22} {_new(n, value)}" for what, (n, value) in card.where_new().items()),
    ]
    if card.pairs:
        lines += ["", "the same instant with the block elsewhere, told apart:"]
        lines += [f"  {what:<22} {_kept(rate)}" for what, rate in card.pairs.items()]
    if card.controls:
        lines += ["", "what should not be enough to tell (AUROC; 0.5 is a coin):"]
        lines += [f"  {what:<22} {value}" for what, value in card.controls.items()]
    if card.looks:
        lines += ["", "in another look or camera (AUROC):"]
        lines += [f"  {what:<22} {value}" for what, value in card.looks.items()]
    return [*lines, "", *trust(card)]


def trust(card: Card) -> list[str]:
    """What follows from it, in sentences."""
    said = []
    if not any(card.truth) or all(card.truth):
        said.append("Only one kind of episode was tested: this card says nothing about telling them apart.")
    thin = [word for word, rate in card.by_outcome().items() if rate.n < 10]
    if thin:
        said.append(f"Fewer than 10 episodes each of {', '.join(thin)}: what it does with those is hardly known.")
    high = [what for what, value in card.controls.items() if value.value >= CONTROL_HIGH and "painted" not in what]
    if high:
        said.append(
            f"In this data {' and '.join(high)} would nearly be enough to tell, so the numbers above do not show what "
            "it looks at; the pairs do."
        )
    said += [f"No episode of {what} was among them." for what, (n, _) in card.where_new().items() if n == 0]
    low = card.rates.precision_at(0.2)[1]
    if not math.isnan(low):
        said.append(
            f"Where one attempt in five succeeds, at least {100 * low:.0f} % of what it keeps are successes "
            "(95 % bound)."
        )
    return said


def card_page(card: Card) -> str:
    """The card as Markdown."""
    return "\n".join(["# Calibration card", "", "```text", *card_lines(card), "```", ""])


def _three(values: tuple[float, float, float]) -> str:
    value, low, high = values
    if math.isnan(value):
        return "unknown"
    return f"{100 * value:.1f} %, 95 % bounds {100 * low:.1f} to {100 * high:.1f} %"


def _kept(rate: Rate) -> str:
    return f"{rate.k:>4} of {rate.n:<4} {rate.interval}"


def _new(n: int, value: float) -> str:
    return f"{n:>4} episodes, AUROC {'unknown' if math.isnan(value) else f'{value:.3f}'}"
