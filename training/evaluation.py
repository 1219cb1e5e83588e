"""One evaluation of one checkpoint: what it is of, where it lies, and which episodes it still lacks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.atomic import one_at_a_time, write_aside

from .as_trained import TRAINED, trained_of
from .checkpoint_card import Card
from .evaluated import EVALUATION, FOLDER, ROWS, SAMPLES
from .rows import RowFile
from .runs import RUN

VERSION = 2
_NOT_IN_KEY = ("key", "checkpoint", "when", TRAINED)
_DIGITS = 16


def told_of(
    card: Card,
    *,
    checkpoint: str,
    digest: str,
    settings: Mapping[str, Any],
    scene: Mapping[str, Any],
    placements: Mapping[str, Any],
    limit_frames: int,
    fps: int,
    versions: Mapping[str, str],
    samples: int = 0,
) -> dict[str, Any]:
    """What evaluation.json says, with its key: equal keys give equal rows.

    Args:
        card: of the checkpoint.
        checkpoint: its path as given; not part of the key, since its digest is.
        digest: of its weights.
        settings: how the policy is carried out.
        scene: {"fingerprint", "scene"}.
        placements: where blocks go; without how many, so that more episodes can be added.
        limit_frames: most frames of an episode.
        fps: of the world.
        versions: of what computes.
        samples: further answers to every question. Where there are any rows say more, and so the key is another; where
            there are none nothing is said of them.
    """
    told: dict[str, Any] = {
        "version": VERSION, "key": "", "checkpoint": checkpoint, "checkpoint_digest": digest, "run": card.run,
        "group": card.group, "step": card.step, "train_seed": card.seed, "policy": card.policy,
        "settings": dict(settings), "scene": dict(scene), "placements": dict(placements), "limit_frames": limit_frames,
        "fps": fps, "privileged": card.privileged, "versions": dict(versions),
        TRAINED: trained_of(card), **({SAMPLES: samples} if samples else {}),
    }  # fmt: skip
    keyed = {name: value for name, value in told.items() if name not in _NOT_IN_KEY}
    told["key"] = hashlib.sha256(json.dumps(keyed, sort_keys=True).encode()).hexdigest()
    told["when"] = datetime.now(UTC).isoformat(timespec="seconds")
    return told


def folder_of(card: Card, told: Mapping[str, Any]) -> Path:
    """Where an evaluation lies: in its run's folder, or under ./evaluations for checkpoints from elsewhere."""
    inside = next((parent for parent in card.folder.absolute().parents if (parent / RUN).is_file()), None)
    if inside is not None:
        return inside / FOLDER / str(told["key"])[:_DIGITS]
    return Path(FOLDER) / f"{str(told['checkpoint_digest'])[:8]}-{str(told['key'])[:8]}"


@contextmanager
def opened(folder: Path, told: Mapping[str, Any]) -> Iterator[RowFile]:
    """The rows of an evaluation, begun or taken up again; one process at a time works on it.

    Raises:
        CannotWrite: the disk refuses.
        DataError: a row is damaged.
    """
    with one_at_a_time(folder / ".lock"):
        if not (folder / EVALUATION).is_file():
            write_aside(folder / EVALUATION, json.dumps(told, indent=2).encode() + b"\n")
        rows = RowFile(folder / ROWS)
        try:
            yield rows
        finally:
            rows.close()
