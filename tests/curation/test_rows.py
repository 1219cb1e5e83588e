"""Rows are read once, and anew where a file was replaced."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from curation import layout, rows
from curation.atomic import write_aside
from curation.rows import Rows
from tests.curation.making import make_ours


def test_a_file_is_read_once_and_anew_when_it_was_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_ours(tmp_path / "ours", [4, 5], ["pick", "pick"])
    wanted = [store.numeric(index)["action"] for index in range(2)]
    real, read = layout.read_columns, []
    monkeypatch.setattr(layout, "read_columns", lambda path, features: read.append(path) or real(path, features))
    first, second = store.episodes
    for _ in range(3):
        one = Rows(store)
        assert all(np.array_equal(one.of(e)["action"], want) for e, want in zip(store.episodes, wanted, strict=True))
    assert sorted(read) == sorted([first.data, second.data])
    kept = Rows(store).of(first)["action"]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0
    everything = real(first.data, layout.columns(store.features))
    everything["action"] = everything["action"] + 1
    write_aside(first.data, layout.parquet_bytes(layout.data_table(layout.columns(store.features), everything)))
    assert np.array_equal(Rows(store).of(first)["action"], kept + 1)


def test_what_is_kept_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = make_ours(tmp_path / "ours", [4, 5, 6], ["pick"] * 3)
    monkeypatch.setattr(rows, "MOST_BYTES", 1000)
    monkeypatch.setattr(rows, "_LATELY", rows._Lately())
    reader = Rows(store)
    for episode in store.episodes:
        assert len(reader.of(episode)["action"]) == episode.length
        assert rows._LATELY._bytes == sum(map(rows._size, rows._LATELY._kept.values())) <= 1000
