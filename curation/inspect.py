"""What is in a dataset: every episode, every joint, and whatever looks wrong, as plain data and as a table.

Works on any LeRobot v3 dataset; what only the studio stores (outcomes, grasps, attempts) is None where it is absent.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import layout
from curation.attempts import INTERRUPTED, RESTORED, Attempts, quotable, read_attempts
from curation.episodes import SavedEpisode
from curation.frames import Feature
from curation.info import NUMBERS
from curation.inspect_table import table
from curation.layout import ATTEMPTS, TAKES
from curation.names import ACTION, STATE
from curation.notes import masked, read_notes
from curation.rates import Rate
from curation.store import Store

__all__ = ["EpisodeFacts", "Grasp", "Inspection", "JointFacts", "inspect", "table"]

PACED = 0.8
"""Share of the frame period from which the median interval shows that a clock paced the take."""
MANY_LATE = 0.01
"""Share of late frames in an episode that is worth a note."""
FAR_BEHIND = 20.0
"""Gap of a body joint between state and action [deg] that is worth a note: the arm did not follow."""
BRIEF_S = 1.0
"""An episode shorter than this is worth a note [s]."""
LONG = 3.0
"""An episode this many times longer than the median is worth a note."""


@dataclass(frozen=True)
class Grasp:
    """One time the block was between both jaws: lengths [mm], peak force [N], start [s]."""

    start_s: float
    overlap_mm: float
    offset_mm: float
    slip_mm: float
    peak_force_n: float
    lifted: bool
    lazy: bool


@dataclass(frozen=True, kw_only=True)
class EpisodeFacts:
    """One episode; None where it is not known. Metres, degrees, seconds, milliseconds as the names say."""

    index: int
    episode_id: str
    length: int
    seconds: float
    task: str
    x: float | None
    y: float | None
    yaw_deg: float | None
    operator: str | None
    outcome: str | None
    success: bool | None
    keep: str | None
    """The rule it was kept by: "all", "success" or "verdict"."""
    clean: bool | None
    lazy_grip: bool | None
    fumbles: int | None
    grasps: tuple[Grasp, ...]
    late: int | None
    interval_p99_ms: float | None
    """99th percentile of frame intervals; None where no clock paced the take."""
    masked: bool = False
    """Whether it lies in the trash: LeRobot still reads it, recording and curation leave it out."""

    @property
    def grip(self) -> Grasp | None:
        """The grasp that counts: the last with which the block was lifted, else the last."""
        chosen = [grasp for grasp in self.grasps if grasp.lifted] or self.grasps
        return chosen[-1] if chosen else None


@dataclass(frozen=True, kw_only=True)
class JointFacts:
    """Where one joint was sent and where it was, over all frames, in the dataset's units."""

    name: str
    action_low: float
    action_high: float
    state_low: float | None
    state_high: float | None
    max_gap: float | None
    """Largest |state - action|."""
    max_gap_episode: int | None


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """Episodes of policies that a person could take over from."""

    episodes: int
    corrected: int
    """Of them, those in which the person did."""
    interventions: int
    frames: int
    person_frames: int


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """A dataset as it is; `dataclasses.asdict` of it is JSON."""

    name: str
    path: str
    robot_type: str
    fps: int
    total_episodes: int
    total_frames: int
    seconds: float
    tasks: tuple[str, ...]
    cameras: tuple[str, ...]
    scene: str | None
    """Fingerprint of the scene."""
    outcomes: dict[str, int]
    """Episodes by outcome."""
    success: Rate | None
    """As `curation.attempts.quotable` has it; None where it is not known."""
    success_of: str
    """What the rate counts: "attempts", "episodes", or "" where there is none."""
    attempts: Attempts | None
    """None where they are not known."""
    lazy_grips: tuple[int, ...]
    corrections: Corrections | None
    """None where nobody sat before a policy."""
    episodes: tuple[EpisodeFacts, ...]
    joints: tuple[JointFacts, ...]
    notes: tuple[str, ...]


def inspect(store: Store) -> Inspection:
    """Look through a dataset; nothing is decoded or changed.

    Raises:
        DataError: a file of it cannot be read.
    """
    hidden = masked(read_notes(store.root))
    episodes = tuple(_episode(saved, store.fps, hidden) for saved in store.episodes)
    judged = [episode for episode in episodes if episode.outcome is not None]
    attempts, damaged = read_attempts(store.root)
    joints, data_notes = _joints(store)
    success, success_of = quotable(store.rows(), attempts)
    return Inspection(
        name=store.root.resolve().name,
        path=str(store.root),
        robot_type=store.robot_type,
        fps=store.fps,
        total_episodes=store.total_episodes,
        total_frames=store.total_frames,
        seconds=round(store.total_frames / store.fps, 3),
        tasks=tuple(store.tasks),
        cameras=tuple(layout.cameras(store.features)),
        scene=store.scene.get("fingerprint"),
        outcomes=dict(Counter(str(episode.outcome) for episode in judged).most_common()),
        success=success,
        success_of=success_of,
        attempts=attempts,
        lazy_grips=tuple(episode.index for episode in episodes if episode.lazy_grip),
        corrections=_corrections(store.episodes),
        episodes=episodes,
        joints=joints,
        notes=(
            *_waiting(store),
            *_notes(store, episodes, joints),
            *_log_notes(store, attempts, damaged),
            *data_notes,
        ),
    )


