"""Home: the datasets, what waits in them, what runs, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from curation.errors import StudioError
from studio.overview import Card, Overview
from studio.tui.edit_form import Edit
from studio.tui.home_card import CardLines
from studio.tui.home_detail import Detail
from studio.tui.home_jobs import RunningJobs
from studio.tui.messages import JobsRead, OverviewRead
from studio.tui.recover import RecoverScreen
from studio.tui.screen import StudioScreen
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.bars import TopBar
from studio.tui.words import path_words, size_words

POLL_S = 2.0
"""How often folders are looked at for changes [s]."""
EXAMPLE = ("generate", "--to", "demo", "--at", "0.337", "-0.015", "--jitter", "0.02", "-n", "10")
"""What is offered where there is no dataset yet."""


class Cards(OptionList):
    """The list of datasets."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "open")]


class HomeScreen(StudioScreen):
    """Every dataset under the data home."""

    NAME = "home"
    HELP = (
        "Every dataset under the data home: episodes, outcomes, and the success rate of all attempts with its 95 % "
        "interval. The map shows where the block was put."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "recover", "recover"),
        Binding("n", "record", "new"),
        Binding("r", "resume", "record more"),
        Binding("G", "generate", "generate"),
        Binding("t", "targets", "targets"),
        Binding("s", "triage", "triage"),
        Binding("e", "edit", "edit"),
        Binding("T", "train", "train"),
        Binding("R", "runs", "runs"),
        Binding("E", "evaluate", "evaluate"),
        Binding("p", "publish", "publish"),
        Binding("j", "jobs", "jobs"),
        Binding("g", "example", "make an example"),
        Binding("q", "app.leave", "quit"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._overview = Overview(studio.home)
        self._cards: list[Card] | None = None

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="home"):
            with Vertical(id="home-left"):
                yield Static(id="home-title", classes="title")
                yield Cards(id="cards")
                yield Static(id="home-empty")
                yield RunningJobs(self.studio)
            yield Detail(id="home-detail")

    def on_mount(self) -> None:
        self._title("reading ...")
        self.query_one("#home-empty").display = False
        self.look_now()
        self.look_every(POLL_S)

    def on_screen_resume(self) -> None:
        self.look_now()

    def look(self) -> None:
        """Look at folders and jobs; only what changed is read."""
        self.post_message(OverviewRead(self._overview.cards(), self.studio.free(self.studio.home)))
        self.post_message(JobsRead(self.studio.jobs.all()))

    @on(OverviewRead)
    def _show_cards(self, message: OverviewRead) -> None:
        self._title(f"{size_words(message.free)} free")
        if message.cards == self._cards:
            return
        chosen = self.chosen
        self._cards = message.cards
        shown = self.query_one("#cards", OptionList)
        now, colours = self.studio.clock(), themed(self.app)
        shown.clear_options()
        for card in message.cards:
            # None is a line between two options.
            shown.add_options([Option(CardLines(card, now, colours), id=card.name), None])
        names = [card.name for card in message.cards]
        if names:
            shown.highlighted = names.index(chosen.name) if chosen and chosen.name in names else 0
        self._say_empty(not names)
        self.refresh_bindings()

    @on(JobsRead)
    def _show_jobs(self, message: JobsRead) -> None:
        running = [job for job in message.jobs if not job.state.over]
        self.query_one(TopBar).show_jobs(len(running))
        self.query_one(RunningJobs).show(running)

    @on(OptionList.OptionHighlighted, "#cards")
    def _highlighted(self) -> None:
        self.query_one(Detail).show(self.chosen)
        self.refresh_bindings()

    @on(OptionList.OptionSelected, "#cards")
    def _selected(self) -> None:
        self.action_open()

    @property
    def chosen(self) -> Card | None:
        """The highlighted dataset."""
        place = self.query_one("#cards", OptionList).highlighted
        return self._cards[place] if self._cards and place is not None and place < len(self._cards) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing here are not shown."""
        card = self.chosen if self.is_mounted else None
        match action:
            case "open" | "resume" | "triage" | "edit" | "publish" | "train":
                return card is not None and not card.damage
            case "recover":
                return card is not None and bool(card.unfinished or card.waiting)
            case "example":
                return self._cards == []
        return True

    def action_open(self) -> None:
        """Open the library of the highlighted dataset."""
        if self.chosen is not None and not self.chosen.damage:
            self.shell.go(Place("library", self.chosen.root))

    def action_record(self) -> None:
        """Ask for a new dataset and record into it."""
        self.shell.go(Place("setup"))

    def action_resume(self) -> None:
        """Record more into the highlighted dataset."""
        self.shell.go(Place("setup", self.chosen.root if self.chosen else None))

    def action_generate(self) -> None:
        """Ask who shall make episodes, where, and who keeps them."""
        self.shell.go(Place("generate"))

    def action_targets(self) -> None:
        """Find positions."""
        self.shell.go(Place("targets", self.chosen.root if self.chosen else None))

    def action_triage(self) -> None:
        """Look through the highlighted dataset: accept, reject."""
        if self.chosen is not None and not self.chosen.damage:
            self.shell.go(Place("triage", self.chosen.root))

    def action_edit(self) -> None:
        """Make a new dataset of the highlighted one, and others."""
        if self.chosen is not None and not self.chosen.damage:
            self.shell.go(Place("edit", self.chosen.root, Edit((self.chosen.root,))))

    def action_train(self) -> None:
        """Train on the highlighted dataset."""
        if self.chosen is not None and not self.chosen.damage:
            self.shell.go(Place("train", self.chosen.root))

    def action_evaluate(self) -> None:
        """Evaluate a policy."""
        self.shell.go(Place("evaluate"))

    def action_runs(self) -> None:
        """Show the trainings and evaluations."""
        self.shell.go(Place("runs"))

    def action_publish(self) -> None:
        """Publish the highlighted dataset."""
        if self.chosen is not None and not self.chosen.damage:
            self.shell.go(Place("publish", self.chosen.root))

    def action_jobs(self) -> None:
        """Show the jobs."""
        self.shell.go(Place("jobs"))

    def action_recover(self) -> None:
        """Settle takes that wait, in a job."""
        card = self.chosen
        if card is None or not (card.unfinished or card.waiting):
            return

        def settle(options: list[str] | None) -> None:
            if options is not None:
                self._begin(["recover", str(card.root), *options])

        self.app.push_screen(RecoverScreen(card), settle)

    def action_example(self) -> None:
        """Make a first dataset in the background."""
        self._begin(EXAMPLE, "The scripted expert makes ten episodes into demo. They appear here as they are saved.")

    def _begin(self, words: Sequence[str], says: str = "") -> None:
        """Start a job, or say why it cannot be."""
        try:
            job = self.studio.jobs.start(words)
        except StudioError as error:
            self.shell.tell(error)
            return
        self.notify(says or f"Job {job.id} works on it; j shows what it says.")
        self.look_now()

    def _title(self, right: str) -> None:
        colours = themed(self.app)
        home = path_words(self.studio.home)
        title = self.query_one("#home-title", Static)
        row = Table.grid(expand=True)
        row.add_column()
        row.add_column(justify="right")
        row.add_row(Text(f"Datasets in {home}", colours["muted"], no_wrap=True), Text(right, colours["muted"]))
        title.update(row)

    def _say_empty(self, empty: bool) -> None:
        self.query_one("#cards").display = not empty
        self.query_one("#home-empty").display = empty
        self.query_one("#home-detail").display = not empty
        self.query_one("#home-left").set_class(empty, "-empty")
        if empty:
            from studio.tui.home_empty import welcome

            self.query_one("#home-empty", Static).update(welcome(themed(self.app), EXAMPLE))
        else:
            self.query_one("#cards").focus()
