"""A checkpoint by its name, and its card: on what it was trained, where and how.

A checkpoint is named by a path (its folder or any parent), `run` (its last), `run@last`, `run@best`, `run@000100`, or
`hf:owner/name[@revision]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation import layout
from curation.errors import DataError, UnknownChoice, UsageError
from curation.names import POSE, camera_name
from curation.store import Store
from training.best import read_best
from training.camera_means import camera_means
from training.checkpoints import CARD, MODEL
from training.identity import digest as digest
from training.origin import SCENES, UNPLACED, scene_of, tasks_of, units_of

CONFIG = "config.json"


@dataclass(frozen=True)
class Card:
    """What a checkpoint knows of itself; None where it does not, as with checkpoints made elsewhere.

    Attributes:
        folder: of the weights.
        policy: LeRobot's type.
        run, group: of the training.
        step: of the training.
        seed: of the training.
        fps: that it was trained at.
        scene: of the episodes that it was trained on, as `origin.scene_of` says it.
        cameras: name to (height, width) of the images in its dataset.
        tasks: instructions of those episodes; empty if unknown.
        units: of body joints and gripper in its dataset, as `Units` names them.
        means: what each camera showed on average in those episodes: red, green and blue in 0..1.
        dataset: path, name, fingerprint and size of the dataset.
        privileged: whether it sees the block's pose, as no robot does.
    """

    folder: Path
    policy: str | None = None
    run: str | None = None
    group: str | None = None
    step: int | None = None
    seed: int | None = None
    fps: int | None = None
    scene: dict[str, Any] | None = None
    cameras: dict[str, tuple[int, int]] | None = None
    tasks: tuple[str, ...] = ()
    units: dict[str, str] | None = None
    means: dict[str, tuple[float, ...]] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    privileged: bool | None = None

    @property
    def scenes(self) -> tuple[dict[str, Any], ...]:
        """Every scene that it was trained in, each {"fingerprint", "scene", ...}; empty where nobody knows."""
        told = self.scene or {}
        every = told.get(SCENES, [told])
        return tuple(one for one in every if one.get("fingerprint"))

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of the scenes."""
        return tuple(str(one["fingerprint"]) for one in self.scenes)

    @property
    def fingerprint(self) -> str | None:
        """Of the scene, if it was trained in one alone."""
        return self.fingerprints[0] if len(self.scenes) == 1 else None

    @property
    def unplaced(self) -> int:
        """Episodes that it was trained on and of which nobody knows the scene, beside those of known scenes."""
        return int((self.scene or {}).get(UNPLACED, 0))

    def instruction(self, given: str | None = None) -> str | None:
        """What it shall be told: what is given, or what it was trained with; None if nobody knows.

        Raises:
            UsageError: it was trained with several, and none is given.
        """
        if given is None and len(self.tasks) > 1:
            listed = ", ".join(f'"{task}"' for task in self.tasks)
            raise UsageError(
                f"{self.label} was trained with {len(self.tasks)} instructions: {listed}. Say which one it is given: "
                "--task."
            )
        return given or next(iter(self.tasks), None)

    @property
    def label(self) -> str:
        """For tables, such as "pos2@000100"."""
        name = self.run or self.folder.parent.name or self.folder.name
        return name if self.step is None else f"{name}@{self.step:06d}"


def resolve(text: str, home: Path) -> Path:
    """The folder with the weights of a checkpoint.

    Args:
        text: its name, as above.
        home: where runs lie.

    Raises:
        UsageError: there is no such run or checkpoint; the ones there are, are named.
        HubError: the Hub refuses or cannot be reached.
    """
    if text.startswith("hf:"):
        return _from_hub(text)
    path = Path(text).expanduser()
    if path.is_dir() and (len(path.parts) > 1 or text.startswith((".", "~"))):
        return _inside(path, text)
    name, at, which = text.partition("@")
    run = home / name if len(Path(name).parts) == 1 else Path(name).expanduser()
    if not run.is_dir():
        known = sorted(one.parent.name for one in home.glob("*/train"))
        raise UnknownChoice("training or checkpoint", text, known or ["none was trained yet"])
    return _of_run(run, which if at else "last", text)


def checkpoints(run: Path) -> dict[str, Path]:
    """A run's checkpoints, such as "000100", in the order of their steps."""
    folder = run / "train" / "checkpoints"
    found = [one for one in folder.glob("*") if one.name.isdecimal() and (one / MODEL / CONFIG).is_file()]
    return {one.name: one / MODEL for one in sorted(found, key=lambda one: int(one.name))}


