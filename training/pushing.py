"""Pushes of a training to the Hub: hours of training outlive a broken connection, and it is told what did not go up."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curation.hub.calls import without_tokens

NOT_PUSHED = "not-pushed.jsonl"
"""In a run's folder: a line for everything that did not reach the Hub, {"what", "why"}."""


def outliving(push: Callable[..., Any], folder: Path, what: Callable[..., str]) -> Callable[..., Any]:
    """A push whose failure is noted in a run's folder, and is no end of the training.

    Args:
        push: raises where it fails.
        folder: the run's.
        what: names what is pushed, from the same arguments.
    """

    def pushed(*args: Any, **kwargs: Any) -> Any:
        try:
            return push(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  a Hub, a proxy and a network fail in many ways
            name = what(*args, **kwargs)
            why = without_tokens(" ".join(str(error).split()) or type(error).__name__)
            logging.warning("%s was not pushed: %s", name, why)
            with (folder / NOT_PUSHED).open("a", encoding="utf-8") as file:
                file.write(json.dumps({"what": name, "why": why}) + "\n")
            return None

    return pushed


def whole_policy(folder: Path, *parts: Any) -> None:
    """Let the last push, of the policy and of its processors to the top of the repository, fail as others may."""
    for part in parts:
        for name in ("push_model_to_hub", "push_to_hub"):
            if hasattr(part, name):
                setattr(part, name, outliving(getattr(part, name), folder, _named(part)))


def not_pushed(folder: Path) -> list[dict[str, str]]:
    """What of a run did not reach the Hub, in order."""
    from training.runs import curve_lines

    return list(curve_lines(folder / NOT_PUSHED))


def _named(part: Any) -> Callable[..., str]:
    return lambda *_, **__: f"{type(part).__name__} of the last step"