def _corrections(episodes: Sequence[SavedEpisode]) -> Corrections | None:
    watched = [(saved.length, saved.row.extra) for saved in episodes if "interventions" in saved.row.extra]
    if not watched:
        return None
    return Corrections(
        episodes=len(watched),
        corrected=sum(extra["interventions"] > 0 for _, extra in watched),
        interventions=sum(extra["interventions"] for _, extra in watched),
        frames=sum(length for length, _ in watched),
        person_frames=sum(extra["person_frames"] for _, extra in watched),
    )


def _episode(saved: SavedEpisode, fps: int, hidden: set[str]) -> EpisodeFacts:
    row, extra = saved.row, saved.row.extra
    timing = extra.get("timing") or {}
    # Other tools' episodes have no outcome word; ours always have one.
    ours = bool(row.outcome)
    return EpisodeFacts(
        index=saved.index,
        episode_id=row.episode_id,
        length=saved.length,
        seconds=round(saved.length / fps, 3),
        task=saved.task_words,
        x=_finite(row.x),
        y=_finite(row.y),
        yaw_deg=_finite(row.yaw_deg),
        operator=row.operator or None,
        outcome=row.outcome or None,
        success=bool(row.success) if ours else None,
        keep=extra.get("keep") if ours else None,
        clean=extra.get("clean"),
        lazy_grip=extra.get("lazy_grip"),
        fumbles=extra.get("fumbles"),
        grasps=tuple(_grasp(grasp) for grasp in extra.get("grasps") or ()),
        late=extra.get("late"),
        interval_p99_ms=_paced_p99(timing, fps),
        masked=row.episode_id in hidden,
    )


def _grasp(stored: Mapping[str, Any]) -> Grasp:
    millimetres = {f"{key}_mm": round(1e3 * stored[key], 2) for key in ("overlap", "offset", "slip")}
    same = {key: stored[key] for key in ("start_s", "lifted", "lazy")}
    return Grasp(**same, **millimetres, peak_force_n=stored["peak_force"])


def _paced_p99(timing: Mapping[str, float], fps: int) -> float | None:
    paced = timing.get("interval_median_ms", 0.0) >= PACED * 1e3 / fps
    return timing.get("interval_p99_ms") if paced else None


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _log_notes(store: Store, attempts: Attempts | None, damaged: int) -> Iterator[str]:
    """Where the log of attempts and the dataset disagree."""
    if damaged:
        yield f"{ATTEMPTS.as_posix()}: {damaged} damaged line{'s' if damaged > 1 else ''} left out"
    restored = sum(bool(row.extra.get(RESTORED)) for row in store.rows())
    if attempts is not None and attempts.kept + restored != store.total_episodes:
        yield f"the log counts {attempts.kept} kept attempts, the dataset holds {store.total_episodes} episodes"


def _waiting(store: Store) -> Iterator[str]:
    """Takes that are no episodes yet: unfinished, or kept and not drawn."""
    count = sum(1 for _ in (store.root / TAKES).glob("*.jsonl"))
    if count:
        yield f"{count} take{'s wait' if count > 1 else ' waits'} on disk: studio recover {store.root}"


def _joints(store: Store) -> tuple[tuple[JointFacts, ...], list[str]]:
    """Ranges of every action dimension, read file by file."""
    action = _vector(store, "action")
    if action is None or not store.episodes:
        return (), ([] if store.episodes else ["there are no episodes"])
    state = _vector(store, STATE)
    paired = state is not None and state.shape == action.shape
    wanted = {ACTION: action} | ({STATE: state} if paired and state else {})
    actions, states, owners = _columns(store, wanted)
    names = action.names if len(action.names) == action.shape[0] else map(str, range(action.shape[0]))
    with np.errstate(invalid="ignore"):
        gaps = np.abs(states - actions)
    facts = [
        _joint(name, actions[:, column], states[:, column], gaps[:, column], owners)
        for column, name in enumerate(names)
    ]
    broken = sorted({int(owners[row]) for row in np.flatnonzero(~np.isfinite(actions).all(axis=1))})
    return tuple(facts), [f"actions that are not finite in {_listed(broken)}"] if broken else []


