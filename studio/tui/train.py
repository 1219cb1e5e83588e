"""Train: what, on what and how; preflight says what stands against it; Enter starts it in the background."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.timer import Timer

from curation.errors import BAD_DATA
from studio.paths import run_path
from studio.tui.asking import Asking
from studio.tui.following import Following
from studio.tui.form import FormScreen
from studio.tui.messages import PreflightSeen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.train_form import GO_ON, Training, WrongAnswer, field_of, preflight_words, questions, words_of
from studio.tui.training_sight import TrainingSight, TrainingWatch
from studio.tui.training_words import subject
from studio.tui.widgets.form_row import Question

WAIT_S = 0.6
"""Time after the last change until preflight looks [s]: it starts a process."""
LONGEST_S = 600.0
"""Preflight of a large dataset takes less [s]."""
_LOOKS = {"error": ("✗", "error"), "warning": ("!", "warning")}


class TrainScreen(FormScreen):
    """Preflight's findings at the right, gravest first."""

    NAME = "train"
    FIRST = "dataset"
    HELP = (
        "LeRobot's own training, in a job. At the right is what preflight says of it: nothing starts while there is an "
        "error, and every finding names what mends it. What is left empty is the usual; more takes LeRobot's arguments."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "train", "train", priority=True)]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._begin = place.what if isinstance(place.what, Training) else Training(place.dataset)
        self._asking = Asking()
        self._ready: list[str] | None = None
        self._starting = self._looking = False
        self._wait: Timer | None = None

    def questions(self) -> list[Question]:
        return questions(self._begin)

    def on_unmount(self) -> None:
        self._asking.stop()

    def changed(self, answers: dict[str, str]) -> None:
        """Say what is wrong at once, and let preflight look soon."""
        self._ready, self._starting, self._looking = None, False, False
        if self._wait is not None:
            self._wait.stop()
        try:
            words = words_of(answers)
            asked = preflight_words(answers)
        except WrongAnswer as wrong:
            self._refuse(str(wrong), wrong.field)
            return
        self.show_command(words)
        if answers["kind"] == GO_ON:
            self._show_run(answers["resume"].strip(), words)
            return
        self.say("preflight looks ...")
        self._looking = True
        number = self.asked
        self._wait = self.set_timer(WAIT_S, lambda: self._look(number, asked))

    def _refuse(self, why: str, field: str = "") -> None:
        self.blame(field, why)
        self.show_command()
        self.plan("")
        self.say("This cannot be trained yet." if field else why, "error")

    def _show_run(self, name: str, words: list[str]) -> None:
        """What would be gone on with."""
        sight = TrainingWatch(run_path(name)).look()
        lines, why = _gone_on(sight)
        self.plan(Text("\n").join(Text(line, themed(self.app)["muted"]) for line in lines))
        if why:
            self.blame("resume", why)
            self.say("It cannot go on.", "error")
            return
        self._ready = words
        self.say("Ready: Enter goes on.", "success")

    @work(thread=True, exclusive=True, group="preflight")
    def _look(self, number: int, words: list[str]) -> None:
        """In a process of its own: it may load PyTorch."""
        self._asking.stop()
        answer = self._asking.ask(words, LONGEST_S)
        try:
            found = json.loads(answer.out) if answer.code in (0, BAD_DATA) else []
        except ValueError:
            found = []
        refused = "" if answer.code in (0, BAD_DATA) else answer.wrong or "Preflight failed."
        self.post_message(PreflightSeen(number, found, refused))

    @on(PreflightSeen)
    def _show(self, message: PreflightSeen) -> None:
        if message.number != self.asked:
            return
        self._looking = False
        if message.refused:
            named = self.answers["dataset"].strip() in message.refused
            self._refuse(message.refused, field_of(message.refused) or ("dataset" if named else ""))
            return
        self.plan(self._told(message.found))
        wrong = sum(one["level"] == "error" for one in message.found)
        if wrong:
            self.say(f"Preflight refuses it: {wrong} error{'s' if wrong > 1 else ''}. Nothing is started.", "error")
            return
        self._ready = words_of(self.answers)
        self.say("Ready: Enter trains.", "success")
        if self._starting:
            self.action_train()

    def _told(self, found: list[dict[str, Any]]) -> Text:
        """The findings with what mends them."""
        colours = themed(self.app)
        text = Text()
        if not found:
            return Text("Preflight found nothing.", colours["success"])
        for one in found:
            sign, colour = _LOOKS.get(one["level"], ("·", "muted"))
            text.append(f"{sign} {one['check']}\n", f"bold {colours[colour]}")
            text.append(f"{one['what']}\n", colours["foreground"])
            if one.get("mend"):
                text.append(f"→ {one['mend'].replace('DATASET', self.answers['dataset'])}\n", colours["muted"])
            text.append("\n")
        return text

    def action_train(self) -> None:
        """Start it in a job and follow it."""
        if self._ready is None:
            # Typed before preflight had looked: it starts as soon as that finds nothing wrong.
            self._starting = self._looking
            self.notify("It starts as soon as preflight has looked." if self._starting else "It is not right yet.")
            return
        if job := self.begin(self._ready):
            folder = run_path(self.answers["resume"].strip()) if self.answers["kind"] == GO_ON else None
            self.shell.replace(Place("training", None, Following(folder, job.id)))


def _gone_on(sight: TrainingSight) -> tuple[list[str], str]:
    """What a training is, and why it cannot go on; "" if it can."""
    lines = [subject(sight), "", f"{sight.state} at step {sight.progress.step} of {sight.progress.steps}"]
    if sight.kept:
        lines.append(f"goes on from checkpoint {sight.kept[-1]:06d}")
    match sight.state:
        case "running":
            return lines, "It is being trained now."
        case "damaged":
            return [], sight.wrong
        case "done":
            lines.append("It is trained to the end; more steps let it go on.")
    return lines, "" if sight.kept else "It has no whole checkpoint."
