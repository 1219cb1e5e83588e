"""The answers of the generate form as words of the command that does the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from curation.errors import StudioError
from curation.layout import INFO
from curation.store import Store
from studio.paths import dataset_path, runs_home
from studio.tui.evaluate_form import WHERE, location
from studio.tui.setup_form import scene_words
from studio.tui.train_form import WrongAnswer
from studio.tui.widgets.form_row import NO, YES, Question

POLICY, SCRIPTED = "policy", ("expert", "fumbler")
JUDGE, ALL, CLASSIFIER = "judge", "all", "classifier"
FLAGS = {
    "--to": "to", "--operator": "operator", "--n-action-steps": "actions", "--at": "at", "--box": "box",
    "--grid": "grid", "--targets": "file", "--attempts": "attempts", "--jitter": "jitter", "--yaw": "yaw",
    "--keep": "keep", "--audit": "audit", "--precision": "precision", "--limit": "limit", "--seed": "seed",
}  # fmt: skip
"""Which field an option comes from."""


def questions(to: str, policy: str = "") -> list[Question]:
    """The lines of the form.

    Args:
        to: the dataset it begins with.
        policy: as the command line names it, such as act-pos2@best.
    """
    drives, judges = ("operator", (POLICY,)), ("keep", (CLASSIFIER,))
    return [
        Question("to", "dataset", to, hint="tries", wide=True),
        Question("operator", "who drives", POLICY, options=(POLICY, *SCRIPTED)),
        Question("policy", "policy", policy, hint="act-pos2 or act-pos2@best", wide=True, only_if=drives),
        Question("actions", "actions", hint="as trained", unit="of each chunk", only_if=drives),
        Question("where", "where", "pos 2", options=WHERE),
        Question("at", "X Y", "0.3 0.1", "m", only_if=("where", ("at",))),
        Question("box", "X and Y", "0.20 0.36 -0.10 0.25", "m", wide=True, only_if=("where", ("box", "grid"))),
        Question("grid", "cells", "4 4", "along x, along y", only_if=("where", ("grid",))),
        Question("file", "file", hint="targets.json", wide=True, only_if=("where", ("file",))),
        Question("attempts", "attempts", "100", "in all, kept or not"),
        Question("jitter", "jitter", "0.02", "m along each axis"),
        Question("yaw", "yaw", "free", "degrees, or free"),
        Question("keep", "kept by", JUDGE, options=(JUDGE, CLASSIFIER, ALL)),
        Question("classifier", "classifier", hint="done", wide=True, only_if=judges),
        Question("audit", "audit", "0.2", "of attempts: truth counts", only_if=judges),
        Question("precision", "precision", hint="none", unit="lower bound", only_if=("keep", (CLASSIFIER, ALL))),
        Question("force", "force", NO, options=(YES, NO), only_if=("keep", (CLASSIFIER, ALL))),
        Question("limit", "time limit", hint="10", unit="s"),
        Question("seed", "seed", "0"),
    ]


def words_of(answers: dict[str, str]) -> list[str]:
    """The command, without studio: its name and its words.

    Raises:
        WrongAnswer: something needed is missing.
    """
    said = {name: answer.strip() for name, answer in answers.items()}
    if not said["to"]:
        raise WrongAnswer("to", "Name the dataset: a bare name, or a folder.")
    if said["operator"] == POLICY and not said["policy"]:
        raise WrongAnswer("policy", "Name a training, a checkpoint's folder, or hf:owner/name.")
    if said["keep"] == CLASSIFIER and not said["classifier"]:
        raise WrongAnswer("classifier", "Name a classifier: studio classifier trains one.")
    if not said["attempts"].isdecimal():
        raise WrongAnswer("attempts", "How many attempts? A whole number, such as 100.")
    return ["generate", *_driven(said), *location(said), "--attempts", said["attempts"], *_kept(said), *_rest(said)]


def field_of(words: str) -> str:
    """The field that a refusal is about, by the option it names; "" if it names none."""
    named = sorted((words.index(flag), -len(flag), name) for flag, name in FLAGS.items() if flag in words)
    return named[0][2] if named else ""


def with_scene(words: list[str], answers: dict[str, str]) -> list[str]:
    """The same in the world of the dataset that is gone on with, else in the one that the policy learned in."""
    told = _scene_of(answers)
    if told is None:
        return words
    from recorders.world.scene import scene_from

    try:
        return [*words, *scene_words(scene_from(told))]
    except StudioError:
        # Of a newer version; the command says so.
        return words


def _scene_of(answers: dict[str, str]) -> dict[str, object] | None:
    root = dataset_path(answers["to"].strip())
    try:
        if (root / INFO).is_file():
            return dict(Store.open(root).scene.get("scene") or {}) or None
        if answers["operator"] != POLICY or answers["policy"].startswith("hf:"):
            return None
        from training.checkpoint_card import card, resolve

        scenes = card(resolve(answers["policy"].strip(), runs_home())).scenes
    except StudioError:
        # The command's own look names what is wrong.
        return None
    return dict(scenes[0].get("scene") or {}) or None if len(scenes) == 1 else None


def _driven(said: dict[str, str]) -> Iterator[str]:
    yield from ("--operator", f"policy:{said['policy']}" if said["operator"] == POLICY else said["operator"])
    if said["operator"] == POLICY and said["actions"]:
        yield from ("--n-action-steps", said["actions"])


def _kept(said: dict[str, str]) -> Iterator[str]:
    if said["keep"] == CLASSIFIER:
        yield from ("--keep", f"classifier:{said['classifier']}")
        if said["audit"] and said["audit"] != "0.2":
            yield from ("--audit", said["audit"])
    elif said["keep"] == ALL:
        yield from ("--keep", ALL)
    if said["keep"] != JUDGE and said["precision"]:
        yield from ("--precision", said["precision"])
        if said["force"] == YES:
            yield "--force"


def _rest(said: dict[str, str]) -> Iterator[str]:
    """Everything else that differs from what the command does by itself."""
    usual = {"jitter": "0", "yaw": "free", "limit": "", "seed": "0"}
    for name, value in usual.items():
        if said[name] and said[name] != value:
            yield from (f"--{name}", said[name])
    yield from ("--to", said["to"])


def named(root: Path | None) -> str:
    """A dataset as the form names it: bare where it lies under the data home."""
    if root is None:
        return ""
    bare = dataset_path(root.name).absolute() == root.absolute()
    return root.name if bare else str(root)
