"""`studio check` and `studio stats`: what they print and with which code they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from studio.cli import run
from tests.curation.checks.arm import record


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two datasets: one is clean, of the other the statistics are stale."""
    monkeypatch.setenv("STUDIO_DATA", str(tmp_path))
    record(tmp_path / "clean", episodes=2)
    stale = shutil.copytree(tmp_path / "clean", tmp_path / "stale")
    stats = json.loads((stale / "meta/stats.json").read_text())
    stats["action"]["mean"][0] += 5.0
    (stale / "meta/stats.json").write_text(json.dumps(stats))
    return tmp_path


def test_findings_are_explained_and_errors_end_with_3(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "clean", "--no-doctor"]) == 0
    assert capsys.readouterr().out == "clean: nothing is wrong\n"
    assert run(["check", "stale", "clean", "--no-doctor"]) == 3
    said = capsys.readouterr().out
    assert "stale: 1 error" in said
    assert "error   statistics: stats.json is stale for action: action mean is" in said
    assert "A policy is trained and run with these" in said
    assert "-> studio stats stale --repair" in said
    assert "clean: nothing is wrong" in said
    assert run(["check", "stale", "--deep", "--no-doctor", "--json"]) == 3
    (one,) = json.loads(capsys.readouterr().out)["stale"]
    assert set(one) == {"check", "level", "what", "means", "mend", "episodes"}


def test_statistics_are_shown_verified_and_repaired(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stats", "stale"]) == 0
    assert "observation.state\n  count" in capsys.readouterr().out
    assert run(["stats", "stale", "--verify"]) == 3
    assert "  action in stats.json: mean; mean is" in capsys.readouterr().out
    assert run(["stats", "stale", "--repair"]) == 0
    assert "Mended. Before, there was:\n  action in stats.json" in capsys.readouterr().out
    assert run(["stats", "stale", "--verify", "--deep", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []
    assert run(["stats", "stale", "--repair"]) == 0
    assert "Nothing differed" in capsys.readouterr().out


def test_what_cannot_be_opened_or_asked_is_said(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = next((home / "stale/meta/episodes").rglob("*.parquet"))
    torn.write_bytes(torn.read_bytes()[:-100])
    assert run(["check", "stale"]) == 3
    assert "error   metadata:" in capsys.readouterr().out
    assert run(["check", "nothing"]) == 2
    assert "is not a LeRobot v3 dataset" in capsys.readouterr().err
    assert run(["check"]) == 2
    assert "Name the datasets" in capsys.readouterr().err
    assert run(["stats", "clean", "--verify", "--repair"]) == 2
    assert "Choose one" in capsys.readouterr().err
