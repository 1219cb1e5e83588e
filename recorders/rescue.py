"""Takes that became no episode by themselves: interrupted ones, and ones put away that are wanted after all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from curation.atomic import place, remove
from curation.attempts import RESTORED
from curation.episodes import StagedEpisode
from curation.errors import UsageError
from curation.layout import TAKES, TRASH

from .crew import draw_take
from .journal import Take, finish_journal, read_journal
from .resimulate import judge_unfinished
from .session import Session
from .world.sim import SimWorld


def save_unfinished(session: Session, path: Path, take: Take) -> int:
    """Make an episode of an interrupted take, judged where it stops; returns its index."""
    world = SimWorld(session.scene)
    try:
        footer = judge_unfinished(take, world, session.store.scene["physics"]["layout"])
        return _save(session, finish_journal(path, take, footer), world)
    finally:
        world.close()


def bring_back(session: Session, episode_id: str) -> int:
    """Make an episode of a take in the trash; returns its index.

    The attempt's line in the log stays as it was, and the episode says that it was restored.

    Raises:
        UsageError: there is no such take, or nothing in it.
        BrokenJournal: it is damaged.
    """
    trashed = session.root / TRASH / f"{episode_id}.jsonl"
    if not trashed.is_file():
        raise UsageError(f"There is no take {episode_id} in the trash of {session.root}; studio trash lists it.")
    take = read_journal(trashed)
    if not len(take):
        raise UsageError(f"Take {episode_id} has no frames, so it cannot become an episode.")
    path = session.root / TAKES / trashed.name
    # Both are there until the episode is: a crash in between leaves a take that is kept or in the trash, never none.
    place(trashed, path)
    world = SimWorld(session.scene)
    try:
        footer: dict[str, Any] = take.footer or {
            **judge_unfinished(take, world, session.store.scene["physics"]["layout"])
        }
        report = {**footer.get("report", {}), RESTORED: True}
        index = _save(session, finish_journal(path, take, {**footer, "kept": True, "report": report}), world)
    finally:
        world.close()
    remove(trashed)
    return index


def _save(session: Session, take: Take, world: SimWorld) -> int:
    folder = session.stage_folder(take.header["episode_id"])
    try:
        staged = draw_take(take, session.root, session.scene, world.painter, session.store.encoding)
        session.settle(take)
        return session.save(StagedEpisode.load(staged))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
