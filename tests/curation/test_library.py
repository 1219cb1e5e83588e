"""The library: every episode and take in its state, with the last word about it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.coverage import placements_of
from curation.errors import UnknownChoice
from curation.layout import TAKES, TRASH
from curation.library import chosen, entries, put_to_trash, restore
from curation.notes import Note, add_notes
from curation.store import StagedEpisode, Store
from tests.curation.tiny import FPS

HEAD = {"episode_id": "x", "operator": "keyboard", "started": "2026-05-01T10:00:00", "target": "corner",
        "placement": {"x": 0.3, "y": 0.1, "yaw_deg": 20.0}}  # fmt: skip


def line(record: dict[str, object]) -> bytes:
    text = json.dumps(record).encode()
    return text + b"\t%08x\n" % zlib.crc32(text)


def journal(folder: Path, name: str, *, end: dict[str, object] | None = None, frames: int = 5) -> Path:
    """A journal as a recorder leaves it; finished with `end`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    footer = [] if end is None else [{"end": "stopped", "frames": frames, "report": {}, **end}]
    path.write_bytes(b"".join(map(line, [HEAD, *({"state": [index] * 500} for index in range(frames)), *footer])))
    return path


@pytest.fixture
def root(new_store: Store, make_stage: Callable[..., StagedEpisode]) -> Path:
    """Three episodes; a waiting, an unfinished, a torn and a discarded take."""
    for episode in range(3):
        new_store.commit(make_stage(episode))
    root = new_store.root
    journal(root / TAKES, "waits", end={"kept": True, "outcome": "success"})
    journal(root / TAKES, "breaks")
    torn = journal(root / TAKES, "torn", frames=9)
    torn.write_bytes(torn.read_bytes()[:-100])
    journal(root / TRASH, "aaaa-1", end={"kept": False, "outcome": "timeout"}, frames=60)
    return root


def test_everything_is_there_in_its_state(root: Path) -> None:
    put_to_trash(root, ["id-1"], "person")
    found = {entry.episode_id: entry for entry in entries(root)}
    assert {name: entry.state for name, entry in found.items()} == {
        "id-0": "saved", "id-1": "masked", "id-2": "saved", "waits": "waiting", "breaks": "unfinished",
        "torn": "unfinished", "aaaa-1": "discarded",
    }  # fmt: skip
    assert [entry.index for entry in found.values()][:4] == [0, 1, 2, None]
    assert {name: entry.frames for name, entry in found.items()} == {
        "id-0": 8, "id-1": 8, "id-2": 8, "waits": 5, "breaks": 5, "torn": 8, "aaaa-1": 60,
    }  # fmt: skip
    take = found["aaaa-1"]
    assert (take.x, take.y, take.yaw_deg, take.target, take.seconds) == (0.3, 0.1, 20.0, "corner", 60 / FPS)
    restore(root, ["id-1"], "person")
    assert [entry.state for entry in entries(root)[:3]] == ["saved"] * 3


@pytest.mark.parametrize("damage", [b"", b"\n", b"\xff\xfe", b"{}\t00000000\n", b"[1]\t00000000\n"])
def test_a_wrecked_journal_is_an_unfinished_take(root: Path, damage: bytes) -> None:
    (root / TAKES / "breaks.jsonl").write_bytes(damage)
    (take,) = [entry for entry in entries(root) if entry.episode_id == "breaks"]
    assert (take.state, take.frames, take.x, take.operator) == ("unfinished", 0, None, "")


def test_notes_reach_their_episode(root: Path) -> None:
    add_notes(root, [Note("id-0", "score", 0.25, "a"), Note("id-0", "comment", "slow", "a")])
    add_notes(root, [Note("id-0", "score", 0.75, "b"), Note("id-0", "comment", "but clean", "b")])
    add_notes(root, [Note("aaaa-1", "discarded", "slipped", "a"), Note("id-2", "discarded", "then restored", "a")])
    found = {entry.episode_id: entry for entry in entries(root)}
    assert (found["id-0"].score, found["id-0"].comments) == (0.75, ("slow", "but clean"))
    assert (found["aaaa-1"].why, found["id-2"].why) == ("slipped", "")


def test_names_are_numbers_or_the_beginning_of_an_id(root: Path) -> None:
    journal(root / TRASH, "12345678-take", end={"kept": False})
    assert [entry.episode_id for entry in chosen(root, ["2", "id-0", "aaaa", "2"])] == ["id-2", "id-0", "aaaa-1"]
    assert chosen(root, ["12345678"])[0].state == "discarded"
    for name in ("", "3", "1234567", "id-", "nothing"):
        with pytest.raises(UnknownChoice, match="0 to 2"):
            chosen(root, [name])


def test_only_episodes_can_be_masked_and_all_or_none_are(root: Path) -> None:
    with pytest.raises(UnknownChoice, match="waits"):
        put_to_trash(root, ["id-0", "waits"], "person")
    assert entries(root)[0].state == "saved"


def test_masked_placements_are_no_data(root: Path) -> None:
    assert placements_of(Store.open(root)).tolist() == [[0.3, 0.0], [0.3, -0.1], [0.3, -0.2]]
    put_to_trash(root, ["id-1"], "person")
    assert placements_of(Store.open(root)).tolist() == [[0.3, 0.0], [0.3, -0.2]]
