"""hil: a smoke run of LeRobot's HIL-SERL on the studio's world, rewarded by a success classifier."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from classifiers.checkpoint import Classifier
from classifiers.look import SIDE, require_cameras
from classifiers.transitions import Demonstrations, write_demonstrations
from curation.atomic import write_aside
from curation.errors import OK, DataError, UsageError
from curation.layout import json_bytes
from curation.names import camera_key
from curation.notes import masked, read_notes
from curation.staging import building, require_free
from curation.store import Store
from recorders.world.scene import Scene, scene_from
from recorders.world.servo import step_limit
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.carding import carded_classifier
from studio.console import Console
from studio.hil_config import Asked, lerobot_config
from studio.hil_pair import ABOUT, CONFIG, Seen, follow, seen
from studio.hil_words import described, progress_words, result_words
from studio.options import Name
from studio.paths import dataset_path, run_path

MEMORY_SHARE = 0.5
"""Of this machine's memory that both buffers may take."""
COPIES = 3
"""LeRobot holds every demonstration as a pair of observations before it fills its buffer with them."""
BUFFERS = 2
"""An intervention goes into both of them."""


@dataclass(frozen=True, kw_only=True)
class Hil:
    """Start LeRobot's HIL-SERL actor and learner on the studio's world, with a classifier as the only reward.

    A smoke run: it shows that demonstrations, rewards, interventions, weights and checkpoints get where they belong.
    It is no training; HIL-SERL takes a GPU and a person for hours. Ctrl+C stops both, with a checkpoint.
    """

    classifier: Name
    """A classifier: a folder, or a bare name under STUDIO_RUNS. It must have its calibration card."""
    demos: str
    """A dataset of the studio's: its successes are the demonstrations, its placements and its scene the world."""
    to: str
    """Name of the run: a folder, or a bare name under STUDIO_RUNS (default ./runs). Must be new."""
    steps: int = 1000
    """Steps of the environment; the actor's last episode may be cut short by them, and is then not learned from."""
    demonstrations: int = 10
    """Episodes of the dataset to look at, at most; those in which the classifier sees a success are used."""
    interventions: float = 0.5
    """Share of the episodes in which the scripted expert takes over, in the place of a person."""
    threshold: float = 0.5
    """Probability above which the classifier's network takes one picture for a success."""
    batch: int = 16
    """Transitions in a learning step, half of them of demonstrations."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    seed: int = 0
    """Of weights, episodes and takeovers."""
    port: int = 0
    """At which the learner answers the actor, on this machine only; 0 finds a free one."""
    device: str = "cpu"
    """PyTorch's device of both, such as cuda."""
    threads: int = 0
    """Threads of each of the two; 0 takes half of the processor cores."""
    json: bool = False
    """Print what came of it as JSON."""


