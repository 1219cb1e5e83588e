"""The library: the episodes of a dataset, to be looked at, marked, judged and put aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError
from curation.layout import YIELD
from curation.library import Entry, entries
from curation.query import query
from studio.overview import mark
from studio.tui.ask import Answers, Ask
from studio.tui.edit_form import Edit
from studio.tui.filtered import FilteredScreen
from studio.tui.library_columns import GONE, columns
from studio.tui.library_edits import comment, put_back, score, throw_away
from studio.tui.library_words import counts_words, entry_words
from studio.tui.messages import EntriesRead
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.train_form import Training
from studio.tui.watch_ask import driver_of, episode_sheet
from studio.tui.watching import Watching
from studio.tui.widgets.form_row import Question
from studio.tui.widgets.player import Player
from studio.tui.widgets.rows import Rows

POLL_S = 2.0


class LibraryScreen(FilteredScreen):
    """Table above, the highlighted episode below."""

    NAME = "library"
    HELP = (
        "Space marks; what changes episodes acts on the marked ones, or on the highlighted one. Trash asks nothing, "
        "because nothing is deleted: u takes it back, T shows what lies there. "
        "Filter: outcome:success operator:keyboard x<0.3 score>0.5 note:slip."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "filter"),
        Binding("space", "mark", "mark"),
        Binding("enter,p", "play", "play"),
        Binding("t", "trash", "trash"),
        Binding("n", "note", "note"),
        *(Binding(str(digit), f"score({digit / 10})", "score 0.0 to 0.9", show=False) for digit in range(10)),
        Binding("plus", "score(1.0)", "score 1.0", show=False),
        Binding("a", "mark_all", "mark all", show=False),
        Binding("i", "invert", "invert marks", show=False),
        Binding("u", "undo", "undo trash"),
        Binding("T", "toggle_trash", "show trash", show=False),
        Binding("comma", "step(-1)", "one frame back", show=False),
        Binding("full_stop", "step(1)", "one frame on", show=False),
        Binding("left_square_bracket", "speed(0.5)", "slower", show=False),
        Binding("right_square_bracket", "speed(2)", "faster", show=False),
        Binding("s", "triage", "triage"),
        Binding("e", "edit", "edit"),
        Binding("l", "train", "train on these"),
        Binding("w", "watch", "watch a policy"),
        Binding("r", "record", "record more"),
        Binding("y", "yields", "yield"),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if place.dataset is None:
            raise ValueError("the library is about a dataset")
        self._root = place.dataset
        self._all: list[Entry] = []
        self._seen: object = None
        self._marked: set[str] = set()
        self._with_trash = False
        self._last_trashed: list[str] = []

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="library-top"):
            yield Input(placeholder="/ filters: outcome:success x<0.3 note:slip", compact=True, id="filter")
            yield Static(id="library-counts")
        yield Static(id="filter-error", classes="error", markup=False)
        shown = columns(lambda entry: entry.episode_id in self._marked, themed(self.app))
        yield Rows(shown, lambda entry: entry.state in GONE, id="episodes")
        yield Static(id="episode-words", markup=False)
        yield Player(id="playback")

    def on_mount(self) -> None:
        self.query_one("#filter-error").display = False
        self.query_one(Rows).focus()
        self.look_every(POLL_S)

    # Reading

    def on_screen_resume(self) -> None:
        """Shown, for the first time or again."""
        self.look_now()

    def look(self) -> None:
        """Read the episodes again if something changed."""
        seen = mark(self._root)
        if seen != self._seen:
            self.post_message(EntriesRead(entries(self._root), seen))

    @on(EntriesRead)
    def _show_entries(self, message: EntriesRead) -> None:
        self._all, self._seen = message.entries, message.seen
        self._marked &= {entry.episode_id for entry in self._all}
        self.show_rows()

    def show_rows(self) -> None:
        """Filter, and keep the cursor on its episode."""
        rows = self.query_one(Rows)
        before = rows.item
        listed = [e for e in self._all if (self._with_trash or e.state not in GONE) and self.fits(e)]
        ids = [entry.episode_id for entry in listed]
        place = ids.index(before.episode_id) if before and before.episode_id in ids else rows.cursor
        rows.show(listed, place)
        words = counts_words(self._all, listed, self._marked, themed(self.app))
        self.query_one("#library-counts", Static).update(words)
        self.refresh_bindings()

    @on(Rows.Highlighted)
    def _highlighted(self, message: Rows.Highlighted) -> None:
        entry: Entry | None = message.item
        self.query_one("#episode-words", Static).update(entry_words(entry, themed(self.app)))
        player = self.query_one(Player)
        if entry is None or entry.index is None:
            player.close()
        else:
            player.open(self._root, entry.episode_id)

    # Filter

    def tested(self, text: str) -> Callable[[Entry], bool]:
        return query(text)

    # Marks

    def action_mark(self) -> None:
        """Mark or unmark the highlighted episode, and go on to the next."""
        rows = self.query_one(Rows)
        if rows.item is not None:
            self._marked ^= {rows.item.episode_id}
            rows.action_cursor(1)
            self.show_rows()

    def action_mark_all(self) -> None:
        """Mark all that are listed; if all are, none."""
        listed = {entry.episode_id for entry in self.query_one(Rows).items}
        self._marked = set() if listed <= self._marked else self._marked | listed
        self.show_rows()

    def action_invert(self) -> None:
        """Mark what is not marked, and the other way round, among what is listed."""
        self._marked ^= {entry.episode_id for entry in self.query_one(Rows).items}
        self.show_rows()

    @property
    def chosen(self) -> list[Entry]:
        """The marked episodes that are listed, or the highlighted one: what a filter hides stays as it is."""
        rows = self.query_one(Rows)
        marked = [entry for entry in rows.items if entry.episode_id in self._marked]
        return marked or ([rows.item] if rows.item is not None else [])

    # Judgements

    def action_trash(self) -> None:
        """Put the chosen episodes into the trash; if all lie there already, take them back."""
        chosen = self.chosen
        if chosen and all(entry.state in GONE for entry in chosen):
            self._change(lambda: put_back(self._root, self.studio.jobs, chosen))
            return
        saved = [entry for entry in chosen if entry.state == "saved"]
        self._last_trashed = [entry.episode_id for entry in saved]
        self._change(lambda: throw_away(self._root, saved))

    def action_undo(self) -> None:
        """Take the last trashing back."""
        ids = set(self._last_trashed)
        if not ids:
            self.notify("Nothing to undo here. T shows the trash; t restores from it.")
            return
        self._last_trashed = []
        self._change(lambda: put_back(self._root, self.studio.jobs, [e for e in self._all if e.episode_id in ids]))

    def action_toggle_trash(self) -> None:
        """Show the trash among the episodes, or not."""
        self._with_trash = not self._with_trash
        self.show_rows()

    def action_note(self) -> None:
        """Write a comment about the chosen episodes."""
        chosen = self.chosen
        if not chosen:
            return

        def take(answers: Answers) -> str:
            return answers["note"].strip()

        about = f"episode {chosen[0].index}" if len(chosen) == 1 else f"{len(chosen)} episodes"
        self.app.push_screen(
            Ask(f"Note on {about}", [Question("note", "note", wide=True)], take),
            lambda text: self._change(lambda: comment(self._root, chosen, text)) if text else None,
        )

    def action_score(self, value: float) -> None:
        """Give the chosen episodes a score, 0 to 1."""
        chosen = self.chosen
        self._change(lambda: score(self._root, chosen, value))

    def _change(self, act: Callable[[], str]) -> None:
        """Do something to the dataset and say what; the table follows."""
        try:
            said = act()
        except StudioError as error:
            self.shell.tell(error)
            return
        self._marked.clear()
        self.notify(said, timeout=4)
        self._seen = None
        self.look_now()

    # Playback

    def action_play(self) -> None:
        """Play or pause the highlighted episode."""
        self.query_one(Player).toggle()

    def action_step(self, frames: int) -> None:
        """One frame on or back."""
        self.query_one(Player).step(frames)

    def action_speed(self, factor: float) -> None:
        """Faster or slower."""
        self.query_one(Player).faster(factor)

    # Elsewhere

    def action_edit(self) -> None:
        """Make a new dataset: of what the filter shows, or without the marked episodes."""
        marked = tuple(e.episode_id for e in self._all if e.episode_id in self._marked and e.state == "saved")
        where = self.query_one("#filter", Input).value.strip()
        self.go("edit", Edit((self._root,), where, marked))

    def action_triage(self) -> None:
        """Look through what the filter shows: accept, reject."""
        self.go("triage", self.query_one("#filter", Input).value.strip())

    def action_train(self) -> None:
        """Train a policy on what the filter shows."""
        self.go("train", Training(self._root, self.query_one("#filter", Input).value.strip()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what studio generate made has a yield, and only a saved episode has a beginning."""
        if action == "watch" and self.is_mounted:
            entry: Entry | None = self.query_one(Rows).item
            return entry is not None and entry.index is not None
        return action != "yields" or (self._root / YIELD).is_file()

    def action_watch(self) -> None:
        """Watch a policy think in an episode that begins as the highlighted one did."""
        entry: Entry | None = self.query_one(Rows).item
        if entry is None or entry.index is None:
            return

        def go(words: list[str] | None) -> None:
            if words is not None:
                self.go("watch", Watching(words=words))

        self.app.push_screen(episode_sheet(self._root, entry.index, driver_of(self._root, entry.index)), go)

    def action_yields(self) -> None:
        """Show the yield of its attempts."""
        self.go("generation")

    def action_record(self) -> None:
        """Record more into this dataset."""
        self.go("setup")
