"""`studio generate --attempts`: every attempt is accounted for, and what nobody vouches for is not kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation.layout import ATTEMPTS, YIELD
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from curation.targets import Target, write_targets
from tests.faults.harness import Run
from tests.studio.conftest import Studio

SMALL = ("--width", "32", "--height", "24", "--processes", "1")


def lines(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / ATTEMPTS).read_text().splitlines()]


@pytest.fixture
def targets(tmp_path: Path) -> str:
    path = tmp_path / "two.json"
    write_targets(path, [Target("near", 0.25, 0.05), Target("far", 0.34, 0.0)])
    return str(path)


def test_attempts_killed_and_gone_on_with_are_all_accounted_for(studio: Studio, targets: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    command = ("generate", "--operator", "fumbler", "--attempts", "6", "--targets", targets, "--to", str(root), *SMALL)
    run = Run(*command)
    run.until(lambda: run.said("^take 2: "))
    run.kill()
    assert 3 <= len(lines(root)) < 6
    done = studio(*command, "--json")
    assert done.code == 0, done.err
    found = lines(root)
    assert [line["attempt"] for line in found] == list(range(6))
    assert [line["target"] for line in found] == ["near", "far"] * 3
    for line in found:
        assert line["kept"] == (line["outcome"] == "success")
        assert line["why"] == ("" if line["kept"] else f"judge: {line['outcome']}")
    kept = {line["episode_id"] for line in found if line["kept"]}
    assert {row.episode_id for row in Store.open(root).rows()} == kept
    told = json.loads(done.out)["yield"]
    assert told == json.loads((root / YIELD).read_text())
    assert [(one["name"], one["attempts"]) for one in told["positions"]] == [("near", 3), ("far", 3)]
    assert told["total"]["base"]["k"] == len(kept) == told["total"]["kept"]
    assert "already holds 6 attempts" in studio(*command).err


def test_a_position_that_nobody_vouches_for_is_not_kept(studio: Studio, targets: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    short = ("--operator", "fumbler", "--keep", "all", "--limit", "0.5", "--yaw", "free", *SMALL)
    command = ("generate", *short, "--attempts", "8", "--precision", "0.5", "--targets", targets, "--to", str(root))
    done = studio(*command)
    assert done.code == 0, done.err
    assert "2 positions are not shown to reach 0.5: 8 accepted episodes lie in the trash" in done.out
    at = {line["episode_id"]: line["target"] for line in lines(root)}
    assert masked(read_notes(root)) == set(at)
    # Somebody looked, and it was a success after all, at one of the positions.
    add_notes(root, [Note(name, "score", 1.0, "person") for name, target in at.items() if target == "near"])
    again = studio(*command, "--picture", str(tmp_path / "yield.png"))
    assert again.code == 0, again.err
    away = masked(read_notes(root))
    assert {at[name] for name in away} == {"far"}
    assert len(away) == 4
    assert "4/4 [51-100 %]" in again.out
    told = json.loads((root / YIELD).read_text())
    assert [(look["attempts"], look["precision"], look["forced"]) for look in told["looks"]] == [(8, 0.5, False)] * 2
    assert told["looks"][0]["scores"] != told["looks"][1]["scores"], "the second look was at other scores"
    assert "2 looks (8 attempts at 0.5; 8 attempts at 0.5)" in again.out
    assert "1 in 20 positions" in again.out
    assert "1 in 20" in told["allowed_for"]
    assert [(one["name"], one["proven"], one["kept"]) for one in told["positions"]] == [
        ("near", True, 4),
        ("far", False, 0),
    ]
    assert (tmp_path / "yield.png").read_bytes().startswith(b"\x89PNG")
    # What a person threw away stays there.
    add_notes(root, [Note(sorted(away)[0], "mask", True, "person")])
    forced = studio(*command, "--force")
    assert "are kept by --force" in forced.out
    assert masked(read_notes(root)) == {sorted(away)[0]}


def test_what_is_held_back_comes_back_by_force_only(studio: Studio, targets: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    made = ("--operator", "fumbler", "--keep", "all", "--limit", "0.5", "--yaw", "free", *SMALL)
    command = ("generate", *made, "--attempts", "8", "--targets", targets, "--to", str(root))

    def away(*more: str) -> tuple[set[str], str]:
        done = studio(*command, *more)
        assert done.code == 0, done.err
        return masked(read_notes(root)), done.out

    everything, _ = away("--precision", "0.5")
    assert len(everything) == 8
    # Four successes of four reach 0.51 and not 0.52.
    at = {line["episode_id"]: line["target"] for line in lines(root)}
    near = {name for name, target in at.items() if target == "near"}
    held, said = away("--precision", "0.52", "--force")
    assert (held, "8 attempts at 0.52 by --force" in said) == (set(), True)
    add_notes(root, [Note(name, "score", 1.0, "person") for name in near])
    assert away()[0] == everything, "the strictest bound stays in force where none is asked for"
    held, said = away("--precision", "0.4")
    assert (held, "0.52 was asked for too and stays in force" in said) == (everything, True)
    again = json.loads((root / YIELD).read_text())
    assert (again["precision"], [look["precision"] for look in again["looks"]]) == (0.52, [0.5, 0.52, 0.52, 0.4])
    assert away("--precision", "0.4")[0] == everything
    assert len(json.loads((root / YIELD).read_text())["looks"]) == 4, "the same look again is none"
    assert away("--force")[0] == set()


def test_attempts_of_another_kind_do_not_go_into_the_same_dataset(studio: Studio, targets: str, tmp_path: Path) -> None:
    root = tmp_path / "set"
    command = ("generate", "--keep", "all", "--limit", "0.5", "--targets", targets, "--to", str(root), *SMALL)
    assert studio(*command, "--attempts", "1").code == 0
    refused = studio(*command, "--attempts", "2", "--seed", "5")
    assert refused.code == 2
    assert "are made with seed 0, asked 5" in refused.err
    assert "are made with seed 0" in studio(*command, "--attempts", "2", "--seed", "5", "--dry-run").err
    told = json.loads(studio(*command, "--attempts", "2", "--dry-run", "--json").out)
    assert (told["wanted"], told["made"], told["spots"]) == (2, 1, [[0.25, 0.05], [0.34, 0.0]])
    new = studio(
        "generate", "--box", "0.2", "0.3", "0", "0.1", "--attempts", "4", "--to", str(tmp_path / "x"), "--dry-run"
    )
    assert (new.code, "4 attempts at places in the box, by expert" in new.out) == (0, True)
    assert not (tmp_path / "x").exists()
    other = studio(*command, "--attempts", "2", "--operator", "fumbler")
    assert "operator expert, asked fumbler" in other.err
    assert len(lines(root)) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--attempts", "0"), "--attempts must be at least 1"),
        (("--attempts", "3", "-n", "2"), "takes the place of --episodes"),
        (("--attempts", "9", "--precision", "0.9"), "the judge is the truth"),
        (("--precision", "0.9", "--keep", "all"), "--precision needs --attempts"),
        (("--attempts", "30", "--precision", "0.9", "--keep", "all"), "needs at least 35 attempts"),
        (("--attempts", "3", "--precision", "1", "--keep", "all"), "between 0 and 1"),
        (("--audit", "0.5"), "is for --keep classifier:NAME"),
        (("--batch", "4"), "--batch 4 is for policies"),
        (("--keep", "verdicts"), "Did you mean verdict?"),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_refused_before_anything_is_made(
    studio: Studio, tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    said = studio("generate", "--to", "x", *options)
    assert (said.code, said.out) == (2, "")
    assert told in said.err
    assert not list(tmp_path.iterdir())


def test_a_recording_is_not_kept_by_a_classifier(studio: Studio) -> None:
    said = studio("record", "--to", "x", "--keep", "classifier:done")
    assert said.code == 2
    assert "is for studio generate" in said.err