def _columns(
    store: Store, wanted: Mapping[str, Feature]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Actions and states, shape (frames, D), NaN where there is no state; the episode of every frame."""
    read = {**wanted, "episode_index": layout.BOOKKEEPING["episode_index"]}
    parts = [layout.read_columns(path, read) for path in sorted({e.data for e in store.episodes})]
    whole = {key: np.concatenate([part[key] for part in parts]) for key in read}
    owners = whole["episode_index"].reshape(-1)
    # A commit that was interrupted may have left rows that nobody counts.
    counted = owners < store.total_episodes
    actions = whole["action"][counted].astype(np.float64)
    states = whole.get(STATE)
    matched = np.full_like(actions, np.nan) if states is None else states[counted].astype(np.float64)
    return actions, matched, owners[counted]


def _vector(store: Store, key: str) -> Feature | None:
    feature = store.features.get(key)
    return feature if feature and feature.dtype in NUMBERS and len(feature.shape) == 1 else None


def _joint(
    name: str,
    action: NDArray[np.float64],
    state: NDArray[np.float64],
    gap: NDArray[np.float64],
    owners: NDArray[np.int64],
) -> JointFacts:
    known = bool(np.isfinite(gap).any())
    worst = int(np.nanargmax(gap)) if known else 0
    driven = action[np.isfinite(action)]
    measured = state[np.isfinite(state)]
    return JointFacts(
        name=name,
        action_low=_rounded(driven.min()) if len(driven) else 0.0,
        action_high=_rounded(driven.max()) if len(driven) else 0.0,
        state_low=_rounded(measured.min()) if len(measured) else None,
        state_high=_rounded(measured.max()) if len(measured) else None,
        max_gap=_rounded(gap[worst]) if known else None,
        max_gap_episode=int(owners[worst]) if known else None,
    )


def _rounded(value: Any) -> float:
    return round(float(value), 4)


def _notes(store: Store, episodes: Sequence[EpisodeFacts], joints: Iterable[JointFacts]) -> Iterator[str]:
    """Whatever a person should look at before training on this."""
    yield from _per_episode(
        episodes,
        {
            "grips too weak for hardware (lazy)": lambda e: bool(e.lazy_grip),
            "fumbled grasps": lambda e: bool(e.fumbles),
            "many late frames": lambda e: (e.late or 0) > MANY_LATE * e.length,
            f"shorter than {BRIEF_S:g} s": lambda e: e.seconds < BRIEF_S,
            "stopped before their end, so not judged": lambda e: e.outcome == INTERRUPTED,
            "in the trash, so left out by recording and curation": lambda e: e.masked,
        },
    )
    median = float(np.median([e.length for e in episodes])) if episodes else 0.0
    yield from _per_episode(episodes, {f"over {LONG:g} times the median length": lambda e: e.length > LONG * median})
    rows = [(saved.index, saved.row, saved.frames) for saved in store.episodes]
    judged = [(index, row, frames) for index, row, frames in rows if row.outcome]
    lost = [index for index, _, frames in judged if not frames.is_file()]
    if lost:
        yield f"physics missing, so they cannot be replayed or redrawn: {_listed(lost)}"
    undone = [index for index, row, _ in judged if row.success and row.extra.get("success_at_end") is False]
    if undone:
        yield f"succeeded, but no longer at the end: {_listed(undone)}"
    scenes = {str(row.extra["scene"]) for _, row, _ in judged if "scene" in row.extra}
    if len(scenes) > 1:
        yield f"episodes of {len(scenes)} scenes: {', '.join(sorted(scenes))}"
    twice = Counter((row.seed, row.x, row.y, row.yaw_deg, row.operator) for _, row, _ in judged)
    copies = sum(count - 1 for count in twice.values())
    if copies:
        yield f"{copies} episodes repeat another's operator, seed and placement"
    if episodes and not judged:
        yield "no outcomes are stored: not a dataset of this studio, so no success rate"
    for joint in joints:
        if joint.max_gap is not None and joint.max_gap > FAR_BEHIND and "gripper" not in joint.name:
            yield f"{joint.name} was {joint.max_gap:.1f} away from its action in episode {joint.max_gap_episode}"
        if joint.action_low == joint.action_high:
            yield f"{joint.name} never moves"


def _per_episode(
    episodes: Sequence[EpisodeFacts], tests: Mapping[str, Callable[[EpisodeFacts], bool]]
) -> Iterator[str]:
    for what, holds in tests.items():
        found = [episode.index for episode in episodes if holds(episode)]
        if found:
            yield f"{what}: {_listed(found)}"


def _listed(indices: Sequence[int], most: int = 12) -> str:
    """ "episodes 1, 2, 5"; long lists are cut and counted."""
    shown = ", ".join(map(str, indices[:most]))
    more = f" and {len(indices) - most} more" if len(indices) > most else ""
    return f"episode{'s' if len(indices) > 1 else ''} {shown}{more}"
