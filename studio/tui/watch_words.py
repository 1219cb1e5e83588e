"""A watched moment in words and lines: what the policy is about, what is drawn, which keys matter."""

from __future__ import annotations

import numpy as np
from rich.text import Text

from curation.frames import Vector
from curation.palette import Colour
from studio.tui.theme import outcome_style
from studio.tui.watch_sight import Sight, settings_words
from studio.tui.watching import Watching
from studio.tui.widgets.whisker_view import Strand
from studio.tui.words import counted, cut, outcome_word
from studio.watching.lines import COLOURS, MEANT, lines_of
from studio.watching.moment import Moment
from studio.watching.words import caveats
from training.tracking import Tracked

Colours = dict[str, str]
FAINTEST = 0.42
"""How much of its colour the faintest line keeps: a terminal's pictures let nothing through."""
BEFORE_S = 1.5
"""How much of the way taken before a moment is shown [s]."""
LAYERS = {"samples": "samples", "denoising": "denoising", "ghosts": "past chunks"}
KINDS = {"samples": ("sample",), "denoising": ("denoising",), "ghosts": ("ghost", "chunk")}
"""What can be left out, and which lines these are."""


def strands(sight: Sight, moment: Moment, layers: frozenset[str]) -> list[Strand]:
    """What is drawn over the pictures, lowest first: what every face draws, and the way that then came."""
    left_out = {kind for layer, kinds in KINDS.items() if layer not in layers for kind in kinds}
    came = sight.history.path[moment.frame : moment.frame + len(moment.plan) + 1]
    found = [Strand(came, COLOURS["taken"], dashed=True)]
    for line in lines_of(sight.history, moment.frame):
        if line.kind not in left_out:
            points = line.points[-round(BEFORE_S * sight.history.fps) :] if line.kind == "taken" else line.points
            found.append(Strand(points, faded(line.kind, line.strength)))
    return found


def faded(kind: str, strength: float) -> Colour:
    """The colour of a line, the darker the weaker it is."""
    share = FAINTEST + (1 - FAINTEST) * strength**3
    red, green, blue = (round(share * value) for value in COLOURS[kind])
    return red, green, blue


def heading(sight: Sight, moment: Moment, state: str, width: int, colours: Colours) -> Text:
    """Who drives, where; the frame and the state flush right."""
    told, history = sight.history.told, sight.history
    ended = told["ending"]
    of = f"{len(history)}" if ended else f"{len(history)}…"
    right = Text(f"frame {moment.frame}", f"bold {colours['foreground']}").append(f" of {of} ", colours["muted"])
    right.append(f"{moment.time:.2f} s  ", colours["muted"])
    right.append(f"● {state}", colours[STATE_LOOKS.get(state, "muted")])
    at = told["placement"]
    left = Text(no_wrap=True)
    whole = f"{told['checkpoint']['label']} at {at['x']:.3f} {at['y']:.3f}"
    left.append(cut(whole, width - right.cell_len - 2), f"bold {colours['foreground']}")
    return left.append(" " * max(1, width - left.cell_len - right.cell_len)).append_text(right)


def loading_heading(name: str, state: str, width: int, colours: Colours) -> Text:
    """What will be watched, before there is anything of it."""
    right = f"  ● {state}"
    return Text(cut(name, width - len(right)), f"bold {colours['foreground']}").append(right, colours["muted"])


def said(watching: Watching, sight: Sight | None) -> tuple[str, bool]:
    """What is wrong, what is being done, or the alarm; and whether it is grave. "" for nothing."""
    if watching.wrong:
        return watching.wrong, True
    text, grave = watching.said
    if watching.loading:
        return text, grave
    alarms = [f"ALARM: {alarm}" for alarm in sight.history.told["alarms"]] if sight is not None else []
    return " ".join([*alarms, *([text] if grave else [])]), True


STATE_LOOKS = {"running": "success", "paused": "accent", "loading": "warning", "failed": "error"}


def facts(sight: Sight, moment: Moment, layers: frozenset[str], lines: int, colours: Colours) -> Text:
    """The moment, doubts and what the colours mean, the most important first, in at most so many lines."""
    found = [*_moment(sight, moment, colours), *_doubts(sight, moment, colours)]
    text = Text("\n").join([*found, *_legend(moment, layers, colours), *_more(sight, colours)][:lines])
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _moment(sight: Sight, moment: Moment, colours: Colours) -> list[Text]:
    """What goes on, and how old the plan is."""
    text = Text(moment.phase.value, f"bold {colours['foreground']}")
    if ending := sight.history.told["ending"]:
        text.append(" → ", colours["muted"])
        text.append(outcome_word(ending["outcome"]), outcome_style(ending["outcome"]))
    # An event of the end is seen in the last frame.
    last = len(sight.history) - 1
    if here := [event.kind for event in sight.events if min(event.frame, last) == moment.frame]:
        text.append(f"  {', '.join(here)}!", f"bold {colours['warning']}")
    asked = "asked now" if moment.asked else f"asked {counted(moment.age, 'frame')} ago"
    sure = "blended anew" if moment.outlook.thought.blended else f"{moment.sure} of {len(moment.plan)} sure"
    first = [text, Text(f"{asked}, {sure}", colours["muted"])]
    return [*first, *(Text(words, colours["warning"]) for words in caveats(sight.history))]


