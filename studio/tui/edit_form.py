"""The answers of the edit form as words of the command that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from curation.errors import UsageError
from studio.tui.widgets.form_row import NO, YES, Question

CHOOSE, FILTER, TRIM, SPLIT, DROP = "change", "filter", "trim", "split", "drop marked"
CONTROLS = ("none", "random", "matched", "both")
TRIMS = ("idle", "after success", "phase", "frames")
DUPLICATES = ("refuse", "first")


@dataclass(frozen=True)
class Edit:
    """Where the edit screen begins.

    Attributes:
        datasets: to be edited together.
        where: the filter that was set.
        marked: ids of marked episodes, of a single dataset.
        kind: of the edit that is chosen first; the usual one if empty.
    """

    datasets: tuple[Path, ...]
    where: str = ""
    marked: tuple[str, ...] = ()
    kind: str = ""


def questions(edit: Edit) -> list[Question]:
    """The lines of the form."""
    kinds = (CHOOSE, FILTER, *((TRIM, SPLIT) if len(edit.datasets) == 1 else ()), *((DROP,) if edit.marked else ()))
    name = edit.datasets[0].name if len(edit.datasets) == 1 else "merged"
    choose, trim, split = (("kind", (kind,)) for kind in (CHOOSE, TRIM, SPLIT))
    first = edit.kind or (DROP if edit.marked else CHOOSE)
    either = ("kind", (CHOOSE, FILTER))
    return [
        Question("kind", "edit", first, options=kinds),
        Question("to", "new dataset", f"{name}-edited", wide=True),
        Question("also", "merged with", hint="pos1 gaps", wide=True, only_if=choose),
        Question("where", "only", edit.where, hint="success -lazy x<0.3 score>0.5", wide=True, only_if=either),
        Question("controls", "control sets", CONTROLS[0], options=CONTROLS, only_if=("kind", (FILTER,))),
        Question("far", "farther than", unit="m from", hint="0.07", only_if=either),
        Question("others", "  datasets", hint="pos1 pos2", wide=True, only_if=either),
        Question("near", "near", hint="X Y RADIUS", only_if=either),
        Question("copies", "no copies", NO, options=(YES, NO), only_if=either),
        Question("gripper", "gripper", hint="0..100:0..1", only_if=choose),
        Question("units", "joints", hint="degrees:radians", only_if=choose),
        Question("relabel", "instruction", hint="a new one for all", wide=True, only_if=choose),
        Question("rename", "rename", hint="wrist_cam:wrist", wide=True, only_if=choose),
        Question("leave", "leave out", hint="columns or cameras", wide=True, only_if=choose),
        Question("twice", "in both", DUPLICATES[0], options=DUPLICATES, only_if=choose),
        Question("reencode", "encode alike", NO, options=(YES, NO), only_if=choose),
        Question("allow", "allow", hint="scene robot tasks", only_if=choose),
        Question("trim", "how", TRIMS[0], options=TRIMS, only_if=trim),
        Question("amount", "seconds, phases, frames", "0.5", hint="0.5, reach transport, 10 90", only_if=trim),
        Question("parts", "parts", "train=0.8 test=0.2", wide=True, only_if=split),
        Question("together", "keep together", "episode", options=("episode", "position", "session"), only_if=split),
        Question("seed", "seed", "0", only_if=split),
    ]


def words_of(edit: Edit, answers: dict[str, str]) -> list[str]:
    """The command, without studio: its name and its words.

    Raises:
        UsageError: something needed is missing.
    """
    to = answers["to"].strip()
    if not to:
        raise UsageError("Name the new dataset.")
    names = [str(path) for path in edit.datasets]
    match answers["kind"]:
        case "trim":
            made = ["trim", *names, *_trim(answers)]
        case "split":
            made = ["split", *names, *answers["parts"].split(), "--together", answers["together"]]
            made += ["--seed", answers["seed"].strip() or "0"]
        case kind if kind == DROP:
            made = ["drop", *names, *edit.marked]
        case kind if kind == FILTER:
            made = ["filter", *names, *_passing(answers)]
            made += ["--controls", answers["controls"]] if answers["controls"] != CONTROLS[0] else []
        case _:
            made = ["merge", *names, *answers["also"].split(), *_choose(answers)]
    return [*made, "--to", to, "-y"]


def _trim(answers: dict[str, str]) -> list[str]:
    option = f"--{answers['trim'].replace(' ', '-')}"
    amount = answers["amount"].split()
    if not amount:
        raise UsageError("How much? Seconds, two phases, or two frames.")
    return [option, *amount]


def _passing(answers: dict[str, str]) -> Iterator[str]:
    """Which episodes pass."""
    if where := answers["where"].strip():
        yield f"--where={where}"
    if others := answers["others"].split():
        yield from ("--from", *others)
    for name, option in (("far", "--farther-than"), ("near", "--near")):
        if value := answers[name].split():
            yield from (option, *value)
    if answers["copies"] == YES:
        yield "--no-duplicates"


def _choose(answers: dict[str, str]) -> Iterator[str]:
    """Which episodes pass, and what changes in them."""
    yield from _passing(answers)
    for name, option in (("gripper", "--gripper"), ("units", "--units")):
        if value := answers[name].split():
            yield from (option, *value)
    if task := answers["relabel"].strip():
        yield from ("--relabel", task)
    for name, option in (("rename", "--rename"), ("leave", "--drop-feature"), ("allow", "--allow")):
        if value := answers[name].split():
            yield from (option, *value)
    if answers["twice"] != DUPLICATES[0]:
        yield from ("--duplicates", answers["twice"])
    if answers["reencode"] == YES:
        yield "--reencode"
