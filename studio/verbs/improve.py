"""improve: a policy tries where it is unsure, what succeeds is added to its data, and it is trained anew."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.rates import Rate, wilson
from curation.store import Store
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.chain import Chain, folder_of, planned, shown, stored, work
from studio.console import Console
from studio.edits import Yes
from studio.foreseen import require_possible
from studio.fresh import require_fresh_attempts, require_fresh_loop
from studio.improving import Loop, Source, require_as_planned, runs_of, source_of, steps_of
from studio.keeping import keeping
from studio.options import Episodes, Name, Where
from studio.paths import dataset_path
from studio.steps import Step
from studio.verbs.evaluate import Carried
from studio.words import asked_by, flag, flags_of
from training.compare import LEAST
from training.verdict import ONE_TRAINING, points

REPORT = "report.json"


@dataclass(frozen=True, kw_only=True)
class Improve:
    """Let a policy improve itself: map, proposed positions, attempts, filter, merge, preflight, train, map again.

    Each round trains the same recipe on all data so far. The plan is shown first, every step is a command of its own,
    and the same command again goes on wherever it was interrupted.
    """

    run: Name
    """A finished training, or a group of them with several seeds; the first one drives."""
    to: str
    """Name of the whole: its folder under STUDIO_RUNS. Datasets and runs are called NAME-r1-attempts, NAME-r1 ..."""
    rounds: int = 1
    """How often the loop is gone through."""
    placed: Where = field(default_factory=Where)
    episodes: Episodes = None
    """Episodes of every evaluation; by default 20, and one per position of --grid and --targets."""
    eval_seed: int = 1000
    """Of the placements of every evaluation, the same in all rounds."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds, of evaluations and attempts."""
    carried: Carried = field(default_factory=Carried)
    propose: int = 20
    """Positions proposed in a round: where the policy succeeds about every other time, within --box if there is one."""
    per_position: int = 5
    """Attempts at each of them."""
    spread: float = 0.01
    """Uniform noise of the attempts' placements per axis in metres; their heading is as --yaw says."""
    keep: str = "judge"
    """Which attempts are added: judge (those that the simulator calls a success), classifier:NAME (those it scores at
    its card's threshold or more), or all."""
    also: str = ""
    """What else they must fit, such as "survival>=0.8" (they are stressed first) or "clean"."""
    train_seeds: int = 1
    """Trainings a round; 3 say something about the recipe, if --run has as many."""
    seed: int = 2000
    """Of the attempts; round 1 has this and one, and so on. Recordings begin at 0, evaluations at 1000,
    experiments at 3000, so these placements are fresh ones."""
    yes: Yes = False
    """Begin without asking."""
    force: bool = False
    """Train although preflight found errors."""
    json: bool = False
    """Print the report as JSON."""


def improve(options: Improve, console: Console) -> int:
    """Plan, show, ask, go on with what is left, report."""
    chain = going_on(options, console) or _begun(options, console)
    if chain is None:
        console.step("Nothing was begun.")
        return 0
    loop, source = known_of(chain)
    console.about(loop.folder)

    def look(step: Step) -> None:
        require_as_planned(step, source, loop.kept)
        require_fresh_attempts(loop, chain.steps, step)

    work(chain, console, look)
    lines, data = report(chain, loop, source)
    write_aside(loop.folder / REPORT, json.dumps(data, indent=2, default=str).encode() + b"\n")
    console.result("\n".join(lines), data)
    return 0


def going_on(options: Any, console: Console) -> Chain | None:
    """The chain that the same command began, shown; None if there is none. Errors as `stored`."""
    chain = stored(folder_of(options.to), asked_by(options, "yes", "json"))
    if chain is not None:
        console.step(shown(chain.steps))
    return chain


def _begun(options: Improve, console: Console) -> Chain | None:
    """A new chain that was agreed to."""
    loop, source = loop_of(options), source_of(options.run)
    steps = steps_of(loop, source)
    require_possible(steps)
    require_fresh_loop(loop, source, steps)
    return begun(options, console, loop.folder, steps, {"loop": loop.as_json(), "source": source.as_json()})


def begun(options: Any, console: Console, folder: Path, steps: Sequence[Step], known: dict[str, Any]) -> Chain | None:
    """A new chain: shown, and agreed to; None if it is not."""
    console.step(shown(steps))
    if not options.yes and not agreed(f"Begin these {len(steps)} commands?"):
        return None
    return planned(folder, steps, asked_by(options, "yes", "json"), known)


def known_of(chain: Chain) -> tuple[Loop, Source]:
    """What a chain was planned with.

    Raises:
        DataError: it is damaged.
    """
    try:
        return Loop.from_json(chain.known["loop"]), Source.from_json(chain.known["source"])
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{chain.folder} holds no loop: {error}.") from error


