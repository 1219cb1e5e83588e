"""Whether a dataset still holds what was recorded: its physics can be replayed and drawn, an edit's changes cannot."""

from __future__ import annotations

from curation.errors import UsageError
from curation.names import POSE
from curation.provenance import read_provenance
from curation.store import Store
from curation.units import Units, read_units

from .world.scene import scene_from
from .world.sim import features_of


def require_as_recorded(store: Store, doing: str) -> None:
    """Refuse a dataset whose columns were edited: numbers and names would silently be those of the recording again.

    Args:
        store: the dataset.
        doing: what is asked, such as "Rerendering".

    Raises:
        NotADataset: it was not recorded by the studio, or comes from several scenes.
        UsageError: its columns were edited.
    """
    store.require_scene()
    edits = []
    if (units := read_units(store.root)) != Units():
        edits.append(f"joints are in {units.body}, the gripper in {units.gripper}")
    if set(store.features) - {POSE} != set(features_of(scene_from(store.scene["scene"]))):
        edits.append(f"its features are {', '.join(store.features)}")
    if edits:
        parents = [
            str(parent.get("path", parent.get("name"))) for parent in read_provenance(store.root).get("parents", ())
        ]
        instead = f" Do it with {', '.join(parents)}, then edit the result." if parents else ""
        raise UsageError(f"{store.root} was edited: {'; '.join(edits)}. {doing} needs it as it was recorded.{instead}")
