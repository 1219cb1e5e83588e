"""watch: a policy thinks, frame by frame: what it has in mind, where that leads, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from curation.errors import StudioError, UnknownChoice, UsageError
from curation.frames import Placement
from curation.store import SavedEpisode, Store
from recorders.fleet import BATCH
from recorders.placements import attempt_seed
from recorders.rollout import Start
from recorders.world.scene import scene_from
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio import evaluating
from studio.again import setup_again
from studio.console import Console
from studio.options import Where
from studio.paths import dataset_path, runs_home
from studio.verbs.evaluate import Carried, Evaluate, World, prepared
from studio.watching.compared import with_episode, with_row
from studio.watching.files import read_history, require_new, write_history
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from studio.watching.repeating import repeated, watched_in
from studio.watching.session import Session
from studio.watching.words import summary
from training.checkpoint_card import card, digest, resolve
from training.evaluated import Evaluation, Row, evaluations_of
from training.latency import parse_latency

HOME = Path("watched")
"""Where watched episodes lie by default."""
MOST_SAMPLES = 100


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Watch a policy think in one episode: at a position, as in a saved episode, or an evaluated one again.

    Every frame is kept with the chunk that is really carried out and where it leads; --again goes on from any of them.
    """

    checkpoint: tyro.conf.Positional[str] = ""
    """A run (its last checkpoint), run@best, run@000100, a folder, or hf:owner/name. Not with --row and --again."""
    where: Where = field(default_factory=Where)
    episode: str | None = None
    """Begin as a saved episode did: DATASET:INDEX or DATASET:ID."""
    row: str | None = None
    """Run an evaluated episode again: RUN:N, or the evaluation's folder:N; the numbers are those of its rows."""
    again: Path | None = None
    """Run a watched episode again; with --from-frame and other settings, go on otherwise from there."""
    from_frame: int | None = None
    """The frame from which --again goes on with what is asked here."""
    to: Path | None = None
    """This new folder; by default the first free one of ./watched/NAME-1, NAME-2, ..."""
    samples: int = 0
    """Further answers to every question, with other noise: how far they spread is how unsure the policy is."""
    no_whiskers: bool = False
    """Do not simulate ahead what is thought."""
    seed: int = 1000
    """Of placement and noise; with the same --at it is the first episode of studio evaluate."""
    limit: float = TIME_LIMIT_S
    """Time limit of the episode in seconds."""
    world: World = field(default_factory=World)
    carried: Carried = field(default_factory=Carried)
    device: str = "auto"
    """Where the policy runs: auto, cpu, cuda, mps."""
    threads: int = 1
    """Of PyTorch on a CPU; part of what makes episodes equal."""
    json: bool = False
    """Print the summary as JSON."""


def watch(options: Watch, console: Console) -> int:
    """Watch one episode, keep its history, and tell of it."""
    history, folder = watched(options, console)
    data = {
        "folder": folder,
        "watched": history.told,
        "frames": len(history),
        "asked": list(history.asked),
        "events": [{"frame": event.frame, "kind": event.kind} for event in history.events],
        "joints": [one.as_json() for one in history.tracked()],
    }
    console.result(f"{summary(history)}\n  history: {folder}", data)
    return 0


@dataclass(frozen=True)
class Opened:
    """A session, and what its episode is compared with once it has ended.

    Attributes:
        session: at the beginning, or where --again goes on.
        compared: says how the history compares with a recorded or evaluated episode.
    """

    session: Session
    compared: Callable[[History], dict[str, Any]] | None = None


def watched(options: Watch, console: Console) -> tuple[History, Path]:
    """Run an episode to its end, and write its history.

    Returns:
        The history, and the folder it was written to.

    Raises:
        UsageError: something cannot be done as asked.
        StudioError: the policy failed; what it did before that is kept.
    """
    require_valid(options)
    one = session_of(options, console)
    session = one.session
    with closing(session.world):
        folder = options.to or _free(str(session.history.told["checkpoint"]["label"]))
        try:
            while session.step() is not None:
                console.progress(f"frame {session.at}, {session.moment.phase.value}")
            if one.compared is not None:
                session.tell(compared=one.compared(session.history))
        finally:
            # Whoever interrupts keeps what was seen so far.
            if session.at >= 0:
                write_history(folder, session.history)
        for text in session.history.told["alarms"]:
            console.step(text)
        return session.history, folder


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


