"""The closed loop as commands: where a policy is unsure it tries, what succeeds is added, and it is trained anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from curation import layout
from curation.errors import UsageError
from curation.names import POSE
from curation.notes import CLASSIFIER
from curation.store import Store
from recorders.referee import NOBODY
from recorders.world.scene import Scene, scene_from
from studio.evaluation_world import World
from studio.keeping import Keeping
from studio.paths import run_path, runs_home
from studio.steps import Step
from studio.training_options import Training
from studio.words import flag, flags_of, recipe_words
from training.checkpoint_card import card, resolve
from training.identity import digest
from training.recipe import Recipe
from training.runs import Run, all_runs, state_of


@dataclass(frozen=True)
class Source:
    """What a loop begins with.

    Attributes:
        runs: names of the trainings, seeds of one recipe; the first one drives.
        data: the dataset that they were trained on, as a name or a path.
        where: the query that chose its episodes.
        episodes: their ids.
        digests: of the policies, in the order of the trainings.
        recipe: of the first training.
        scene: that the policy was trained in.
        privileged: whether it sees the block's pose.
        cameras: that its dataset has.
    """

    runs: tuple[str, ...]
    data: str
    where: str
    episodes: tuple[str, ...]
    digests: tuple[str, ...]
    recipe: Recipe
    scene: Scene
    privileged: bool
    cameras: tuple[str, ...]

    @property
    def dropped(self) -> list[str]:
        """Options that leave out what pictures its attempts have and its own dataset has not."""
        cameras = [camera for camera in self.scene.cameras if camera not in self.cameras]
        return ["--drop-feature", *cameras] if cameras else []

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Source:
        """What `as_json` gave."""
        lists = {name: tuple(told[name]) for name in ("runs", "episodes", "digests", "cameras")}
        return cls(**{**told, **lists, "recipe": Recipe.from_json(told["recipe"]), "scene": scene_from(told["scene"])})

    def require_same_policy(self) -> None:
        """Refuse to let another policy of the same name drive.

        Raises:
            UsageError: one was trained anew since.
        """
        for name, before in zip(self.runs, self.digests, strict=True):
            if _digest(name) != before:
                raise UsageError(
                    f"{name} is another policy now than was planned with. Put that one back, or begin anew under "
                    "another --to."
                )

    def require_same(self) -> None:
        """Refuse to take episodes from the dataset that are not those of the training.

        Raises:
            UsageError: some lie in the trash or no longer fit the query, or others do.
        """
        store = Store.open(Path(self.data))
        now, then = set(Training(where=self.where).chosen(store).ids), set(self.episodes)
        if now != then:
            raise UsageError(
                f"{store.root} holds other episodes now than {self.runs[0]} was trained on: {len(then - now)} of "
                f"{len(then)} lie in the trash or no longer fit, {len(now - then)} are new. Put it back as it was "
                "(studio trash), or make a dataset of those episodes, train on it, and begin with that training."
            )


def source_of(name: str) -> Source:
    """What is known of a finished training, or of a group of them.

    Raises:
        UsageError: it is not of this studio, not finished, or its dataset holds other episodes now.
    """
    runs = _finished(name)
    told = runs[0].read()
    known = card(resolve(str(runs[0].folder), runs_home()))
    store = Store.open(Path(told["dataset"]["path"]))
    found = Source(
        runs=tuple(run.name for run in runs),
        data=str(store.root),
        where=str(told["dataset"].get("where") or ""),
        episodes=tuple(told["dataset"]["episode_ids"]),
        digests=tuple(_digest(run.name) for run in runs),
        recipe=Recipe.from_json(told["recipe"]),
        scene=World().scene(known),
        privileged=POSE in store.features,
        cameras=tuple(key.removeprefix("observation.images.") for key in layout.cameras(store.features)),
    )
    found.require_same()
    return found


def _digest(run: str) -> str:
    return digest(resolve(str(run_path(run)), runs_home()))


def _finished(name: str) -> list[Run]:
    run = Run(run_path(name))
    grouped = [one for one in all_runs(runs_home()) if one.read().get("group") == name]
    found = grouped or [run]
    open_ = [one.name for one in found if not (one.folder / "run.json").is_file() or state_of(one) != "done"]
    if open_:
        raise UsageError(f"{open_[0]} is no finished training of this studio; studio runs shows what there is.")
    return found


@dataclass(frozen=True)
class Loop:
    """What is asked of every round.

    Attributes:
        name: of the whole; runs and datasets are called NAME-r1 and on.
        folder: of the whole.
        rounds: how many.
        placed: options that place the episodes of every evaluation.
        n_action_steps: actions carried out of each chunk, in evaluations as in attempts; None is as trained.
        evaluated: further options of every evaluation.
        box: that positions are proposed in; None is the whole table.
        positions: proposed a round.
        per_position: attempts at each.
        jitter, yaw: of the attempts: noise per axis [m], and a heading [deg] or "free".
        keep: rule by which attempts are added, as it was asked for.
        kept: the same, resolved.
        also: a further query.
        train_seeds: trainings a round.
        seed: round k of attempts has this and k.
        limit: of an episode [s].
        force: train although preflight found errors.
    """

    name: str
    folder: Path
    rounds: int
    placed: tuple[str, ...]
    evaluated: tuple[str, ...]
    n_action_steps: int | None
    box: tuple[float, float, float, float] | None
    positions: int
    per_position: int
    jitter: float
    yaw: float | Literal["free"]
    keep: str
    kept: Keeping
    also: str
    train_seeds: int
    seed: int
    limit: float
    force: bool

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Loop:
        """What `as_json` gave."""
        lists = {name: tuple(told[name]) for name in ("placed", "evaluated")}
        box = None if told["box"] is None else tuple(told["box"])
        kept = Keeping.from_json(told["kept"])
        return cls(**{**told, **lists, "folder": Path(told["folder"]), "box": box, "kept": kept})


def steps_of(loop: Loop, source: Source) -> list[Step]:
    """Every command of a loop, in order."""
    found = [_evaluate(loop, "r0", run) for run in source.runs]
    before = source
    if source.where:
        words = ("filter", source.data, *flag("where", source.where), "-y", "--to", f"{loop.name}-r0-data")
        found.append(Step("r0-data", words, dataset=f"{loop.name}-r0-data"))
        before = replace(source, data=f"{loop.name}-r0-data", where="")
    for number in range(1, loop.rounds + 1):
        steps, before = _round(loop, number, before)
        found += steps
    if loop.rounds > 1:
        found.append(Step("whole-compare", ("compare", ",".join(before.runs), ",".join(source.runs))))
    return found


def runs_of(loop: Loop, number: int, recipe: Recipe) -> tuple[str, ...]:
    """Names of a round's trainings, as `studio train` names them."""
    name = f"{loop.name}-r{number}"
    if loop.train_seeds == 1:
        return (name,)
    return tuple(f"{name}-seed{recipe.seed + offset}" for offset in range(loop.train_seeds))


