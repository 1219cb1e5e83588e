"""A run's best checkpoint as a sweep found it, and the evaluations that decided it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

BEST = "best.json"
"""In a run's folder: the checkpoint that a sweep found best, with its digest, and why."""


def read_best(run: Path) -> dict[str, Any]:
    """What best.json of a run says; empty where there is none, or none that can be read."""
    with suppress(OSError, ValueError):
        told = json.loads((run / BEST).read_bytes())
        return told if isinstance(told, dict) else {}
    return {}


def race_of(best: Mapping[str, Any]) -> set[str]:
    """Folders of the evaluations by which a checkpoint was ever chosen, as a best.json names them."""
    race = [entry for entry in best.get("race") or () if isinstance(entry, Mapping)]
    return {str(entry["evaluation"]) for entry in race if entry.get("evaluation")} | set(best.get("raced") or ())


def raced(folder: Path, told: Mapping[str, Any]) -> bool:
    """Whether a checkpoint was chosen by these episodes, so that rates on them are too good, or too bad.

    Args:
        folder: of the evaluation, in its run's.
        told: its evaluation.json.
    """
    best = read_best(folder.parent.parent)
    race = [entry for entry in best.get("race") or () if isinstance(entry, Mapping)]
    names = race_of(best)
    if names:
        return folder.name in names
    # Races of old say their seed only, and a checkpoint alone was raced with nobody.
    return len(race) > 1 and dict(told.get("placements") or {}).get("seed") == best.get("seed")
