"""Pushes of a training to the Hub: hours of training outlive a broken connection, and it is told what did not go up."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curation.hub.calls import without_tokens
from training.checkpoints import CARD

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


def whole_policy(folder: Path, *parts: Any, card: Callable[[], bytes] | None = None) -> None:
    """Let the last push, of the policy and of its processors to the top of the repository, fail as others may.

    Args:
        folder: the run's.
        parts: the policy, or its processors.
        card: makes what lies beside a checkpoint's weights, which then goes up with the policy's.
    """
    for part in parts:
        for name in ("push_model_to_hub", "push_to_hub"):
            if hasattr(part, name):
                setattr(part, name, outliving(getattr(part, name), folder, _named(part)))
        if card is not None and hasattr(part, "push_model_to_hub"):
            part.push_model_to_hub = _with_card(part, part.push_model_to_hub, folder, card)


def _with_card(policy: Any, push: Callable[..., Any], folder: Path, card: Callable[[], bytes]) -> Callable[..., None]:
    push_card = outliving(_push_card, folder, lambda *_: f"{CARD} of the last step")

    def pushed(*args: Any, **kwargs: Any) -> None:
        push(*args, **kwargs)
        push_card(policy.config.repo_id, card())

    return pushed


def _push_card(repo: str, card: bytes) -> None:
    """Without it nobody knows in which world, and at which rate, the weights were trained."""
    from huggingface_hub import HfApi

    HfApi().upload_file(path_or_fileobj=card, path_in_repo=CARD, repo_id=repo, commit_message="Where it was trained")


def not_pushed(folder: Path) -> list[dict[str, str]]:
    """What of a run did not reach the Hub, in order."""
    from training.runs import curve_lines

    return list(curve_lines(folder / NOT_PUSHED))


def _named(part: Any) -> Callable[..., str]:
    return lambda *_, **__: f"{type(part).__name__} of the last step"
