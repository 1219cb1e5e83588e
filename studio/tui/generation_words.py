"""A generation in words and bars: how far it is, what is kept and why not, and how sure the rates are."""

from __future__ import annotations

from rich.text import Text

from curation.rates import Rate, wilson
from curation.yields import Yield
from studio.jobs import Job
from studio.tui.evaluation_words import rate_line
from studio.tui.generation_sight import GenerationSight, Measure, rate_of
from studio.tui.theme import outcome_style
from studio.tui.training_words import LOOKS
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.words import counted, cut, interval_words, outcome_word
from studio.yield_words import disagreements, refusals
from studio.yielding import Found
from training.progress import duration

Colours = dict[str, str]
MEASURES: dict[Measure, str] = {
    "kept": "accepted of all attempts",
    "success": "successes of judged attempts",
    "precision": "successes of accepted, judged ones",
}


def heading(sight: GenerationSight | None, name: str, state: str, width: int, colours: Colours) -> Text:
    """Who drives into what, and the state flush right."""
    right = Text(f"● {state}", colours[LOOKS.get(state, "muted")])
    found = sight.found if sight is not None else None
    who = str(found.asked.get("operator", "")) if found is not None else ""
    title = " into ".join(filter(None, [who, name]))
    left = Text(no_wrap=True).append(cut(title, width - right.cell_len - 2), f"bold {colours['foreground']}")
    return left.append(" " * max(1, width - left.cell_len - right.cell_len)).append_text(right)


def advance(sight: GenerationSight | None, job: Job | None, state: str, width: int, colours: Colours) -> Text:
    """A bar with the attempts made of those wanted and the time left; without a number wanted, how many there are."""
    made = sight.made if sight is not None else 0
    wanted = sight.found.wanted if sight is not None and sight.found is not None else None
    words = f"  {min(made, wanted)} of {counted(wanted, 'attempt')}" if wanted else f"  {counted(made, 'attempt')}"
    if state == "running" and job is not None and job.progress.left_s is not None:
        words += f"  {duration(job.progress.left_s)} left"
    going = state in ("running", "starting", "stopping")
    share = min(1.0, made / wanted) if wanted else None if going else float(made > 0)
    bar = progress_bar(share, max(8, width - len(words)), colours[LOOKS.get(state, "muted")], colours["line"])
    return bar.append(words, colours["foreground"])


def legend(measure: Measure, colours: Colours) -> Text:
    """What the map shows, and its signs."""
    text = Text(f"{MEASURES[measure]}\n", colours["foreground"], no_wrap=True)
    for sign, colour, word in (("●", "success", "all"), ("◐", "secondary", "some"), ("×", "error", "none"),
                               ("○", "muted", "not yet")):  # fmt: skip
        text.append(sign, colours[colour]).append(f" {word}  ", colours["muted"])
    return text


def rates(sight: GenerationSight, colours: Colours) -> Text:
    """What is accepted, what succeeded, how often who decided was right: with count and 95 % interval."""
    found = sight.found
    if found is None or not sight.made:
        return Text("no attempt is made yet\n", colours["muted"])
    every = found.total
    text = Text(f"{'':<13} rate  {'count':<10} 95 % CI\n", colours["muted"])
    rows = {"accepted": rate_of(every, "kept"), "success": every.base}
    if every.precision is not None:
        rows["precision"] = every.precision
    for name, rate in rows.items():
        known = rate_line(name, rate, colours, bold=name == "accepted")
        text.append_text(known if rate.n else Text(f"{name:<13} nobody knows yet", colours["muted"])).append("\n")
    audited = every.base.n
    if audited < sight.made:
        text.append(f"truth known of {audited} of {counted(sight.made, 'attempt')}\n", colours["muted"])
    if (odd := disagreements(sight.lines)).n:
        text.append(f"≠ judge, classifier differ: {odd.k} of {odd.n}\n", colours["warning" if odd.k else "muted"])
    text.append(f"{counted(every.kept, 'episode')} in use", colours["foreground"])
    held = every.accepted - every.kept
    return text.append(f", {held} held back or in the trash\n" if held > 0 else "\n", colours["muted"])


def why_not(sight: GenerationSight, width: int, colours: Colours) -> Text:
    """A bar for every reason not to keep an attempt, with its count and interval."""
    reasons = refusals(sight.lines)
    if not reasons:
        return Text()
    text = Text("not kept, because\n", colours["muted"])
    for reason, count in reasons.items():
        said, outcome = _short(reason)
        words = f" {count:>4}  {interval_words(wilson(count, sight.made)):>8}"
        room = max(4, width - 18 - len(words))
        full = max(1, round(room * count / sight.made))
        text.append(f"{cut(said, 17):<18}", colours["foreground"])
        text.append("━" * full, outcome_style(outcome) if outcome else colours["warning"])
        text.append("━" * (room - full), colours["line"]).append(f"{words}\n", colours["muted"])
    return text


def positions(sight: GenerationSight, measure: Measure, width: int, colours: Colours) -> Text:
    """A line for every position, and whether its bound reaches what was asked."""
    found = sight.found
    if found is None or len(found.positions) < 2:
        return Text()
    below = "" if found.precision is None else f"; ! bound below {found.precision:g}"
    text = Text(f"at each position{below}\n", colours["muted"])
    room = max(8, width - 24)
    for one in found.positions:
        text.append(f"{cut(one.place.name, room):<{room}}", colours["foreground"])
        text.append_text(_count(rate_of(one, measure), colours)).append_text(_proof(one, found, colours)).append("\n")
    return text


def asked_words(found: Found | None, colours: Colours) -> Text:
    """How the attempts are made."""
    if found is None:
        return Text()
    asked = found.asked
    parts = [f"kept by {asked.get('keep')}", f"seed {dict(asked.get('placements') or {}).get('seed')}"]
    if asked.get("audit") is not None and found.total.precision is not None:
        parts.append(f"{100 * float(asked['audit']):.0f} % audited")
    if found.precision is not None:
        parts.append(f"precision of {found.precision:g} asked" + (", forced" if found.forced else ""))
    text = Text(", ".join(parts), colours["muted"])
    if len(found.looks) > 1:
        text.append(
            f"\ndecided {len(found.looks)} times: each look is one more chance to pass by luck", colours["warning"]
        )
    return text


def unproven_words(found: Found) -> str:
    """How many positions are not shown to be as precise as was asked, and what became of their episodes."""
    below, count = len(found.unproven), len(found.positions)
    accepted = counted(sum(one.accepted for one in found.unproven), "accepted episode")
    fate = "in use because of --force" if found.forced else "held back"
    return f"{below} of {counted(count, 'position')} not shown to reach {found.precision:g}: {accepted} {fate}."


def _count(rate: Rate, colours: Colours) -> Text:
    if not rate.n:
        return Text(f"{'nobody knows':>18}", colours["muted"])
    share = colours["success" if rate.k == rate.n else "error" if not rate.k else "secondary"]
    text = Text(f"{f'{rate.k} of {rate.n}':>9}", share)
    return text.append(f" {interval_words(rate):>8}", colours["muted"])


def _proof(one: Yield, found: Found, colours: Colours) -> Text:
    if found.precision is None:
        return Text()
    return Text(" ✓", colours["success"]) if one.proves(found.precision) else Text(" !", colours["warning"])


def _short(reason: str) -> tuple[str, str]:
    """A reason in few letters, and the outcome that it names."""
    who, _, outcome = reason.partition(": ")
    return (outcome_word(outcome), outcome) if outcome and who in ("judge", "verdict") else (reason, "")
