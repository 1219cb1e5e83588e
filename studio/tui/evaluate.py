"""Evaluate: which checkpoint, where and how often; the map shows the placements; Enter starts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from studio.tui.evaluate_form import Planned, planned, questions, words_of
from studio.tui.following import Following
from studio.tui.form import FormScreen
from studio.tui.maps import MapHolder
from studio.tui.messages import EvaluatePlanned
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.train_form import WrongAnswer
from studio.tui.widgets.form_row import Question
from studio.tui.words import counted

WAIT_S = 0.3
"""Time after the last change until the placements are looked at [s]."""


class EvaluateScreen(FormScreen):
    """Placements on the map at the right, those out of reach marked."""

    NAME = "evaluate"
    HELP = (
        "One row per episode, on placements that can be drawn again from the seed. The map shows where blocks will be "
        "put; diamonds are where the arm cannot do it, and count apart. The same answers again go on where it stopped."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "evaluate", "evaluate", priority=True)]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._checkpoint = place.what if isinstance(place.what, str) else ""
        self._ready: Planned | None = None
        self._looking = self._starting = False
        self._wait: Timer | None = None

    def questions(self) -> list[Question]:
        return questions(self._checkpoint)

    def beside(self) -> Iterable[Widget]:
        with Vertical(id="form-side"):
            yield MapHolder(id="evaluate-map")
            yield Static(id="form-plan", markup=False)

    def changed(self, answers: dict[str, str]) -> None:
        """Look soon where blocks would be put."""
        self._ready, self._starting, self._looking = None, False, False
        if self._wait is not None:
            self._wait.stop()
        try:
            words = words_of(answers)
        except WrongAnswer as wrong:
            self._refuse(wrong)
            return
        self.show_command(words)
        self.say("looking ...")
        number, self._looking = self.asked, True
        self._wait = self.set_timer(WAIT_S, lambda: self._look(number, words))

    def _refuse(self, wrong: WrongAnswer) -> None:
        self.blame(wrong.field, str(wrong))
        self.plan("")
        self.query_one(MapHolder).spots([])
        self.say("This cannot be evaluated yet.", "error")

    @work(thread=True, exclusive=True, group="placements")
    def _look(self, number: int, words: list[str]) -> None:
        try:
            seen: Planned | WrongAnswer = planned(words)
        except WrongAnswer as wrong:
            seen = wrong
        self.post_message(EvaluatePlanned(number, seen))

    @on(EvaluatePlanned)
    def _show(self, message: EvaluatePlanned) -> None:
        if message.number != self.asked:
            return
        self._looking = False
        seen = message.seen
        if isinstance(seen, WrongAnswer):
            self._refuse(seen)
            return
        self._ready = seen
        table = self.query_one(MapHolder)
        table.scene(seen.scene)
        table.spots(seen.spots)
        self.plan(self._told(seen))
        self.say("Ready: Enter evaluates.", "success")
        if self._starting:
            self.action_evaluate()

    def _told(self, seen: Planned) -> Text:
        colours = themed(self.app)
        text = Text()
        text.append(f"{counted(seen.episodes, 'episode')}", colours["foreground"])
        if seen.infeasible:
            text.append(f", {seen.infeasible} where the arm cannot do it", colours["warning"])
        for line in seen.told:
            text.append(f"\n{line}", colours["muted"])
        return text

    def action_evaluate(self) -> None:
        """Start it in a job and follow it."""
        if self._ready is None:
            # Typed before the placements were looked at: it starts as soon as nothing is wrong with them.
            self._starting = self._looking
            if not self._looking:
                self.notify("The form is not right yet.", severity="warning")
            return
        if job := self.begin(self._ready.words):
            self.shell.replace(Place("evaluation", None, Following(None, job.id)))
