"""A stored history made live again: run as it was, proved against what is stored, and then gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from curation.errors import DataError, StudioError
from curation.frames import Placement, Status
from recorders.rollout import Start
from recorders.world.scene import scene_from
from studio import evaluating
from studio.again import CannotRepeat
from studio.paths import runs_home
from training.checkpoint_card import digest, resolve

from .history import History
from .opening import Watched, opened
from .session import Session

if TYPE_CHECKING:
    from training.policy_model import PolicyModel


def watched_in(history: History, checkpoint: str = "") -> Watched:
    """What was watched, to be watched again.

    Args:
        history: of it.
        checkpoint: where its checkpoint lies now; "" is where it lay.

    Raises:
        CannotRepeat: the checkpoint is gone or is another one.
        DataError: the history does not say.
    """
    from training.policy import settings_from

    told = history.told
    try:
        setup = evaluating.Setup(
            _checkpoint(told["checkpoint"], checkpoint),
            scene_from(told["scene"]["scene"]),
            settings_from(told["began"]),
            told["device"],
            told["threads"],
            told["task"],
            told["checkpoint"]["label"],
            told["limit_frames"],
        )
        return Watched(
            setup,
            Start(told["seed"], Placement(**told["placement"])),
            checkpoint or told["checkpoint"]["name"],
            told["source"],
            None if told["seat"] is None else tuple(told["seat"]),
            told["samples"],
            told["whiskers"],
        )
    except (KeyError, TypeError) as error:
        raise DataError(f"The watched episode does not say {error}, so it cannot be run again.") from error


def repeated(history: History, model: PolicyModel, watched: Watched | None = None) -> Session:
    """A session that has come as far as the history, with its branches, bit for bit.

    Args:
        history: to repeat.
        model: the policy.
        watched: of `watched_in`, perhaps with more samples or with whiskers, which change nothing in the episode.

    Raises:
        CannotRepeat: it comes out otherwise, as with another build or processor.
        StudioError: the policy failed.
    """
    session = opened(watched or watched_in(history), model)
    try:
        for branch in history.told["branches"]:
            _run_to(session, branch["frame"])
            session.change(**changes_from(branch["changed"]))
        _run_to(session, len(history) - 1)
        if history.told["ending"] is not None:
            _finish(session, failed=history.told["ending"]["status"] == Status.FAILED.value)
        frame = first_difference(session.history, history)
        if frame is not None:
            raise CannotRepeat(
                f"Run again, the episode goes otherwise from frame {frame} on; it was made with "
                f"{_versions(history)}, and this is {_versions(session.history)}. Watch it anew."
            )
    except BaseException:
        session.world.close()
        raise
    return session


def first_difference(one: History, other: History) -> int | None:
    """The first frame in which two histories are not equal bit for bit; None if they are."""
    for frame in range(max(len(one), len(other))):
        if frame >= min(len(one), len(other)):
            return frame
        for column in ("physics", "state", "action"):
            if not np.array_equal(getattr(one.columns, column)[frame], getattr(other.columns, column)[frame]):
                return frame
    same_end = np.array_equal(one.columns.physics[len(one) :], other.columns.physics[len(one) :])
    return None if same_end and one.columns.marks == other.columns.marks else len(one)


def changes_from(told: dict[str, Any]) -> dict[str, Any]:
    """Changed settings out of JSON values."""
    from training.latency import Latency

    found = {name: tuple(value) if isinstance(value, list) else value for name, value in told.items()}
    return {**found, **({"latency": Latency(**told["latency"])} if "latency" in told else {})}


def _finish(session: Session, *, failed: bool) -> None:
    """Run to the end; one that failed fails again, and may still be gone on from any frame before."""
    try:
        session.finish()
    except StudioError:
        if not failed:
            raise


def _run_to(session: Session, frame: int) -> None:
    for _ in session.run(until=frame):
        pass


def _checkpoint(told: dict[str, Any], now: str) -> Path:
    if now:
        folder = resolve(now, runs_home())
        if digest(folder) == told["digest"]:
            return folder
        raise CannotRepeat(f"{now} has other weights than {told['name']}, which was watched; name that one.")
    for name in (told["name"], told["folder"]):
        try:
            folder = resolve(name, runs_home())
            if digest(folder) == told["digest"]:
                return folder
        except StudioError:
            continue
    raise CannotRepeat(
        f"The checkpoint {told['name']} is gone from here or has other weights, so the episode cannot be "
        "repeated. If it lies elsewhere, name it: studio watch CHECKPOINT --again FOLDER."
    )


def _versions(history: History) -> str:
    return ", ".join(f"{name} {value}" for name, value in history.told["versions"].items())
