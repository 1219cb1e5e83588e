"""A plan as a file: the datasets it is for, and the edits, to be applied another day or to see what was done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.columns import AddFeature, Change, Convert, DropFeature, Gripper, Rename
from curation.errors import TargetExists, UsageError
from curation.plan import Columns, Cut, Drop, Edit, Keep, Plan, Reencode, Relabel, Trim, begin, digest, edited
from curation.store import Store

VERSION = 1
_CHANGES: dict[str, type[Change]] = {
    "rename": Rename,
    "drop_feature": DropFeature,
    "add_feature": AddFeature,
    "gripper": Gripper,
    "units": Convert,
}


@dataclass(frozen=True)
class Recipe:
    """What was read from a file.

    Attributes:
        plan: all edits made.
        fingerprints: of the datasets it was made for.
        allow: kinds of differences that were accepted.
    """

    plan: Plan
    fingerprints: tuple[str, ...]
    allow: tuple[str, ...]


def write_recipe(path: Path, plan: Plan, fingerprints: Sequence[str], allow: Sequence[str]) -> None:
    """Save a plan.

    Raises:
        TargetExists: something is there.
        CannotWrite: the disk refused.
    """
    if path.exists():
        raise TargetExists(path, "Choose another --save.")
    told = {
        "recipe": VERSION,
        "plan": digest(plan, fingerprints),
        "parents": [
            {"path": str(parent.path.absolute()), "fingerprint": mark}
            for parent, mark in zip(plan.parents, fingerprints, strict=True)
        ],
        "with_masked": not plan.left_out,
        "allow": list(allow),
        "edits": [asdict(edit) for edit in plan.edits],
    }
    write_aside(path, json.dumps(told, indent=2, ensure_ascii=False).encode())


def read_recipe(path: Path) -> Recipe:
    """Read a saved plan and make its edits again.

    Raises:
        UsageError: it is no recipe, or does not fit its datasets any more.
        NotADataset: a dataset is gone.
    """
    try:
        told = json.loads(path.read_bytes())
        if told["recipe"] != VERSION:
            raise UsageError(f"{path} is a recipe of version {told['recipe']}; {VERSION} is known here.")
        parents = [(Path(parent["path"]), str(parent["fingerprint"])) for parent in told["parents"]]
        edits = [_edit(edit) for edit in told["edits"]]
        with_masked, allow = bool(told["with_masked"]), tuple(map(str, told["allow"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no recipe of studio plan: {error}.") from error
    plan = begin([Store.open(root) for root, _ in parents], with_masked=with_masked)
    for edit in edits:
        plan = edited(plan, edit)
    return Recipe(plan, tuple(mark for _, mark in parents), allow)


def _edit(stored: dict[str, Any]) -> Edit:
    match stored.pop("edit"):
        case "keep":
            return Keep(_refs(stored["episodes"]), stored["why"])
        case "drop":
            return Drop(_refs(stored["episodes"]), stored["why"])
        case "trim":
            return Trim(**{**stored, "episode": _ref(stored["episode"])})
        case "cut":
            return Cut(_ref(stored["episode"]), tuple(stored["at"]))
        case "relabel":
            chosen = stored["episodes"]
            return Relabel(stored["task"], stored["old"], None if chosen is None else _refs(chosen))
        case "reencode":
            return Reencode(stored["parent"])
        case "columns":
            change = dict(stored["change"])
            return Columns(_CHANGES[change.pop("edit")](**change), stored["parent"])
        case other:
            raise ValueError(f"nobody knows the edit '{other}'")


def _ref(stored: Sequence[Any]) -> tuple[int, str]:
    return int(stored[0]), str(stored[1])


def _refs(stored: Sequence[Sequence[Any]]) -> tuple[tuple[int, str], ...]:
    return tuple(_ref(one) for one in stored)
