"""studio stress: survival becomes a note that a query finds, nothing is simulated twice, and a kill costs nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from curation.fingerprint import fingerprint
from curation.layout import NOTES, STRESS
from curation.library import entries
from curation.notes import read_notes, survivals
from tests.studio.conftest import Made, Studio


@pytest.fixture
def tiny(made: Made, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.root, tmp_path / "tiny"))


def test_survival_is_noted_found_by_a_query_and_never_simulated_twice(studio: Studio, tiny: Path) -> None:
    before = fingerprint(tiny)
    said = studio(
        "stress", "tiny", "--runs", "3", "--processes", "1", "--picture", str(tiny.parent / "s.png"), "--json"
    )
    assert said.code == 0, said.err
    (told,) = json.loads(said.out)["episodes"]
    assert (told["as_recorded"], told["survived"]["n"]) == ("success", 3)
    share = told["survived"]["k"] / 3
    (entry,) = entries(tiny)
    assert entry.survival == pytest.approx(share, abs=1e-3)
    assert entry.score is None  # which would be taken for what a person thinks
    assert fingerprint(tiny) == before
    assert (tiny.parent / "s.png").is_file()
    for where, count in ((f"survival>={share - 0.01:g}", 1), (f"survival>{share + 0.01:g}", 0), ("-survival>=0", 0)):
        assert studio("episodes", "tiny", f"--where={where}").out.endswith(f"{count} of 1\n"), where
    # As a kill between the line and its note leaves it, with a line that a power cut tore.
    (tiny / NOTES).unlink()
    with (tiny / STRESS).open("ab") as file:
        file.write(b'{"episode_id": "x')
    again = studio("stress", "tiny", "--runs", "3")
    assert "1 of 1 episodes were stressed before" in again.err
    assert f"{told['survived']['k']} of 3" in again.out
    assert entries(tiny)[0].survival == pytest.approx(share, abs=1e-3)
    notes = (tiny / NOTES).read_bytes()
    assert studio("stress", "tiny", "--runs", "3").code == 0
    assert (tiny / NOTES).read_bytes() == notes
    more = studio("stress", "tiny", "--runs", "1", "--seed", "5")
    assert "stressed before" not in more.err
    assert (entries(tiny)[0].survival, entries(tiny)[0].stressed) == (pytest.approx(share, abs=1e-3), 3)
    assert studio("check", "tiny").code == 0


def test_of_several_stresses_the_one_of_most_runs_counts_and_of_equal_ones_the_last(studio: Studio, tiny: Path) -> None:
    def counting(*words: str) -> tuple[str, int]:
        assert studio("stress", "tiny", "--processes", "1", *words).code == 0
        note = survivals(read_notes(tiny))[entries(tiny)[0].episode_id]
        return note.by.partition("-")[0], note.runs

    assert counting("--runs", "2") == ("stress:2x0", 2)
    assert counting("--runs", "1") == ("stress:2x0", 2)
    assert counting("--runs", "2", "--seed", "1") == ("stress:2x1", 2)
    assert counting("--runs", "2") == ("stress:2x0", 2), "asked for again, it is the last word again"
    noted = len(read_notes(tiny))
    assert counting("--runs", "1") == ("stress:2x0", 2)
    assert len(read_notes(tiny)) == noted, "what would not count is not said twice"
    for where, count in (("stressed>=2", 1), ("stressed>2", 0)):
        assert studio("episodes", "tiny", f"--where={where}").out.endswith(f"{count} of 1\n")


def test_what_cannot_be_stressed_is_named(studio: Studio, tiny: Path) -> None:
    for words, told in (
        (("--runs", "0"), "--runs 0"),
        (("--picture", str(tiny / "meta/info.json")), "Choose another name"),
    ):
        said = studio("stress", "tiny", *words)
        assert said.code != 0
        assert told in said.err


def test_where_no_episode_fits_none_is_stressed_and_that_is_no_error(studio: Studio, tiny: Path) -> None:
    said = studio("stress", "tiny", "--where", "outcome:dropped")
    assert said.code == 0
    assert "fits outcome:dropped: none was stressed" in said.out
