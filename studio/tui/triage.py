"""Triage: episodes by score, each with its pictures over time; accepted or rejected with one key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from curation.errors import StudioError
from curation.library import Entry, entries
from curation.query import query
from curation.verdicts import Verdict, after, decide, looked_at, take_back
from studio.overview import mark
from studio.triage import Classifier, Order, classifiers_of, disputed, ordered
from studio.tui.card_sheet import CardSheet
from studio.tui.edit_form import FILTER, Edit
from studio.tui.filtered import FilteredScreen
from studio.tui.library_edits import BY
from studio.tui.messages import TriageRead
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.triage_curve import TriageCurve
from studio.tui.triage_words import ORDER_WORDS, card_words, columns, entry_words, mode_words, progress_words
from studio.tui.widgets.film_strip import FilmStrip
from studio.tui.widgets.player import Player
from studio.tui.widgets.rows import Rows

POLL_S = 2.0
"""How often the dataset is looked at [s]."""
SETTLE_S = 0.4
"""Time an episode must be wanted before the classifier is asked about it [s]."""
AHEAD = 3
"""So many episodes further down the classifier is asked about meanwhile."""


class TriageScreen(FilteredScreen):
    """Table and card above, the highlighted episode's film strip below.

    What `place.what` holds is the filter it begins with.
    """

    NAME = "triage"
    HELP = (
        "A accepts, r rejects, x says that nobody can tell; each goes on to the next, u takes the last one back. A "
        "rejected episode stays where it is: its score is 0, and the filter that f starts leaves it out. "
        "≠ marks where judge and classifier disagree; the card says how far to trust the classifier."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "decide('accepted')", "accept"),
        Binding("r", "decide('rejected')", "reject"),
        Binding("x", "decide('undecided')", "undecided"),
        Binding("u", "undo", "undo"),
        Binding("s", "sort", "order"),
        Binding("d", "disputed", "disputed"),
        Binding("h", "unseen", "hide seen"),
        Binding("f", "make", "filter"),
        Binding("slash", "filter", "query", show=False),
        Binding("c", "card", "whole card", show=False),
        Binding("enter,p", "play", "large, or the table", show=False),
        Binding("space", "playback", "play or pause"),
        Binding("v", "camera", "other camera", show=False),
        Binding("comma", "step(-1)", "one frame back", show=False),
        Binding("full_stop", "step(1)", "one frame on", show=False),
    ]

    class Asked(Message):
        """The classifier said more, in its thread."""

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        if place.dataset is None:
            raise ValueError("triage is about a dataset")
        self._root = place.dataset
        self._all: list[Entry] = []
        self._known: dict[str, Classifier] = {}
        self._seen: object = None
        self._order: Order = "score"
        self._only_disputed = self._only_unseen = False
        self._before: list[Entry] = []
        self._curve = TriageCurve(place.dataset, lambda: self.post_message(self.Asked()))
        self._asking: Timer | None = None

    def body(self) -> Iterable[Widget]:
        begin = self.place.what if isinstance(self.place.what, str) else ""
        with Horizontal(id="library-top"):
            yield Input(
                begin, placeholder="/ filters: score>0.3 -looked outcome:missed x<0.3", compact=True, id="filter"
            )
            yield Static(id="library-counts")
        yield Static(id="filter-error", classes="error", markup=False)
        with Horizontal(id="triage-middle"):
            with Vertical(id="triage-left"):
                yield Static(id="triage-mode")
                yield Rows(columns(self._known, themed(self.app)), lambda entry: False, id="episodes")
            with VerticalScroll(id="triage-side", can_focus=False):
                yield Static(id="triage-card", markup=False)
        yield Player(id="triage-player")
        yield Static(id="episode-words", markup=False)
        yield FilmStrip(id="triage-strip")

    def on_mount(self) -> None:
        self.query_one("#filter-error").display = False
        self.query_one(Player).display = False
        self.query_one(Rows).focus()
        self.look_every(POLL_S)

    def on_unmount(self) -> None:
        self._curve.close()

    # Reading

    def on_screen_resume(self) -> None:
        """Shown, for the first time or again."""
        self.look_now()

    def look(self) -> None:
        """Read the episodes again if something changed; cards are read once."""
        seen = mark(self._root)
        if seen != self._seen:
            found = [entry for entry in entries(self._root) if entry.state == "saved"]
            known = {by: self._carded(by, one) for by, one in classifiers_of(found).items()}
            self.post_message(TriageRead(found, known, seen))

    def _carded(self, by: str, one: Classifier) -> Classifier:
        """The same as before where its card is known, because its interval is a bootstrap."""
        before = self._known.get(by)
        if before is not None and before.card is not None:
            return before
        if one.card is not None:
            _ = one.card.auroc  # worked out in this thread, and remembered by the card
        return one

    @on(TriageRead)
    def _show_read(self, message: TriageRead) -> None:
        self._all, self._seen = message.entries, message.seen
        self._known.update(message.known)
        self.show_rows()

    def tested(self, text: str) -> Callable[[Entry], bool]:
        return query(text)

    def show_rows(self) -> None:
        """Filter and order, and keep the cursor on its episode."""
        rows, colours = self.query_one(Rows), themed(self.app)
        before = rows.item
        fitting = [entry for entry in self._all if self.fits(entry)]
        argued = [entry for entry in fitting if disputed(entry, self._known)]
        whole = argued if self._only_disputed else fitting
        listed = [entry for entry in whole if not (self._only_unseen and looked_at(entry))]
        listed = ordered(listed, self._order, self._known)
        ids = [entry.episode_id for entry in listed]
        rows.show(listed, ids.index(before.episode_id) if before and before.episode_id in ids else rows.cursor)
        mode = mode_words(self._order, self._only_disputed, self._only_unseen, len(argued), colours)
        self.query_one("#triage-mode", Static).update(mode)
        self.query_one("#library-counts", Static).update(progress_words(whole, colours))
        self.refresh_bindings()

    # The highlighted episode

    @on(Rows.Highlighted)
    def _highlighted(self, message: Rows.Highlighted) -> None:
        entry: Entry | None = message.item
        colours = themed(self.app)
        self.query_one("#episode-words", Static).update(entry_words(entry, self._known, colours))
        self.query_one("#triage-card", Static).update(card_words(self._speaker(entry), self._root.name, colours))
        strip, player = self.query_one(FilmStrip), self.query_one(Player)
        if entry is None:
            strip.close()
            player.close()
        else:
            strip.open(self._root, entry.episode_id)
            if player.display:
                player.open(self._root, entry.episode_id)
        self._show_course()
        if self._asking is not None:
            self._asking.stop()
        self._asking = self.set_timer(SETTLE_S, self._ask)

    def _speaker(self, entry: Entry | None) -> Classifier | None:
        """Who scored an episode; where nobody did, whoever scored another."""
        said = self._known.get(entry.predicted_by) if entry is not None else None
        return said or next(iter(self._known.values()), None)

    def _ask(self) -> None:
        """Ask the classifier about this episode, then about the next ones."""
        rows = self.query_one(Rows)
        if rows.item is not None and self.is_current:
            self._curve.want(self._speaker(rows.item), rows.items[rows.cursor : rows.cursor + 1 + AHEAD])

    @on(Asked)
    def _show_course(self) -> None:
        """The curve of the highlighted episode, or why there is none."""
        entry: Entry | None = self.query_one(Rows).item
        self.query_one(FilmStrip).say(*self._curve.shown(self._speaker(entry), entry))

    # Verdicts

    def action_decide(self, said: str) -> None:
        """Write a person's word on the highlighted episode, and go on to the next."""
        rows = self.query_one(Rows)
        entry: Entry | None = rows.item
        if entry is None:
            return
        try:
            decide(self._root, [entry.episode_id], Verdict(said), BY)
        except StudioError as error:
            self.shell.tell(error)
            return
        self._before.append(entry)
        if rows.cursor == len(rows.items) - 1:
            self.notify("That was the last one of the list.", timeout=3)
        rows.action_cursor(1)
        self._put(after(entry, Verdict(said), BY))

    def _put(self, entry: Entry) -> None:
        """Show at once what an episode is now; what is on disk is read soon."""
        self._all = [entry if one.episode_id == entry.episode_id else one for one in self._all]
        self.show_rows()
        self.look_now()

    def action_undo(self) -> None:
        """Let the last word be what it was, and go back to its episode."""
        if not self._before:
            self.notify("Nothing to take back here.")
            return
        entry = self._before[-1]
        try:
            take_back(self._root, entry, BY)
        except StudioError as error:
            self.shell.tell(error)
            return
        self._before.pop()
        self._put(entry)
        rows = self.query_one(Rows)
        ids = [one.episode_id for one in rows.items]
        if entry.episode_id in ids:
            rows.cursor = ids.index(entry.episode_id)
        self.notify(f"Taken back: episode {entry.index}.", timeout=3)

    # What is listed

    def action_sort(self) -> None:
        """List them in the next order."""
        orders = list(ORDER_WORDS)
        self._order = orders[(orders.index(self._order) + 1) % len(orders)]
        self._from_the_top()

    def action_disputed(self) -> None:
        """List only those that judge and classifier disagree about, or all."""
        self._only_disputed = not self._only_disputed
        self._from_the_top()

    def action_unseen(self) -> None:
        """List only those that nobody has looked at, or all."""
        self._only_unseen = not self._only_unseen
        self.show_rows()

    def _from_the_top(self) -> None:
        rows = self.query_one(Rows)
        rows.show([], 0)
        self.show_rows()

    # Looking closer

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that would do nothing now are not shown."""
        if not self.is_mounted:
            return True
        match action:
            case "undo":
                return bool(self._before)
            case "card":
                return any(one.card is not None for one in self._known.values())
            case "step" | "playback":
                return bool(self.query_one(Player).display)
        return True

    def action_play(self) -> None:
        """Show the episode large in the place of the table, or the table again."""
        rows, player = self.query_one(Rows), self.query_one(Player)
        if rows.item is None:
            return
        player.display = not player.display
        self.query_one("#triage-middle").display = not player.display
        if player.display:
            player.open(self._root, rows.item.episode_id)
        else:
            player.close()
            rows.focus()
        self.refresh_bindings()

    def action_playback(self) -> None:
        """Play or pause."""
        self.query_one(Player).toggle()

    def action_step(self, frames: int) -> None:
        """One frame on or back."""
        self.query_one(Player).step(frames)

    def action_camera(self) -> None:
        """Begin the strip with the other camera."""
        self.query_one(FilmStrip).other_camera()

    def action_card(self) -> None:
        """Show the whole card."""
        speaker = self._speaker(self.query_one(Rows).item)
        if speaker is not None and speaker.card is not None:
            self.app.push_screen(CardSheet(speaker.card))

    # Elsewhere

    def action_make(self) -> None:
        """Make a dataset of what has the score: people's before the classifier's."""
        where = self.query_one("#filter", Input).value.strip()
        speaker = next(iter(self._known.values()), None)
        # Without a classifier nothing is said of what nobody rejected.
        good = "-score<0.5" if speaker is None else f"score>={speaker.threshold:g}"
        self.go("edit", Edit((self._root,), f"{where} {good}".strip(), kind=FILTER))
