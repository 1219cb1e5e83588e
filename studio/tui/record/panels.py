"""The parts of the record screen that are words and bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from recorders.meter import Gauge, Level
from recorders.operators.keymap import REASONS
from recorders.signals import Stage, Tick
from studio.tui.theme import outcome_style, themed
from studio.tui.words import clock_words, cut

LEVEL_COLOURS = {Level.GOOD: "success", Level.FAIR: "warning", Level.BAD: "error"}
STAGE_WORDS = {
    Stage.STARTING: ("○", "STARTING", "muted"),
    Stage.READY: ("○", "READY", "accent"),
    Stage.RECORDING: ("●", "RECORDING", "error"),
    Stage.REVIEW: ("◐", "KEEP IT?", "warning"),
    Stage.DONE: ("●", "DONE", "success"),
    Stage.SAVING: ("◌", "SAVING", "secondary"),
    Stage.OVER: ("○", "OVER", "muted"),
}


class StageLine(Widget):
    """One line: where the sitting stands, how far the take is, how far the goal.

    Args:
        operator: who drives.
    """

    DEFAULT_CSS = "StageLine { height: 1; }"

    def __init__(self, operator: str) -> None:
        super().__init__()
        self._begins = "press Enter" if operator == "leader" else "drive or press Enter"
        self._tick = Tick(stage=Stage.STARTING)
        self._practice = False

    def show(self, tick: Tick, *, practice: bool) -> None:
        """Show the newest tick."""
        self._tick, self._practice = tick, practice
        self.refresh()

    def render(self) -> RenderResult:
        colours, tick = themed(self.app), self._tick
        mark, word, colour = STAGE_WORDS[tick.stage]
        if self._practice and tick.stage is Stage.RECORDING:
            word, colour = "PRACTICE", "secondary"
        left = Text(f" {mark} {word}", f"bold {colours[colour]}")
        if tick.stage in (Stage.RECORDING, Stage.REVIEW):
            left.append(f"  {tick.seconds:4.1f} of {tick.limit_s:.0f} s", colours["foreground"])
            if tick.outcome == "success":
                left.append("  success", outcome_style("success"))
            asks = tick.stage is Stage.REVIEW
            left.append("  Enter keeps it, ← discards" if asks else f"  {tick.phase}", colours["muted"])
        elif tick.stage is Stage.READY:
            left.append(f"  {self._begins} to begin", colours["muted"])
        elif tick.stage is Stage.DONE:
            left.append("  u takes the last one back, Enter or Esc ends", colours["muted"])
        elif tick.stage is Stage.SAVING:
            left.append(f"  {tick.waiting} to draw", colours["muted"])
        right = self._progress(colours)
        room = self.size.width - right.cell_len - 1
        left.truncate(room)
        left.append(" " * max(1, room - left.cell_len))
        return left.append_text(right)

    def _progress(self, colours: dict[str, str]) -> Text:
        tick = self._tick
        right = Text()
        if self._practice:
            return right.append("nothing is recorded ", colours["muted"])
        kept = f"{tick.kept} of {tick.goal}" if tick.goal else f"{tick.kept}"
        right.append(f"{kept} kept", colours["foreground"])
        if tick.waiting:
            right.append(f", {tick.waiting} to draw", colours["muted"])
        if tick.per_minute:
            right.append(f"  {tick.per_minute:.1f}/min", colours["muted"])
        if tick.left_s is not None:
            right.append(f"  {clock_words(tick.left_s)} left", colours["muted"])
        return right.append(" ")


class MeterView(Widget):
    """The gauges, one a line: a mark in its colour, the name, the value."""

    DEFAULT_CSS = "MeterView { height: auto; min-height: 9; }"

    def __init__(self) -> None:
        super().__init__()
        self._gauges: Sequence[Gauge] = ()

    def show(self, gauges: Sequence[Gauge]) -> None:
        """Show the newest gauges; none of them greys the last."""
        self._gauges = gauges
        self.refresh()

    def render(self) -> RenderResult:
        colours = themed(self.app)
        text = Text("quality\n", colours["muted"])
        if not self._gauges:
            return text.append("shown while a take runs", colours["faint"])
        for gauge in self._gauges:
            colour = colours[LEVEL_COLOURS[gauge.level]]
            text.append(f"{'■' if gauge.level is Level.GOOD else '▲'} ", colour)
            text.append(f"{gauge.name:<8}", colours["foreground"])
            text.append(f"{number(gauge.value):>6}", colour).append(f" {gauge.unit}\n", colours["muted"])
        text.right_crop(1)
        return text


def number(value: float) -> str:
    """A reading in at most six characters; "-" where there is none."""
    if not math.isfinite(value):
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.1f}"


def _delay_words(delays: Sequence[float]) -> str:
    """A device's delays [ms] in the last second, 95th percentiles."""
    age, control, frame = delays
    return f"reading {age:.0f} ms old, in control after {control:.0f} ms, in the frame {frame:.1f} ms later"