def require_valid(options: Watch) -> None:
    """Refuse what does not go together, before anything is loaded.

    Raises:
        UsageError: naming the options.
        TargetExists: something is where the history shall go.
    """
    kinds = [name for name in ("episode", "row", "again") if getattr(options, name)]
    if len(kinds) > 1 or (kinds and options.where != Where()):
        raise UsageError("An episode begins in one way: --at (--box, --targets), --episode, --row or --again.")
    if bool(options.checkpoint) == bool(options.row or options.again):
        whose = "is of the checkpoint that drove then: name none." if options.checkpoint else "needs a checkpoint."
        raise UsageError(f"studio watch {f'--{kinds[0]}' if kinds else '--at X Y'} {whose}")
    changes = options.carried != Carried()
    if options.row and (changes or options.world != World()):
        raise UsageError("--row is watched as it was evaluated; watch it, then change settings with --again.")
    if (options.again is None or not changes) != (options.from_frame is None):
        raise UsageError("--again FOLDER goes on otherwise with --from-frame N and what changes, such as --blind.")
    if not 0 <= options.samples <= MOST_SAMPLES:
        raise UsageError(f"--samples {options.samples} is outside 0 to {MOST_SAMPLES}.")
    if options.to is not None:
        require_new(options.to)


def _of_placement(options: Watch, console: Console) -> Opened:
    asked = _as_evaluated(options, options.where, options.carried)
    job = prepared(asked, console)
    trial = evaluating.trial_of(job.placing, job.setup.scene, options.seed, 0)
    if not trial.row["feasible"]:
        console.step(f"The arm cannot do it there: {trial.row['why_not']}.")
    return Opened(opened(_watched(options, job.setup, trial.start), job.model))


def _of_episode(options: Watch, named: str, console: Console) -> Opened:
    store, episode = _episode(named)
    folder = resolve(options.checkpoint, runs_home())
    row, about = episode.row, dict(episode.row.extra.get("policy") or {})
    same = about.get("digest") == digest(folder)
    carried = options.carried
    if same and carried == Carried():
        carried = replace(carried, n_action_steps=about.get("n_action_steps"))
    if carried.task is None and episode.task in card(folder).tasks:
        carried = replace(carried, task=episode.task)
    store.require_scene()
    scene = scene_from(store.scene.get("driven", store.scene["scene"]))
    # The place only has to be a valid one: the episode's own start counts.
    seat, batch = _batch(row.extra) if same else (None, 1)
    asked = replace(_as_evaluated(options, Where(at=(row.x, row.y)), carried), batch=batch)
    job = prepared(asked, console, scene)
    start = Start(row.seed, Placement(row.x, row.y, row.yaw_deg))
    source = {"kind": "episode", "dataset": str(store.root), "episode": episode.index, "id": row.episode_id}
    watched = replace(_watched(options, job.setup, start), source=source, seat=seat)
    actions = store.numeric(episode.index)["action"].astype(np.float64)
    return Opened(opened(watched, job.model), partial(with_episode, actions=actions, same_policy=same))


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
    setup = watched_in(history).setup
    console.progress(f"{folder} is run again")
    model = PolicyModel(setup.checkpoint, device=setup.device, threads=setup.threads)
    session = repeated(history, model)
    if options.from_frame is not None:
        try:
            session.go(options.from_frame)
            session.change(**_changes(options.carried))
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


def _changes(carried: Carried) -> dict[str, Any]:
    """Settings that are asked for, by name.

    Raises:
        UsageError: the instruction is among them.
    """
    if carried.task is not None:
        raise UsageError("--task cannot change within an episode: watch it anew with another one.")
    asked = {one.name: getattr(carried, one.name) for one in fields(Carried)}
    found = {name: value for name, value in asked.items() if value != getattr(Carried(), name)}
    if found.pop("no_ensemble", False):
        found["ensemble"] = None
    return {**found, **({"latency": parse_latency(carried.latency)} if "latency" in found else {})}


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
        raise UsageError(f"No evaluation of {name} has a row {number}. It has 0 to {_last(evaluations)}.")
    if len(found) > 1:
        listed = ", ".join(f"--row {one.folder}:{number} ({one.conditions_words})" for one, _ in found)
        raise UsageError(f"{name} has {len(found)} evaluations with a row {number}. Name one: {listed}.")
    return found[0]


def _last(evaluations: Sequence[Evaluation]) -> int:
    return max(row.index for one in evaluations for row in one.rows)


def _free(label: str) -> Path:
    """The first folder of a name that is free."""
    name = label.replace("/", "-").replace(":", "-")
    return next(path for number in count(1) if not (path := HOME / f"{name}-{number}").exists())
