"""The positions file: where blocks go, `{"positions": [{"x", "y", "rotation", "note", "id"}]}`; metres and degrees."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import UsageError

FORM = 'Expected {"positions": [{"x": 0.3, "y": 0.1, "rotation": 0}]}.'


@dataclass(frozen=True)
class Target:
    """One position to record at.

    Attributes:
        id: names the position for good: as the file gives it, else made of what it is, so that a file may be
            reordered or added to between recordings.
        x, y: in the robot's base frame [m].
        rotation: heading [deg]; None leaves it to the recording.
        note: for people.
    """

    id: str
    x: float
    y: float
    rotation: float | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not all(math.isfinite(number) for number in (self.x, self.y, self.rotation or 0.0)):
            raise UsageError(f"x, y and rotation must be finite numbers; got {self.x}, {self.y} and {self.rotation}.")


def read_targets(path: Path) -> tuple[Target, ...]:
    """The positions of a file.

    Raises:
        UsageError: it is missing, not of that form, empty, or has two positions of one id.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        entries = found.get("positions") if isinstance(found, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise ValueError("it has no list of positions")
        targets = named([_target(entry) for entry in entries])
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise UsageError(f"Targets {path} cannot be read ({error}). {FORM}") from error
    if not targets:
        raise UsageError(f"Targets {path} holds no position. {FORM}")
    return targets


def write_targets(path: Path, targets: Iterable[Target]) -> None:
    """Write a positions file; an existing one is replaced at once or not at all."""
    entries = [
        {"x": t.x, "y": t.y, **({} if t.rotation is None else {"rotation": t.rotation}),
         **({"note": t.note} if t.note else {}), "id": t.id}
        for t in targets
    ]  # fmt: skip
    write_aside(path, (json.dumps({"positions": entries}, indent=2, ensure_ascii=False) + "\n").encode())


def named(targets: Sequence[Target]) -> tuple[Target, ...]:
    """The same with an id each: those without get one of their position, a tenth of a millimetre and of a degree fine,
    and the second of one position a #2.

    Raises:
        UsageError: two were given the same id.
    """
    given = Counter(target.id for target in targets if target.id)
    if twice := [name for name, times in given.items() if times > 1]:
        raise UsageError(f"The id '{twice[0]}' names more than one position; give each its own.")
    taken = set(given)
    found = []
    for target in targets:
        name = target.id or _free(_content(target), taken)
        taken.add(name)
        found.append(replace(target, id=name))
    return tuple(found)


def _content(target: Target) -> str:
    """What a position is, in words that stay the same wherever in the file it stands."""
    numbers = [round(target.x, 4), round(target.y, 4)]
    numbers += [] if target.rotation is None else [round(target.rotation, 1)]
    # Adding zero turns a negative one into a plain one.
    return "_".join(f"{number + 0.0:g}" for number in numbers)


def _free(base: str, taken: Set[str]) -> str:
    names = chain([base], (f"{base}#{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _target(entry: dict[str, Any]) -> Target:
    turned = entry.get("rotation")
    return Target(
        _words(entry, "id"),
        float(entry["x"]),
        float(entry["y"]),
        None if turned is None else float(turned),
        _words(entry, "note"),
    )


def _words(entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    return "" if value is None else str(value)
