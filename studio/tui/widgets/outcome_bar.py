"""Outcomes as one coloured bar: the share of each, in the palette's colours."""

from __future__ import annotations

from collections.abc import Mapping

from rich.text import Text

from studio.tui.theme import outcome_style

BAR = "━"


def outcome_bar(outcomes: Mapping[str, int], width: int, empty: str) -> Text:
    """A bar of `width` cells in which every outcome has its share; every outcome that occurs has at least a cell.

    Args:
        outcomes: episodes by outcome.
        width: cells.
        empty: colour of a bar without episodes.
    """
    if not sum(outcomes.values()):
        return Text("─" * width, empty)
    bar = Text()
    for outcome, cells in zip(outcomes, _cells(list(outcomes.values()), width), strict=True):
        bar.append(BAR * cells, outcome_style(outcome))
    return bar


def progress_bar(share: float | None, width: int, colour: str, rest: str) -> Text:
    """A bar that is lit up to `share`; a dotted line where the share is not known."""
    if share is None:
        return Text("╌" * width, rest)
    full = round(share * width)
    return Text(BAR * full, colour).append(BAR * (width - full), rest)


def _cells(counts: list[int], width: int) -> list[int]:
    """Cells of each count, by largest remainder, at least one each while there is room."""
    total = sum(counts)
    exact = [count * width / total for count in counts]
    cells = [max(1, int(share)) for share in exact]
    while sum(cells) > width and max(cells) > 1:
        # Taken from the widest, where one cell less says least that is wrong.
        cells[cells.index(max(cells))] -= 1
    while sum(cells) < width:
        behind = [share - have for share, have in zip(exact, cells, strict=True)]
        cells[behind.index(max(behind))] += 1
    return cells[:width]
