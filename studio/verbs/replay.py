"""replay: simulate stored episodes again and report the drift."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import mujoco
import numpy as np

from curation.errors import BAD_DATA, OK, NotADataset
from curation.store import SavedEpisode, Store
from recorders.resimulate import Drift, resimulate
from recorders.sidecar import read_sidecar
from recorders.world.scene import scene_from
from recorders.world.sim import SimWorld
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Drive the stored action column from the stored start again; exit code 3 if an outcome differs."""

    dataset: Name
    """A dataset recorded by the studio."""
    episode: tuple[int, ...] = ()
    """Episode indices; all by default."""
    json: bool = False
    """Print the drift of every episode as JSON."""


def replay(options: Replay, console: Console) -> int:
    """Re-simulate and print one line per episode."""
    store = Store.open(dataset_path(options.dataset))
    world = world_of(store)
    layout = store.scene["physics"]["layout"]
    chosen = [store.episode(i) for i in options.episode] or [store.episode(i) for i in range(store.total_episodes)]
    rows, lines = [], []
    for episode in chosen:
        take = read_sidecar(episode.frames)
        actions = store.numeric(episode.index)["action"].astype(np.float64)
        drift, _ = resimulate(take, world, layout, actions)
        console.progress(f"episode {episode.index} of {store.total_episodes}")
        rows.append({"episode": episode.index, **asdict(drift), "same_outcome": drift.same_outcome})
        lines.append(_line(episode, drift))
    worse = [row for row in rows if not row["same_outcome"]]
    recorded_with = store.scene.get("mujoco")
    if recorded_with != mujoco.__version__:
        lines.append(f"Recorded with MuJoCo {recorded_with}, simulated with {mujoco.__version__}: drift is expected.")
    lines.append(
        f"{len(rows) - len(worse)} of {len(rows)} episodes have the same outcome, "
        f"{sum(row['equal'] is True for row in rows)} are equal bit for bit."
    )
    console.result("\n".join(lines), {"mujoco": mujoco.__version__, "recorded_with": recorded_with, "episodes": rows})
    return BAD_DATA if worse else OK


def world_of(store: Store) -> SimWorld:
    """The world a dataset was recorded in, also if it was drawn again in another look.

    Raises:
        NotADataset: if it was not recorded by the studio.
    """
    if "scene" not in store.scene:
        raise NotADataset(store.root, "it was not recorded by the studio (it has no meta/studio/scene.json)")
    return SimWorld(scene_from(store.scene.get("driven", store.scene["scene"])))


def _line(episode: SavedEpisode, drift: Drift) -> str:
    if drift.equal:
        return f"episode {episode.index}: equal bit for bit, {drift.repeated}"
    outcome = drift.repeated if drift.same_outcome else f"{drift.recorded} became {drift.repeated}"
    strayed = f"joints drift {drift.joint_deg:.3f} deg, block {drift.block_mm:.2f} mm at most"
    return f"episode {episode.index}: {strayed}, {outcome}"