def card(path: Path) -> Card:
    """What lies beside the weights.

    Args:
        path: as `resolve` returns it.

    Raises:
        DataError: a file is damaged.
    """
    config, told = _json(path / CONFIG), _json(path / CARD)
    policy = config.get("type") or told.get("policy")
    if not told:
        return Card(path, policy=policy)
    try:
        return _read(path, policy, told)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path / CARD} is damaged ({error}). Copy it anew from where the checkpoint was trained, or move it away: "
            "the checkpoint then says nothing of its world."
        ) from error


def _read(path: Path, policy: str | None, told: Mapping[str, Any]) -> Card:
    cameras, units, scene = told.get("cameras"), told.get("units"), told.get("scene")
    read = Card(
        path,
        policy=policy,
        run=_of_kind(told, "run", str),
        group=_of_kind(told, "group", str),
        step=_of_kind(told, "step", int),
        seed=_of_kind(told, "seed", int),
        fps=_of_kind(told, "fps", int),
        scene=None if scene is None else dict(scene),
        cameras=None if cameras is None else {name: (int(size[0]), int(size[1])) for name, size in cameras.items()},
        tasks=tuple(map(str, told["tasks"])) if "tasks" in told else tuple(filter(None, [told.get("task")])),
        units=None if units is None else {str(part): str(unit) for part, unit in units.items()},
        means={str(name): tuple(map(float, mean)) for name, mean in (told.get("means") or {}).items()},
        dataset=dict(told.get("dataset") or {}),
        privileged=_of_kind(told, "privileged", bool),
    )
    # Damaged scenes are found here, where the file can be named.
    _ = read.scenes, read.unplaced
    return read


def _of_kind[T](told: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = told.get(name)
    if value is not None and not isinstance(value, kind):
        raise TypeError(f"{name} is {value!r}")
    return value


def new_card(told: Mapping[str, Any], store: Store) -> dict[str, Any]:
    """The card of a training's checkpoints: everything on it but the step.

    Args:
        told: run.json.
        store: the dataset.
    """
    ids = told["dataset"]["episode_ids"]
    cameras = {key: list(store.features[key].shape[:2]) for key in layout.cameras(store.features)}
    return {
        "version": 1,
        "run": told["name"],
        "group": told["group"],
        "policy": told["policy"],
        "seed": told["seed"],
        "dataset": {key: value for key, value in told["dataset"].items() if key != "episode_ids"},
        "scene": scene_of(store, ids),
        "units": units_of(store),
        "fps": store.fps,
        "cameras": {camera_name(key): size for key, size in cameras.items()},
        "means": camera_means(store, ids),
        "tasks": tasks_of(store, ids),
        "recipe_digest": told["recipe_digest"],
        "privileged": POSE in store.features,
        "versions": told["versions"],
    }


def _inside(path: Path, text: str) -> Path:
    """The weights in a folder, or below it."""
    for folder in (path, path / MODEL):
        if (folder / CONFIG).is_file():
            return folder
    for run in (path, path.parent):
        if (run / "train" / "checkpoints").is_dir():
            return _of_run(run, "last", text)
    if path.name == "checkpoints":
        return _of_run(path.parent.parent, "last", text)
    raise UsageError(f"{path} holds no checkpoint: there is no {CONFIG} in it, nor in {MODEL} or train/checkpoints.")


def _of_run(run: Path, which: str, text: str) -> Path:
    found = checkpoints(run)
    if not found:
        raise UsageError(f"{run} has no checkpoint yet.")
    if which == "last":
        return next(reversed(found.values()))
    if which == "best":
        return _best(run, found)
    if which.isdecimal():
        same = [path for name, path in found.items() if int(name) == int(which)]
        if same:
            return same[0]
    raise UnknownChoice(f"checkpoint of {run.name}", which, ["last", "best", *found])


def _best(run: Path, found: Mapping[str, Path]) -> Path:
    told = read_best(run)
    if "checkpoint" not in told:
        raise UsageError(f"{run.name} has no best checkpoint yet: studio sweep {run.name} finds it.")
    name = str(told["checkpoint"])
    folder = next((path for step, path in found.items() if step.isdecimal() and int(step) == int(name)), None)
    if folder is None or told.get("digest", "") not in ("", digest(folder)):
        why = "is gone" if folder is None else "has other weights now"
        raise UsageError(f"The best checkpoint of {run.name}, {name}, {why}: studio sweep {run.name} finds another.")
    return folder


def _from_hub(text: str) -> Path:
    from huggingface_hub import snapshot_download

    from curation.hub.calls import Hub

    repo, _, revision = text.removeprefix("hf:").partition("@")
    hub = Hub(repo, "model")
    folder = Path(hub.call(lambda: snapshot_download(repo, revision=revision or None)))
    return _inside(folder, text)


def _json(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not isinstance(told, dict):
        raise DataError(f"{path} holds no JSON object.")
    return told
