"""The evaluation table: every form of it, and errors that name the row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.errors import StudioError
from curation.trials import read_trials

ROWS = [{"x": 0.3, "y": 0.1, "success": True}, {"x": 0.25, "y": -0.1, "success": False}]
FORMS = {
    "csv": "x,y,success\n0.3,0.1,1\n0.25,-0.1,0\n",
    "csv with words, spaces and other columns": "episode, x, y, success\n0, 0.3, 0.1, True\n1, 0.25, -0.1, no\n",
    "csv with a byte order mark": "\ufeffx,y,success\n0.3,0.1,1.0\n0.25,-0.1,0.0\n",
    "csv of the earlier work": "target_x,block_x,block_y,success\n9,0.3,0.1,True\n9,0.25,-0.1,False\n",
    "json lines": "\n".join(map(json.dumps, ROWS)) + "\n\n",
    "json list": json.dumps(ROWS),
    "json object": json.dumps({"config": {"n": 2}, "episodes": ROWS}),
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_every_form(tmp_path: Path, text: str) -> None:
    (tmp_path / "eval.csv").write_text(text, encoding="utf-8")
    found = read_trials(tmp_path / "eval.csv")
    assert found.points.tolist() == [[0.3, 0.1], [0.25, -0.1]]
    assert found.success.tolist() == [True, False]
    assert (len(found), found.infeasible) == (2, 0)


def test_infeasible_trials_are_counted_and_left_out(tmp_path: Path) -> None:
    table = "x,y,success,feasible\n0.3,0.1,1,1\n0.9,0.1,0,false\n,,,0\n0.25,0,0,\n"
    (tmp_path / "eval.csv").write_text(table)
    found = read_trials(tmp_path / "eval.csv")
    assert found.points.tolist() == [[0.3, 0.1], [0.25, 0.0]]
    assert found.infeasible == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x,y\n1,2\n", "lacks success; it has x, y"),
        ("", "lacks x and y and success; it has no column"),
        ("x,y,success\n", "holds no feasible trial"),
        ("x,y,success\n0.3,0.1,1\n0.3,far,1\n", "line 3: y is 'far'"),
        ("x,y,success\n0.3,nan,1\n", "line 2: y is 'nan'"),
        ("x,y,success\n0.3,0.1,maybe\n", "line 2: success is 'maybe'"),
        ("x,y,success\n0.3,0.1\n", "line 2: success is None"),
        ("x,y,success,feasible\n0.3,0.1,1,perhaps\n", "line 2: feasible is 'perhaps'"),
        (json.dumps(ROWS[0]) + "\n{broken\n", "line 2, is no JSON"),
        (json.dumps([*ROWS, 3]), "row 3: 3 is no row"),
        (json.dumps([*ROWS, {"x": True, "y": 0, "success": 1}]), "row 3: x is True"),
        (json.dumps([{"x": 1}]), "lacks y and success"),
    ],
)
def test_errors_name_the_row(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "eval.csv"
    path.write_text(text)
    with pytest.raises(StudioError, match=says) as caught:
        read_trials(path)
    assert "eval.csv" in str(caught.value)
    assert caught.value.exit_code in (2, 3)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="cannot be read"):
        read_trials(tmp_path / "nowhere.csv")
