"""What is asked before something is watched, or gone on with: answers become words of `studio watch`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curation.errors import StudioError, UsageError
from curation.store import Store
from studio.tui.ask import Answers, Ask
from studio.tui.watch_sight import settings_words
from studio.tui.widgets.form_row import Question
from studio.watching.history import History

SAME = "as it is"
BOTH, NONE = "both", "none"
STEPS, ENSEMBLE, PLAIN = "actions", "ensemble", "no ensemble"
USUAL = "0.01"
"""LeRobot's usual coefficient."""


def go_on_sheet(history: History, frame: int, *, live: bool) -> Ask:
    """Asks what shall be otherwise from a frame on; closes with words of the command, or None."""
    from recorders.world.scene import scene_from

    cameras = scene_from(history.told["scene"]["scene"]).cameras
    unfinished = history.told["ending"] is None and not live and frame == len(history) - 1
    questions = [
        Question("blind", "blind", SAME, options=(SAME, *cameras, BOTH, NONE)),
        Question("carried", "carry out", SAME, options=(SAME, STEPS, ENSEMBLE, PLAIN)),
        Question("steps", "actions", "", "of each chunk", hint="10", only_if=("carried", (STEPS,))),
        Question("ensemble", "coefficient", USUAL, only_if=("carried", (ENSEMBLE,))),
    ]

    def take(answers: Answers) -> list[str]:
        words = changed_words(answers, cameras)
        if not words and not unfinished:
            raise UsageError("Nothing would be otherwise: without a change it goes on bit for bit as it did.")
        return words

    now = settings_words(history.told)
    said = f"Now: {now}. The policy is asked again in frame {frame}; what came after it stays in its folder."
    return Ask(f"Go on from frame {frame}", questions, take, said)


def changed_words(answers: Answers, cameras: Sequence[str]) -> list[str]:
    """What shall be otherwise, as words of the command.

    Raises:
        UsageError: a number is missing or is none.
    """
    words: list[str] = []
    match answers["carried"]:
        case x if x == STEPS:
            if not answers["steps"].strip().isdecimal():
                raise UsageError("How many actions of each chunk? A whole number, such as 10.")
            words += ["--n-action-steps", answers["steps"].strip()]
        case x if x == ENSEMBLE:
            words += ["--ensemble", _number(answers["ensemble"], "coefficient")]
        case x if x == PLAIN:
            words += ["--no-ensemble"]
    if answers["blind"] == NONE:
        words += ["--usual", "blind"]
    elif answers["blind"] != SAME:
        words += ["--blind", *(cameras if answers["blind"] == BOTH else [answers["blind"]])]
    return words


def checkpoint_sheet(checkpoint: str) -> Ask:
    """Asks where a checkpoint is watched; closes with words of the command, or None."""
    from studio.tui.setup_form import WELL_KNOWN

    questions = [
        Question("checkpoint", "checkpoint", checkpoint, hint="act-pos2@best or a folder", wide=True),
        Question("where", "where", "pos 2", options=(*WELL_KNOWN, "at")),
        Question("at", "X Y", "0.3 0.1", "m", only_if=("where", ("at",))),
        Question("yaw", "yaw", "free", "degrees, or free"),
        Question("seed", "seed", "1000"),
        Question("samples", "samples", "0", "further answers to every question"),
    ]
    return Ask("Watch a policy think", questions, placement_words)


def placement_words(answers: Answers) -> list[str]:
    """The command for a checkpoint at a position.

    Raises:
        UsageError: something is missing or no number.
    """
    from studio.tui.setup_form import WELL_KNOWN

    said = {name: answer.strip() for name, answer in answers.items()}
    if not said["checkpoint"]:
        raise UsageError("Name a training, a checkpoint's folder, or hf:owner/name.")
    where = said["where"]
    at = (
        [f"{metres:g}" for metres in WELL_KNOWN[where]] if where in WELL_KNOWN else said["at"].replace(",", " ").split()
    )
    if len(at) != 2:
        raise UsageError("Where? Two numbers in metres, such as 0.3 0.1.")
    words = ["watch", said["checkpoint"], "--at", *(_number(value, "position") for value in at)]
    if said["yaw"] not in ("", "free"):
        words += ["--yaw", _number(said["yaw"], "yaw")]
    for name, usual in (("seed", "1000"), ("samples", "0")):
        if said[name] not in ("", usual):
            if not said[name].isdecimal():
                raise UsageError(f"{name} {said[name]} must be a whole number.")
            words += [f"--{name}", said[name]]
    return words


def episode_sheet(root: Path, index: int, checkpoint: str) -> Ask:
    """Asks which policy is watched in a saved episode; closes with words of the command, or None."""
    questions = [
        Question("checkpoint", "checkpoint", checkpoint, hint="act-pos2@best or a folder", wide=True),
        Question("samples", "samples", "0", "further answers to every question"),
    ]

    def take(answers: Answers) -> list[str]:
        named = answers["checkpoint"].strip()
        if not named:
            raise UsageError("Name a training, a checkpoint's folder, or hf:owner/name.")
        words = ["watch", named, "--episode", f"{root}:{index}"]
        samples = answers["samples"].strip()
        if samples and not samples.isdecimal():
            raise UsageError(f"samples {samples} must be a whole number.")
        return [*words, "--samples", samples] if samples not in ("", "0") else words

    return Ask(f"Watch a policy begin as episode {index} did", questions, take)


def driver_of(root: Path, index: int) -> str:
    """The checkpoint that drove a saved episode; "" where none did, or nobody can say."""
    try:
        row = next(one.row for one in Store.open(root).episodes if one.index == index)
    except (StudioError, StopIteration):
        return ""
    return str(dict(row.extra.get("policy") or {}).get("checkpoint", ""))


def _number(text: str, what: str) -> str:
    try:
        float(text)
    except ValueError:
        raise UsageError(f"{what} {text or 'nothing'} must be a number.") from None
    return text.strip()
