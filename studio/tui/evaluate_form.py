"""The answers of the evaluate form as words of the command, and what that command would do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from curation.errors import StudioError, UsageError
from studio.paths import runs_home
from studio.tui.asking import what_is_wrong
from studio.tui.runs_columns import rate_words
from studio.tui.setup_form import WELL_KNOWN
from studio.tui.train_form import DEVICES, WrongAnswer
from studio.tui.widgets.form_row import Question
from studio.tui.words import counted
from training.evaluated import evaluations_of

LAST, BEST, STEP = "last", "best", "step"
WHERE = (*WELL_KNOWN, "at", "box", "grid", "file")
EACH, ALL = ("grid", "file"), (*WELL_KNOWN, "at", "box")
MOST = 400
"""Placements that are shown beforehand."""
SHOWN = 4
"""Earlier evaluations that are named."""
FLAGS = {
    "--at": "at", "--box": "box", "--grid": "grid", "--targets": "file", "--per-position": "per_position",
    "--episodes": "episodes", "-n": "episodes", "--jitter": "jitter", "--yaw": "yaw", "--seed": "seed",
    "--limit": "limit", "--films": "films", "--n-action-steps": "actions", "--samples": "samples",
    "--device": "device",
}  # fmt: skip
"""Which field an option comes from."""


@dataclass(frozen=True)
class Planned:
    """What an evaluation would do.

    Attributes:
        words: of the command.
        episodes: in all.
        spots: the first placements, x, y [m] and what they are on the map.
        infeasible: of these, where the arm cannot do it.
        scene: settings of the world.
        told: about the checkpoint, in lines.
    """

    words: list[str]
    episodes: int = 0
    spots: list[tuple[float, float, str]] = field(default_factory=list)
    infeasible: int = 0
    scene: dict[str, Any] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def questions(checkpoint: str) -> list[Question]:
    """The lines of the form.

    Args:
        checkpoint: as the command line names it, such as act-pos2 or act-pos2@000100.
    """
    name, which, step = _parts(checkpoint)
    one, each = ("where", ALL), ("where", EACH)
    return [
        Question("checkpoint", "policy", name, hint="act-pos2 or a folder", wide=True),
        Question("which", "checkpoint", which, options=(LAST, BEST, STEP)),
        Question("step", "step", step, hint="2000", only_if=("which", (STEP,))),
        Question("where", "where", "pos 2", options=WHERE),
        Question("at", "X Y", "0.3 0.1", "m", only_if=("where", ("at",))),
        Question("box", "X and Y", "0.12 0.42 -0.10 0.35", "m", wide=True, only_if=("where", ("box", "grid"))),
        Question("grid", "cells", "7 7", "along x, along y", only_if=("where", ("grid",))),
        Question("file", "file", hint="targets.json", wide=True, only_if=("where", ("file",))),
        Question("per_position", "at each", "1", "episodes", only_if=each),
        Question("episodes", "episodes", "20", "n", only_if=one),
        Question("jitter", "jitter", "0.02", "m along each axis"),
        Question("yaw", "yaw", "free", "degrees, or free"),
        Question("seed", "seed", "1000"),
        Question("limit", "time limit", hint="the usual", unit="s"),
        Question("films", "films", "0", "median and worst"),
        Question("actions", "actions", hint="as trained", unit="of each chunk"),
        Question("samples", "samples", "0", "further answers"),
        Question("device", "device", DEVICES[0], options=DEVICES),
    ]


def words_of(answers: dict[str, str]) -> list[str]:
    """The command, without studio: its name and its words.

    Raises:
        WrongAnswer: something needed is missing.
    """
    said = {name: answer.strip() for name, answer in answers.items()}
    if not said["checkpoint"]:
        raise WrongAnswer("checkpoint", "Name a training, a checkpoint's folder, or hf:owner/name.")
    return ["evaluate", _checkpoint(said), *_placed(said), *_carried(said)]


def planned(words: list[str]) -> Planned:
    """What a command would do: its placements, and what is known of its checkpoint.

    Raises:
        WrongAnswer: it would be refused.
    """
    try:
        return _planned(words)
    except WrongAnswer:
        raise
    except StudioError as error:
        raise WrongAnswer(field_of(str(error)), str(error)) from error


def _planned(words: list[str]) -> Planned:
    from recorders.world.scene import Scene
    from studio.cli import parsed
    from studio.evaluating import trial_of
    from training.checkpoint_card import card, resolve

    try:
        module, options = parsed("evaluate", words[1:], quiet=True)
    except (SystemExit, AttributeError):
        raise UsageError(what_is_wrong(words)) from None
    module.require_valid(options)
    placing, scene, told = options.where.placing(), Scene(), []
    if not options.checkpoint.startswith("hf:"):
        # What the Hub holds is not pulled while somebody types.
        known = card(resolve(options.checkpoint, runs_home()))
        scene = options.world.scene(known)
        of = known.dataset.get("name")
        told = [f"{known.label}{f', trained on {of}' if of else ''}", *_before(options.checkpoint)]
    count = module.episode_count(options, placing)
    trials = [trial_of(placing, scene, options.seed, index) for index in range(min(count, MOST))]
    spots = [(t.row["x"], t.row["y"], "planned" if t.row["feasible"] else "infeasible") for t in trials]
    infeasible = sum(not trial.row["feasible"] for trial in trials)
    return Planned(words, count, spots, infeasible, {name: getattr(scene, name) for name in vars(scene)}, told)


def _before(checkpoint: str) -> list[str]:
    """What evaluations of it said, the newest first."""
    try:
        found = evaluations_of(runs_home(), checkpoint)[::-1]
    except UsageError:
        return ["not evaluated before"]
    except StudioError:
        return ["an evaluation of it is damaged; the ledger of runs says which"]
    lines = [f"{one.name}: {rate_words(one)}" for one in found[:SHOWN]]
    return [f"{counted(len(found), 'evaluation')} before:", *lines]


def field_of(words: str) -> str:
    """The field that a refusal is about, by the option it names; else that of the checkpoint."""
    flags = sorted(FLAGS, key=len, reverse=True)
    return next((FLAGS[flag] for flag in flags if flag in words), "checkpoint")


def _parts(checkpoint: str) -> tuple[str, str, str]:
    name, at, which = checkpoint.rpartition("@")
    if not at or checkpoint.startswith("hf:"):
        return checkpoint, LAST, ""
    return (name, which, "") if which in (LAST, BEST) else (name, STEP, which)


def _checkpoint(said: dict[str, str]) -> str:
    name = said["checkpoint"]
    if said["which"] == STEP:
        if not said["step"].isdecimal():
            raise WrongAnswer("step", "Which step? A whole number, such as 2000.")
        return f"{name}@{int(said['step']):06d}"
    return name if said["which"] == LAST else f"{name}@{said['which']}"


def location(said: dict[str, str]) -> Iterator[str]:
    """Where blocks go, as words of any command that asks for it.

    Raises:
        WrongAnswer: something needed is missing.
    """
    where = said["where"]
    if where in WELL_KNOWN:
        yield from ("--at", *(f"{metres:g}" for metres in WELL_KNOWN[where]))
    elif where == "file":
        if not said["file"]:
            raise WrongAnswer("file", "Name a positions file; t on the first screen makes one.")
        yield from ("--targets", said["file"])
    else:
        for name in {"grid": ("box", "grid")}.get(where, (where,)):
            yield from (f"--{name}", *said[name].replace(",", " ").split())


def _placed(said: dict[str, str]) -> Iterator[str]:
    yield from location(said)
    if said["where"] in EACH:
        if said["per_position"] not in ("", "1"):
            yield from ("--per-position", said["per_position"])
    elif said["episodes"]:
        yield from ("-n", said["episodes"])


def _carried(said: dict[str, str]) -> Iterator[str]:
    """Everything else that differs from what the command does by itself."""
    usual = {"jitter": "0", "yaw": "free", "seed": "1000", "films": "0", "samples": "0", "device": DEVICES[0]}
    flags = {name: flag for flag, name in FLAGS.items()}
    for name in ("jitter", "yaw", "seed", "limit", "films", "actions", "samples", "device"):
        if said[name] and said[name] != usual.get(name):
            yield from (flags[name], said[name])