def _round(loop: Loop, number: int, before: Source) -> tuple[list[Step], Source]:
    mark = f"r{number}"
    attempts, kept, data = (f"{loop.name}-{mark}-{what}" for what in ("attempts", "kept", "data"))
    targets, picture, change = (str(loop.folder / f"{mark}-{what}") for what in ("targets.json", "map.png", "gain.png"))
    runs = runs_of(loop, number, before.recipe)
    asked = ("--propose", str(loop.positions), "--aim", "edge")
    proposing = ("map", before.runs[0], *asked, "--to", targets, "--picture", picture)
    steps = [
        Step(f"{mark}-map", (*proposing, *(flag("box", loop.box) if loop.box else ())), files=(targets, picture)),
        Step(f"{mark}-generate", generate_words(loop, number, before, targets, attempts), dataset=attempts),
        *judging(mark, attempts, loop.kept.classifier, loop.also, loop.kept.where),
        Step(f"{mark}-filter", kept_words(before, attempts, loop.kept.query(loop.also), kept), dataset=kept,
             ends=True),
        Step(f"{mark}-merge", ("merge", before.data, kept, "-y", "--to", data), dataset=data),
        *training(mark, data, f"{loop.name}-{mark}", runs, before, force=loop.force),
        *(_evaluate(loop, mark, run) for run in runs),
        Step(f"{mark}-gain", ("map", ",".join(runs), ",".join(before.runs), "--difference", "--picture", change),
             files=(change,)),
        Step(f"{mark}-compare", ("compare", ",".join(runs), ",".join(before.runs))),
    ]  # fmt: skip
    return steps, replace(before, runs=runs, data=data)


