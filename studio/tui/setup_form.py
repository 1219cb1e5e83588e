"""The answers of the setup form as options: the same for the command line, the record screen and a background job."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import UsageError
from curation.library import entries
from curation.store import Store
from recorders.operators.named import PEOPLE
from studio.paths import data_home, dataset_path

if TYPE_CHECKING:
    from recorders.world.scene import Scene
    from studio.verbs.asked import Asked
    from studio.verbs.record import Record

WELL_KNOWN = {"pos 1": (0.217, 0.225), "pos 2": (0.337, -0.015)}
"""The two positions that everybody quotes [m]."""
KEYS = ("auto", "terminal", "kitty", "display", "browser")
"""Where a person's keys come from."""
HANDS = ("right", "left")
HEADSETS = ("openxr", "web")
"""One of this PC, or one whose own browser opens the studio's page."""
WHERE = (*WELL_KNOWN, "at", "box", "file")


@dataclass(frozen=True)
class Form:
    """What is typed and chosen, as text.

    Attributes:
        to: name or folder of the dataset.
        operator: the expert or a person.
        where: one of `WHERE`.
        at: "X Y" [m].
        box: "X-low X-high Y-low Y-high" [m].
        file: a positions file.
        jitter: [m].
        yaw: degrees or "free".
        episodes: in the dataset at the end.
        per_position: episodes per position of a file; empty leaves it.
        limit: time limit of a take [s].
        auto_stop: end a take by itself when it has succeeded.
        practice: record nothing.
        keys: one of `KEYS`.
        hand: that holds the controller, one of `HANDS`.
        port: of the leader arm; empty takes the only one there is.
        headset: one of `HEADSETS`.
        lan: let the network reach the page of a headset.
    """

    to: str = ""
    operator: str = PEOPLE[0]
    where: str = "pos 2"
    at: str = "0.3 0.1"
    box: str = "0.20 0.34 0.00 0.25"
    file: str = ""
    jitter: str = "0"
    yaw: str = "free"
    episodes: str = "20"
    per_position: str = "1"
    limit: str = ""
    auto_stop: bool = True
    practice: bool = False
    keys: str = KEYS[0]
    hand: str = HANDS[0]
    port: str = ""
    headset: str = HEADSETS[0]
    lan: bool = False

    @property
    def resumes(self) -> bool:
        """Whether the dataset is there already."""
        return bool(self.to.strip()) and dataset_path(self.to.strip()).is_dir()

    @property
    def by_person(self) -> bool:
        return self.operator in PEOPLE


def answers(form: Form, *, in_background: bool = False) -> dict[str, Any]:
    """Option name to value, for everything that differs from what the command does by itself.

    Raises:
        UsageError: something is not a number, or missing.
    """
    name = form.to.strip()
    if not name and not form.practice:
        raise UsageError("Name the dataset: a bare name, or a folder.")
    said: dict[str, Any] = {"to": name or "practice", "operator": form.operator, **_place(form)}
    jitter = _number("jitter", form.jitter or "0")
    if jitter:
        said["jitter"] = jitter
    if form.yaw.strip() not in ("", "free"):
        said["yaw"] = _number("yaw", form.yaw)
    if form.where == "file":
        said["per_position"] = _whole("episodes per position", form.per_position or "1")
    elif not form.practice:
        said["episodes"] = _whole("number of episodes", form.episodes)
    if form.limit.strip():
        said["limit"] = _number("time limit", form.limit)
    if form.by_person and not in_background:
        said |= _of_a_person(form)
    if form.practice and not in_background:
        said["practice"] = True
    elif form.resumes:
        said["resume"] = True
        said["scene"] = _scene_of(dataset_path(name))
    return said


def _of_a_person(form: Form) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if not form.auto_stop:
        said["auto_stop"] = False
    if form.keys != KEYS[0]:
        said["keys"] = form.keys
    if form.operator == "vr":
        said |= _of_a_headset(form)
    if form.operator == "leader" and form.port.strip():
        said["port"] = form.port.strip()
    return said


def _of_a_headset(form: Form) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if form.hand != HANDS[0]:
        said["hand"] = form.hand
    if form.headset == "web":
        said["headset"] = form.headset
        if form.lan:
            said["lan"] = True
    return said


def command_words(said: dict[str, Any]) -> list[str]:
    """The answers as words of a command line."""
    words: list[str] = []
    for name, value in said.items():
        flag = f"--{name.replace('_', '-')}"
        if name == "scene":
            words += scene_words(value)
        elif isinstance(value, bool):
            words.append(flag if value else f"--no-{flag.removeprefix('--')}")
        elif isinstance(value, tuple):
            words += [flag, *(f"{part:g}" for part in value)]
        else:
            words += [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return words


def command_line(verb: str, said: dict[str, Any]) -> str:
    """What one would type for the same."""
    return shlex.join(["studio", verb, *command_words(said)])


def record_options(said: dict[str, Any]) -> Record:
    """The answers as options of `studio record`."""
    from studio.options import Where
    from studio.verbs.asked import Asked
    from studio.verbs.record import Record

    where = _taken(Where, said)
    asked = _taken(Asked, said)
    rest = _taken(Record, said)
    return Record(recording=Asked(where=Where(**where), **asked), **rest)


def check(said: dict[str, Any]) -> Asked:
    """The same checks as the command's.

    Raises:
        UsageError: naming what cannot be recorded and the next step.
    """
    asked = record_options(said).recording
    asked.check()
    return asked


def with_dataset(form: Form, root: Path | None) -> Form:
    """The form for recording more into a dataset."""
    if root is None:
        return form
    home = data_home()
    name = root.name if root.parent == home or root.parent.absolute() == home.absolute() else str(root)
    total = sum(entry.state == "saved" for entry in entries(root))
    return replace(form, to=name, episodes=str(total + 10))


def _place(form: Form) -> dict[str, Any]:
    if form.where in WELL_KNOWN:
        return {"at": WELL_KNOWN[form.where]}
    if form.where == "at":
        return {"at": _numbers("position", form.at, "X Y")}
    if form.where == "box":
        return {"box": _numbers("box", form.box, "X-low X-high Y-low Y-high")}
    if not form.file.strip():
        raise UsageError("Name a positions file, or press Esc and t to make one on the map.")
    return {"targets": Path(form.file.strip()).expanduser()}


def _numbers(what: str, text: str, names: str) -> tuple[float, ...]:
    parts = text.replace(",", " ").split()
    if len(parts) != len(names.split()):
        raise UsageError(f"The {what} is {names} in metres, such as {'0.3 0.1 0 0.2'[: 4 * len(names.split()) - 1]}.")
    return tuple(_number(what, part) for part in parts)


def _number(what: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"The {what} '{text}' is not a number.") from None


def _whole(what: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(f"The {what} '{text}' is not a whole number.") from None


def _taken(kind: type, said: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in said.items() if name in names}


def _scene_of(root: Path) -> Scene:
    from recorders.world.scene import scene_from

    return scene_from(Store.open(root).require_scene()["scene"])


def scene_words(scene: Scene) -> list[str]:
    """Options for what differs from the standard scene."""
    from recorders.world.scene import Scene

    words: list[str] = []
    for field in fields(Scene):
        value = getattr(scene, field.name)
        if value != field.default:
            flag = f"--{field.name.replace('_', '-')}"
            words += [flag] if value is True else [flag, f"{value:g}" if isinstance(value, float) else str(value)]
    return words
