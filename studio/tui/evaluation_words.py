"""An evaluation in words and bars: rates with their counts and intervals, outcomes, how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType
from rich.text import Text

from curation.rates import Rate
from studio.jobs import Job
from studio.tui.evaluation_sight import EvaluationSight
from studio.tui.theme import outcome_style
from studio.tui.training_words import LOOKS
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.words import counted, cut, interval_words, outcome_word
from training.progress import duration

Colours = dict[str, str]


@dataclass(frozen=True)
class AsWide:
    """Text that is drawn when it is known how wide it can be."""

    draw: Callable[[int], Text]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield self.draw(options.max_width)


def heading(sight: EvaluationSight | None, name: str, state: str, width: int, colours: Colours) -> Text:
    """The checkpoint, and the state flush right."""
    right = Text(f"● {state}", colours[LOOKS.get(state, "muted")])
    title = sight.evaluation.title if sight is not None and sight.evaluation is not None else name
    left = Text(no_wrap=True).append(cut(title, width - right.cell_len - 2), f"bold {colours['foreground']}")
    return left.append(" " * max(1, width - left.cell_len - right.cell_len)).append_text(right)


def advance(sight: EvaluationSight | None, job: Job | None, state: str, width: int, colours: Colours) -> Text:
    """A bar with the episodes done of those asked for and the time left; without a job, how many there are."""
    done, of = len(sight.rows) if sight is not None else 0, 0
    left_s = None
    if job is not None and job.progress.of:
        of, left_s = round(job.progress.of), job.progress.left_s
    words = f"  {min(done, of)} of {counted(of, 'episode')}" if of else f"  {counted(done, 'episode')}"
    if state == "running" and left_s is not None:
        words += f"  {duration(left_s)} left"
    share = done / of if of else None if state in ("running", "starting") else float(done > 0)
    bar = progress_bar(share, max(8, width - len(words)), colours[LOOKS.get(state, "muted")], colours["line"])
    return bar.append(words, colours["foreground"])


def legend(colours: Colours) -> Text:
    """The signs of the map."""
    text = Text(no_wrap=True)
    for sign, colour, word in (("●", "success", "success"), ("◐", "secondary", "some"), ("×", "error", "none"),
                               ("◇", "muted", "infeasible")):  # fmt: skip
        text.append(sign, colours[colour]).append(f" {word} ", colours["muted"])
    return text


def rates(sight: EvaluationSight, colours: Colours) -> Text:
    """Success and clean success, with count and 95 % interval, everywhere and where the arm can do it."""
    found = sight.found
    if not found:
        return Text()
    left_out = found["episodes"] - found["feasible_episodes"]
    text = Text(f"{'':<13} rate  {'episodes':<10} 95 % CI\n", colours["muted"])
    rows = [("success", "feasible_success"), ("clean success", "feasible_clean_success")]
    if left_out:
        rows += [("at all places", "success"), ("  clean", "clean_success")]
    for name, key in rows:
        text.append_text(rate_line(name, Rate(**found[key]), colours, bold=key.startswith("feasible"))).append("\n")
    if left_out:
        text.append(f"◇ {left_out} where the arm cannot do it\n", colours["muted"])
    return text


def outcomes(sight: EvaluationSight, width: int, colours: Colours) -> Text:
    """A bar for every outcome, with its count and interval."""
    found = sight.found
    if not found:
        return Text()
    text = Text()
    total = found["episodes"]
    for outcome, told in found["outcomes"].items():
        words = f" {told['k']:>4}  {interval_words(Rate(**told)):>8}"
        room = max(4, width - 14 - len(words))
        full = max(1, round(room * told["k"] / total))
        text.append(f"{outcome_word(outcome):<14}", colours["foreground"])
        text.append("━" * full, outcome_style(outcome)).append("━" * (room - full), colours["line"])
        text.append(f"{words}\n", colours["muted"])
    return text


def more(sight: EvaluationSight, colours: Colours) -> Text:
    """Time of a success, calls, episodes that broke off, and under which conditions all this holds."""
    text = Text()
    if sight.found:
        parts = []
        if sight.found["median_success_s"] is not None:
            parts.append(f"median success {sight.found['median_success_s']:.1f} s")
        if sight.found["call_ms"] is not None:
            parts.append(f"{sight.found['call_ms']:.0f} ms a call")
        text.append(" · ".join(parts) + "\n" if parts else "", colours["muted"])
        if broken := sight.found["errors"]:
            text.append(f"{counted(len(broken), 'episode')} broke off: {broken[0]['error']}\n", colours["error"])
    if sight.evaluation is not None:
        text.append(sight.evaluation.conditions_words, colours["muted"])
    return text


def rate_line(name: str, rate: Rate, colours: Colours, *, bold: bool) -> Text:
    """Such as "success        75 %  45 of 60   63-84 %"."""
    share = f"{100 * rate.k / rate.n:.0f} %" if rate.n else "-"
    text = Text(f"{name:<13}", colours["foreground" if bold else "muted"])
    text.append(f"{share:>5}", f"bold {colours['success']}" if bold else colours["muted"])
    counts = f"{rate.k} of {rate.n}"
    return text.append(f"  {counts:<10} {interval_words(rate)}", colours["foreground" if bold else "muted"])
