"""An episode at a glance: pictures of it from left to right in time, and how sure a classifier is below them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer

from .done_curve import DoneCurve, Sureness
from .pixels import Pixels
from .reel import Reel

SETTLE_S = 0.15
"""Time an episode must be wanted before it is read [s]: a cursor that runs down a list reads nothing."""
LOOK_S = 0.2
"""How often it is looked which pictures are there, while an episode is read [s]."""
MOST = 12
"""Pictures of one camera."""
CAMERAS = 2
ROW_LINES = 7
"""Lines from which on a second camera has a row of its own."""
CURVE_LINES, TALL_CURVE_LINES = 4, 7
TALL = 20
"""Lines of the whole from which on the curve is taller."""
PROPORTION = 4 / 3
"""Width of a picture to its height, until one is known."""


class FilmStrip(Vertical):
    """Shows evenly spaced frames of an episode, its first and its last among them."""

    DEFAULT_CSS = """
    FilmStrip { height: 1fr; }
    FilmStrip > Horizontal { height: auto; }
    FilmStrip Pixels { height: 100%; }
    """

    class _Read(Message):
        """The reel has something new."""

        def __init__(self, reel: Reel) -> None:
            super().__init__()
            self.reel = reel

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self._pictures = [[Pixels(empty="") for _ in range(MOST)] for _ in range(CAMERAS)]
        self._curve = DoneCurve()
        self._reel: Reel | None = None
        self._wanted: tuple[Path, str] | None = None
        self._opening: Timer | None = None
        self._looking: Timer | None = None
        self._first_camera = 0
        self._count, self._rows = 1, 1

    def compose(self) -> ComposeResult:
        for row in self._pictures:
            yield Horizontal(*row)
        yield self._curve

    def on_mount(self) -> None:
        self._looking = self.set_interval(LOOK_S, self._look, pause=True)

    def on_unmount(self) -> None:
        self._drop()

    def on_resize(self, event: events.Resize) -> None:
        """As many pictures as fit."""
        self._lay_out()

    # What is shown

    def open(self, root: Path, episode_id: str) -> None:
        """Show an episode; another one is forgotten. Never waits."""
        if self._wanted == (root, episode_id):
            return
        self.close()
        self._wanted = (root, episode_id)
        self._opening = self.set_timer(SETTLE_S, self._start)

    def close(self) -> None:
        """Show nothing."""
        self._drop()
        self._wanted = None
        for row in self._pictures:
            for picture in row:
                picture.caption, picture.empty = "", ""
                picture.show(None)

    def say(self, shown: Sureness | None, words: str = "") -> None:
        """How sure a classifier is, or why nobody knows; nothing leaves the room to the pictures."""
        self._curve.show(shown, words)
        silent = shown is None and not words
        if silent == bool(self._curve.display):
            self._curve.display = not silent
            self._lay_out()

    def other_camera(self) -> None:
        """Begin with the next camera."""
        self._first_camera += 1
        self._show()

    @property
    def shown(self) -> list[int]:
        """The frames whose pictures are shown; empty until the episode is read."""
        reel = self._reel
        return _frames(reel.length, self._count) if reel is not None and reel.length else []

    @property
    def done(self) -> bool:
        """Whether all that can be read is."""
        return self._reel is not None and self._reel.done

    # Reading

    def _start(self) -> None:
        if self._wanted is not None:
            self._reel = Reel(*self._wanted, tell=lambda reel: self.post_message(self._Read(reel)))
            if self._looking is not None:
                self._looking.resume()

    def _drop(self) -> None:
        if self._opening is not None:
            self._opening.stop()
        if self._reel is not None:
            self._reel.stop()
        self._reel, self._opening = None, None

    def on_film_strip__read(self, message: _Read) -> None:
        """Show what is there; what an episode left before says is not heard."""
        message.stop()
        if message.reel is self._reel:
            self._lay_out()

    def _look(self) -> None:
        if (self._reel is None or self._reel.done) and self._looking is not None:
            self._looking.pause()
        self._show()

    # Drawing

    def _lay_out(self) -> None:
        width, height = self.size
        curve = 0 if not self._curve.display else TALL_CURVE_LINES if height >= TALL else CURVE_LINES
        room = max(1, height - curve)
        cameras = len(self._reel.pictures) if self._reel is not None else CAMERAS
        self._rows = 2 if room >= 2 * ROW_LINES and cameras >= CAMERAS else 1
        lines = room // self._rows
        self._count = max(1, min(MOST, width // (round(2 * lines * self._proportion) + 1)))
        for place, (row, pictures) in enumerate(zip(self.query(Horizontal), self._pictures, strict=True)):
            row.display = place < self._rows
            row.styles.height = lines
            for number, picture in enumerate(pictures):
                picture.display = number < self._count
                picture.styles.width = width // self._count
        self._curve.styles.height = max(1, height - self._rows * lines)
        one = width // self._count
        self._curve.span(one // 2, one * self._count - one // 2 - 1)
        self._show()

    @property
    def _proportion(self) -> float:
        pictures = next((some for some in self._reel.pictures.values() if some), None) if self._reel else None
        return pictures[0].shape[1] / pictures[0].shape[0] if pictures else PROPORTION

    def _show(self) -> None:
        reel = self._reel
        if reel is None:
            return
        names = list(reel.pictures)
        if reel.error:
            self._pictures[0][0].empty = reel.error
        for place in range(min(self._rows, len(names))):
            camera = names[(self._first_camera + place) % len(names)]
            pictures = reel.pictures[camera]
            for number, (view, frame) in enumerate(zip(self._pictures[place], self.shown, strict=False)):
                view.caption = f"{frame / reel.fps:.1f} s" if number else camera.removesuffix("_cam")
                view.show(pictures[frame] if frame < len(pictures) else None)


def _frames(length: int, count: int) -> list[int]:
    """Evenly spaced; of one picture only, the last."""
    return [length - 1] if count == 1 else np.linspace(0, length - 1, count).round().astype(int).tolist()
