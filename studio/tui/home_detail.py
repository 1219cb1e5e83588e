"""The highlighted dataset: its placements on the table, its outcomes in numbers."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from studio.overview import Card
from studio.tui.maps import MapHolder
from studio.tui.theme import outcome_style, themed
from studio.tui.words import length_words


class Detail(Vertical):
    """Map above, numbers below."""

    def compose(self) -> ComposeResult:
        yield MapHolder(id="home-map")
        yield Static(id="home-facts")

    def show(self, card: Card | None) -> None:
        """Show a dataset, or nothing."""
        self.query_one("#home-facts", Static).update(Text() if card is None else facts(card, themed(self.app)))
        spots = [] if card is None else [(x, y, _kind(outcome)) for x, y, outcome in card.spots]
        table = self.query_one(MapHolder)
        table.scene(card.scene if card is not None else None)
        table.spots(spots)


def facts(card: Card, colours: dict[str, str]) -> Text:
    """Outcomes with their counts, and how much was recorded."""
    if card.damage:
        return Text(card.damage, colours["error"])
    if not card.episodes:
        trash = f"; {card.masked} in the trash" if card.masked else ""
        return Text(f"no episodes yet{trash}: r records some", colours["muted"])
    text = Text()
    for outcome, count in card.outcomes.items():
        text.append("■ ", outcome_style(outcome))
        text.append(f"{count:>4}  ", colours["foreground"])
        text.append(f"{outcome.replace('_', ' ') or 'no outcome'}\n", colours["muted"])
    if card.success is not None:
        rate = card.success
        text.append(f"\n{rate.k} of {rate.n} {card.success_of} succeeded\n", colours["foreground"])
        text.append(f"{rate.interval}\n", colours["muted"])
    more = [length_words(card.seconds), *card.operators, *([f"{card.masked} in the trash"] if card.masked else [])]
    text.append(" · ".join(more), colours["muted"])
    return text


def _kind(outcome: str) -> Any:
    return "saved" if outcome == "success" or not outcome else "failed"
