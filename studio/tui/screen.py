"""What every screen shares: a line on top that says where one is, a line of keys below, Esc back, ? help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget

from curation.errors import StudioError
from studio.jobs import Job
from studio.tui.app import StudioApp
from studio.tui.state import Place, Studio
from studio.tui.widgets.bars import KeyBar, TopBar


class StudioScreen(Screen[Any]):
    """A place. Subclasses give `HELP` and `body`.

    Attributes:
        NAME: what the line on top calls it.
        BACK: what Esc does, in a word.
        HELP: one or two sentences, shown above the keys.
    """

    NAME: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    BACK: ClassVar[str] = "back"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "back", show=False)]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__()
        self.VERTICAL_BREAKPOINTS = [(0, "-short"), (36, "-tall")]
        self.studio = studio
        self.place = place
        self._looking_now = False

    @property
    def unsaved(self) -> str:
        """What leaving would lose and how to keep it, in words; "" for nothing."""
        return ""

    @property
    def shell(self) -> StudioApp:
        """The application, by its own type."""
        return cast("StudioApp", self.app)

    def compose(self) -> ComposeResult:
        yield TopBar(self.studio, self.NAME, self.place.dataset)
        yield from self.body()
        yield KeyBar(first=self.place.screen == "home", back=self.BACK)

    def body(self) -> Iterable[Widget]:
        """What is between the two lines."""
        return ()

    def action_back(self) -> None:
        """Return to the place before this one."""
        self.shell.back()

    def go(self, screen: str, what: Any = None) -> None:
        """Open another place about the same dataset."""
        self.shell.go(Place(screen, self.place.dataset, what))

    def look(self) -> None:
        """Read what the screen shows and post it; called in a thread."""

    @work(thread=True, exclusive=True, group="look")
    def look_now(self) -> None:
        """Begin a look."""
        self._looking_now = True
        try:
            self.look()
        finally:
            self._looking_now = False

    def look_every(self, seconds: float) -> None:
        """Look again and again, unless another screen is in front (a recording must not be disturbed) or the last look
        is not over."""
        self.set_interval(seconds, self._look_if_idle)

    def _look_if_idle(self) -> None:
        if self.is_current and not self._looking_now:
            self.look_now()

    def begin(self, words: Sequence[str]) -> Job | None:
        """Start a command in the background, or say why it cannot be."""
        try:
            return self.studio.jobs.start(words)
        except StudioError as error:
            self.shell.tell(error)
            return None
