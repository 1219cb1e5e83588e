"""What a classifier learned from is known again under any name, and nothing else is taken for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from classifiers.familiar import Known, known_of, read_known, repeated, write_known
from classifiers.labels import labelled
from curation.apply import apply
from curation.errors import DataError
from curation.plan import Trim, begin, edited
from curation.store import Store
from tests.classifiers.toys import toy
from tests.curation.checks.arm import driven


def moving(episode: int, recording: str, at: tuple[float, float] = (0.3, 0.1), cut: int = 0) -> Known:
    return Known(recording, np.array(at), driven(episode)["action"][cut:].astype(np.float64))


def test_copies_are_known_by_recording_and_by_motion_and_others_are_not(tmp_path: Path) -> None:
    learned = [moving(0, "a"), moving(1, "b"), moving(2, "c")]
    write_known(tmp_path / "learned.npz", learned)
    learned = read_known(tmp_path / "learned.npz")
    unknown = (float("nan"), float("nan"))
    asked = [
        moving(5, "a"),  # edited beyond recognition, but it says where it comes from
        moving(0, "renamed"),
        moving(1, "renamed and cut", cut=9),
        moving(0, "by a tool that drops places", unknown),
        moving(2, "the same motion elsewhere", (0.2, 0.0)),
        moving(7, "another"),
        moving(7, "the other again"),
    ]
    assert repeated(learned, asked) == [True, True, True, True, False, False, True]


def test_an_arm_that_stands_still_is_not_one_episode_wherever_the_block_is() -> None:
    still = np.tile([[1.0, 2, 3, 4, 5, 6]], (50, 1))
    asked = [Known(f"still {n}", np.array([0.2 + 0.03 * n, 0.0]), still) for n in range(4)]
    assert not any(repeated([], asked))


def test_pieces_of_what_was_learned_from_are_known_again(tmp_path: Path) -> None:
    first = toy(tmp_path / "first", 3)
    learned = labelled([first])
    plan = begin([first])
    for clip in plan.clips:
        plan = edited(plan, Trim(clip.ref, 5, clip.length))
    apply(plan, tmp_path / "cut", tell=lambda *told: None)
    cut = [Store.open(tmp_path / "cut")]
    assert not {one.episode.row.episode_id for one in labelled(cut)} & {one.recording for one in learned}
    assert repeated(known_of([first], learned), known_of(cut, labelled(cut))) == [True] * 3


def test_a_damaged_file_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="Train the classifier again"):
        read_known(tmp_path / "learned.npz")
    path = tmp_path / "torn.npz"
    write_known(path, [moving(0, "a")])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        read_known(path)
