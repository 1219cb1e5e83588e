"""Where an episode to watch comes from: a placement, a saved episode, an evaluation's row, a history on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.errors import DataError, StudioError, UnknownChoice, UsageError
from curation.frames import Placement, Vector
from curation.names import STATE
from curation.store import SavedEpisode, Store
from recorders.fleet import BATCH
from recorders.placements import attempt_seed
from recorders.rollout import Start
from recorders.sidecar import read_sidecar
from recorders.world.scene import scene_from
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio import evaluating
from studio.again import setup_again
from studio.console import Console
from studio.options import Where
from studio.paths import dataset_path, runs_home
from studio.verbs.evaluate import Carried, Evaluate, prepared
from studio.watching.compared import with_episode, with_row
from studio.watching.files import read_history
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from studio.watching.repeating import repeated, watched_in
from studio.watching.session import Session
from training.checkpoint_card import card, digest, resolve
from training.evaluated import Evaluation, Row, evaluations_of
from training.latency import parse_latency

if TYPE_CHECKING:
    from studio.verbs.watch import Watch


@dataclass(frozen=True)
class Opened:
    """A session, and what its episode is compared with once it has ended.

    Attributes:
        session: at the beginning, or where --again goes on.
        compared: says how the history compares with a recorded or evaluated episode.
    """

    session: Session
    compared: Callable[[History], dict[str, Any]] | None = None


def session_of(options: Watch, console: Console) -> Opened:
    """A session of what is asked for; closing its world frees the OpenGL context.

    Raises:
        UsageError: something cannot be done as asked.
        StudioError: the policy cannot be loaded, does not fit, or does not do again what it did.
    """
    if options.again is not None:
        return _again(options, options.again, console)
    if options.row is not None:
        return _of_row(options, options.row)
    return _of_episode(options, options.episode, console) if options.episode else _of_placement(options, console)


def _of_placement(options: Watch, console: Console) -> Opened:
    asked = _as_evaluated(options, options.where, options.carried)
    job = prepared(asked, console)
    trial = evaluating.trial_of(job.placing, job.setup.scene, options.seed, 0)
    if not trial.row["feasible"]:
        console.step(f"The arm cannot do it there: {trial.row['why_not']}.")
    source = {"kind": "placement", "why_not": trial.row["why_not"]}
    return Opened(opened(replace(_watched(options, job.setup, trial.start), source=source), job.model))


def _of_episode(options: Watch, named: str, console: Console) -> Opened:
    store, episode = _episode(named)
    recorded = _recorded(store, episode)
    folder = resolve(options.checkpoint, runs_home())
    row, about = episode.row, dict(episode.row.extra.get("policy") or {})
    same = about.get("digest") == digest(folder)
    carried = options.carried
    if same and (carried.n_action_steps, carried.ensemble, carried.no_ensemble) == (None, None, False):
        carried = replace(carried, n_action_steps=about.get("n_action_steps"))
    if carried.task is None and episode.task in card(folder).tasks:
        carried = replace(carried, task=episode.task)
    store.require_scene()
    scene = scene_from(store.scene.get("driven", store.scene["scene"]))
    # The place only has to be a valid one: the episode's own start counts.
    seat, batch = _batch(row.extra) if same else (None, 1)
    asked = replace(_as_evaluated(options, Where(at=(row.x, row.y)), carried), batch=batch)
    if same and options.limit == TIME_LIMIT_S and "limit_frames" in row.extra:
        asked = replace(asked, limit=max(0.5, row.extra["limit_frames"] / scene.fps))
    job = prepared(asked, console, scene)
    start = Start(row.seed, Placement(row.x, row.y, row.yaw_deg))
    source = {"kind": "episode", "dataset": str(store.root), "episode": episode.index, "id": row.episode_id}
    watched = replace(_watched(options, job.setup, start), source=source, seat=seat)
    return Opened(opened(watched, job.model), partial(with_episode, recorded=recorded, same_policy=same))


def _recorded(store: Store, episode: SavedEpisode) -> dict[str, Vector]:
    """Columns of a saved episode by their names in a history; physics only where it is stored.

    Raises:
        UsageError: its first frames were cut away, so that nothing leads to where it begins.
    """
    try:
        take = read_sidecar(episode.frames)
    except DataError:
        columns = store.numeric(episode.index)
        return {"action": columns["action"], "state": columns[STATE]}
    if dict(take.header.get("cut") or {}).get("start"):
        raise UsageError(
            f"--episode {store.root}:{episode.index} begins at frame {take.header['cut']['start']} of a take, and "
            "nothing leads there. Name the episode it was cut from, or begin at --at X Y."
        )
    return {"action": take.action, "state": take.state, "physics": take.physics}


def _of_row(options: Watch, named: str) -> Opened:
    from training.policy_model import PolicyModel

    evaluation, row = _row(named)
    setup = setup_again(evaluation)
    # A batch draws by the seed of its first world, and where in it a world is decides its last bits.
    first = row.index - row.index % setup.settings.batch
    known = {one.index: one.seed for one in evaluation.rows}
    base = int(evaluation.told["placements"]["seed"])
    seat = tuple(known.get(index, attempt_seed(base, index)) for index in range(first, row.index + 1))
    watched = replace(
        _watched(options, setup, Start(row.seed, Placement(row.x, row.y, row.yaw_deg))),
        checkpoint=evaluation.name,
        source={"kind": "row", "evaluation": str(evaluation.folder), "row": row.index},
        seat=seat,
    )
    model = PolicyModel(setup.checkpoint, device=setup.device, threads=setup.threads)
    return Opened(opened(watched, model), partial(with_row, row=row))


def _batch(extra: Mapping[str, Any]) -> tuple[tuple[int, ...] | None, int]:
    """The seeds of an attempt's batch up to its own, and how many attempts were in it, as its row tells."""
    first, size = extra.get(BATCH) or (0, 1)
    if size == 1:
        return None, 1
    seeds = [attempt_seed(int(extra["session_seed"]), number) for number in range(first, int(extra["attempt"]) + 1)]
    return tuple(seeds), size


