"""A history as a folder, which every face reads.

```text
watch.json      what was watched and how: checkpoint, scene, start, settings, branches, alarms, how it ended
frames.npz      numbers by frame: state, physics, tip (M rows), action (N rows), and what the judge knew (M rows)
thoughts.npz    one group of arrays per question, "<frame>/<name>", each read when somebody looks at it
```

Everything is float64 as it was computed. `watch.json` says what each array is and holds the files' hashes; it is
written last, and the folder gets its name when it is whole.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from curation.atomic import ASIDE, make_folder, sync_dir, write_aside
from curation.errors import CannotWrite, DataError, TargetExists, UsageError
from curation.frames import Phase
from recorders.events import Mark
from recorders.whisker import Whisker
from training.thought import Thought

from .history import Columns, History
from .moment import Outlook

VERSION = 1
WATCH, FRAMES, THOUGHTS = "watch.json", "frames.npz", "thoughts.npz"
TOLD = (
    "checkpoint", "source", "scene", "seed", "placement", "task", "fps", "limit_frames", "began", "seat", "device",
    "threads", "samples", "whiskers", "versions", "settings", "draws", "branches", "alarms", "ending", "sha256",
)  # fmt: skip
"""What watch.json says of every episode."""
ARRAYS = {
    FRAMES: {
        "state": "measured joints, degrees and gripper 0..100 (M, 6); M is N + 1 once the episode ended, else N",
        "physics": "the world's complete state as SimWorld.physics has it (M, P)",
        "tip": "tool point in the base frame [m] (M, 3)",
        "action": "admitted targets, in force from their frame to the next (N, 6)",
        "phase": "as the judge saw it (M,)",
        "grasps": "times the block was between both jaws so far (M,)",
        "fumbles": "times it was lost so far, elsewhere than over the bowl (M,)",
        "success": "whether the episode had succeeded (M,)",
    },
    THOUGHTS: {
        "plan": "targets from this frame on if nobody asked again, before the world's limits (H, 6)",
        "sure": "how many of them are carried out before the policy is asked again ()",
        "chunk": "the answer (T, 6)",
        "blended": "whether plan is a blend of several answers ()",
        "samples": "further answers with other noise (K, T, 6)",
        "denoising": "the answer on its way from noise (S, T, 6)",
        "times": "of those, 1 is noise, 0 the answer (S,)",
        "seconds": "that the answer took ()",
        "whisker_path, whisker_joints": "where plan leads (H + 1, 3) [m], (H + 1, 6)",
        "alone_path, alone_joints": "where chunk by itself leads; absent where it is plan (T + 1, 3), (T + 1, 6)",
        "samples_path_<k>, samples_joints_<k>": "where each of samples leads; shorter where the physics would break",
        "denoising_path_<s>, denoising_joints_<s>": "where each of denoising leads",
    },
}
"""What the arrays are, as watch.json says it."""


def require_new(folder: Path) -> None:
    """Refuse a place where something is, or where nothing can be; nothing is made.

    Raises:
        TargetExists: something is there.
        CannotWrite: read-only, not permitted, or not within a folder.
    """
    if os.path.lexists(folder):
        raise TargetExists(folder, "Name another folder with --to, or remove that one.")
    require_writable(folder)


def require_writable(folder: Path) -> None:
    """Refuse a place where no folder can be made; nothing is made.

    Raises:
        CannotWrite: read-only, not permitted, or not within a folder.
    """
    parent = next(one for one in folder.absolute().parents if os.path.lexists(one))
    try:
        with tempfile.TemporaryDirectory(dir=parent, suffix=ASIDE):
            pass
    except OSError as error:
        raise CannotWrite(folder, error) from error


def write_history(folder: Path, history: History) -> None:
    """Write a history into a new folder.

    Raises:
        TargetExists: something is there.
        CannotWrite: the disk is full, read-only or not permitted.
    """
    require_new(folder)
    aside = folder.with_name(f"{folder.name}.{os.getpid()}{ASIDE}")
    files = {FRAMES: _frames(history.columns), THOUGHTS: _thoughts(history.outlooks)}
    told = {
        "kind": "watched episode",
        "version": VERSION,
        **history.told,
        "frames": len(history),
        "events": [[event.frame, event.kind] for event in history.events],
        "arrays": ARRAYS,
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    files[WATCH] = (json.dumps(told, indent=1) + "\n").encode()
    try:
        make_folder(aside)
        for name, data in files.items():
            write_aside(aside / name, data)
        aside.rename(folder)
        sync_dir(folder.parent)
    except OSError as error:
        require_new(folder)
        raise CannotWrite(folder, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def read_history(folder: Path) -> History:
    """The history in a folder; thoughts are read as they are looked at.

    Raises:
        UsageError: the folder holds none.
        DataError: it is damaged, or of a later version.
    """
    path = folder / WATCH
    if not path.is_file():
        raise UsageError(f"{folder} holds no watched episode ({WATCH}). Make one with studio watch CKPT --to {folder}.")
    try:
        told = json.loads(path.read_bytes())
        if told["version"] > VERSION:
            raise DataError(f"{folder} is of version {told['version']}, and this studio reads {VERSION}. Upgrade it.")
        if lacking := [name for name in TOLD if name not in told]:
            raise DataError(f"{path} does not say {', '.join(lacking)}. Watch the episode again.")
        for name, digest in told["sha256"].items():
            if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
                raise DataError(f"{folder / name} is not what was written. Watch the episode again.")
        return History(told, _columns(folder / FRAMES), _Stored(folder / THOUGHTS))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise DataError(f"The watched episode in {folder} cannot be read: {error!r}.") from error


class _Stored(Mapping[int, Outlook]):
    """Outlooks in a file; each is read when it is looked at, and the last ones looked at are kept."""

    def __init__(self, path: Path) -> None:
        self._arrays = np.load(path, allow_pickle=False)
        weakref.finalize(self, self._arrays.close)
        self._names: dict[int, set[str]] = {}
        for entry in self._arrays.files:
            frame, _, name = entry.partition("/")
            self._names.setdefault(int(frame), set()).add(name)
        self._kept: dict[int, Outlook] = {}

    def __getitem__(self, frame: int) -> Outlook:
        if frame not in self._kept:
            names = self._names[frame]
            self._kept[frame] = _outlook(frame, {name: self._arrays[f"{frame}/{name}"] for name in names})
        return self._kept[frame]

    def __iter__(self) -> Iterator[int]:
        return iter(sorted(self._names))

    def __len__(self) -> int:
        return len(self._names)


def _frames(columns: Columns) -> bytes:
    marks = columns.marks
    return _npz(
        {
            "state": columns.state,
            "physics": columns.physics,
            "tip": columns.tip,
            "action": columns.action,
            "phase": np.array([mark.phase.value for mark in marks]),
            "grasps": np.array([mark.grasps for mark in marks]),
            "fumbles": np.array([mark.fumbles for mark in marks]),
            "success": np.array([mark.success for mark in marks]),
        }
    )


def _columns(path: Path) -> Columns:
    with np.load(path, allow_pickle=False) as found:
        known = zip(found["phase"], found["grasps"], found["fumbles"], found["success"], strict=True)
        marks = tuple(Mark(Phase(str(p)), int(grasps), int(fumbles), bool(s)) for p, grasps, fumbles, s in known)
        return Columns(found["state"], found["physics"], found["tip"], found["action"], marks)


def _thoughts(outlooks: Mapping[int, Outlook]) -> bytes:
    return _npz({f"{frame}/{name}": array for frame in outlooks for name, array in _arrays(outlooks[frame]).items()})


def _arrays(outlook: Outlook) -> dict[str, Any]:
    """The arrays of one outlook by name; those of things that are not there are left out."""
    thought = outlook.thought
    found: dict[str, Any] = {"plan": thought.plan, "sure": thought.sure, "chunk": thought.chunk}
    found |= {"blended": thought.blended, "seconds": thought.seconds}
    if len(thought.samples):
        found["samples"] = thought.samples
    if len(thought.denoising):
        found |= {"denoising": thought.denoising, "times": thought.times}
    single = {"whisker": outlook.whisker, "alone": None if outlook.alone is outlook.whisker else outlook.alone}
    for name, one in single.items():
        if one is not None:
            found |= {f"{name}_path": one.path, f"{name}_joints": one.joints}
    for name, several in {"samples": outlook.samples, "denoising": outlook.denoising}.items():
        for number, one in enumerate(several):
            found |= {f"{name}_path_{number}": one.path, f"{name}_joints_{number}": one.joints}
    return found


def _outlook(frame: int, found: Mapping[str, Any]) -> Outlook:
    optional = {name: found[name] for name in ("samples", "denoising", "times") if name in found}
    thought = Thought(
        frame=frame,
        plan=found["plan"],
        sure=int(found["sure"]),
        chunk=found["chunk"],
        blended=bool(found["blended"]),
        seconds=float(found["seconds"]),
        **optional,
    )

    def whisker(name: str, number: str = "") -> Whisker | None:
        path = found.get(f"{name}_path{number}")
        return None if path is None else Whisker(path, found[f"{name}_joints{number}"])

    def several(name: str) -> tuple[Whisker, ...]:
        each = (whisker(name, f"_{number}") for number in range(len(optional.get(name, ()))))
        return tuple(one for one in each if one is not None)

    own = whisker("whisker")
    return Outlook(thought, own, whisker("alone") or own, several("samples"), several("denoising"))


def _npz(arrays: Mapping[str, Any]) -> bytes:
    sink = io.BytesIO()
    np.savez(sink, **arrays)
    return sink.getvalue()
