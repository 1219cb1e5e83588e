"""The table of a dataset; of one recorded before tables were stored, worked out from its scene."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation.store import Store
from curation.table import Table


def table_of(store: Store) -> Table:
    """Where a block can be recorded on a dataset's own table.

    Raises:
        NoTable: nothing is known about it.
        DataError: what is stored is damaged.
    """
    card = store.scene
    if "table" not in card and "scene" in card:
        _require_mujoco()
        from recorders.table_card import table_card
        from recorders.world.scene import scene_from

        card = {"table": table_card(scene_from(card["scene"]))}
    return Table.of(card, store.root)


def table_of_scene(card: Mapping[str, Any]) -> Table | None:
    """The table of a scene as scene.json, or a checkpoint or an evaluation, has it; None if it says nothing of it."""
    if "table" in card:
        return Table.from_card(card["table"])
    scene = card.get("scene")
    if not isinstance(scene, Mapping):
        return None
    _require_mujoco()
    from recorders.table_card import table_card
    from recorders.world.scene import scene_from

    return Table.from_card(table_card(scene_from(dict(scene))))


def standard_table() -> Table:
    """The table of the standard scene."""
    _require_mujoco()
    from recorders.table_card import table_card
    from recorders.world.scene import Scene

    return Table.from_card(table_card(Scene()))


def _require_mujoco() -> None:
    """Commands that only read do without MuJoCo, which would end the process where the OpenGL library is missing."""
    from recorders.world.gl import require_opengl

    require_opengl()
