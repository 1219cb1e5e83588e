"""Publish: where to, under which licence, and what would change there; then Enter sends it in the background."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType

from curation.hub.licences import LICENCES
from studio.tui.asking import TIMED_OUT, Asking
from studio.tui.form import FormScreen
from studio.tui.messages import PublishSeen
from studio.tui.state import Place, Studio
from studio.tui.widgets.form_row import NO, YES, Question

USUAL = ("cc-by-4.0", "cc0-1.0", "other")
"""Licences that are offered first; any id of the Hub's can be typed."""
UNSAID = "—"
"""No licence yet: nobody gives others rights by a default."""
LONGEST_S = 300.0
"""Checks of a large dataset and a slow Hub take less [s]."""


class PublishScreen(FormScreen):
    """What would change on the Hub, and the card, at the right."""

    NAME = "publish"
    HELP = (
        "One commit with a card made from the data, then LeRobot's version tag, without a moment in which readers find "
        "none. Private unless you say otherwise. F5 asks the Hub what would change; then Enter publishes in a job."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "publish", "publish", priority=True),
        Binding("f5", "look", "what would change"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if place.dataset is None:
            raise ValueError("publishing is about a dataset")
        self._root = place.dataset
        self._asking = Asking()
        self._ready: list[str] | None = None

    def questions(self) -> list[Question]:
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
        self.plan("F5 asks the Hub what would change there.")

    def changed(self, answers: dict[str, str]) -> None:
        """Show the command, and forget what was said about another one."""
        self._ready = None
        self.show_command(self._words())
        self.say(self._lacking() or "F5 shows what would change; then Enter publishes.")

    def _lacking(self) -> str:
        """What is still to be answered; "" if nothing is."""
        said = {name: answer.strip() for name, answer in self.answers.items()}
        if "/" not in said["to"]:
            return "Name the repository: owner/name."
        if said["licence"] == UNSAID:
            return "Choose a licence: it says what others may do with this."
        if said["public"] == YES and said["sure"] != said["to"]:
            return f"Everybody would see it: type {said['to']} once more."
        return ""

    def _words(self) -> list[str]:
        said = {name: answer.strip() for name, answer in self.answers.items()}
        licence = (said["named"] or "other") if said["licence"] == "other" else said["licence"]
        words = ["publish", str(self._root), "--to", said["to"]]
        words += ["--licence", licence] if licence != UNSAID else []
        words += ["--message", said["message"]] if said["message"] else []
        flags = {"public": "public", "masked": "with-masked", "deep": "deep", "force": "force", "replace": "replace"}
        return words + [f"--{flag}" for name, flag in flags.items() if said[name] == YES]

    def action_look(self) -> None:
        """Ask the Hub what would change there."""
        if lacking := self._lacking():
            self.say(lacking, "error")
            return
        self.say("asking the Hub ...")
        self._look(self.asked, self._words())

    @work(thread=True, exclusive=True, group="publish")
    def _look(self, number: int, words: list[str]) -> None:
        """In a process of its own: what asks the Hub is heavy, and its log must not reach this terminal."""
        answer = self._asking.ask([*words, "--dry-run"], LONGEST_S)
        ready = answer.code == 0
        again = " F5 asks again." if answer.code == TIMED_OUT else ""
        self.post_message(PublishSeen(number, answer.out if ready else answer.wrong + again, ready))

    @on(PublishSeen)
    def _show(self, message: PublishSeen) -> None:
        if message.number != self.asked:
            return
        self._ready = self._words() if message.ready else None
        self.plan(Text(message.text))
        if message.ready:
            self.say("Ready: Enter publishes.", "success")
        else:
            self.say("It would be refused.", "error")

    def action_publish(self) -> None:
        """Send in a job what was looked at."""
        if self._ready is None:
            self.notify(self._lacking() or "F5 first: look at what would change there.", severity="warning")
        elif job := self.begin(self._ready):
            self.shell.replace(Place("jobs", None, job.id))