def _doubts(sight: Sight, moment: Moment, colours: Colours) -> list[Text]:
    """How far votes and samples are apart."""
    found = []
    if (apart := sight.apart(moment.frame)) is not None:
        found.append(Text(f"gripper votes apart {apart:.1f} %", colours["muted"]))
    thought = moment.outlook.thought
    if len(thought.samples):
        count = counted(len(thought.samples), "sample")
        if sight.history.told["draws"] is False:
            found.append(Text(f"{count}, all equal: it draws nothing", colours["muted"]))
        elif (unsure := sight.unsure(moment)) is not None:
            found.append(Text(f"{count} spread by {unsure:.1f}° (mean)", colours["muted"]))
    return found


def _legend(moment: Moment, layers: frozenset[str], colours: Colours) -> list[Text]:
    """What the lines in the pictures are."""
    outlook = moment.outlook
    blended = outlook.thought.blended
    sure, meant = faded("plan", 1.0), faded("plan", MEANT)
    rows: list[list[tuple[Colour, str]]] = [
        [(sure, "the blend")] if blended else [(sure, "carried out"), (meant, "meant")]
    ]
    past = (COLOURS["chunk"], "chunks") if blended else (COLOURS["ghost"], "before")
    rows.append([(COLOURS["taken"], "way taken"), *([past] if "ghosts" in layers else [])])
    more = [(COLOURS["sample"], "samples")] if outlook.samples and "samples" in layers else []
    more += [(COLOURS["denoising"], "denoising")] if outlook.denoising and "denoising" in layers else []
    rows += [more] if more else []
    if outlook.whisker is None:
        return [Text("no whiskers in this history", colours["muted"])]
    return [_signs(row, colours) for row in rows]


def _signs(row: list[tuple[Colour, str]], colours: Colours) -> Text:
    text = Text()
    for colour, word in row:
        text.append("━━", "rgb({},{},{})".format(*colour)).append(f" {word}  ", colours["muted"])
    return text


def _more(sight: Sight, colours: Colours) -> list[Text]:
    """Settings, branches, and whether it went as recorded."""
    told = sight.history.told
    found = [Text(settings_words(told), colours["muted"])]
    found += [
        Text(f"from {one['frame']} on: " + ", ".join(f"{name} {value}" for name, value in one["changed"].items()),
             colours["secondary"])
        for one in told["branches"]
    ]  # fmt: skip
    if (compared := told.get("compared", {})).get("equal") and compared.get("words"):
        found.append(Text(str(compared["words"]), colours["muted"]))
    return found


def joint_note(one: Tracked) -> str:
    """Lag [frames] and mean error of a joint in at most eight characters, such as "2f ±0.4"."""
    lag = "-" if one.lag is None else str(one.lag)
    return f"{lag}f ±{one.mean_error:.1f}" if one.mean_error < 10 else f"{lag}f ±{one.mean_error:.0f}"


def window(sight: Sight, moment: Moment, frames: int | None) -> tuple[int, int]:
    """First frame that graphs show, and the one after the last; all of them, and the plan, where None are asked for."""
    count = len(sight.history)
    if frames is None:
        return 0, count
    first = max(0, moment.frame - frames // 2)
    return first, first + frames


def series(sight: Sight, moment: Moment, span: tuple[int, int]) -> tuple[Vector, Vector, Vector, Vector]:
    """Time, measured, commanded and predicted in a span, whose end may lie beyond the history.

    What is predicted for frames from this moment on is the plan in force now.
    """
    first, end = span
    columns = sight.history.columns
    predicted = np.full((max(end, len(sight.foretold)), 6), np.nan)
    predicted[: moment.frame] = sight.foretold[: moment.frame]
    plan = moment.plan[: len(predicted) - moment.frame]
    predicted[moment.frame : moment.frame + len(plan)] = plan
    time = np.arange(first, end) / sight.history.fps
    return time, _cut(columns.state, span), _cut(columns.action, span), predicted[first:end]


def _cut(values: Vector, span: tuple[int, int]) -> Vector:
    found = np.full((span[1] - span[0], values.shape[1]), np.nan)
    part = values[span[0] : span[1]]
    found[: len(part)] = part
    return found
