"""What goes along with the episodes of an edited dataset: scene, units, notes, the log of attempts, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from curation import layout
from curation.atomic import write_aside
from curation.meaning import resulting_units
from curation.notes import Note, add_notes, read_notes
from curation.plan import Plan
from curation.provenance import story
from curation.store import Store
from curation.units import Units


def write_companions(root: Path, plan: Plan, stores: Sequence[Store], marks: Sequence[str], ids: Sequence[str]) -> None:
    """Write them into a dataset that is being built.

    Args:
        root: of the new dataset.
        plan: what is applied.
        stores: the parents.
        marks: their fingerprints.
        ids: of the resulting episodes.

    Raises:
        DataError: a parent's notes or units are damaged.
        CannotWrite: the disk refused.
    """
    if (scene := _scene(stores)) is not None:
        write_aside(root / layout.SCENE, layout.json_bytes(scene))
    units = resulting_units([parent.changes for parent in plan.parents], stores)[0]
    if units != Units():
        write_aside(root / layout.UNITS, layout.json_bytes(asdict(units)))
    add_notes(root, _notes(plan, stores, ids))
    if (log := _attempts(plan, stores)) is not None:
        write_aside(root / layout.ATTEMPTS, log)
    write_aside(root / layout.PROVENANCE, layout.json_bytes(story(plan, stores, marks, ids)))


def _scene(stores: Sequence[Store]) -> dict[str, Any] | None:
    """The scene of all, or a list of them that nobody takes for one; None if no parent has any."""
    cards = [store.scene for store in stores]
    different = {str(card.get("fingerprint", card)): card for card in cards if card}
    if len(different) == 1 and all(cards):
        return next(iter(different.values()))
    return {"scenes": list(different.values())} if different else None


def _notes(plan: Plan, stores: Sequence[Store], ids: Sequence[str]) -> list[Note]:
    """What was said of an episode goes to all that was made of it."""
    now: dict[tuple[int, str], list[str]] = {}
    for clip, name in zip(plan.clips, ids, strict=True):
        now.setdefault(clip.ref, []).append(name)
    return [
        replace(note, episode_id=name)
        for number, store in enumerate(stores)
        for note in read_notes(store.root)
        for name in now.get((number, note.episode_id), ())
    ]


def _attempts(plan: Plan, stores: Sequence[Store]) -> bytes | None:
    """The logs of attempts, one after the other, if every episode they count is still there: a rate must not change
    because somebody chose among the episodes."""
    logs = [store.root / layout.ATTEMPTS for store in stores]
    whole = sum(clip.whole for clip in plan.clips) == len(plan.clips) == sum(store.total_episodes for store in stores)
    if not whole or not all(log.is_file() for log in logs):
        return None
    return b"".join(_lines(log.read_bytes()) for log in logs)


def _lines(data: bytes) -> bytes:
    return data if data.endswith(b"\n") or not data else data + b"\n"
