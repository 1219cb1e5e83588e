"""What goes along with the episodes of an edited dataset: scene, units, notes, the log of attempts, provenance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from curation import layout
from curation.atomic import write_aside
from curation.meaning import resulting_statement
from curation.notes import Note, add_notes, read_notes
from curation.plan import Once, Plan
from curation.provenance import story
from curation.scenes import resulting_scene
from curation.store import Store


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
    if (scene := resulting_scene(plan, stores, ids)) is not None:
        write_aside(root / layout.SCENE, layout.json_bytes(scene))
    if units := resulting_statement([parent.changes for parent in plan.parents], stores):
        write_aside(root / layout.UNITS, layout.json_bytes(units))
    add_notes(root, _notes(plan, stores, ids))
    if (log := _attempts(plan, stores)) is not None:
        write_aside(root / layout.ATTEMPTS, log)
    write_aside(root / layout.PROVENANCE, layout.json_bytes(story(plan, stores, marks, ids)))


def _notes(plan: Plan, stores: Sequence[Store], ids: Sequence[str]) -> list[Note]:
    """What was said of an episode goes to all that was made of it, or of the one that was kept for it; to the latter
    not whether it is in the trash."""
    now: dict[tuple[int, str], list[str]] = {}
    for clip, name in zip(plan.clips, ids, strict=True):
        now.setdefault(clip.ref, []).append(name)
    once = {gone: kept for edit in plan.edits if isinstance(edit, Once) for gone, kept in edit.pairs}
    said = [
        replace(note, episode_id=name)
        for number, store in enumerate(stores)
        for note in read_notes(store.root)
        if note.kind != "mask" or (number, note.episode_id) not in once
        for name in now.get(once.get((number, note.episode_id), (number, note.episode_id)), ())
    ]
    # Copies carry the same notes; the last word counts, whichever copy it was said of.
    return sorted(dict.fromkeys(said), key=lambda note: note.when) if once else said


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
