"""What an experiment asks and how it will be answered, written down before it begins and never changed after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from training.compare import LEAST

FILE = "preregistration.json"
SIZES = {"trainings of each arm": LEAST, "evaluation episodes": 200, "attempts in each arm": 40}
"""Below any of these an experiment tries the plumbing: three trainings are the least for a test, 200 episodes know a
rate to within 7 points, and 40 attempts added to a few dozen demonstrations are the least that may show (assumed)."""
PLUMBING = "plumbing, not a result"


def register(folder: Path, asked: Mapping[str, Any], *, looked: bool) -> dict[str, Any]:
    """Write what is asked, or read it where it was written before; returns it with when that was.

    Args:
        folder: of the experiment.
        asked: JSON values.
        looked: whether something of it was done already, so that nothing can be registered before it any more.

    Raises:
        UsageError: something else was written before the experiment began.
        DataError: the file is damaged or was changed.
    """
    told = json.loads(json.dumps(asked))
    path = folder / FILE
    if not path.exists() and looked:
        raise DataError(f"{path} is gone, and what was done already was not measured by it: it counts no longer.")
    if not path.exists():
        written = {"asked": told, "digest": _digest(told), "when": datetime.now(UTC).isoformat(timespec="seconds")}
        write_aside(path, json.dumps(written, indent=2).encode() + b"\n")
        return written
    written = read(folder)
    if written["asked"] != told:
        there = written["asked"]
        apart = [name for name in {**there, **told} if there.get(name) != told.get(name)]
        raise UsageError(
            f"{path} was written before the experiment began and says otherwise of {', '.join(apart)}: "
            f"{there.get(apart[0])} there, {told.get(apart[0])} here. What is measured is not chosen after looking: "
            "ask it of a new experiment under another --to."
        )
    return written


def read(folder: Path) -> dict[str, Any]:
    """What was written.

    Raises:
        DataError: it is damaged or was changed.
    """
    path = folder / FILE
    try:
        written = json.loads(path.read_bytes())
        sound = _digest(written["asked"]) == written["digest"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    if not sound:
        raise DataError(f"{path} was changed after it was written (digest {written['digest']}): it counts no longer.")
    return dict(written)


def below(trainings: int, episodes: int, attempts: int, *, privileged: bool) -> list[str]:
    """Why an experiment is plumbing and no result; nothing if it may be one."""
    values = dict(zip(SIZES, (trainings, episodes, attempts), strict=True))
    found = [f"{values[name]} {name}, {least} are the least" for name, least in SIZES.items() if values[name] < least]
    return [*found, *(["the policy sees the block's pose, as no robot does"] if privileged else [])]


def _digest(asked: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
