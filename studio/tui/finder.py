"""The finder: positions chosen on the map of the table, with reach, view and distance as the cursor moves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from curation.coverage import placements_of
from curation.errors import StudioError, TargetExists, UsageError
from curation.store import Store
from curation.targets import named, read_targets, write_targets
from recorders.world.scene import Scene, scene_from
from studio.tui.ask import Answers, Ask
from studio.tui.finder_patterns import BOX, pattern_points, pattern_questions
from studio.tui.finder_plan import CLOSE_M, Plan
from studio.tui.finder_words import cursor_words, list_words
from studio.tui.maps import MapHolder
from studio.tui.messages import PlacementsRead
from studio.tui.screen import StudioScreen
from studio.tui.setup_form import WELL_KNOWN, Form
from studio.tui.state import Place, Studio
from studio.tui.theme import themed
from studio.tui.widgets.bars import TopBar
from studio.tui.widgets.form_row import Question

STEP_M, FINE_M = 0.01, 0.002
FILE = "targets.json"


class FinderScreen(StudioScreen):
    """The map with a cursor, and what is known about the place under it."""

    NAME = "targets"
    HELP = (
        "Arrows move the block by 1 cm, with shift or as HJKL by 2 mm. Red is why nothing can be recorded there; "
        f"amber is nearer than {100 * CLOSE_M:.0f} cm to what is recorded already."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "add", "add"),
        Binding("x,delete", "remove", "remove"),
        Binding("r", "turn", "rotate"),
        Binding("m", "pattern", "patterns"),
        Binding("w", "write", "write"),
        Binding("o", "read", "open"),
        Binding("enter", "use", "record these"),
        Binding("u", "undo", "undo", show=False),
        Binding("tab", "step(1)", "next target", show=False, priority=True),
        Binding("shift+tab", "step(-1)", "target before", show=False, priority=True),
        Binding("d", "dataset", "compare with a dataset", show=False),
        Binding("1", "well_known(0)", "well-known position 1", show=False),
        Binding("2", "well_known(1)", "well-known position 2", show=False),
        Binding("up,k", f"move({STEP_M},0)", "away from the base (+x)", show=False),
        Binding("down,j", f"move(-{STEP_M},0)", "towards the base (-x)", show=False),
        Binding("left,h", f"move(0,{STEP_M})", "left (+y)", show=False),
        Binding("right,l", f"move(0,-{STEP_M})", "right (-y)", show=False),
        Binding("shift+up,K", f"move({FINE_M},0)", "2 mm away", show=False),
        Binding("shift+down,J", f"move(-{FINE_M},0)", "2 mm towards", show=False),
        Binding("shift+left,H", f"move(0,{FINE_M})", "2 mm left", show=False),
        Binding("shift+right,L", f"move(0,-{FINE_M})", "2 mm right", show=False),
    ]

    def __init__(self, studio: Studio, place: Place) -> None:
        super().__init__(studio, place)
        self._scene = _scene(place.dataset)
        self._plan = Plan(self._scene)
        self._file = str(place.what) if isinstance(place.what, str | Path) else FILE
        self._own = ""
        self._read_first = isinstance(place.what, str | Path)

    def body(self) -> Iterable[Widget]:
        with Horizontal(id="finder"):
            yield MapHolder(self._scene, id="finder-map")
            with Vertical(id="finder-side"):
                yield Static(id="finder-cursor", markup=False)
                yield Static(id="finder-list", markup=False)

    def on_mount(self) -> None:
        if self._read_first:
            self._open({"file": self._file})
        self._compare(self.place.dataset)
        self._show()

    # Recorded placements

    @work(thread=True, exclusive=True, group="placements")
    def _compare(self, root: Path | None) -> None:
        """Read where episodes of a dataset began."""
        data = np.zeros((0, 2)) if root is None else placements_of(Store.open(root))
        self.post_message(PlacementsRead(root, data))

    @on(PlacementsRead)
    def _compared(self, message: PlacementsRead) -> None:
        self._plan.data = message.data
        self.query_one(TopBar).name_dataset(message.root)
        self._show()

    # What the keys do

    def action_move(self, dx: float, dy: float) -> None:
        """Move the cursor [m]."""
        self._plan.move(dx, dy)
        self._show()

    def action_add(self) -> None:
        """Add the place under the cursor."""
        plan = self._plan
        if plan.here() is not None:
            self.notify("A target is here already.", severity="warning")
        elif not plan.add([(plan.x, plan.y)]):
            self.notify(f"Nothing can be recorded here: {' and '.join(plan.problems())}.", severity="warning")
        self._show()

    def action_remove(self) -> None:
        """Remove the target under the cursor."""
        if not self._plan.remove():
            self.notify("No target is under the cursor; Tab goes to the next one.", severity="warning")
        self._show()

    def action_turn(self) -> None:
        """Rotate."""
        self._plan.turn_here()
        self._show()

    def action_undo(self) -> None:
        """Take the last change back."""
        if not self._plan.undo():
            self.notify("Nothing to undo.")
        self._show()

    def action_step(self, by: int) -> None:
        """Go to the next target, or the one before."""
        self._plan.step(by)
        self._show()

    def action_well_known(self, which: int) -> None:
        """Go to one of the positions that everybody quotes."""
        self._plan.to(*list(WELL_KNOWN.values())[which])
        self._show()

    def action_pattern(self) -> None:
        """Ask for a pattern and add its positions."""

        def take(answers: Answers) -> list[tuple[float, float]]:
            return pattern_points(answers, self._plan)

        self.app.push_screen(Ask("Patterns", pattern_questions(BOX), take), self._add_pattern)

    def _add_pattern(self, points: list[tuple[float, float]] | None) -> None:
        if points is None:
            return
        added = self._plan.add(points)
        left = len(points) - added
        why = f"; {left} left out: they cannot be recorded" if left else ""
        self.notify(f"{added} positions added{why}. u takes them back.")
        self._show()

    @property
    def unsaved(self) -> str:
        """Targets that are in no file."""
        count = len(self._plan.targets)
        return "" if self._plan.saved or not count else f"{count} targets are in no file; w writes them."

    def action_write(self) -> None:
        """Ask for a file and write the targets."""

        def take(answers: Answers) -> Path:
            path = Path(answers["file"].strip() or FILE).expanduser()
            if not self._plan.targets:
                raise UsageError("There are no targets yet; p adds the place under the cursor.")
            if path.exists() and str(path) != self._own:
                raise TargetExists(path, "Choose another name, or open it first with o.")
            write_targets(path, named(self._plan.targets))
            return path

        self.app.push_screen(
            Ask("Write targets", [Question("file", "file", self._file, wide=True)], take), self._written
        )

    def _written(self, path: Path | None) -> None:
        if path is not None:
            self._file, self._plan.saved = str(path), True
            self._own = str(path)
            self.notify(f"{len(self._plan.targets)} targets are in {path}.")
            self._show()

    def action_read(self) -> None:
        """Ask for a positions file and take it over."""
        self.app.push_screen(
            Ask("Open targets", [Question("file", "file", self._file, wide=True)], self._open), self._opened
        )

    def _open(self, answers: Answers) -> Path:
        path = Path(answers["file"].strip()).expanduser()
        self._plan.read(read_targets(path))
        self._file = self._own = str(path)
        return path

    def _opened(self, path: Path | None) -> None:
        if path is not None:
            self._plan.step(1)
            self._show()

    def action_dataset(self) -> None:
        """Choose the dataset whose placements are compared with."""
        from studio.overview import dataset_folders

        names = ["none", *(folder.name for folder in dataset_folders(self.studio.home))]
        now = self.place.dataset.name if self.place.dataset else "none"

        def take(answers: Answers) -> str:
            return answers["dataset"]

        questions = [Question("dataset", "compare with", now if now in names else "none", options=tuple(names))]
        self.app.push_screen(Ask("Recorded placements", questions, take), self._chose)

    def _chose(self, name: str | None) -> None:
        if name is not None:
            self._compare(None if name == "none" else self.studio.home / name)

    def action_use(self) -> None:
        """Go to the form with these targets; they must be in a file first."""
        if not self._plan.targets:
            self.notify("There are no targets yet; p adds the place under the cursor.", severity="warning")
        elif not self._plan.saved:
            self.notify("Write the targets to a file first: w.", severity="warning")
        else:
            self.shell.go(Place("setup", self.place.dataset, Form(where="file", file=self._file)))

    def action_back(self) -> None:
        """Leave; targets that are in no file are asked about."""
        if self._plan.saved or not self._plan.targets:
            super().action_back()
            return
        questions = [Question("keep", "write them", "yes", options=("yes", "no"))]
        self.app.push_screen(Ask("The targets are in no file", questions, lambda a: a["keep"]), self._leave)

    def _leave(self, keep: str | None) -> None:
        if keep == "yes":
            self.action_write()
        elif keep == "no":
            super().action_back()

    # The picture

    def _show(self) -> None:
        plan = self._plan
        close = plan.close()
        kinds: list[tuple[Any, ...]] = [(x, y, "saved") for x, y in plan.data]
        kinds += [(t.x, t.y, "close" if i in close else "planned") for i, t in enumerate(plan.targets)]
        yaw = plan.rotation or 0.0
        self.query_one(MapHolder).spots(
            kinds, cursor=(plan.x, plan.y), block=(plan.x, plan.y, yaw), radius=CLOSE_M if len(plan.data) else 0.0
        )
        colours = themed(self.app)
        self.query_one("#finder-cursor", Static).update(cursor_words(plan, colours))
        room = max(3, self.size.height - 14)
        self.query_one("#finder-list", Static).update(list_words(plan, close, self._file, room, colours))


def _scene(root: Path | None) -> Scene:
    """The scene of a dataset, or the standard one."""
    if root is None:
        return Scene()
    try:
        return scene_from(Store.open(root).require_scene()["scene"])
    except StudioError:
        return Scene()
