"""Rows put aside come back whole, and statistics of them are those of numpy; memory does not hold them all."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from curation.frames import Feature
from curation.stats import NumericStats
from curation.tally import IN_MEMORY, Spilled, Tally


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.bool_])
def test_columns_come_back_as_they_were_put_down(dtype: type) -> None:
    rng = np.random.default_rng(0)
    parts = [rng.integers(0, 100, (count, 3)).astype(dtype) for count in (1, 70_000, 5)]
    rows = Spilled()
    assert list(rows.columns()) == []
    for part in parts:
        rows.add(part)
        list(rows.columns())  # reading between does not disturb what is added after
    assert rows.count == 70_006
    assert all(np.array_equal(a, b) for a, b in zip(rows.columns(), np.concatenate(parts).T, strict=True))


def test_a_tally_is_exact_and_holds_one_column() -> None:
    width, length, episodes = 24, 20_000, 12
    tally = Tally({"wide": Feature("float32", (width,), ())}, episodes)
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(length, width)).astype(np.float32) for _ in range(episodes)]
    assert sum(part.nbytes for part in parts) > 5 * IN_MEMORY
    tracemalloc.start()
    try:
        for index, part in enumerate(parts):
            tally.add(index, {"wide": part})
        held, _ = tracemalloc.get_traced_memory()
        found = tally.whole()["wide"]
    finally:
        tracemalloc.stop()
    assert held < IN_MEMORY
    due = NumericStats.of(np.concatenate(parts)).as_lerobot()
    assert set(found) == set(due)
    for name, value in due.items():
        assert found[name].shape == value.shape
        assert np.allclose(found[name], value, rtol=1e-12, atol=1e-12), name