def agreed(question: str) -> bool:
    """Whether the person says yes.

    Raises:
        UsageError: nobody is there.
    """
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here; say -y to begin what was shown.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def loop_of(options: Improve) -> Loop:
    """What is asked, checked.

    Raises:
        UsageError: something makes no sense.
    """
    for name in ("rounds", "propose", "per_position", "train_seeds"):
        if getattr(options, name) < 1:
            raise UsageError(f"--{name.replace('_', '-')} {getattr(options, name)} must be at least 1.")
    if options.seed < 0 or options.spread < 0:
        raise UsageError("--seed and --spread must not be negative.")
    if options.seed < options.eval_seed <= options.seed + options.rounds:
        raise UsageError(
            f"--eval-seed {options.eval_seed} is a seed of the attempts too ({options.seed + 1} to "
            f"{options.seed + options.rounds}): choose another, or it would be trained where it is tried."
        )
    options.placed.placing()
    episodes = [] if options.episodes is None else ["-n", str(options.episodes)]
    evaluated = [*episodes, "--seed", str(options.eval_seed), *flag("limit", options.limit), *flags_of(options.carried)]
    return Loop(
        name=options.to,
        folder=folder_of(options.to),
        rounds=options.rounds,
        placed=tuple(flags_of(options.placed)),
        evaluated=tuple(evaluated),
        n_action_steps=options.carried.n_action_steps,
        box=options.placed.box,
        positions=options.propose,
        per_position=options.per_position,
        jitter=options.spread,
        yaw=options.placed.yaw,
        keep=options.keep,
        kept=keeping(options.keep),
        also=options.also,
        train_seeds=options.train_seeds,
        seed=options.seed,
        limit=options.limit,
        force=options.force,
    )


def report(chain: Chain, loop: Loop, source: Source) -> tuple[list[str], dict[str, Any]]:
    """What came of every round: attempts, what was added, and the gain per added episode with its interval."""
    lines, rounds, before = [], [], source.runs
    ended = None
    for number in range(1, loop.rounds + 1):
        mark, runs = f"r{number}", runs_of(loop, number, source.recipe)
        good = _tried(loop, mark)
        if chain.ended is not None and chain.ended.name.startswith(f"{mark}-"):
            ended = {"round": number, "attempts": good.n, "succeeded": good.k, "passed": 0}
            lines += _end_lines(loop, number, good, before)
            break
        added = Store.open(dataset_path(f"{loop.name}-{mark}-kept")).total_episodes
        told = gain(chain.result(f"{mark}-compare"), added)
        lines += [
            f"round {number}: {good.of('attempts succeeded')}; {added} episodes added ({loop.keep})",
            *(f"  {line}" for line in gain_lines(told, ", ".join(runs), ", ".join(before))),
        ]
        rounds.append({"round": number, "attempts": good.n, "succeeded": good.k, "added": added, **told})
        before = runs
    whole = None
    if loop.rounds > 1 and ended is None:
        whole = gain(chain.result("whole-compare"), sum(int(one["added"]) for one in rounds))
        lines += ["in all:", *(f"  {line}" for line in gain_lines(whole, ", ".join(before), ", ".join(source.runs)))]
    lines += _caveats(loop, source)
    told = {"rounds": rounds, "ended": ended, "whole": whole, "caveats": _caveats(loop, source)}
    return lines, {**told, "folder": str(chain.folder)}


def _tried(loop: Loop, mark: str) -> Rate:
    """Of a round's attempts, how many succeeded."""
    rows = Store.open(dataset_path(f"{loop.name}-{mark}-attempts")).rows()
    return wilson(sum(row.success for row in rows), len(rows))


def _end_lines(loop: Loop, number: int, good: Rate, before: Sequence[str]) -> list[str]:
    """What is said of a round that found nothing to add, and of the ways on."""
    asked = " ".join(filter(None, (loop.keep, loop.also)))
    return [
        f"round {number}: 0 of {good.n} attempts passed; nothing to add ({asked}; {good.of('attempts succeeded')})",
        "  The loop ends here. Ways on, each under another --to: another --box, more attempts (--propose, "
        f"--per-position), another --keep or --also; studio improve {before[0]} begins with the last policy.",
    ]


def gain(compared: dict[str, Any], added: int) -> dict[str, Any]:
    """The difference of success that a comparison found, and what that is per added episode.

    Args:
        compared: what `studio compare` gave, the later policy first.
        added: episodes.
    """
    found = compared.get("paired") or compared.get("recipes")
    if found is None:
        return {"level": compared["level"], "episodes": compared["episodes"], "difference": None, "better": None}
    ends = {name: float(found[name]) for name in ("difference", "low", "high")}
    per = {f"{name}_per_episode": value / added for name, value in ends.items()} if added else {}
    return {
        "level": compared["level"], "episodes": compared["episodes"], **ends, **per, "better": compared["better"],
    }  # fmt: skip


def gain_lines(told: dict[str, Any], after: str, before: str) -> list[str]:
    """The same for people."""
    if told["difference"] is None:
        return [f"{after} less {before}: inconclusive, too few trainings to compare recipes"]
    unit = "two checkpoints" if told["level"] == "checkpoint" else "two recipes"
    verdict = {"A": "better", "B": "worse", None: "inconclusive"}[told["better"]]
    lines = [
        f"{after} less {before}: {points(told['difference'])} points, 95 % CI {points(told['low'])} to "
        f"{points(told['high'])}, on {told['episodes']} shared episodes ({unit}): {verdict}"
    ]
    if "difference_per_episode" in told:
        low, high = (f"{100 * told[f'{end}_per_episode']:+.2f}" for end in ("low", "high"))
        lines.append(
            f"gain per added episode: {100 * told['difference_per_episode']:+.2f} points, 95 % CI {low} to {high}"
        )
    return lines


def _caveats(loop: Loop, source: Source) -> list[str]:
    """What these numbers do not say."""
    found: Sequence[str] = [
        "The positions were proposed from evaluations at these very placements: studio evaluate with another --seed "
        "says how it is elsewhere.",
        "Whether the filter did it, or any further episodes would have, is what studio experiment filter asks.",
    ]
    if min(loop.train_seeds, len(source.runs)) < LEAST:
        found = [f"Where a round is {ONE_TRAINING}; --train-seeds {LEAST} of both would.", *found]
    if source.privileged:
        found = ["The policy sees the block's pose, as no robot does: this is plumbing, not a result.", *found]
    return list(found)
