"""The numbers of a page: what was thought and done, as JSON values and short integers in base64."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np

from curation.frames import JOINTS, Vector
from curation.palette import outcome_colour
from recorders.whisker import Whisker
from studio.watching.history import History
from studio.watching.lines import CLOSED, COLOURS, GHOSTS, LEAST_SPAN, OPEN, words_of
from studio.watching.moment import Outlook
from studio.watching.words import caveats, summary
from training.thought import GRIPPER

METRES, DEGREES = 1e-4, 1e-2
"""What one step of a stored integer is."""
GAP = -(2**15)
"""The integer that says that there is no number."""
MOST = 1_200_000
"""Numbers in all paths and plans; of longer ones every second or third point is kept, and so on."""
MOST_STEPS, MOST_SAMPLES = 12, 20
"""Denoising steps and samples of each question that are drawn."""


def numbers(history: History) -> dict[str, Any]:
    """Everything a page draws but its pictures, in JSON values.

    "arrays" holds each array as {"shape", "scale", "data"}: little-endian int16 in base64, to be multiplied by the
    scale; `GAP` where there is none. Of plans and paths every "stride"-th point is there, the first one always.
    """
    told, asked = history.told, [history.outlooks[at] for at in history.asked]
    stride = _stride(asked)
    return {
        "label": told["checkpoint"]["label"],
        "policy": told["checkpoint"]["policy"],
        "placement": told["placement"],
        # JavaScript would round it.
        "seed": str(told["seed"]),
        "task": told["task"],
        "outcome": (told["ending"] or {}).get("outcome", "goes on"),
        "tone": "rgb({}, {}, {})".format(*outcome_colour((told["ending"] or {}).get("outcome", ""))),
        "alarms": list(told["alarms"]),
        "caveats": caveats(history),
        "branches": [{"frame": one["frame"], "words": _changed(one["changed"])} for one in told["branches"]],
        "summary": summary(history),
        "fps": history.fps,
        "frames": len(history),
        "events": [[event.frame, event.kind] for event in history.events],
        "phases": _phases(history),
        "joints": [one.as_json() for one in history.tracked()],
        "asked": list(history.asked),
        "sure": [one.thought.sure for one in asked],
        "blended": [one.thought.blended for one in asked],
        "seconds": [round(one.thought.seconds, 4) for one in asked],
        "samples": told["samples"],
        "draws": told["draws"],
        "whiskers": all(one.whisker is not None for one in asked),
        "stride": stride,
        "ghosts": GHOSTS,
        "grip": {"closed": CLOSED, "open": OPEN, "least": LEAST_SPAN},
        "lines": [{"kind": kind, "words": words, "colour": COLOURS[kind]} for kind, words in words_of(history).items()],
        "arrays": {name: packed(array, scale) for name, (array, scale) in _arrays(history, asked, stride).items()},
    }


def packed(array: Vector, scale: float) -> dict[str, Any]:
    """An array as short integers; numbers beyond 32767 steps are drawn at that edge."""
    steps = np.clip(np.round(np.asarray(array, np.float64) / scale), GAP + 1, -GAP - 1)
    short = np.where(np.isfinite(steps), steps, GAP).astype("<i2")
    return {"shape": list(short.shape), "scale": scale, "data": base64.b64encode(short.tobytes()).decode()}


def _arrays(history: History, asked: Sequence[Outlook], stride: int) -> dict[str, tuple[Vector, float]]:
    """By name, with the size of a step; A questions, N frames, M states, H points of plans, T of chunks."""
    columns = history.columns
    found: dict[str, tuple[Vector, float]] = {
        "state": (columns.state, DEGREES),
        "action": (columns.action, DEGREES),
        "foretold": (history.foretold(), DEGREES),
        "tip": (columns.tip, METRES),
        "apart": (history.disagreement(), DEGREES),
        "plan": (_even([one.thought.plan[::stride] for one in asked]), DEGREES),
        "gripper": (_even([one.thought.timed[:, GRIPPER] for one in asked]), DEGREES),
    }
    spreads = [one.thought.spread for one in asked]
    if history.told["draws"] and any(one is not None for one in spreads):
        none = np.zeros((0, len(JOINTS)))
        found["spread"] = _even([none if one is None else one[::stride] for one in spreads]), DEGREES
    paths: dict[str, list[list[Whisker | None]]] = {
        "path": [[one.whisker] for one in asked],
        "alone": [[one.alone] if one.thought.blended else [] for one in asked],
        "sample": [list(one.samples[:MOST_SAMPLES]) for one in asked],
        "denoising": [_some(one.denoising) for one in asked],
    }
    for name, each in paths.items():
        if any(one is not None for several in each for one in several):
            lines = [_even([one.path[::stride] for one in several if one is not None]) for several in each]
            found[name] = _even(lines), METRES
    return found


def _even(parts: Sequence[Vector]) -> Vector:
    """Arrays of different sizes as one, NaN where one has nothing."""
    if not parts:
        return np.zeros((0, 0, 3))
    room = np.max([part.shape for part in parts], axis=0).tolist()
    found = np.full((len(parts), *room), np.nan)
    for place, part in enumerate(parts):
        found[place][tuple(map(slice, part.shape))] = part
    return found


def _some(steps: Sequence[Whisker]) -> list[Whisker | None]:
    """At most `MOST_STEPS`, evenly chosen, first and last among them."""
    chosen = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), MOST_STEPS)).astype(int)) if steps else []
    return [steps[place] for place in chosen]


def _stride(asked: Sequence[Outlook]) -> int:
    """Of every how many points one is kept, so that all are not too many."""
    longest = max((len(one.thought.plan) for one in asked), default=0)
    several = max((len(one.samples[:MOST_SAMPLES]) + len(_some(one.denoising)) for one in asked), default=0)
    whole = len(asked) * longest * (len(JOINTS) + 3 * (2 + several))
    return max(1, -(-whole // MOST))


def _phases(history: History) -> list[list[Any]]:
    """First frame and name of each stretch."""
    found, frame = [], 0
    for phase, stretch in groupby(mark.phase.value for mark in history.columns.marks[: len(history)]):
        found.append([frame, phase])
        frame += len(list(stretch))
    return found


def _changed(changed: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in changed.items())
