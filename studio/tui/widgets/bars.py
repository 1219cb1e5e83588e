"""The first and the last line of every screen: where one is, and which keys do something here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input

from studio.tui.state import Studio
from studio.tui.theme import themed
from studio.tui.words import counted, cut

_GAP = "  "


class TopBar(Widget):
    """Name of the place and dataset on the left; what goes on and the time on the right."""

    def __init__(self, studio: Studio, place: str, dataset: Path | None) -> None:
        super().__init__()
        self._studio = studio
        self._place = place
        self._dataset = dataset
        self._jobs_running = 0

    def on_mount(self) -> None:
        self.set_interval(1.0, self.refresh)

    def show_jobs(self, running: int) -> None:
        """Say how many jobs run."""
        if running != self._jobs_running:
            self._jobs_running = running
            self.refresh()

    def name_dataset(self, dataset: Path | None) -> None:
        """Say which dataset the screen is about."""
        self._dataset = dataset
        self.refresh()

    def render(self) -> RenderResult:
        colours = themed(self.app)
        right = Text()
        if self._studio.live is not None:
            right.append(f"● recording {self._studio.live.name}", colours["error"]).append(_GAP)
        if self._jobs_running:
            right.append(f"▶ {counted(self._jobs_running, 'job')}", colours["warning"]).append(_GAP)
        right.append(f"{self._studio.clock():%H:%M}", colours["muted"])
        left = Text(" studio", f"bold {colours['accent']}")
        left.append(" › ", colours["faint"]).append(self._place, f"bold {colours['foreground']}")
        if self._dataset is not None:
            room = self.size.width - left.cell_len - right.cell_len - 6
            left.append(" › ", colours["faint"]).append(cut(self._dataset.name, room), colours["foreground"])
        left.append(" " * max(1, self.size.width - left.cell_len - right.cell_len - 1))
        return left.append_text(right)


class KeyBar(Widget):
    """The keys of the screen in the order of its bindings, as many as fit; last are back and help.

    Args:
        first: whether nothing is behind this screen.
        back: what Esc does, where something is.
    """

    def __init__(self, *, first: bool, back: str = "back") -> None:
        super().__init__()
        self._first = first
        self._back = back

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, _: Screen[Any]) -> None:
        self.refresh()

    def render(self) -> RenderResult:
        colours = themed(self.app)

        def entry(key: str, words: str) -> Text:
            return Text(key, f"bold {colours['accent']}").append(f" {words}", colours["muted"])

        # A "?" that is typed into a field is a question mark.
        tail = entry("F1" if isinstance(self.screen.focused, Input) else "?", "help ")
        if not self._first:
            tail = entry("Esc", self._back).append(_GAP).append_text(tail)
        room = self.size.width - tail.cell_len
        line = Text(" ")
        for key, words in shown_keys(self.screen):
            shown = entry(key, words)
            if line.cell_len + shown.cell_len + 1 > room:
                break
            line.append_text(shown).append(_GAP)
        line.truncate(room)
        line.append(" " * max(0, room - line.cell_len))
        return line.append_text(tail)


def shown_keys(screen: Screen[Any]) -> list[tuple[str, str]]:
    """Key and words of every binding that is shown, keys of one action together."""
    found: dict[tuple[str, str], list[str]] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if binding.show and enabled and binding.description:
            keys = found.setdefault((binding.action, binding.description), [])
            display = screen.app.get_key_display(binding)
            if display not in keys:
                keys.append(display)
    # The other keys of an action are in the help.
    return [(keys[0], words) for (_, words), keys in found.items()]
