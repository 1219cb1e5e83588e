"""A loop and an experiment try policies where none of them learned, and ask classifiers where those did not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from curation.errors import UsageError
from curation.targets import read_targets
from studio.coinciding import Places, anyhow, attempted, evaluated, recorded, require_apart
from studio.experimenting import ATTEMPTS, Experiment
from studio.improving import Loop, Source
from studio.keeping import Keeping
from studio.paths import dataset_path
from studio.steps import Step

ELSEWHERE = "Ask for another --eval-seed, for --jitter 0.005, or for --yaw free."
ANEW = "Begin anew under another --to, with another --seed, a --spread or --yaw free."
OTHERWISE = "Ask for another --seed, or for --jitter 0.005 where positions are fixed."


def require_fresh_experiment(asked: Experiment, source: Source, steps: Sequence[Step]) -> None:
    """Look at all placements of an experiment before it begins.

    Raises:
        UsageError: an evaluation would be where demonstrations or attempts are, or attempts where a classifier that
            keeps has learned.
    """
    tried = evaluated(steps)
    attempts = attempted(next(step for step in steps if step.name == ATTEMPTS))
    _require_undemonstrated(source, tried)
    require_apart("evaluation episodes", tried, "attempts that are learned from", attempts, ELSEWHERE)
    _require_unknown(asked.kept, attempts, OTHERWISE)


def require_fresh_loop(loop: Loop, source: Source, steps: Sequence[Step]) -> None:
    """Look at the placements of a loop that are known before it begins; errors as `require_fresh_experiment`.

    Raises:
        UsageError: attempts at a position would be copies of one.
    """
    if _fixed(loop) and loop.per_position > 1:
        raise UsageError(
            f"--spread 0 with --yaw {loop.yaw} makes {loop.per_position} attempts at each position that are copies of "
            "one. Ask for a --spread, for --yaw free, or for --per-position 1."
        )
    _require_undemonstrated(source, evaluated(steps))


def require_fresh_attempts(loop: Loop, steps: Sequence[Step], step: Step) -> None:
    """Look at where a round proposes attempts, and at where they were made before anything is learned from them.

    Args:
        loop: it.
        steps: all of it.
        step: the one that comes next.

    Raises:
        UsageError: they are at placements of the evaluations, or where a classifier that keeps has learned.
    """
    mark = step.name.partition("-")[0]
    attempts = f"{loop.name}-{mark}-attempts"
    if step.dataset == attempts:
        if not _fixed(loop):
            return
        targets = read_targets(Path(step.words[step.words.index("--targets") + 1]))
        turned = float(loop.yaw)
        _require_untried(loop, anyhow_at([(one.x, one.y) for one in targets], turned), steps)
    elif attempts in step.words[1:2]:
        _require_untried(loop, recorded(dataset_path(attempts)), steps)


def anyhow_at(positions: Sequence[tuple[float, float]], yaw: float) -> Places:
    """Positions x, y [m] with one heading [deg]."""
    found = anyhow(positions)
    found[:, 2] = yaw
    return found


def _require_untried(loop: Loop, attempts: Places, steps: Sequence[Step]) -> None:
    require_apart("attempts", attempts, "evaluation episodes", evaluated(steps), ANEW)
    _require_unknown(loop.kept, attempts, ANEW)


def _require_undemonstrated(source: Source, tried: Places) -> None:
    shown = recorded(Path(source.data), source.episodes)
    require_apart("evaluation episodes", tried, f"demonstrations in {source.data}", shown, ELSEWHERE)


def _require_unknown(kept: Keeping, attempts: Places, way_out: str) -> None:
    where = f"episodes that classifier {kept.classifier} learned from"
    require_apart("attempts", attempts, where, anyhow(kept.learned), way_out)


def _fixed(loop: Loop) -> bool:
    """Whether an attempt's placement follows from its position alone."""
    return loop.jitter == 0 and loop.yaw != "free"
