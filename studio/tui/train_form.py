"""The answers of the train form as words of the commands that do the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curation.errors import StudioError, UsageError
from curation.query import query
from studio.paths import data_home, run_path
from studio.tui.widgets.form_row import NO, YES, Question
from training.recipe import PRESETS
from training.runs import RUN

ANEW, GO_ON = "anew", "go on"
POLICIES = ("act", "diffusion", "smolvla", "pi0", "pi05")
NONE = "none"
DEVICES = ("auto", "cpu", "cuda", "mps")
FLAGS = {
    "--to": "to", "--policy": "policy", "--preset": "preset", "--weights": "weights", "--where": "where",
    "--steps": "steps", "--batch-size": "batch_size", "--seed": "seed", "--train-seeds": "train_seeds",
    "--device": "device", "--resize": "resize", "--set": "more", "--resume": "resume",
}  # fmt: skip
"""Which field an option comes from."""


@dataclass(frozen=True)
class Training:
    """Where the train form begins.

    Attributes:
        dataset: to train on.
        where: the filter that was set.
        resume: name of a training to go on with.
    """

    dataset: Path | None = None
    where: str = ""
    resume: str = ""


class WrongAnswer(UsageError):
    """An answer that cannot be taken.

    Attributes:
        field: the question.
    """

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def questions(begin: Training) -> list[Question]:
    """The lines of the form."""
    anew, go_on = ("kind", (ANEW,)), ("kind", (GO_ON,))
    data = short(begin.dataset) if begin.dataset else ""
    name = free_name(f"act-{begin.dataset.name}") if begin.dataset else ""
    return [
        Question("kind", "train", GO_ON if begin.resume else ANEW, options=(ANEW, GO_ON)),
        Question("dataset", "dataset", data, hint="pos2", wide=True, only_if=anew),
        Question("to", "name", name, hint="act-pos2", wide=True, only_if=anew),
        Question("resume", "training", begin.resume, hint="act-pos2", wide=True, only_if=go_on),
        Question("policy", "policy", POLICIES[0], options=POLICIES, only_if=anew),
        Question("preset", "preset", NONE, options=(NONE, *PRESETS), only_if=anew),
        Question("weights", "start from", hint="hf:lerobot/smolvla_base", wide=True, only_if=anew),
        Question("where", "only", begin.where, hint="outcome:success x<0.3", wide=True, only_if=anew),
        Question("steps", "steps", hint="the usual"),
        Question("batch_size", "batch size", hint="the usual", only_if=anew),
        Question("seed", "seed", "0", only_if=anew),
        Question("train_seeds", "trainings", "1", "with seeds after it", only_if=anew),
        Question("device", "device", DEVICES[0], options=DEVICES, only_if=anew),
        Question("resize", "images", hint="96x128", unit="high x wide", only_if=anew),
        Question("cache", "cache images", NO, options=(YES, NO), only_if=anew),
        Question("more", "more", hint="policy.chunk_size=50", wide=True, only_if=anew),
    ]


def words_of(answers: dict[str, str]) -> list[str]:
    """The command, without studio: its name and its words.

    Raises:
        WrongAnswer: an answer is missing or none.
    """
    said = {name: answer.strip() for name, answer in answers.items()}
    if said["kind"] == GO_ON:
        run = _existing(said["resume"])
        return ["train", "--resume", run, *_number(said, "steps", "--steps")]
    name = said["to"]
    if not said["dataset"]:
        raise WrongAnswer("dataset", "Name the dataset: a bare name, a folder, or hf:owner/name.")
    if not name:
        raise WrongAnswer("to", "Name the training.")
    _require_free(name)
    seeds = _number(said, "train_seeds", "--train-seeds")
    more = seeds if seeds[1:] != ["1"] else []
    return ["train", said["dataset"], *recipe_words(said), "--to", name, *more]


def preflight_words(answers: dict[str, str]) -> list[str]:
    """The command that looks for what stands against this training.

    Raises:
        WrongAnswer: an answer is none.
    """
    said = {name: answer.strip() for name, answer in answers.items()}
    return ["preflight", said["dataset"], *recipe_words(said), "--json"]


def recipe_words(said: dict[str, str]) -> list[str]:
    """What is trained, and how.

    Raises:
        WrongAnswer: an answer is none.
    """
    return list(_recipe(said))


def _recipe(said: dict[str, str]) -> Iterator[str]:
    if said["weights"]:
        yield from ("--weights", said["weights"])
    elif said["policy"] != POLICIES[0]:
        yield from ("--policy", said["policy"])
    if said["preset"] != NONE:
        yield from ("--preset", said["preset"])
    if said["where"]:
        try:
            query(said["where"])
        except StudioError as error:
            raise WrongAnswer("where", str(error)) from error
        yield f"--where={said['where']}"
    for name, flag in (("steps", "--steps"), ("batch_size", "--batch-size")):
        yield from _number(said, name, flag)
    seed = _number(said, "seed", "--seed", least=0)
    if seed[1:] != ["0"]:
        yield from seed
    if said["device"] != DEVICES[0]:
        yield from ("--device", said["device"])
    if said["resize"]:
        yield from ("--resize", said["resize"])
    if said["cache"] == YES:
        yield "--cache"
    if settings := said["more"].split():
        yield from ("--set", *settings)


def _number(said: dict[str, str], name: str, flag: str, least: int = 1) -> list[str]:
    """An option with a whole number; nothing where none was typed."""
    text = said[name]
    if not text:
        return []
    if not text.isdecimal() or int(text) < least:
        raise WrongAnswer(name, f"'{text}' is not a whole number of at least {least}.")
    return [flag, text]


def _existing(name: str) -> str:
    if not name:
        raise WrongAnswer("resume", "Name the training to go on with; R lists them.")
    try:
        found = run_path(name)
    except StudioError as error:
        raise WrongAnswer("resume", str(error)) from error
    if not (found / RUN).is_file():
        raise WrongAnswer("resume", f"There is no training {name}.")
    return name


def _require_free(name: str) -> None:
    try:
        taken = run_path(name).exists()
    except StudioError as error:
        raise WrongAnswer("to", str(error)) from error
    if taken:
        raise WrongAnswer("to", f"{name} is there already. Choose another name, or go on with it.")


def field_of(words: str) -> str:
    """The field that a refusal is about, by the option it names; "" if it names none."""
    flags = sorted(FLAGS, key=len, reverse=True)
    return next((FLAGS[flag] for flag in flags if flag in words), "")


def short(folder: Path) -> str:
    """A dataset's folder as the command line takes it: a bare name where it lies under the data home."""
    inside = folder.absolute().parent == data_home().absolute()
    return folder.name if inside else str(folder)


def free_name(name: str) -> str:
    """The name, or with a number behind it if it is taken."""
    for number in range(1, 1000):
        tried = name if number == 1 else f"{name}-{number}"
        if not run_path(tried).exists():
            return tried
    return name
