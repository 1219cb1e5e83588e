"""A watched episode in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from curation.frames import JOINTS

from .history import History


def summary(history: History) -> str:
    """What was watched, what happened when, how joints followed, how far chunks were apart, and what looks wrong."""
    told, at = history.told, history.told["placement"]
    ending = told["ending"]
    how = "goes on" if ending is None else ending["outcome"]
    lines = [
        f"{told['checkpoint']['label']} ({told['checkpoint']['policy']}) at ({at['x']:.3f}, {at['y']:.3f}), "
        f"yaw {at['yaw_deg']:.0f} deg, seed {told['seed']}: {how}, {len(history)} frames, "
        f"asked {len(history.asked)} times",
        *(
            f"  {line}"
            for line in (
                _infeasible(history),
                _events(history),
                _repeats(history),
                *_branches(history),
                *_answers(history),
            )
        ),
        "  joint           lag  error mean   max   off its plan   (frames; degrees, gripper in percent)",
        *(
            f"  {one.joint:<14} {'-' if one.lag is None else one.lag:>4}  {one.mean_error:10.2f} {one.max_error:5.1f}"
            f"  {one.predicted_error:11.2f}"
            for one in history.tracked()
        ),
        *(f"  ALARM: {text}" for text in told["alarms"]),
    ]
    return "\n".join(line for line in lines if line.strip())


def caveats(history: History) -> list[str]:
    """What one should know before one believes what is shown: that no policy could do it, that it went otherwise."""
    compared = history.told.get("compared", {})
    otherwise = "" if compared.get("equal", True) else str(compared.get("words", ""))
    return [words for words in (_infeasible(history), otherwise) if words]


def _infeasible(history: History) -> str:
    """Why no policy could do it there; a failure at such a place says nothing of this one."""
    why = history.told["source"].get("why_not")
    return f"the arm cannot do it there: {why}" if why else ""


def _events(history: History) -> str:
    happened = ", ".join(f"{event.kind} {event.frame}" for event in history.events)
    return f"events by frame: {happened or 'none'}"


def _repeats(history: History) -> str:
    """How it compares with a recorded episode or an evaluation's row that it is of."""
    return str(history.told.get("compared", {}).get("words", ""))


def _branches(history: History) -> list[str]:
    return [
        f"from frame {one['frame']} on: "
        + ", ".join(f"{name} {_plain(value)}" for name, value in one["changed"].items())
        for one in history.told["branches"]
    ]


def _answers(history: History) -> list[str]:
    """How sure the policy was."""
    lines = []
    apart = history.disagreement()
    if np.isfinite(apart).any():
        listed = ", ".join(f"{joint} {value:.1f}" for joint, value in zip(JOINTS, _means(apart), strict=True))
        lines.append(f"overlapping chunks are apart by (standard deviation, mean over frames): {listed}")
    asked, draws = history.told["samples"], history.told["draws"]
    if asked and draws is False:
        lines.append(f"samples: all {asked} equal the answer; this policy draws nothing, so they say nothing of doubt")
    elif asked and draws:
        spread = [thought.spread for thought in history.thoughts.values()]
        rows = np.concatenate([one for one in spread if one is not None])
        listed = ", ".join(f"{joint} {value:.1f}" for joint, value in zip(JOINTS, _means(rows), strict=True))
        lines.append(f"{asked} samples spread by (standard deviation, mean over chunks): {listed}")
    return lines


def _means(values: np.ndarray) -> np.ndarray:
    return np.array(np.nanmean(values, axis=0))


def _plain(value: Any) -> str:
    """A setting as it would be typed."""
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
