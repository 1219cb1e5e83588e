"""evaluate: a checkpoint on seeded placements, one row per episode."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from curation.atomic import write_aside
from curation.errors import UsageError
from curation.frames import JOINTS
from recorders.placements import Placing
from recorders.world.scene import Scene, fingerprint
from recorders.world.tasks.pick_place import TIME_LIMIT_S, instruction
from studio import evaluating
from studio.console import Console
from studio.evaluation_world import World as World
from studio.loop_mark import loop_mark
from studio.options import Episodes, Name, Where
from studio.paths import runs_home
from studio.policy_driver import said_unknown
from training.best import raced
from training.checkpoint_card import Card, card, digest, resolve
from training.chunks import narrow
from training.evaluated import EVALUATION, read_evaluation
from training.evaluation import folder_of, opened, told_of
from training.evaluation_table import summarised, table
from training.foretelling import asked_for, unsureness
from training.latency import parse_latency
from training.report import stand_for
from training.rows import Row, as_csv

if TYPE_CHECKING:
    from training.policy import PolicySettings
    from training.policy_model import PolicyModel

EPISODES = 20
MOST_SAMPLES = 100
"""Further answers to a question; each costs as much as the one that counts."""


@dataclass(frozen=True, kw_only=True)
class Carried:
    """How the policy is carried out; by default as it was trained."""

    n_action_steps: int | None = None
    """Actions carried out of each chunk."""
    ensemble: float | None = None
    """Temporal ensembling with this coefficient, asking in every frame; LeRobot's usual one is 0.01."""
    no_ensemble: bool = False
    """Turn off the temporal ensembling that the checkpoint has."""
    blind: tuple[str, ...] = ()
    """Cameras that show their training mean instead of what they see."""
    gripper_bias: float = 0.0
    """Added to the gripper's target, of 0 to 100."""
    gripper_clip: tuple[float, float] | None = None
    """Lowest and highest target of the gripper."""
    latency: str = "0"
    """What thinking costs: milliseconds for every call, or "real" for what each really takes."""
    task: str | None = None
    """The instruction; by default the one it was trained with. Of several, one has to be named."""


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Evaluate a checkpoint on seeded placements. The same command again goes on where it was interrupted."""

    checkpoint: Name
    """A run (its last checkpoint), run@best, run@000100, a folder, or hf:owner/name."""
    where: Where = field(default_factory=Where)
    episodes: Episodes = None
    """Episodes in all; by default 20, and one per position of --grid and --targets."""
    per_position: int | None = None
    """Episodes at each position of --grid and --targets."""
    seed: int = 1000
    """Of every placement; recordings begin at 0, so these placements are fresh ones."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    world: World = field(default_factory=World)
    carried: Carried = field(default_factory=Carried)
    batch: int = 0
    """Worlds in one forward pass; part of what makes rows equal. 0 is 8 on a CPU, 32 on a GPU."""
    device: str = "auto"
    """Where the policy runs: auto, cpu, cuda, mps."""
    threads: int = 1
    """Of PyTorch on a CPU; part of what makes rows equal."""
    processes: int = 0
    """Batches worked on at once; 0 chooses. Rows do not depend on it."""
    samples: int = 0
    """Further answers to every question, with other noise: rows then say how far they spread. What is driven stays the
    same. Policies that draw nothing have no spread."""
    films: int = 0
    """Films of so many episodes, at most the median and the worst of every outcome, beside the rows."""
    csv: Path | None = None
    """Also write the rows as a table."""
    json: bool = False
    """Print rows and rates as JSON."""


@dataclass(frozen=True)
class Evaluated:
    """An evaluation with all rows that were asked for.

    Attributes:
        folder: where it lies.
        told: its evaluation.json.
        rows: in order.
        name: of the checkpoint.
    """

    folder: Path
    told: dict[str, Any]
    rows: tuple[Row, ...]
    name: str


