"""replay: simulate stored episodes again and report the drift."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import mujoco
import numpy as np

from curation.errors import BAD_DATA, OK, DataError
from curation.names import STATE
from curation.store import SavedEpisode, Store
from recorders.journal import Take
from recorders.recorded import require_as_recorded
from recorders.resimulate import Drift, resimulate
from recorders.sidecar import read_sidecar
from recorders.world.scene import scene_from
from recorders.world.sim import SimWorld
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Replay:
    """Drive the stored action column from the stored start again; exit code 3 if an episode does not hold."""

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
    same_build = store.scene.get("mujoco") == mujoco.__version__
    chosen = [store.episode(i) for i in options.episode or range(store.total_episodes)]
    if not chosen:
        raise DataError(f"{store.root} holds no episode to replay.")
    rows, lines = [], []
    for episode in chosen:
        console.progress(f"episode {episode.index} of {store.total_episodes}")
        take = read_sidecar(episode.frames)
        if cut := take.header.get("cut"):
            # Its start was never a reset, so nothing leads there but the frames that were cut away.
            lines.append(f"episode {episode.index}: frames {cut['start']} to {cut['stop']} of a take, not replayed")
            continue
        columns = store.numeric(episode.index)
        faults = disagreements(episode, take, columns)
        if len(columns["action"]) != len(take):
            drift = None
        else:
            drift, _ = resimulate(take, world, layout, columns["action"].astype(np.float64))
            if not drift.same_outcome or (same_build and not drift.equal):
                faults.append("the actions do not lead to what was recorded")
        told = {} if drift is None else {**asdict(drift), "same_outcome": drift.same_outcome}
        rows.append({"episode": episode.index, **told, "faults": faults})
        lines.append(_line(episode.index, drift, faults))
    bad = [row["episode"] for row in rows if row["faults"]]
    if not same_build:
        recorded_with = store.scene.get("mujoco")
        lines.append(f"Recorded with MuJoCo {recorded_with}, simulated with {mujoco.__version__}: drift is expected.")
    equal = sum(row.get("equal") is True for row in rows)
    lines.append(f"{len(rows) - len(bad)} of {len(rows)} episodes hold, {equal} are equal bit for bit.")
    data = {"mujoco": mujoco.__version__, "recorded_with": store.scene.get("mujoco"), "episodes": rows}
    console.result("\n".join(lines), data)
    return BAD_DATA if bad else OK


def disagreements(episode: SavedEpisode, take: Take, columns: dict[str, np.ndarray]) -> list[str]:
    """Where the dataset's columns do not say what the episode's physics file says."""
    found = []
    if len(columns["action"]) != len(take):
        return [f"{len(columns['action'])} rows, but {len(take)} frames of physics"]
    if not np.array_equal(columns[STATE], take.state.astype(np.float32)):
        found.append("observation.state is not the recorded one")
    outcome = (take.footer or {}).get("outcome")
    if episode.row.outcome != outcome or episode.row.success != (outcome == "success"):
        said = f"{episode.row.outcome}, success {episode.row.success}"
        found.append(f"the episode columns say {said}; the recording said {outcome}")
    return found


def world_of(store: Store) -> SimWorld:
    """The world a dataset was recorded in, also if it was drawn again in another look.

    Raises:
        NotADataset: if it was not recorded by the studio.
        UsageError: if it was edited.
    """
    require_as_recorded(store, "Replaying")
    return SimWorld(scene_from(store.scene.get("driven", store.scene["scene"])))


def _line(index: int, drift: Drift | None, faults: list[str]) -> str:
    wrong = f" WRONG: {'; '.join(faults)}" if faults else ""
    if drift is None:
        return f"episode {index}:{wrong}"
    if drift.equal:
        return f"episode {index}: equal bit for bit, {drift.repeated}{wrong}"
    outcome = drift.repeated if drift.same_outcome else f"{drift.recorded} became {drift.repeated}"
    strayed = f"joints drift {drift.joint_deg:.3f} deg, block {drift.block_mm:.2f} mm at most"
    return f"episode {index}: {strayed}, {outcome}{wrong}"