class Driving(Widget):
    """What the hands move, how fast, what is held, and what stops the arm."""

    DEFAULT_CSS = "Driving { height: 2; }"

    def __init__(self) -> None:
        super().__init__()
        self._tick: Tick | None = None
        self._source = ""

    def show(self, tick: Tick, source: str) -> None:
        """Show the newest tick and the name of the source of keys."""
        self._tick, self._source = tick, source
        self.refresh()

    def render(self) -> RenderResult:
        colours, tick = themed(self.app), self._tick
        if tick is None or not tick.mode:
            return Text("")
        text = Text()
        text.append(f"{tick.mode} ", colours["foreground"]).append(f"x{tick.pace:g} ", colours["accent"])
        if not tick.delays:  # of a device the mode says whether it drives
            keys = " ".join(tick.driving)
            text.append(f"{keys:<3} " if keys else "·   ", colours["accent"] if keys else colours["faint"])
        if tick.stopped_at:
            text.append(f"stopped by {tick.stopped_at}", colours["warning"])
        else:
            text.append(f"tip {' '.join(f'{1000 * part:.0f}' for part in tick.tip)} mm", colours["muted"])
            text.append(f"  grip {tick.state[5]:.0f}" if tick.state else "", colours["muted"])
        text.truncate(self.size.width)
        below = _delay_words(tick.delays) if tick.delays else self._source
        text.append("\n").append(cut(below, self.size.width), colours["faint"])
        return text


_Card = tuple[tuple[tuple[str, str], ...], ...]
BRIEF: _Card = (
    (("i k", "away back"), ("j l", "left right"), ("y h", "up down")),
    (("t g", "tilt"), ("q e", "roll"), ("o c", "open close"), ("- =", "pace")),
    (("m", "hand, joints"), ("Space", "stand still"), ("U", "restore")),
)
"""For a narrow side: what drives; what decides is in the line of keys below."""
FULL: _Card = (
    (("i k", "away, back"), ("Enter", "start, save")),
    (("j l", "left, right"), ("→", "save")),
    (("y h", "up, down"), ("← d", "discard")),
    (("t g", "tilt up, down"), ("r", "new scene")),
    (("q e", "roll"), ("s", "skip")),
    (("o c", "open, close"), ("u U", "undo, restore")),
    (("- =", "slower, faster"), ("m", "hand or joints")),
    (("Space", "stand still"), ("Esc", "stop")),
)


BRIEF_HAND: _Card = (
    (("Squeeze", "drive"), ("Trigger", "close"), ("A", "save"), ("B", "discard")),
    (("Stick", "press: forward is where you point"), ("up down", "scale")),
    (("r", "new scene"), ("s", "skip"), ("u U", "undo, restore"), ("Esc", "stop")),
)
FULL_HAND: _Card = (
    (("Grip", "squeeze: drive"), ("A", "save")),
    (("Trig", "close"), ("B", "discard")),
    (("Stick", "press: forward"), ("r", "new scene")),
    (("Stick", "up, down: scale"), ("s", "skip")),
    (("- =", "smaller, larger"), ("u U", "undo, restore")),
    (("Enter", "start, save"), ("Esc", "stop")),
)
"""The same for a controller, and the keys that are of use beside it."""
BRIEF_LEADER: _Card = (
    (("Enter", "start, save"), ("d", "discard"), ("m", "hold, follow")),
    (("Leader", "every take begins with a slow way to where it is"),),
    (("r", "new scene"), ("s", "skip"), ("u U", "undo, restore"), ("Esc", "stop")),
)
FULL_LEADER: _Card = (
    (("Arm", "near, follow"), ("Enter", "start, save")),
    (("m", "hold, follow"), ("→", "save")),
    (("Space", "hold"), ("← d", "discard")),
    (("u U", "undo, restore"), ("r", "new scene")),
    (("Esc", "stop"), ("s", "skip")),
)
"""The same for a leader arm."""
CARDS = {"vr": (BRIEF_HAND, FULL_HAND), "leader": (BRIEF_LEADER, FULL_LEADER)}


class KeyCard(Widget):
    """The keys, or what a device does, always in view; all of it where there is room.

    Args:
        operator: who drives.
    """

    DEFAULT_CSS = "KeyCard { height: 3; }"

    def __init__(self, operator: str) -> None:
        super().__init__()
        self._brief, self._full = CARDS.get(operator, (BRIEF, FULL))

    def render(self) -> RenderResult:
        colours = themed(self.app)
        text = Text()
        full = self.size.height >= len(self._full)
        for line in self._full if full else self._brief:
            for keys, words in line:
                text.append(f"{keys:>5} " if full else f"{keys} ", f"bold {colours['accent']}")
                text.append(f"{words:<15} " if full else f"{words}  ", colours["muted"])
            text.append("\n")
        text.right_crop(1)
        return text


class Doings(Widget):
    """What happened last, newest below, and above it what is asked or advised now."""

    DEFAULT_CSS = "Doings { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Text] = []
        self._asks_why = False
        self._advice = ""

    def add(self, line: Text) -> None:
        """One more event."""
        self._lines = [*self._lines, line][-50:]
        self.refresh()

    def ask(self, *, why: bool, advice: str) -> None:
        """Whether a digit now says why a take was discarded; and what the meter advises."""
        if (why, advice) != (self._asks_why, self._advice):
            self._asks_why, self._advice = why, advice
            self.refresh()

    def render(self) -> RenderResult:
        colours, width, height = themed(self.app), self.size.width, self.size.height
        head: list[Text] = []
        if self._advice:
            head.append(Text(f"▲ discard? {self._advice}", colours["error"]))
        if self._asks_why:
            reasons = Text("why? ", colours["warning"])
            for key, words in REASONS.items():
                reasons.append(f"{key} ", f"bold {colours['accent']}").append(f"{words}  ", colours["muted"])
            head.append(reasons)
        wrapped = [line for text in head for line in text.wrap(self.app.console, width)]
        below = [line for text in self._lines for line in text.wrap(self.app.console, width)]
        room = max(0, height - len(wrapped))
        return Text("\n").join([*wrapped, *(below[-room:] if room else [])])
