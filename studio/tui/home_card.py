"""A dataset as three lines of the home screen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from studio.overview import Card
from studio.tui.widgets.outcome_bar import outcome_bar
from studio.tui.words import ago, counted, cut, interval_words

Colours = dict[str, str]


@dataclass(frozen=True)
class CardLines:
    """Draws a card as wide as it is asked to be.

    Attributes:
        card: the dataset.
        now: the time, for how long ago it changed.
        colours: by name, of the theme.
    """

    card: Card
    now: datetime
    colours: Colours

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        width = options.max_width
        yield self._title(width)
        yield Text(cut(self.card.damage, width), self.colours["muted"]) if self.card.damage else self._bar(width)
        if waits := self._waits():
            yield Text(waits, self.colours["warning"], no_wrap=True)

    def _title(self, width: int) -> Text:
        card = self.card
        right = Text(ago(card.changed, self.now), self.colours["muted"])
        size = "damaged" if card.damage else counted(card.episodes, "episode")
        right.append(f"  {size:>11}", self.colours["error" if card.damage else "foreground"])
        name = cut(card.name, width - right.cell_len - 2)
        title = Text(name, f"bold {self.colours['foreground']}", no_wrap=True)
        return title.append(" " * (width - len(name) - right.cell_len)).append_text(right)

    def _bar(self, width: int) -> Text:
        card = self.card
        words = Text(no_wrap=True)
        if card.success is not None:
            words.append(f"{card.success.k} of {card.success.n}", self.colours["foreground"])
            words.append(f"  CI {interval_words(card.success):<8}", self.colours["muted"])
        room = max(8, width - 25)
        line = outcome_bar(card.outcomes, room, self.colours["faint"])
        return line.append(" " * (width - room - words.cell_len)).append_text(words)

    def _waits(self) -> str:
        """What waits for the person, with the key that settles it."""
        card = self.card
        if card.unfinished:
            return f"{counted(card.unfinished, 'unfinished take')}: press v to recover"
        if card.waiting:
            return f"{counted(card.waiting, 'kept take')} not drawn yet: press v to finish"
        return ""
