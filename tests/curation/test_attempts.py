"""The success rate that is quoted is one that the choice of what to keep cannot make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from curation import layout
from curation.atomic import write_aside
from curation.attempts import Attempts, quotable, read_attempts
from curation.episodes import EpisodeRow
from curation.rates import wilson

LOG = Attempts(total=23, kept=20, success=20, unjudged={})


def row(outcome: str, **extra: Any) -> EpisodeRow:
    known = {"x": 0.3, "y": 0.0, "yaw_deg": 0.0, "seed": 0, "operator": "expert"}
    return EpisodeRow(episode_id="e", outcome=outcome, success=outcome == "success", extra=extra, **known)


@pytest.mark.parametrize(
    ("outcomes", "extra", "attempts", "quoted"),
    [
        (["success"] * 20, {"keep": "success"}, LOG, (wilson(20, 23), "attempts")),
        (["success"] * 20, {"keep": "success"}, None, (None, "")),
        (["success"] * 20, {}, None, (None, "")),
        (["success", "timeout"], {"keep": "verdict"}, None, (None, "")),
        (["success", "timeout"], {"keep": "all"}, None, (wilson(1, 2), "episodes")),
        (["success", "success"], {"keep": "all"}, None, (wilson(2, 2), "episodes")),
        (["success", "timeout"], {}, None, (wilson(1, 2), "episodes")),
        (["success", "timeout", "interrupted"], {"keep": "all"}, None, (wilson(1, 2), "episodes")),
        (["", ""], {}, None, (None, "")),
        ([], {}, None, (None, "")),
    ],
)
def test_the_quoted_rate(
    outcomes: list[str], extra: dict[str, str], attempts: Attempts | None, quoted: tuple[Any, str]
) -> None:
    assert quotable([row(outcome, **extra) for outcome in outcomes], attempts) == quoted


def test_one_selected_episode_among_all_takes_the_rate_away() -> None:
    assert quotable([row("timeout", keep="all"), row("success", keep="success")], None) == (None, "")


def test_what_stopped_early_is_an_attempt_without_success(tmp_path: Path) -> None:
    lines: list[Any] = [
        {"status": "done", "outcome": "success", "kept": True},
        {"status": "timeout", "outcome": "timeout", "kept": False},
        {"status": "discarded", "outcome": "success", "kept": False},
        {"status": "interrupted", "outcome": "interrupted", "kept": True},
        {"status": "interrupted", "outcome": "interrupted", "kept": True},
        7,
    ]
    text = "\n".join(map(json.dumps, lines)).encode() + b'\n{"status": "\xff'
    write_aside(tmp_path / layout.ATTEMPTS, text)
    unjudged = {"discarded": 1, "interrupted": 2}
    assert read_attempts(tmp_path) == (Attempts(total=5, kept=3, success=1, unjudged=unjudged), 2)


def test_attempts_are_unknown_without_a_log(tmp_path: Path) -> None:
    assert read_attempts(tmp_path) == (None, 0)
    write_aside(tmp_path / layout.ATTEMPTS, b'{"torn')
    assert read_attempts(tmp_path) == (None, 1)


def test_a_rate_in_words() -> None:
    assert wilson(20, 23).of("attempts") == "20 of 23 attempts, 95 % CI 68 to 95 %"
