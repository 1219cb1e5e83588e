"""Edit: what would become of datasets, shown while it is typed; Enter makes it in the background."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.binding import Binding, BindingType
from textual.timer import Timer

from curation.errors import StudioError, UsageError
from studio.tui.asking import what_is_wrong
from studio.tui.edit_form import Edit, questions, words_of
from studio.tui.form import FormScreen
from studio.tui.messages import EditSeen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.form_row import Question

WAIT_S = 0.3
"""Time after the last change until the plan is looked at [s]."""
TABLE_FROM = 120
"""Columns of the terminal from which the plan's table has room."""
SHOWN_NOTES = 30
"""Episodes that are left out and named with their reason."""


class EditScreen(FormScreen):
    """What would become of the datasets at the right."""

    NAME = "edit"
    FIRST = "to"
    HELP = (
        "Every edit makes a new dataset; sources are never changed. At the right is what would become of them, with "
        "every reason and every difference. Enter makes it in a job, proved frame by frame before it gets its name."
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "apply", "make it", priority=True)]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if not isinstance(place.what, Edit):
            raise TypeError("the edit screen is about an Edit")
        self._edit = place.what
        self._words: list[str] | None = None
        self._wait: Timer | None = None

    def questions(self) -> list[Question]:
        return questions(self._edit)

    def changed(self, answers: dict[str, str]) -> None:
        """Look at the plan soon."""
        self._words = None
        self.say("looking ...")
        if self._wait is not None:
            self._wait.stop()
        number = self.asked
        narrow = self.size.width < TABLE_FROM
        self._wait = self.set_timer(WAIT_S, lambda: self._look(number, answers, narrow))

    @work(thread=True, exclusive=True, group="plan")
    def _look(self, number: int, answers: dict[str, str], narrow: bool) -> None:
        """What the command itself would show."""
        try:
            words = words_of(self._edit, answers)
            text = preview_of(words, narrow)
        except StudioError as error:
            self.post_message(EditSeen(number, None, str(error)))
        else:
            self.post_message(EditSeen(number, words, text))

    @on(EditSeen)
    def _show(self, message: EditSeen) -> None:
        if message.number != self.asked:
            return
        self._words = message.words
        self.show_command(message.words or ())
        if message.words is None:
            self.plan("")
            self.say(message.text, "error")
            return
        self.plan(self._coloured(message.text))
        self.say("Ready: Enter makes it.", "success")

    def _coloured(self, text: str) -> Text:
        colours = themed(self.app)
        marks = {"-": "error", "+": "success", "~": "warning", "!": "error", "?": "warning"}
        lines = [Text(line, colours[marks.get(line[:1], "foreground")]) for line in text.splitlines()]
        return Text("\n").join(lines)

    def action_apply(self) -> None:
        """Make it in a job."""
        if self._words is None:
            self.notify("The plan is not ready yet.", severity="warning")
        elif job := self.begin(self._words):
            self.shell.replace(Place("jobs", None, job.id))


def preview_of(words: list[str], narrow: bool) -> str:
    """What a command would do, without doing it; in sentences where there is little room.

    Raises:
        StudioError: it would refuse.
    """
    from studio.cli import parsed
    from studio.plan_text import plan_text
    from studio.planned import seen

    try:
        module, options = parsed(words[0], words[1:], quiet=True)
    except (SystemExit, AttributeError):
        # A fault makes tyro ask the output for its encoding, and that of a screen has none.
        raise UsageError(what_is_wrong(words)) from None
    planned = module.planned(options)
    lines = []
    for to, sight in seen(planned).items():
        lines += [f"{to.name}:", plan_text(sight, narrow=narrow), ""]
    if planned.notes:
        lines += ["left out:", *(f"- {note}" for note in planned.notes[:SHOWN_NOTES])]
        if len(planned.notes) > SHOWN_NOTES:
            lines.append(f"- and {len(planned.notes) - SHOWN_NOTES} more")
    return "\n".join(lines)