def _again(options: Watch, folder: Path, console: Console) -> Opened:
    from training.policy_model import PolicyModel

    history = read_history(folder)
    if options.from_frame is not None and not 0 <= options.from_frame < len(history):
        raise UsageError(
            f"--from-frame {options.from_frame} is outside 0 to {len(history) - 1}, the frames of {folder}."
        )
    watched = watched_in(history, options.checkpoint)
    watched = replace(watched, samples=options.samples or watched.samples, whiskers=not options.no_whiskers)
    setup = watched.setup
    console.progress(f"{folder} is run again")
    model = PolicyModel(setup.checkpoint, device=setup.device, threads=setup.threads)
    session = repeated(history, model, watched)
    if options.from_frame is not None:
        try:
            session.go(options.from_frame)
            session.change(**changes_in(options))
        except StudioError:
            session.world.close()
            raise
    return Opened(session)


def _as_evaluated(options: Watch, where: Where, carried: Carried) -> Evaluate:
    """The evaluation of which this is the first episode."""
    return Evaluate(
        checkpoint=options.checkpoint,
        where=where,
        episodes=1,
        seed=options.seed,
        limit=options.limit,
        world=options.world,
        carried=carried,
        batch=1,
        device=options.device,
        threads=options.threads,
    )


def _watched(options: Watch, setup: evaluating.Setup, start: Start) -> Watched:
    return Watched(
        setup, start, options.checkpoint, samples=options.samples, whiskers=not options.no_whiskers
    )  # fmt: skip


def changes_in(options: Watch) -> dict[str, Any]:
    """Settings that are asked for, by name.

    Raises:
        UsageError: the instruction is among them, or one shall be usual and otherwise at once.
    """
    carried, usual = options.carried, Carried()
    if carried.task is not None:
        raise UsageError("--task cannot change within an episode: watch it anew with another one.")
    asked = {one.name: getattr(carried, one.name) for one in fields(Carried)}
    found = {name: value for name, value in asked.items() if value != getattr(usual, name)}
    if both := set(options.usual) & set(found):
        raise UsageError(f"--usual {min(both)} takes back what --{min(both).replace('_', '-')} asks for: name one.")
    found |= {name: getattr(usual, name) for name in options.usual}
    if found.pop("no_ensemble", False):
        found["ensemble"] = None
    return {**found, **({"latency": parse_latency(found["latency"])} if "latency" in found else {})}


def _episode(named: str) -> tuple[Store, SavedEpisode]:
    """A saved episode by DATASET:INDEX or DATASET:ID.

    Raises:
        UsageError: there is none such.
    """
    dataset, colon, which = named.rpartition(":")
    if not colon or not dataset:
        raise UsageError(f"--episode {named} must be DATASET:INDEX or DATASET:ID.")
    store = Store.open(dataset_path(dataset))
    found = [one for one in store.episodes if which in (str(one.index), one.row.episode_id)]
    if not found:
        raise UnknownChoice("episode", which, [f"0 to {store.total_episodes - 1}", "or an episode's id"])
    return store, found[0]


def _row(named: str) -> tuple[Evaluation, Row]:
    """A row of an evaluation by RUN:N.

    Raises:
        UsageError: there is none such, or several.
    """
    name, colon, number = named.rpartition(":")
    if not colon or not number.isdecimal():
        raise UsageError(f"--row {named} must be RUN:N or FOLDER:N.")
    evaluations = evaluations_of(runs_home(), name)
    found = [(one, row) for one in evaluations for row in one.rows if row.index == int(number)]
    if not found:
        last = max(row.index for one in evaluations for row in one.rows)
        raise UsageError(f"No evaluation of {name} has a row {number}. It has 0 to {last}.")
    if len(found) > 1:
        listed = ", ".join(f"--row {one.folder}:{number} ({one.conditions_words})" for one, _ in found)
        raise UsageError(f"{name} has {len(found)} evaluations with a row {number}. Name one: {listed}.")
    return found[0]
