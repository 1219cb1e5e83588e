"""Generate: who makes episodes, where, and who keeps them; what would be made is shown, and Enter starts it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from studio.paths import dataset_path
from studio.tui.asking import Answer, Asking
from studio.tui.following import Following
from studio.tui.form import FormScreen
from studio.tui.generate_form import field_of, named, questions, with_scene, words_of
from studio.tui.maps import MapHolder
from studio.tui.messages import GeneratePlanned
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.train_form import WrongAnswer
from studio.tui.widgets.form_row import Question

WAIT_S = 0.6
"""Time after the last change until the command looks [s]: it starts a process."""
LONGEST_S = 120.0
"""A policy is loaded in less [s]."""


class GenerateScreen(FormScreen):
    """Positions on the map at the right; `place.what` may name the policy."""

    NAME = "generate"
    HELP = (
        "Attempts by a policy or a script, kept by the judge or by a classifier with a card. A share of the attempts "
        "is audited: only there the truth counts, and positions whose lower bound stays below the precision asked "
        "are not kept. The same answers again go on where it stopped."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "generate", "generate", priority=True)]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._policy = place.what if isinstance(place.what, str) else ""
        self._asking = Asking()
        self._ready: list[str] | None = None
        self._looking = self._starting = False
        self._wait: Timer | None = None

    def questions(self) -> list[Question]:
        return questions(named(self.place.dataset), self._policy)

    def beside(self) -> Iterable[Widget]:
        with Vertical(id="form-side"):
            yield MapHolder(id="evaluate-map")
            yield Static(id="form-plan", markup=False)

    def on_unmount(self) -> None:
        self._asking.stop()

    def changed(self, answers: dict[str, str]) -> None:
        """Say what is missing at once, and let the command look soon."""
        self._ready, self._starting, self._looking = None, False, False
        if self._wait is not None:
            self._wait.stop()
        try:
            words = with_scene(words_of(answers), answers)
        except WrongAnswer as wrong:
            self.show_command()
            self._refuse(wrong.field, str(wrong))
            return
        self.show_command(words)
        self.say("looking ...")
        number, self._looking = self.asked, True
        self._wait = self.set_timer(WAIT_S, lambda: self._look(number, words))

    def _refuse(self, field: str, why: str) -> None:
        self.blame(field, why)
        self.plan("")
        self.query_one(MapHolder).spots([])
        self.say("This cannot be generated yet." if field else why, "error")

    @work(thread=True, exclusive=True, group="plan")
    def _look(self, number: int, words: list[str]) -> None:
        """In a process of its own: it loads the policy."""
        self._asking.stop()
        answer = self._asking.ask([*words, "--dry-run", "--json"], LONGEST_S)
        self.post_message(GeneratePlanned(number, words, _told(answer), answer.wrong or "The command failed."))

    @on(GeneratePlanned)
    def _show(self, message: GeneratePlanned) -> None:
        if message.number != self.asked:
            return
        self._looking = False
        if not message.told:
            self._refuse(field_of(message.wrong), message.wrong)
            return
        self._ready = message.words
        told = message.told
        table = self.query_one(MapHolder)
        table.scene(told["scene"])
        table.spots([(x, y, "planned") for x, y in told["spots"]])
        self.plan(Text(told["text"], themed(self.app)["foreground"]))
        self.say(f"Ready: Enter {'goes on' if told['made'] else 'generates'}.", "success")
        if self._starting:
            self.action_generate()

    def action_generate(self) -> None:
        """Start it in a job and follow it."""
        if self._ready is None:
            # Typed before the command had looked: it starts as soon as that finds nothing wrong.
            self._starting = self._looking
            if not self._looking:
                self.notify("The form is not right yet.", severity="warning")
            return
        if job := self.begin(self._ready):
            root = dataset_path(self.answers["to"].strip())
            self.shell.replace(Place("generation", root, Following(root, job.id)))


def _told(answer: Answer) -> dict[str, Any]:
    """What the command would do; empty where it refused."""
    try:
        return dict(json.loads(answer.out)) if answer.code == 0 else {}
    except ValueError:
        return {}
