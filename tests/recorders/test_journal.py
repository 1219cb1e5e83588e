"""The journal gives back what was driven, bit for bit, and says where it is damaged."""

from __future__ import annotations

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

from curation.errors import BrokenJournal, CannotWrite
from curation.frames import Command, Ending, Frame, Observation, Outcome, Phase, Status
from recorders.journal import Journal, Take, finish_journal, read_journal

HEADER = {"version": 1, "episode_id": "e-1", "attempt": 4, "task": "Würfel → Schüssel"}
FRAMES = 12
PHASES = list(Phase)


def frame(index: int) -> Frame:
    rng = np.random.default_rng(index)
    hard = np.array([1e-320, -0.0, np.nextafter(1.0, 2.0), 1e300, 0.1, -1 / 3])
    return Frame(
        index,
        Observation(rng.normal(size=6) * 90, index / 30, dict),
        Command(rng.normal(size=6).astype(np.float32).astype(np.float64), "expert" if index % 2 else "person"),
        np.concatenate([hard, rng.normal(size=30)]),
        PHASES[index % len(PHASES)],
        index / 30 + 1e-7,
        index in (3, 4),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "takes" / "e-1.jsonl"


def written(path: Path, *, close: bool = True) -> Journal:
    journal = Journal(path, HEADER)
    for index in range(FRAMES):
        journal.add(frame(index))
    if close:
        journal.close(Ending(Status.SUCCESS, Outcome.SUCCESS, {"slip_mm": 0.5}), kept=True)
    else:
        journal.abandon()
    return journal


def same(take: Take, count: int = FRAMES) -> bool:
    frames = [frame(index) for index in range(count)]
    return (
        len(take) == count
        and take.state.tobytes() == np.array([f.observation.state for f in frames]).tobytes()
        and take.action.tobytes() == np.array([f.command.action for f in frames]).tobytes()
        and take.physics.tobytes() == np.array([f.physics for f in frames]).tobytes()
        and take.by == tuple(f.command.by for f in frames)
        and take.phase == tuple(f.phase.value for f in frames)
        and take.late.tolist() == [f.late for f in frames]
        and bool(np.allclose(take.wall_s, [f.wall_s for f in frames], atol=1e-6))
    )


def test_round_trip(path: Path) -> None:
    journal = written(path)
    take = read_journal(path)
    assert take.header == HEADER
    assert same(take)
    assert take.footer == {
        "end": "success", "outcome": "success", "report": {"slip_mm": 0.5}, "kept": True, "frames": 12, "late": 2,
    }  # fmt: skip
    assert (journal.frames, journal.late) == (12, 2)


def test_every_line_has_its_checksum(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines()
    assert len(lines) == FRAMES + 2
    for line in lines:
        text, _, crc = line.rpartition(b"\t")
        assert int(crc, 16) == zlib.crc32(text)
        assert isinstance(json.loads(text), dict)


def test_every_frame_is_on_disk_as_soon_as_it_is_added(path: Path) -> None:
    journal = Journal(path, HEADER)
    for index in range(3):
        journal.add(frame(index))
        assert same(read_journal(path), index + 1)  # while the writer is still at it, as after a kill
    journal.abandon()
    assert read_journal(path).footer is None


def test_a_journal_is_never_overwritten(path: Path) -> None:
    written(path)
    with pytest.raises(CannotWrite, match=r"e-1\.jsonl"):
        Journal(path, HEADER)
    assert same(read_journal(path))


def test_cut_anywhere_it_gives_the_whole_frames_before(path: Path) -> None:
    written(path)
    data = path.read_bytes()
    ends = [i + 1 for i, byte in enumerate(data) if byte == 10]
    rng = np.random.default_rng(0)
    cuts = {*rng.integers(ends[0], len(data), 150).tolist(), *ends, *(end - 1 for end in ends[1:])}
    for cut in sorted(cuts):
        path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        take = read_journal(path)
        assert same(take, min(whole - 1, FRAMES)), cut
        assert (take.footer is not None) == (cut == len(data)), cut


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_without_a_whole_header_it_is_broken(path: Path, cut: int) -> None:
    written(path)
    path.write_bytes(path.read_bytes()[:cut])
    for up_to_damage in (False, True):
        with pytest.raises(BrokenJournal, match=r"e-1\.jsonl is damaged at line 1: it has no header"):
            read_journal(path, up_to_damage=up_to_damage)


def test_header_only(path: Path) -> None:
    Journal(path, HEADER).abandon()
    take = read_journal(path)
    assert len(take) == 0
    assert take.footer is None
    assert take.state.shape == (0, 6)


def test_any_flipped_bit_is_found_and_its_line_named(path: Path) -> None:
    written(path)
    data = path.read_bytes()
    rng = np.random.default_rng(1)
    for position in rng.integers(0, len(data) - 1, 200).tolist():
        damaged = bytearray(data)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        line = data[:position].count(b"\n") + 1
        with pytest.raises(BrokenJournal) as error:
            read_journal(path)
        # A flip can make or break a line end; then the damage shows in the same line or the one it ran into.
        assert f"line {line}:" in str(error.value), position
        if line > 1:
            take = read_journal(path, up_to_damage=True)
            assert same(take, min(line - 2, FRAMES))
            assert take.footer is None


def test_a_line_from_elsewhere_is_refused(path: Path) -> None:
    written(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], b'{"state":[1]}\n', *lines[3:]]))
    with pytest.raises(BrokenJournal, match="line 4: it has no checksum"):
        read_journal(path)
    path.write_bytes(b"".join([*lines[:-1], b"[1]\t" + f"{zlib.crc32(b'[1]'):08x}".encode() + b"\n"]))
    with pytest.raises(BrokenJournal, match="it is not a record"):
        read_journal(path)


@pytest.mark.parametrize("damage", ["none", "torn", "middle"])
def test_an_interrupted_take_can_be_given_its_footer(path: Path, damage: str) -> None:
    written(path, close=False)
    data = path.read_bytes()
    whole = FRAMES
    if damage == "torn":
        path.write_bytes(data[:-7])
        whole = FRAMES - 1
    elif damage == "middle":
        lines = data.splitlines(keepends=True)
        path.write_bytes(b"".join([*lines[:6], b"x" + lines[6][1:], *lines[7:]]))
        whole = 5
    take = read_journal(path, up_to_damage=True)
    footer = {"end": "interrupted", "outcome": "timeout", "report": {}, "kept": True, "frames": whole, "late": 0}
    finished = finish_journal(path, take, footer)
    again = read_journal(path)
    assert finished.footer == again.footer == footer
    assert again.header == HEADER
    assert same(again, whole)