def evaluate(options: Evaluate, console: Console) -> int:
    """Run what is missing, and print the table."""
    done = evaluated(options, console)
    if options.csv is not None:
        write_aside(options.csv, as_csv(done.rows).encode())
    filmed = _film(done, options.films, console) if options.films else []
    chosen = raced(done.folder, done.told)
    unsure = [unsureness(done.rows, measure) for measure in asked_for(done.rows)]
    data = {
        "folder": done.folder,
        "films": filmed,
        "evaluation": done.told,
        "rates": summarised(done.rows),
        "unsure": {one.measure: one.as_json() for one in unsure},
        "chosen_by_these_episodes": chosen,
        "rows": done.rows,
    }
    told = [
        table(done.told, done.rows, done.name, raced=chosen),
        *(f"  {line}" for one in unsure for line in one.lines),
        f"  rows: {done.folder}",
        *(f"  film: {path}" for path in filmed),
    ]
    console.result("\n".join(told), data)
    return 0


def _film(done: Evaluated, most: int, console: Console) -> list[Path]:
    """Films of the episodes that stand for the rest; what is there already is not drawn again."""
    from studio.filming import films

    evaluation = read_evaluation(done.folder)
    asked = {row["index"] for row in done.rows}
    chosen = [each.row for each in stand_for([row for row in evaluation.rows if row.index in asked])][:most]
    paths = {row.index: done.folder / "films" / f"{row.index:04d}-{row.outcome}.mp4" for row in chosen}
    missing = [index for index, path in paths.items() if not path.is_file()]
    for index, film in (films(evaluation, missing, console.step) if missing else {}).items():
        write_aside(paths[index], film.mp4)
        if not film.faithful:
            console.step(f"episode {index} went otherwise when it was run again: {film.outcome}")
    return list(paths.values())


def evaluated(options: Evaluate, console: Console, wanted: Sequence[int] | None = None) -> Evaluated:
    """Run the episodes that are missing.

    Args:
        options: what to evaluate and how.
        console: is told of every episode.
        wanted: indices of episodes; by default all that the options ask for.

    Raises:
        UsageError: something cannot be done as asked.
        Unfit: policy and world do not fit.
        StudioError: the policy failed.
    """
    require_valid(options)
    placing = options.where.placing()
    indices = tuple(range(episode_count(options, placing))) if wanted is None else tuple(wanted)
    evaluating.require_different(placing, options.seed, indices)
    job = prepared(options, console)
    console.about(job.folder)
    with opened(job.folder, job.told) as file:
        missing = [index for index in indices if index not in file.rows]
        if len(missing) < len(indices):
            console.step(f"{len(indices) - len(missing)} of {len(indices)} episodes are there already ({job.folder}).")
        if missing:
            _run(options, job, console, file, indices, missing)
        rows = tuple(file.rows[index] for index in indices)
        # When it was begun, if it was begun before.
        told = json.loads((job.folder / EVALUATION).read_bytes())
    return Evaluated(job.folder, told, rows, job.card.label)


@dataclass(frozen=True)
class Job:
    """A checked evaluation.

    Attributes:
        setup: for the processes that run it.
        model: the policy.
        card: of the checkpoint.
        placing: where blocks go.
        told: its evaluation.json.
        folder: where it lies.
    """

    setup: evaluating.Setup
    model: PolicyModel
    card: Card
    placing: Placing
    told: dict[str, Any]
    folder: Path


def prepared(options: Evaluate, console: Console, scene: Scene | None = None) -> Job:
    """Load the policy and check it against the world; errors as `evaluated`.

    Args:
        options: what to evaluate and how.
        console: is told what nobody can check.
        scene: to run in; by default the one that the options say.
    """
    require_valid(options)
    placing = options.where.placing()
    known = card(resolve(options.checkpoint, runs_home()))
    scene = scene or options.world.scene(known)
    task = known.instruction(options.carried.task) or instruction(scene)
    console.progress(f"loading {known.label}")

    from training.policy import NO_STATISTICS
    from training.policy_fit import require_fit, unknown
    from training.policy_model import PolicyModel

    model = PolicyModel(known.folder, device=options.device, threads=options.threads)
    name = fingerprint(scene)
    require_fit(
        model,
        known,
        cameras=evaluating.cameras_of(scene),
        joints=len(JOINTS),
        fps=scene.fps,
        fingerprint=name,
        differences=evaluating.differences(scene, known.scenes),
        other_scene=options.world.other_scene,
        mend="leave the scene's options away, or say --other-scene if you mean it.",
    )
    if missing := unknown(known):
        console.step(said_unknown(missing))
    if model.demonstrated is None and not model.relative:
        console.step(NO_STATISTICS)
    if options.samples and not (model.chunked or model.rewindable):
        raise UsageError(f"--samples asks again, and what {model.kind} remembers of the first time cannot be undone.")
    settings = settings_of(options, model)
    model.blind(settings.blind)
    if model.greyed:
        console.step(
            f"{', '.join(model.greyed)} shows ImageNet's mean; the checkpoint does not say what it really saw."
        )
    limit = round(options.limit * scene.fps)
    setup = evaluating.Setup(
        known.folder, scene, settings, model.device, options.threads, task, f"policy:{known.label}", limit,
        options.samples,
    )  # fmt: skip
    told = told_of(
        replace(known, policy=model.kind, privileged=model.privileged),
        checkpoint=options.checkpoint,
        digest=digest(known.folder),
        settings={**settings.as_json(), "device": model.device, "threads": options.threads, "task": task},
        scene={"fingerprint": name, "scene": asdict(scene)},
        placements=evaluating.placements_of(placing, options.seed),
        limit_frames=limit,
        fps=scene.fps,
        versions={**{package: version(package) for package in ("mujoco", "torch", "lerobot")}, "loop": loop_mark()},
        samples=options.samples,
    )
    return Job(setup, model, known, placing, told, folder_of(known, told))


