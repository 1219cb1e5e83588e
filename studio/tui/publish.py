"""Publish: where to, under which licence, and what would change there; then Enter sends it in the background."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError
from curation.hub.licences import LICENCES
from studio.tui.edit_form import line_of
from studio.tui.messages import PublishSeen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.choice import Choice
from studio.tui.widgets.form_row import NO, YES, FormRow, Question

USUAL = ("cc-by-4.0", "cc0-1.0", "other")
"""Licences that are offered first; any id of the Hub's can be typed."""
UNSAID = "—"
"""No licence yet: nobody gives others rights by a default."""
LONGEST_S = 300.0
"""Checks of a large dataset and a slow Hub take less [s]."""


class PublishScreen(StudioScreen):
    """A form at the left, what would change on the Hub and the card at the right."""

    NAME = "publish"
    HELP = (
        "One commit with a card made from the data, then LeRobot's version tag, without a moment in which readers find "
        "none. Private unless you say otherwise. F5 asks the Hub what would change; then Enter publishes in a job."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "publish", "publish", priority=True),
        Binding("f5", "look", "what would change"),
        Binding("down", "app.focus_next", "next field", show=False),
        Binding("up", "app.focus_previous", "field before", show=False),
        Binding("pagedown", "scroll(10)", "down", show=False),
        Binding("pageup", "scroll(-10)", "up", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if place.dataset is None:
            raise ValueError("publishing is about a dataset")
        self._root = place.dataset
        self._asked = 0
        self._ready: list[str] | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="edit"):
            with VerticalScroll(id="edit-form", can_focus=False):
                yield from map(FormRow, self._questions())
            with VerticalScroll(id="edit-side", can_focus=False):
                yield Static("F5 asks the Hub what would change there.", id="edit-plan", markup=False)
        with Vertical(id="edit-foot"):
            yield Static(id="edit-verdict", markup=False)
            yield Static(id="edit-command", markup=False)

    def _questions(self) -> list[Question]:
        return [
            Question("to", "to", hint="you/name", wide=True),
            Question("licence", "licence", UNSAID, options=(UNSAID, *USUAL)),
            Question("named", "its id", hint=LICENCES[0], wide=True, only_if=("licence", ("other",))),
            Question("public", "public", NO, options=(YES, NO)),
            Question("sure", "to everybody", hint="type you/name again", wide=True, only_if=("public", (YES,))),
            Question("message", "message", hint="what changed", wide=True),
            Question("masked", "trash too", NO, options=(YES, NO)),
            Question("deep", "every image", NO, options=(YES, NO)),
            Question("force", "force", NO, options=(YES, NO)),
            Question("replace", "replace", NO, options=(YES, NO)),
        ]

    def on_mount(self) -> None:
        self.query_one("#to").focus()
        self._changed()

    @on(Input.Changed)
    @on(Choice.Changed)
    def _changed(self) -> None:
        """Show the command, and forget what was said about another one."""
        answers = self._answers()
        for row in self.query(FormRow):
            condition = row.question.only_if
            row.display = condition is None or answers[condition[0]] in condition[1]
        self._asked += 1
        self._ready = None
        muted = themed(self.app)["muted"]
        self.query_one("#edit-command", Static).update(Text(f"$ {line_of(self._words())}", muted))
        self._say(self._lacking() or "F5 shows what would change; then Enter publishes.")

    def _lacking(self) -> str:
        """What is still to be answered; "" if nothing is."""
        said = self._answers()
        if "/" not in said["to"]:
            return "Name the repository: owner/name."
        if said["licence"] == UNSAID:
            return "Choose a licence: it says what others may do with this."
        if said["public"] == YES and said["sure"] != said["to"]:
            return f"Everybody would see it: type {said['to']} once more."
        return ""

    def _answers(self) -> dict[str, str]:
        return {row.question.name: row.value.strip() for row in self.query(FormRow)}

    def _words(self) -> list[str]:
        said = self._answers()
        licence = (said["named"] or "other") if said["licence"] == "other" else said["licence"]
        words = ["publish", str(self._root), "--to", said["to"]]
        words += ["--licence", licence] if licence != UNSAID else []
        words += ["--message", said["message"]] if said["message"] else []
        flags = {"public": "public", "masked": "with-masked", "deep": "deep", "force": "force", "replace": "replace"}
        return words + [f"--{flag}" for name, flag in flags.items() if said[name] == YES]

    def action_look(self) -> None:
        """Ask the Hub what would change there."""
        if lacking := self._lacking():
            self._say(lacking, good=False)
            return
        self._say("asking the Hub ...")
        self._look(self._asked, self._words())

    @work(thread=True, exclusive=True, group="publish")
    def _look(self, number: int, words: list[str]) -> None:
        """In a process of its own: what asks the Hub is heavy, and its log must not reach this terminal."""
        try:
            done = subprocess.run(
                [sys.executable, "-m", "studio.cli", *words, "--dry-run"], capture_output=True, encoding="utf-8",
                timeout=LONGEST_S, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            self.post_message(PublishSeen(number, f"No answer in {LONGEST_S:g} s. F5 asks again.", ready=False))
            return
        ready = done.returncode == 0
        told = done.stdout if ready else done.stderr.strip().rpartition("\n")[2].removeprefix("studio publish: ")
        self.post_message(PublishSeen(number, told, ready))

    @on(PublishSeen)
    def _show(self, message: PublishSeen) -> None:
        if message.number != self._asked:
            return
        self._ready = self._words() if message.ready else None
        self.query_one("#edit-plan", Static).update(Text(message.text))
        self._say("Ready: Enter publishes." if message.ready else "It would be refused.", good=message.ready)

    def _say(self, words: str, *, good: bool | None = None) -> None:
        colour = "muted" if good is None else "success" if good else "error"
        self.query_one("#edit-verdict", Static).update(Text(words, themed(self.app)[colour]))

    def action_publish(self) -> None:
        """Send in a job what was looked at."""
        if self._ready is None:
            self.notify(self._lacking() or "F5 first: look at what would change there.", severity="warning")
            return
        try:
            job = self.studio.jobs.start(self._ready)
        except StudioError as error:
            self.shell.tell(error)
            return
        self.shell.replace(Place("jobs", None, job.id))

    def action_scroll(self, lines: int) -> None:
        """Look further down or up."""
        self.query_one("#edit-side").scroll_relative(y=lines, animate=False)
