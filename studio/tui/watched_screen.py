"""What was watched: histories on disk, each opened without its policy; and a new one is begun."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from studio.tui.messages import WatchedRead
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import outcome_style, themed
from studio.tui.watch_ask import checkpoint_sheet
from studio.tui.watch_sight import settings_words
from studio.tui.watching import Watching
from studio.tui.widgets.rows import Column, Rows
from studio.tui.words import ago, outcome_word, path_words
from studio.watching.files import WATCH

POLL_S = 2.0
"""How often the folder is looked at [s]."""
HOME = Path("watched")
"""Where `studio watch` puts what it is not told to put elsewhere."""
EMPTY = (
    "Nothing was watched yet.\n\n"
    "n watches a policy think:   studio watch CHECKPOINT --at X Y\n"
    "w does on a run, on a saved episode in the library, and on an evaluation."
)


@dataclass(frozen=True)
class Watched:
    """A history on disk.

    Attributes:
        folder: it is in.
        told: its watch.json; empty where it cannot be read.
        when: it was written.
    """

    folder: Path
    told: dict[str, Any]
    when: datetime

    @property
    def ending(self) -> str:
        """How it ended, in a word; "" where it goes on."""
        return str((self.told.get("ending") or {}).get("outcome", ""))


class WatchedScreen(StudioScreen):
    """The histories, the newest first."""

    NAME = "watched"
    HELP = (
        "Every episode that was watched from this folder, by the screens or by studio watch. Opening one needs no "
        "policy; going on from one of its frames does, and first proves that it repeats bit for bit."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open"),
        Binding("n", "new", "watch a policy"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._all: list[Watched] = []

    def body(self) -> Iterable[Widget]:
        colours = themed(self.app)

        def quiet(text: str) -> Text:
            return Text(text, colours["muted"])

        columns: list[Column[Watched]] = [
            Column("folder", 22, lambda one: Text(one.folder.name)),
            Column("policy", 9, lambda one: quiet(str(dict(one.told.get("checkpoint", {})).get("policy", "")))),
            Column("outcome", 14, lambda one: _outcome(one, colours)),
            Column("frames", 6, lambda one: Text(str(one.told.get("frames", ""))), right=True),
            Column("alarm", 5, lambda one: Text("ALARM" if one.told.get("alarms") else "", colours["error"])),
            Column("watched", 10, lambda one: quiet(ago(one.when, self.studio.clock()))),
            Column("how", 0, lambda one: quiet(settings_words(one.told) if "settings" in one.told else ""), least=100),
        ]
        yield Static(f"In {path_words(HOME)}", classes="title", markup=False)
        yield Rows(columns, lambda one: not one.told, id="watched")
        yield Static(EMPTY, id="watched-empty", classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one("#watched-empty").display = False
        self.query_one(Rows).focus()
        self.look_now()
        self.look_every(POLL_S)

    def on_screen_resume(self) -> None:
        self.look_now()

    def look(self) -> None:
        self.post_message(WatchedRead(histories(HOME)))

    @on(WatchedRead)
    def _show(self, message: WatchedRead) -> None:
        rows = self.query_one(Rows)
        before: Watched | None = rows.item
        if message.found != self._all or not self._all:
            self._all = message.found
            folders = [one.folder for one in self._all]
            rows.show(self._all, folders.index(before.folder) if before and before.folder in folders else rows.cursor)
        rows.display = bool(self._all)
        self.query_one("#watched-empty").display = not self._all
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        return action != "open" or bool(self._all)

    @on(Rows.Chosen)
    def action_open(self) -> None:
        """Look through the highlighted one."""
        one: Watched | None = self.query_one(Rows).item
        if one is not None:
            self.shell.go(Place("watch", None, Watching(one.folder)))

    def action_new(self) -> None:
        """Ask for a checkpoint and a position."""
        self.app.push_screen(checkpoint_sheet(""), self._begin)

    def _begin(self, words: list[str] | None) -> None:
        if words is not None:
            self.shell.go(Place("watch", None, Watching(words=words)))


def histories(home: Path) -> list[Watched]:
    """The histories in a folder, the newest first."""
    found = []
    for path in home.glob(f"*/{WATCH}"):
        try:
            when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            told = json.loads(path.read_bytes())
        except OSError:
            continue
        except ValueError:
            told = {}
        found.append(Watched(path.parent, told if isinstance(told, dict) else {}, when))
    return sorted(found, key=lambda one: one.when, reverse=True)


def _outcome(one: Watched, colours: dict[str, str]) -> Text:
    if not one.told:
        return Text("damaged", colours["error"])
    return Text(outcome_word(one.ending), outcome_style(one.ending)) if one.ending else Text("broke off")