def settings_of(options: Evaluate, model: PolicyModel) -> PolicySettings:
    """How the policy is carried out, resolved."""
    from training.policy import PolicySettings

    carried = options.carried
    latency = parse_latency(carried.latency)
    batch = options.batch or (1 if latency.real else evaluating.batch_size(model.device))
    return PolicySettings(
        n_action_steps=carried.n_action_steps,
        ensemble=carried.ensemble,
        ensembling=not carried.no_ensemble,
        blind=carried.blind,
        gripper_bias=carried.gripper_bias,
        gripper_clip=carried.gripper_clip,
        latency=latency,
        batch=batch,
    ).resolved(model)


def episode_count(options: Evaluate, placing: Placing) -> int:
    """How many episodes are asked for."""
    if placing.cells and options.episodes is None:
        return placing.cells * (options.per_position or 1)
    return EPISODES if options.episodes is None else options.episodes


def require_valid(options: Evaluate) -> None:
    """Refuse numbers that make no sense.

    Raises:
        UsageError: naming the option.
    """
    cells = options.where.grid or options.where.targets
    if options.episodes is not None and options.episodes < 1:
        raise UsageError(f"--episodes {options.episodes} must be at least 1.")
    if options.per_position is not None and (options.per_position < 1 or not cells or options.episodes is not None):
        raise UsageError("--per-position must be at least 1, needs --grid or --targets, and takes the place of -n.")
    if not 0.5 <= options.limit <= 600:
        raise UsageError(f"--limit {options.limit} is outside 0.5 to 600 seconds.")
    if not 0 <= options.samples <= MOST_SAMPLES:
        raise UsageError(f"--samples {options.samples} is outside 0 to {MOST_SAMPLES}.")
    if options.seed < 0 or options.threads < 0 or options.processes < 0 or options.batch < 0 or options.films < 0:
        raise UsageError("--seed, --threads, --processes, --batch and --films must not be negative.")


def _run(
    options: Evaluate, job: Job, console: Console, file: Any, indices: Sequence[int], missing: Sequence[int]
) -> None:
    setup = job.setup
    trials = [evaluating.trial_of(job.placing, setup.scene, options.seed, index) for index in range(max(indices) + 1)]
    work = evaluating.batches(trials, setup.settings.batch, missing)
    processes = evaluating.process_count_for(
        options.processes,
        len(missing),
        len(work),
        job.card,
        images=bool(job.model.cameras),
        real_time=setup.settings.latency.real,
    )
    wanted = set(missing)
    done, told = len(indices) - len(missing), False
    for finished in evaluating.run_all(setup, work, processes, job.model):
        row = finished.row
        if row["index"] not in wanted:
            continue
        wanted.discard(row["index"])
        file.append(row)
        done += 1
        if not told and (text := narrow(row["action_span"])):
            told = True
            console.step(text)
        where = "" if row["feasible"] else f", {row['why_not']}"
        console.step(f"episode {row['index']}: {row['outcome']}, {row['frames']} frames{where} ({done}/{len(indices)})")
        console.advance(done, len(indices))
        if not wanted:
            return
