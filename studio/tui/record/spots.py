"""Positions on the record screen's map: planned, next, recorded, failed, put to the trash."""

from __future__ import annotations

from collections import Counter
from typing import Any

from curation.errors import StudioError
from recorders.signals import Finished, Tick
from studio.paths import dataset_path
from studio.verbs.record import Record

Spot = tuple[float, float, str]


class Spots:
    """Keeps them through a sitting.

    Args:
        options: of the recording.
    """

    def __init__(self, options: Record) -> None:
        self._options = options
        try:
            self._planned = options.recording.where.placing().targets
        except StudioError:
            self._planned = ()  # the booth tells what is wrong with the file
        self._takes: dict[str, Spot] = {}
        self._target: dict[str, str] = {}
        self._masked: set[str] = set()

    def read(self) -> dict[str, tuple[Spot, str]]:
        """What the dataset holds already, by id: spot and target; reads files."""
        from curation.library import entries

        root = dataset_path(self._options.recording.to)
        if self._options.practice or not root.is_dir():
            return {}
        kinds = {"saved": "saved", "masked": "masked", "waiting": "saved"}
        return {
            entry.episode_id: ((entry.x, entry.y, kinds[entry.state]), entry.target)
            for entry in entries(root)
            if entry.state in kinds and entry.x is not None and entry.y is not None  # others' episodes have no place
        }

    def known(self, found: dict[str, tuple[Spot, str]]) -> None:
        """Take in what was read."""
        self._takes = {name: spot for name, (spot, _) in found.items()} | self._takes
        self._target = {name: target for name, (_, target) in found.items()} | self._target

    def finished(self, take: Finished) -> None:
        """Take in a take that ended."""
        good = take.kept and take.outcome == "success"
        name = take.episode_id or str(len(self._takes))
        self._takes[name] = (take.x, take.y, "saved" if good else "failed")
        if take.kept:
            self._target[name] = take.target

    def masked(self, episode_id: str, *, masked: bool) -> None:
        """Take in an undo or its undoing."""
        self._masked = self._masked | {episode_id} if masked else self._masked - {episode_id}

    def now(self, tick: Tick) -> list[Any]:
        """Everything to draw, what matters most last."""
        done = Counter(target for name, target in self._target.items() if name not in self._masked)
        wanted = self._options.recording.per_position
        planned = [(t.x, t.y, "planned") for t in self._planned if done[t.id] < wanted]
        takes = [
            (x, y, "masked" if episode_id in self._masked else kind) for episode_id, (x, y, kind) in self._takes.items()
        ]
        following = [(*tick.planned, "next")] if tick.planned else []
        return [*planned, *takes, *following]
