"""The library's text: how many are listed, and one episode in a line."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.text import Text

from curation.library import Entry
from studio.tui.library_columns import GONE
from studio.tui.theme import outcome_style
from studio.tui.words import length_words, moment

Colours = dict[str, str]


def counts_words(
    everything: Sequence[Entry], listed: Sequence[Entry], marked: Collection[str], colours: Colours
) -> Text:
    """ "12 of 40 · 3 marked · 2 in the trash"."""
    kept = [entry for entry in everything if entry.state not in GONE]
    gone = len(everything) - len(kept)
    text = Text(f"{len(listed)} of {len(kept)}", colours["foreground"], no_wrap=True)
    text.append(f" · {length_words(sum(entry.seconds for entry in listed))}", colours["muted"])
    if marked:
        text.append(f" · {len(marked)} marked", colours["secondary"])
    if gone:
        text.append(f" · {gone} in trash", colours["muted"])
    return text


def entry_words(entry: Entry | None, colours: Colours) -> Text:
    """What the table has no room for."""
    if entry is None:
        return Text("")
    name = entry.episode_id[:8] if entry.index is None else f"episode {entry.index}"
    text = Text(name, f"bold {colours['foreground']}", no_wrap=True, overflow="ellipsis")
    text.append(f"  {entry.outcome.replace('_', ' ')}", outcome_style(entry.outcome))
    text.append(f"  {entry.frames} frames", colours["muted"])
    if entry.started:
        text.append(f"  {moment(entry.started)}", colours["muted"])
    if entry.target:
        text.append(f"  target {entry.target}", colours["muted"])
    for gauge, found in entry.meter.items():
        level = found.get("level")
        if level in ("amber", "red"):
            text.append(
                f"  {gauge.replace('_', ' ')} {found.get('value'):g}", colours["error" if level == "red" else "warning"]
            )
    for words in entry.comments:
        text.append(f"  “{words}”", colours["secondary"])
    return text
