"""Data with holes: what other tools leave where a value is not known, and numbers that are none."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.apply import apply
from curation.columns import DropFeature
from curation.errors import DataError
from curation.plan import Columns, Drop, Plan, begin, edited
from curation.store import Store
from tests.curation.making import make_ours, make_packed


def write(plan: Plan, to: Path) -> Store:
    return Store.open(apply(plan, to, tell=lambda *_: None).root)


def test_a_placement_that_another_tool_made_null_is_an_unknown_one(tmp_path: Path) -> None:
    """LeRobot writes meta/episodes through pandas, which has no NaN of its own."""
    store = make_ours(tmp_path / "set", [5, 6], ["pick"] * 2, x=float("nan"))
    for path in store.root.glob("meta/episodes/*/*.parquet"):
        pd.read_parquet(path).to_parquet(path)
    assert pq.read_table(path)["studio/x"].null_count == 1
    result = write(edited(begin([Store.open(store.root)]), Drop(((0, store.rows()[0].episode_id),))), tmp_path / "new")
    assert math.isnan(result.rows()[0].x)


def test_a_number_that_is_none_is_named_before_anything_has_its_name(tmp_path: Path) -> None:
    store = make_ours(tmp_path / "set", [5, 6], ["pick"] * 2)
    path = store.episode(1).data
    table = pq.read_table(path)
    actions = np.stack(table["action"].to_numpy(zero_copy_only=False))
    actions[3, 2] = np.nan
    column = pa.FixedSizeListArray.from_arrays(pa.array(actions.ravel()), actions.shape[1])
    pq.write_table(table.set_column(table.schema.get_field_index("action"), "action", column), path)
    plan = begin([Store.open(store.root)])
    with pytest.raises(
        DataError, match=f"{store.rows()[1].episode_id}, frame 3: action holds a value that is no number"
    ):
        write(plan, tmp_path / "new")
    assert not (tmp_path / "new").exists()
    assert write(edited(plan, Drop(((0, store.rows()[1].episode_id),))), tmp_path / "new").total_episodes == 1


def test_only_pictures_can_be_left(tmp_path: Path) -> None:
    store = make_packed(tmp_path / "set", [[4, 5]], ["pick"] * 2)
    plan = begin([store])
    for key in [key for key, feature in store.features.items() if feature.dtype != "video"]:
        plan = edited(plan, Columns(DropFeature(key)))
    result = write(plan, tmp_path / "new")
    assert {feature.dtype for feature in result.features.values()} == {"video"}
    assert result.total_frames == 9
