"""A plan as a file: the datasets it is for, and the edits, to be applied another day or to see what was done."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.columns import AddFeature, Change, Convert, DropFeature, Gripper, Rename
from curation.errors import TargetExists, UsageError
from curation.plan import (
    Columns,
    Cut,
    Drop,
    Edit,
    Keep,
    Once,
    Plan,
    Reencode,
    Ref,
    Relabel,
    Trim,
    begin,
    digest,
    edited,
)
from curation.store import Store
from curation.video import Encoding

VERSION = 2
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
            {"path": str(parent.path.resolve()), "fingerprint": mark}
            for parent, mark in zip(plan.parents, fingerprints, strict=True)
        ],
        "with_masked": plan.with_masked,
        "left_out": [list(ref) for ref in plan.left_out],
        "allow": list(allow),
        "edits": [asdict(edit) for edit in plan.edits],
    }
    write_aside(path, json.dumps(told, indent=2, ensure_ascii=False).encode())


def read_recipe(path: Path) -> Recipe:
    """Read a saved plan and make its edits again. What was in the trash then is left out, whatever is there now.

    Raises:
        UsageError: it is no recipe, does not fit its datasets any more, or was changed since it was saved.
        NotADataset: a dataset is gone.
    """
    try:
        told = json.loads(path.read_bytes())
        if told["recipe"] != VERSION:
            raise UsageError(f"{path} is a recipe of version {told['recipe']}; {VERSION} is known here.")
        parents = [(Path(parent["path"]), str(parent["fingerprint"])) for parent in told["parents"]]
        edits = [_edit(edit) for edit in told["edits"]]
        left_out, wanted = _refs(told["left_out"]), str(told["plan"])
        with_masked, allow = bool(told["with_masked"]), tuple(map(str, told["allow"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no recipe of studio plan: {error}.") from error
    plan = _as_it_began([Store.open(root) for root, _ in parents], left_out, with_masked)
    for edit in edits:
        plan = edited(plan, edit)
    marks = tuple(mark for _, mark in parents)
    if digest(plan, marks) != wanted:
        raise UsageError(
            f"{path} does not make the plan that it was saved for: it was changed, or its datasets have other episodes "
            "now. Plan again with studio plan."
        )
    return Recipe(plan, marks, allow)


def _as_it_began(stores: Sequence[Store], left_out: Sequence[Ref], with_masked: bool) -> Plan:
    """Everything but what was in the trash when the plan was made."""
    plan, hidden = begin(stores, with_masked=True), set(left_out)
    clips = tuple(clip for clip in plan.clips if clip.ref not in hidden)
    return replace(plan, clips=clips, left_out=tuple(left_out), with_masked=with_masked)


def _edit(stored: dict[str, Any]) -> Edit:
    match stored.pop("edit"):
        case "keep":
            return Keep(_refs(stored["episodes"]), stored["why"])
        case "drop":
            return Drop(_refs(stored["episodes"]), stored["why"])
        case "once":
            return Once(tuple((_ref(gone), _ref(kept)) for gone, kept in stored["pairs"]))
        case "trim":
            return Trim(**{**stored, "episode": _ref(stored["episode"])})
        case "cut":
            return Cut(_ref(stored["episode"]), tuple(stored["at"]))
        case "relabel":
            chosen = stored["episodes"]
            return Relabel(stored["task"], stored["old"], None if chosen is None else _refs(chosen))
        case "reencode":
            cameras = tuple((str(camera), Encoding(**encoding)) for camera, encoding in stored["cameras"])
            return Reencode(stored["parent"], cameras)
        case "columns":
            change = dict(stored["change"])
            if change["edit"] == "units":
                change["spans"] = tuple(
                    (str(joint), (float(low), float(high))) for joint, (low, high) in change["spans"]
                )
            return Columns(_CHANGES[change.pop("edit")](**change), stored["parent"])
        case other:
            raise ValueError(f"nobody knows the edit '{other}'")


def _ref(stored: Sequence[Any]) -> tuple[int, str]:
    return int(stored[0]), str(stored[1])


def _refs(stored: Sequence[Sequence[Any]]) -> tuple[tuple[int, str], ...]:
    return tuple(_ref(one) for one in stored)
