"""A training in words: what it is of, how far it is, what can be done with it now."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from studio.tui.following import name_of
from studio.tui.training_sight import TrainingSight
from studio.tui.widgets.outcome_bar import progress_bar
from studio.tui.words import clock_words, counted, cut
from training.progress import duration

Colours = dict[str, str]
LOOKS = {
    "running": "accent",
    "starting": "accent",
    "stopping": "warning",
    "stopped": "warning",
    "done": "success",
    "killed": "error",
    "failed": "error",
    "damaged": "error",
    "lost": "error",
}
"""Colour of every state."""
SHOWN = 40
"""Checkpoints that are listed at most."""


def heading(sight: TrainingSight, state: str, width: int, colours: Colours) -> Text:
    """What is trained on what, and the state flush right."""
    right = Text(f"● {state}", colours[LOOKS.get(state, "muted")])
    left = Text(no_wrap=True).append(cut(sight.folder.name, max(8, width // 3)), f"bold {colours['foreground']}")
    left.append(f"  {cut(subject(sight), max(0, width - left.cell_len - right.cell_len - 4))}", colours["muted"])
    return left.append(" " * max(1, width - left.cell_len - right.cell_len)).append_text(right)


def subject(sight: TrainingSight) -> str:
    """Such as "act on pos2 (49 of 50 episodes), seed 0, batches of 8 on cpu"."""
    told = sight.told
    if not told:
        return ""
    data = told.get("dataset") or {}
    have, whole = data.get("episodes"), data.get("of_episodes")
    of = f"{have} of {whole} episodes" if whole and whole != have else counted(int(have or 0), "episode")
    recipe = told.get("recipe") or {}
    start = f" from {recipe['weights_given']}" if recipe.get("weights_given") else ""
    batch = f"batches of {told.get('batch_size')} on {recipe.get('device', 'an unknown device')}"
    return f"{told.get('policy')}{start} on {data.get('name')} ({of}), seed {told.get('seed')}, {batch}"


def advance(sight: TrainingSight, state: str, width: int, colours: Colours) -> Text:
    """A bar with the step of all steps and the time left."""
    progress = sight.progress
    if not progress.steps:
        return Text("╌" * width, colours["line"])
    words = f"  {progress.step} of {progress.steps}"
    if state == "running" and progress.left_s is not None:
        words += f"  {duration(progress.left_s)} left"
    colour = colours[LOOKS.get(state, "muted")]
    bar = progress_bar(progress.step / progress.steps, max(8, width - len(words)), colour, colours["line"])
    return bar.append(words, colours["foreground"])


def verdict(sight: TrainingSight, state: str, colours: Colours) -> Text:
    """What came of it and what to do now, with the command that does the same."""
    name, kept = name_of(sight.folder), sight.kept[-1:]
    go_on = "It left no checkpoint, so it cannot go on; n trains anew."
    if kept:
        go_on = f"r goes on from checkpoint {kept[0]:06d}: studio train --resume {name}"
    elif sight.broken:
        go_on = "No checkpoint is whole, so it cannot go on; n trains anew."
    match state:
        case "stopping":
            words = f"Asked to stop: it writes a checkpoint first. Then r goes on: studio train --resume {name}"
        case "stopped":
            words = f"Stopped at step {sight.progress.step}. {go_on}"
        case "killed":
            words = f"Its process is gone since step {sight.progress.step}. {go_on}"
        case "failed":
            words = f"Failed: {last_words(sight.said)} {go_on if kept else 'l shows all it said.'}"
        case "done":
            words = f"Trained to the end. e evaluates it: studio evaluate {name}"
        case "damaged":
            words = sight.wrong
        case _:
            words = ""
    return Text(words, colours[LOOKS.get(state, "muted")] if state != "done" else colours["success"])


def last_words(said: str) -> str:
    """The last line that says something, as a sentence."""
    lines = [line.strip() for line in said.splitlines() if line.strip(" ^~")]
    if not lines:
        return "it said nothing."
    return lines[-1] if lines[-1].endswith((".", "!", "?")) else f"{lines[-1]}."


def numbers(sight: TrainingSight, seconds: float | None, colours: Colours) -> Table:
    """The newest numbers, and the checkpoints so far.

    Args:
        sight: of the training.
        seconds: it has run in this job; None if nobody knows.
        colours: by name.
    """
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style=colours["muted"], no_wrap=True)
    grid.add_column(style=colours["foreground"])
    last, progress = sight.last, sight.progress
    rows: list[tuple[str, str]] = [("loss", "-" if progress.loss is None else f"{progress.loss:.4g}")]
    if sight.held_out.losses:
        rows.append(("held out", f"{sight.held_out.losses[-1]:.4g}"))
    rows.append(("a step", f"{progress.step_s:.2g} s" if progress.step_s > 0 else "-"))
    for name, key, form in (("of it data", "data_s", "{:.2g} s"), ("learn rate", "lr", "{:.3g}"),
                            ("gradient", "grad_norm", "{:.3g}")):  # fmt: skip
        if isinstance(last.get(key), int | float):
            rows.append((name, form.format(last[key])))
    if seconds is not None:
        rows.append(("for", clock_words(seconds)))
    if sight.told.get("resumed"):
        rows.append(("resumed", counted(len(sight.told["resumed"]), "time")))
    if sight.told.get("forced"):
        rows.append(("passed over", ", ".join(sight.told["forced"])))
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def kept_words(kept: Sequence[int], broken: Sequence[tuple[int, str]], colours: Colours) -> Text:
    """Checkpoints so far, the newest first: where there is no room for all, the oldest are not seen."""
    text = Text(counted(len(kept), "checkpoint") if kept else "no checkpoint yet", colours["muted"])
    for step, why in broken[:2]:
        text.append(f"\n× {step:06d} not whole: {why}", colours["error"])
    for step in kept[: -SHOWN - 1 : -1]:
        text.append(f"\n▲ {step:06d}", colours["success"])
    return text