def generate_words(loop: Loop, number: int, before: Source, targets: str, to: str) -> tuple[str, ...]:
    """The policy's attempts at the proposed positions: all of them are recorded, what is kept of them comes after.

    They are ended by whoever keeps them, since what the judge ended tells by its length whether it succeeded.
    """
    ends = NOBODY if loop.keep == "all" else loop.keep
    words = ["generate", "--operator", f"policy:{before.runs[0]}", "--keep", "all", "--done-by", ends]
    words += ["--targets", targets]
    words += ["--per-position", str(loop.per_position), *flag("jitter", loop.jitter), *flag("yaw", loop.yaw)]
    words += ["--seed", str(loop.seed + number), *carried_words(loop.n_action_steps)]
    words += [*flag("limit", loop.limit), *(["--privileged"] if before.privileged else []), *flags_of(before.scene)]
    return (*words, "--to", to)


def carried_words(n_action_steps: int | None) -> list[str]:
    """How much of a chunk a policy carries out that makes attempts."""
    return [] if n_action_steps is None else flag("n_action_steps", n_action_steps)


def judging(mark: str, attempts: str, classifier: str, also: str, first: str) -> list[Step]:
    """What must be noted about attempts before a query can choose among them.

    Args:
        mark: begins the names of the steps.
        attempts: the dataset.
        classifier: that scores, "" for none.
        also: the query; only where it asks for survival, episodes are stressed.
        first: a query without which none is kept, so that only those that fit are stressed.
    """
    found = []
    if classifier:
        found.append(Step(f"{mark}-score", ("score", attempts, "--by", classifier)))
    if "survival" in also:
        found.append(Step(f"{mark}-stress", ("stress", attempts, *(flag("where", first) if first else ()))))
    return found


def kept_words(before: Source, attempts: str, where: str, to: str) -> tuple[str, ...]:
    """The attempts that pass, in the form of the data that they are to be merged with."""
    asked = flag("where", where) if where else []
    if before.dropped:
        return ("merge", attempts, *asked, *before.dropped, "-y", "--to", to)
    return ("filter", attempts, *asked, "-y", "--to", to)


def training(mark: str, data: str, to: str, runs: tuple[str, ...], before: Source, *, force: bool) -> list[Step]:
    """Preflight and training: the recipe of before, so as many gradient steps of the same kind."""
    recipe = recipe_words(before.recipe, images=bool(before.cameras))
    seeds = ["--train-seeds", str(len(runs))] if len(runs) > 1 else []
    look = [] if force else [Step(f"{mark}-preflight", ("preflight", data, *recipe))]
    forced = ["--force"] if force else []
    return [*look, Step(f"{mark}-train", ("train", data, *recipe, *seeds, *forced, "--to", to), runs=runs)]


def _evaluate(loop: Loop, mark: str, run: str) -> Step:
    return Step(f"{mark}-evaluate-{run}", ("evaluate", run, *loop.placed, *loop.evaluated))


def require_as_planned(step: Step, source: Source, kept: Keeping) -> None:
    """Look at what a step takes from outside of its chain, before it begins.

    Raises:
        UsageError: the dataset, the policy or the classifier is no longer what was planned with.
        DataError: the classifier or its card is gone.
    """
    if source.data in step.words:
        source.require_same()
    if {f"policy:{name}" for name in source.runs} & set(step.words):
        source.require_same_policy()
    if step.words[0] == "score" or f"{CLASSIFIER}{kept.classifier}" in step.words:
        kept.require_same_classifier()