def hil(options: Hil, console: Console) -> int:
    """Check, prepare, run; prints what got where."""
    _require_sense(options)
    to = run_path(options.to)
    require_free(to)
    made, card = carded_classifier(run_path(options.classifier))
    store = Store.open(dataset_path(options.demos))
    require_cameras(made.fitted.look, [store], made.name)
    require_grpc()
    port = free_port(options.port)
    console.about(to)
    console.step(
        f"a smoke run of LeRobot's HIL-SERL, not a training: rewarded by {made.by} picture by picture, while its card "
        f"is about whole episodes ({card.rates.precision.of('kept were successes')})"
    )
    with building(to) as folder:
        demos = _prepare(options, console, folder, made, store, port)
    threads = options.threads or max(1, (os.cpu_count() or 2) // 2)
    return _run(options, console, to, threads, demos)


def require_grpc() -> None:
    """Refuse where LeRobot's actor and learner could not talk.

    Raises:
        UsageError: gRPC is missing.
    """
    if importlib.util.find_spec("grpc") is None:
        raise UsageError(
            "LeRobot's actor and learner talk through gRPC, and grpcio is not installed. uv sync --extra hil, or "
            "pip install 'teleop-studio[hil]', brings it."
        )


def free_port(asked: int) -> int:
    """The port asked for, or any free one.

    Raises:
        UsageError: it is taken, or none.
    """
    if not 0 <= asked <= 65535:
        raise UsageError(f"--port {asked} is outside 0 to 65535.")
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", asked))
        except OSError as error:
            raise UsageError(
                f"--port {asked} cannot be used ({error.strerror}). Name another one, or leave --port away."
            ) from error
        return int(one.getsockname()[1])


def _require_sense(options: Hil) -> None:
    for name, least in (("steps", 1), ("demonstrations", 1), ("batch", 2), ("threads", 0)):
        if getattr(options, name) < least:
            raise UsageError(f"--{name} {getattr(options, name)} must be at least {least}.")
    if not 0.0 <= options.interventions <= 1.0:
        raise UsageError(f"--interventions {options.interventions:g} is outside 0 to 1.")
    if not 0.0 < options.threshold < 1.0:
        raise UsageError(f"--threshold {options.threshold:g} is not between 0 and 1.")
    if not options.limit > 0:
        raise UsageError(f"--limit {options.limit:g} must be above 0.")


def _prepare(options: Hil, console: Console, folder: Path, made: Classifier, store: Store, port: int) -> Demonstrations:
    """Write what LeRobot reads, and what was asked, into the folder that becomes the run's."""
    scene = _world(store, made)
    away = masked(read_notes(store.root))
    # A placement that nobody knows is NaN, and the world could not put its block there.
    good = [one for one in store.episodes if one.row.success and one.row.x == one.row.x]
    chosen = [one for one in good if one.row.episode_id not in away][: options.demonstrations]
    if not chosen:
        raise DataError(
            f"{store.root.name} holds no success outside the trash whose placement is known. Record some: studio "
            "generate --to NAME."
        )
    _require_memory(options, sum(one.length for one in chosen), len(made.fitted.look))

    def said(done: int, total: int) -> None:
        console.progress(f"demonstration {done} of {total}")

    most, name = step_limit(scene.fps), "demonstrations"
    demos = write_demonstrations(folder / name, store, chosen, made, options.threshold, most, said)
    console.step(_demo_words(demos, len(chosen)))
    positions = [[one.row.x, one.row.y, one.row.yaw_deg] for one in chosen]
    asked = Asked(
        steps=options.steps,
        batch=options.batch,
        threshold=options.threshold,
        interventions=options.interventions,
        limit=options.limit,
        seed=options.seed,
        port=port,
        device=options.device,
    )
    home = run_path(options.to).absolute()
    config = lerobot_config(asked, made, store, scene, positions, home / name, demos.transitions)
    write_aside(folder / CONFIG, json_bytes(config))
    about = {"asked": asdict(asked), "classifier": made.by, "demos": str(store.root), "demonstrations": asdict(demos)}
    write_aside(folder / ABOUT, json_bytes({**about, "state": "running", "pid": os.getpid()}))
    return demos


def _world(store: Store, made: Classifier) -> Scene:
    """The demonstrations' scene.

    Raises:
        NoScene: nobody knows it.
        UsageError: it does not draw what is in the demonstrations.
    """
    scene = scene_from(store.require_scene()["scene"])
    for camera in sorted(made.fitted.look):
        if camera not in scene.cameras:
            raise UsageError(
                f"The scene of {store.root.name} lacks the camera {camera} that {made.name} looks through."
            )
        height, width = store.features[camera_key(camera)].shape[:2]
        if (height, width, store.fps) != (scene.height, scene.width, scene.fps):
            raise UsageError(
                f"{store.root.name} shows {camera} at {width}x{height} and {store.fps} fps, its scene draws "
                f"{scene.width}x{scene.height} at {scene.fps} fps. studio rerender makes both the same."
            )
    return scene


def _run(options: Hil, console: Console, to: Path, threads: int, demos: Demonstrations) -> int:
    told = -1

    def tell(now: Seen) -> None:
        nonlocal told
        words = progress_words(now, options.steps)
        console.progress(words)
        console.advance(min(now.steps, options.steps), options.steps)
        if len(now.episodes) != told:
            told = len(now.episodes)
            console.step(words)

    state = "failed"
    try:
        code = follow(to, threads, tell)
        state = "done" if code == OK else "stopped"
    finally:
        _settle(to, state)
    found = described(to, state, seen(to), demos)
    console.result(result_words(found), found)
    return code


def _settle(to: Path, state: str) -> None:
    about: dict[str, Any] = json.loads((to / ABOUT).read_bytes())
    write_aside(to / ABOUT, json_bytes({**about, "state": state, "pid": None}))


def _require_memory(options: Hil, rows: int, cameras: int) -> None:
    """Refuse what would end without a word, the system having killed it.

    Raises:
        UsageError: the buffers would take too much.
    """
    each = cameras * 3 * SIDE * SIDE * 4.0
    need = each * (COPIES * rows + BUFFERS * options.steps)
    try:
        there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    if need > MEMORY_SHARE * there:
        raise UsageError(
            f"LeRobot keeps every picture as 32-bit numbers: {rows} rows of demonstrations and {options.steps} steps "
            f"take about {need / 1e9:.1f} GB, this machine has {there / 1e9:.1f} GB. Fewer --demonstrations or --steps."
        )


def _demo_words(demos: Demonstrations, looked_at: int) -> str:
    early = f"; {demos.before_judge} well before the judge sees one" if demos.before_judge else ""
    return (
        f"{len(demos.used)} of {looked_at} demonstrations used, {demos.transitions} transitions: each up to where the "
        f"classifier first sees a success{early}"
    )
