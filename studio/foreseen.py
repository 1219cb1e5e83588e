"""Looks at every command of a chain before the first one begins: what its last one would refuse after hours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from curation.errors import UsageError
from curation.library import Entry
from curation.query import terms
from recorders.placements import require_recordable
from studio.evaluating import require_different
from studio.steps import Step
from studio.verbs.evaluate import episode_count, require_valid
from studio.words import line_of
from training.latency import parse_latency

SHARES = ("score", "survival")
"""Numbers of a query that lie between 0 and 1."""


def require_possible(steps: Sequence[Step]) -> None:
    """Refuse commands that cannot be, as far as that is known before what they work on is made.

    Raises:
        UsageError: one is none, or would refuse its options; it is named.
    """
    from studio import cli

    seen: list[Any] = []
    for step in steps:
        with _named(step):
            _, options = cli.parsed(step.words[0], list(step.words[1:]))
            if step.words[0] == "evaluate":
                # Of many trainings, at the same placements.
                options = replace(options, checkpoint="")
                if options in seen:
                    continue
                seen.append(options)
            _look(step.words[0], options)


def _look(command: str, options: Any) -> None:
    match command:
        case "evaluate":
            require_valid(options)
            parse_latency(options.carried.latency)
            placing = options.where.placing()
            require_different(placing, options.seed, range(episode_count(options, placing)))
        case "generate":
            asked = options.recording
            if asked.where.targets is None:
                require_recordable(asked.where.placing(), asked.scene, asked.seed)
            else:  # which are proposed later
                replace(asked.where, targets=None, at=(0.0, 0.0)).placing()
        case "filter" | "merge":
            _require_fits_something(options.choose.where)
        case "stress":
            _require_fits_something(options.where)


def _require_fits_something(text: str) -> None:
    """Refuse a query that is none, or that asks for a share beyond 0 to 1."""
    for term in terms(text):
        if term.field not in SHARES:
            continue
        number = float(re.split("[<>=:]+", term.word)[-1])
        values = (0.0, 1.0, min(max(number, 0.0), 1.0))
        if not any(term.holds(_with(term.field, value)) for value in values):
            raise UsageError(f"{term.word} never holds: {term.field} lies between 0 and 1.")


def _with(field: str, value: float) -> Entry:
    plain = Entry(episode_id="", index=0, state="saved", frames=0, seconds=0.0, outcome="", success=False, x=None,
                  y=None, yaw_deg=None, operator="")  # fmt: skip
    return replace(plain, **{field: value})  # type: ignore[arg-type]


@contextmanager
def _named(step: Step) -> Iterator[None]:
    try:
        yield
    except (UsageError, SystemExit) as error:
        why = "" if isinstance(error, SystemExit) else f": {error}"
        raise UsageError(
            f"Step {step.name} could not be done ({line_of(step.words)}){why}. Nothing was begun."
        ) from error
