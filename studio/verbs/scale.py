"""scale: how success grows with the number of demonstrations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from curation.errors import TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.store import Store
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.console import Console
from studio.options import Episodes, Name, Where
from studio.paths import dataset_path, run_path
from studio.retraining import Wanted, standing, trained
from studio.training_options import Training
from studio.verbs.evaluate import Carried, Evaluate, World, evaluated
from training.bootstrap import group_rate
from training.checkpoint_card import checkpoints
from training.evaluated import Evaluation, read_evaluation
from training.runs import Run
from training.scale import Point, nested, picture, usual_counts
from training.subset import Subset
from training.verdict import ONE_TRAINING


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Train on 1, 2, 5, ... episodes, nested random subsets of a dataset, and evaluate every checkpoint.

    The same command again goes on where it was interrupted.
    """

    dataset: Name
    """A dataset."""
    to: str
    """Begins the names of the runs: NAME-n0005 is the one of five episodes."""
    counts: tuple[int, ...] = ()
    """Episodes to train on; by default 1 2 5 10 20 50 and on, and all."""
    repeats: int = 1
    """Trainings of each amount, each with subsets and a seed of its own: what one training says is luck."""
    training: Training = field(default_factory=Training)
    placed: Where = field(default_factory=Where)
    episodes: Episodes = None
    """Episodes of each evaluation; by default 20, and one per position of --grid and --targets."""
    eval_seed: int = 1000
    """Of the placements of every evaluation."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    world: World = field(default_factory=World)
    carried: Carried = field(default_factory=Carried)
    last_only: bool = False
    """Evaluate the last checkpoint of each training only."""
    eval_only: bool = False
    """Train nothing; evaluate what this very command trained to its end before."""
    picture: Path | None = None
    """Draw the curve to this new PNG file."""
    force: bool = False
    """Train although preflight found errors."""
    json: bool = False
    """Print everything as JSON."""


def scale(options: Scale, console: Console) -> int:
    """Train, evaluate, and print the curve."""
    if options.repeats < 1:
        raise UsageError(f"--repeats {options.repeats} must be at least 1.")
    if options.picture is not None and options.picture.exists():
        raise TargetExists(options.picture, "Choose another name.")
    store = Store.open(dataset_path(options.dataset))
    everything = options.training.chosen(store)
    counts = options.counts or usual_counts(len(everything.indices))
    wanted = [one for repeat in range(options.repeats) for one in _trainings(options, everything, counts, repeat)]
    found: dict[tuple[int, int], list[Evaluation]] = defaultdict(list)
    last: set[tuple[int, int]] = set()
    for number, one in enumerate(wanted):
        run = _run(options, one, console)
        console.advance(number, len(wanted))
        if run is None:
            continue
        steps = checkpoints(run.folder)
        for name, folder in steps.items():
            is_last = name == next(reversed(steps))
            if options.last_only and not is_last:
                continue
            key = (len(one.chosen.indices), int(name))
            found[key].append(_evaluation(options, folder, console))
            last |= {key} if is_last else set()
    if not found:
        raise UsageError(f"No training of {options.to} has a checkpoint; leave --eval-only away to train.")
    curve = [_point(key, each, last=key in last) for key, each in sorted(found.items())]
    note = next(iter(found.values()))[0].conditions_words
    if options.picture is not None:
        from training.sheet import save

        save(picture(curve, f"{options.dataset}: success by number of episodes", note), options.picture)
        console.step(f"{options.picture} is drawn.")
    console.result("\n".join(_text(options, curve, note)), _data(options, curve, found))
    return 0


def _trainings(options: Scale, everything: Subset, counts: Sequence[int], repeat: int) -> list[Wanted]:
    """One for each amount, its episodes part of the next one's."""
    recipe = options.training.recipe(everything.store)
    recipe = recipe.with_seed(recipe.seed + repeat)
    home = run_path(options.to)
    found = []
    for count, indices in nested(everything.indices, counts, recipe.seed).items():
        group = f"{home.name}-n{count:04d}"
        folder = home.with_name(group if options.repeats == 1 else f"{group}-seed{recipe.seed}")
        where = f"{count} episodes drawn with seed {recipe.seed}; {options.training.where}".rstrip("; ")
        found.append(Wanted(folder, group, Subset(everything.store, indices), recipe, where))
    return found


def _run(options: Scale, wanted: Wanted, console: Console) -> Run | None:
    """The finished training; None if nothing is to be trained and it is not there.

    Raises:
        UsageError: a training of other episodes or settings lies in its place.
    """
    if not options.eval_only:
        console.step(f"{wanted.folder.name}: {len(wanted.chosen.indices)} episodes")
        return trained(wanted, console, force=options.force)
    found = standing(wanted, fingerprint(wanted.chosen.store))
    if found != "done":
        # Its newest checkpoint is not its last one, and would be drawn as if it were.
        why = "was not trained" if found == "new" else "is not trained to its end"
        console.step(f"{wanted.folder.name} {why} and is left out.")
        return None
    return Run(wanted.folder)


def _evaluation(options: Scale, folder: Path, console: Console) -> Evaluation:
    """Of exactly the episodes that are asked for."""
    asked = Evaluate(
        checkpoint=str(folder), where=options.placed, episodes=options.episodes, seed=options.eval_seed,
        limit=options.limit, world=options.world, carried=options.carried, device=options.training.device,
    )  # fmt: skip
    done = evaluated(asked, console)
    whole, wanted = read_evaluation(done.folder), {row["index"] for row in done.rows}
    return replace(whole, rows=tuple(row for row in whole.rows if row.index in wanted))


def _point(key: tuple[int, int], found: Sequence[Evaluation], *, last: bool) -> Point:
    outcomes = [np.array([row.success for row in one.feasible], bool) for one in found]
    if any(len(each) == 0 for each in outcomes):
        raise UsageError("No placement of this evaluation is feasible, so nothing can be said about success.")
    return Point(*key, last, group_rate(outcomes))


def _text(options: Scale, curve: Sequence[Point], note: str) -> list[str]:
    lines = [f"{options.dataset}, nested random subsets: {note}", f"  {'episodes':>8} {'step':>8}  success"]
    lines += [
        f"  {point.episodes:>8} {point.step:>8}  {point.rate.words}{'' if point.last else '  (not the last)'}"
        for point in curve
    ]
    if options.repeats < 3:
        lines.append(f"Each amount is {ONE_TRAINING}; --repeats 3 would." if options.repeats == 1 else
                     "Two trainings of each amount say little about the recipe; --repeats 3 would.")  # fmt: skip
    return lines


def _data(options: Scale, curve: Sequence[Point], found: dict[tuple[int, int], list[Evaluation]]) -> dict[str, Any]:
    return {
        "dataset": options.dataset,
        "conditions": next(iter(found.values()))[0].conditions,
        "points": [
            {**asdict(point), "evaluations": [str(one.folder) for one in found[point.episodes, point.step]]}
            for point in curve
        ],
    }
