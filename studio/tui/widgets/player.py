"""An episode played back from disk: its cameras, its joints, and where in time that is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from studio.tui.theme import themed

from .joint_plot import JointPlot
from .pixels import Pixels
from .reel import Reel

PER_S = 15
"""Pictures shown per second while playing."""
SETTLE_S = 0.15
"""Time an episode must be wanted before it is read [s]: a cursor that runs down a list reads nothing."""
SLOWEST, FASTEST = 0.125, 8.0
CAMERAS = 2
MOST_SHARE = 0.3
"""Widest camera picture, as a share of the width."""


class Player(Vertical):
    """Shows the first frame of an episode, and plays it when told to."""

    DEFAULT_CSS = """
    Player { height: 1fr; }
    Player > Horizontal { height: 1fr; }
    Player Pixels { width: 1fr; height: 100%; margin: 0 1 0 0; }
    Player JointPlot { width: 1fr; height: 100%; }
    Player > Static { height: 1; width: 100%; }
    """

    class Moved(Message):
        """Another frame is shown.

        Attributes:
            frame: its index.
            length: frames of the episode.
        """

        def __init__(self, frame: int, length: int) -> None:
            super().__init__()
            self.frame, self.length = frame, length

    class _Read(Message):
        """The reel has something new."""

        def __init__(self, reel: Reel) -> None:
            super().__init__()
            self.reel = reel

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.playing = False
        self.frame = 0
        self._at = 0.0
        self._speed = 1.0
        self._since = 0.0
        self._reel: Reel | None = None
        self._wanted: tuple[Path, str] | None = None
        self._opening: Timer | None = None
        self._ticker: Timer | None = None
        self._views = [Pixels(empty="") for _ in range(CAMERAS)]
        self._plot = JointPlot(empty="")
        self._line = Static(markup=False)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield from self._views
            yield self._plot
        yield self._line

    def on_mount(self) -> None:
        self._ticker = self.set_interval(1 / PER_S, self._tick, pause=True)

    def on_unmount(self) -> None:
        self._drop()

    def on_resize(self, event: events.Resize) -> None:
        """Give the cameras what their proportions need, and the joints the rest."""
        wide = min(round((event.size.height - 1) * 2 * 4 / 3), round(event.size.width * MOST_SHARE))
        for view in self._views:
            view.styles.width = max(1, wide)

    # What is played.

    def open(self, root: Path, episode_id: str) -> None:
        """Show an episode's first frame; another one is forgotten. Never waits."""
        if self._wanted == (root, episode_id):
            return
        self.close()
        self._wanted = (root, episode_id)
        self._opening = self.set_timer(SETTLE_S, self._start)

    def close(self) -> None:
        """Show nothing."""
        self._drop()
        self._wanted = None
        self._pause()
        self.frame, self._at = 0, 0.0
        for view in self._views:
            view.show(None)
        self._plot.show([], [], [], 0.0)
        self._line.update("")

    @property
    def length(self) -> int:
        """Frames of the episode; 0 until they are known."""
        return self._reel.length if self._reel else 0

    @property
    def speed(self) -> float:
        """How many times faster than it was."""
        return self._speed

    # How it is played.

    def toggle(self) -> None:
        """Play or pause; at the end, play from the beginning."""
        if self.playing:
            self._pause()
        elif self.length:
            if self.frame >= self.length - 1:
                self._go(0)
            self.playing, self._since = True, time.monotonic()
            if self._ticker:
                self._ticker.resume()
        self._tell_time()

    def step(self, frames: int) -> None:
        """Pause and go on by frames, or back."""
        self._pause()
        self._go(self.frame + frames)

    def seek(self, frame: int) -> None:
        """Go to a frame; playing goes on from there."""
        self._go(frame)

    def faster(self, factor: float) -> None:
        """Play so many times faster."""
        self._speed = min(FASTEST, max(SLOWEST, self._speed * factor))
        self._tell_time()

    def _pause(self) -> None:
        self.playing = False
        if self._ticker:
            self._ticker.pause()

    def _tick(self) -> None:
        now = time.monotonic()
        reel, passed = self._reel, now - self._since
        self._since = now
        if reel is None or not reel.ready:
            return
        wanted = self._at + passed * self._speed * reel.fps
        # What is not decoded yet is waited for, not skipped.
        self._go(min(wanted, reel.ready - 1))
        if self.frame >= reel.length - 1 or (reel.done and self.frame >= reel.ready - 1):
            self._pause()
            self._tell_time()

    def _go(self, frame: float) -> None:
        reel = self._reel
        if reel is None or not reel.length:
            return
        self._at = min(max(0.0, frame), reel.length - 1.0)
        self.frame = int(self._at)
        self._show()
        self.post_message(self.Moved(self.frame, reel.length))

    # Reading.

    def _start(self) -> None:
        if self._wanted is None:
            return
        self._reel = Reel(*self._wanted, tell=lambda reel: self.post_message(self._Read(reel)))
        self._tell_time()

    def _drop(self) -> None:
        if self._opening:
            self._opening.stop()
        if self._reel:
            self._reel.stop()
        self._reel, self._opening = None, None

    def on_player__read(self, message: _Read) -> None:
        """Show what is there; what an episode left before says is not heard."""
        message.stop()
        reel = self._reel
        if reel is None or message.reel is not reel:
            return
        self._plot.show(reel.time, reel.state, reel.action, self.frame / reel.fps)
        self._show()

    # The picture.

    def _show(self) -> None:
        reel = self._reel
        if reel is None:
            return
        for view, (camera, pictures) in zip(self._views, reel.pictures.items(), strict=False):
            view.caption = camera.removesuffix("_cam")
            if pictures:
                view.show(pictures[min(self.frame, len(pictures) - 1)])
        self._plot.move(self.frame / reel.fps)
        self._tell_time()

    def _tell_time(self) -> None:
        self._line.update(self._time_line())

    def _time_line(self) -> Text:
        """Play or pause, a bar with what is decoded, the time, the speed; or what went wrong."""
        colours, reel = themed(self.app), self._reel
        if reel is None:
            return Text("")
        if reel.error:
            return Text(reel.error, colours["error"], no_wrap=True, overflow="ellipsis")
        if not reel.length:
            return Text("reading ...", colours["muted"])
        words = f" {self.frame / reel.fps:5.1f} / {reel.length / reel.fps:.1f} s  {self._speed:g}x"
        room = max(4, self.size.width - len(words) - 3)
        last = max(1, reel.length - 1)
        played, decoded = (min(room, round(part * room / last)) for part in (self.frame, reel.ready - 1))
        decoded = max(played, decoded)
        bar = Text("▶ " if self.playing else "‖ ", colours["accent"])
        bar.append("━" * played, colours["accent"]).append("━" * (decoded - played), colours["muted"])
        return bar.append("─" * (room - decoded), colours["line"]).append(words, colours["foreground"])
