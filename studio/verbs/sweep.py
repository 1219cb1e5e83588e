"""sweep: which checkpoint of a training is best, with as few episodes as it takes, tried again on fresh seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from curation.atomic import write_aside
from curation.errors import UsageError
from curation.frames import Placement
from curation.rates import Rate, wilson
from recorders.placements import start_as_asked
from studio.console import Console
from studio.options import Name, Where
from studio.paths import runs_home
from studio.shuffled import Shuffled
from studio.verbs.evaluate import Carried, Evaluate, Evaluated, World, evaluated
from training.best import BEST, race_of, read_best
from training.checkpoint_card import checkpoints
from training.rows import Row
from training.runs import opened
from training.sequential import ERROR, Race, Standing, anytime_interval

ROUND = 10
"""Episodes that every candidate gets before one is judged again."""
RACE, FRESH = 1, 2
"""Streams of the seed: placements of the race, and of the winner's test, since its rate in the race is too good: it was
chosen by it. Neither is what `studio evaluate` draws from the same seed."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Find a run's best checkpoint: all race on the same placements, those that are beaten drop out, and the winner is
    tried on fresh ones. Positions of a grid or list come in random order. Writes best.json, which @best reads."""

    run: Name
    """A run."""
    steps: tuple[int, ...] = ()
    """Steps of the checkpoints to race; by default all."""
    where: Where = field(default_factory=Where)
    most: int = 60
    """Episodes of a checkpoint after which the race ends undecided."""
    fresh: int = 40
    """Episodes of the winner on fresh seeds."""
    seed: int = 1000
    """Of every placement and of the order; the race's and the fresh ones are drawn from it each in its own stream."""
    limit: float = Evaluate.limit
    """Time limit of an episode in seconds."""
    world: World = field(default_factory=World)
    carried: Carried = field(default_factory=Carried)
    batch: int = 0
    """Worlds in one forward pass, as in studio evaluate."""
    device: str = "auto"
    """Where the policies run."""
    threads: int = 1
    """Of PyTorch on a CPU."""
    processes: int = 0
    """Batches worked on at once; 0 chooses."""
    json: bool = False
    """Print what was found as JSON."""

    def stream(self, which: int) -> int:
        """The seed of `RACE` or of `FRESH`."""
        return int(np.random.SeedSequence([self.seed, which]).generate_state(1)[0])

    def of(self, checkpoint: Path, which: int, episodes: int) -> Evaluate:
        """The evaluation of one checkpoint in the race, or on fresh placements."""
        seed = self.stream(which)
        return Evaluate(
            checkpoint=str(checkpoint), where=Shuffled.of(self.where, seed), episodes=episodes, seed=seed,
            limit=self.limit, world=self.world, carried=self.carried, batch=self.batch, device=self.device,
            threads=self.threads, processes=self.processes,
        )  # fmt: skip


def sweep(options: Sweep, console: Console) -> int:
    """Race, test the winner on fresh seeds, write best.json."""
    run = opened(runs_home(), options.run)
    candidates = _candidates(options, run.folder)
    _require_fresh(options)
    standing, raced = _race(options, console, candidates)
    best = _best(standing, raced)
    console.step(f"{best} on {options.fresh} fresh placements")
    test = evaluated(options.of(candidates[best], FRESH, options.fresh), console)
    told = _told(options, standing, raced, best, test)
    # Whoever sweeps again and again chooses by all of it.
    told["raced"] = sorted(race_of(read_best(run.folder)) | race_of(told))
    write_aside(run.folder / BEST, json.dumps(told, indent=2).encode() + b"\n")
    console.result(_text(run.name, told), told)
    return 0


def _require_fresh(options: Sweep) -> None:
    """Refuse placements of which there are no others: a winner tried where it won has proved nothing."""
    race, fresh = (_placements(options, *each) for each in ((RACE, options.most), (FRESH, options.fresh)))
    if race & fresh:
        raise UsageError(
            "The winner has to be tried on placements that it was not chosen by, and these do not change with the "
            "seed. Give --jitter, --yaw free, or a --box without --grid; positions files without rotations."
        )


def _placements(options: Sweep, which: int, episodes: int) -> set[Placement]:
    seed = options.stream(which)
    placing = Shuffled.of(options.where, seed).placing()
    return {start_as_asked(placing, seed, index).placement for index in range(episodes)}


def _candidates(options: Sweep, run: Path) -> dict[str, Path]:
    if options.most < 1 or options.fresh < 1:
        raise UsageError(f"--most {options.most} and --fresh {options.fresh} must be at least 1.")
    found = checkpoints(run)
    missing = [step for step in options.steps if step not in {int(name) for name in found}]
    if missing:
        listed = ", ".join(found) or "none"
        raise UsageError(f"{run.name} has no checkpoint of step {missing[0]}; it has {listed}.")
    chosen = {name: path for name, path in found.items() if not options.steps or int(name) in options.steps}
    if not chosen:
        raise UsageError(f"{run.name} has no checkpoint yet.")
    return chosen


def _race(options: Sweep, console: Console, candidates: dict[str, Path]) -> tuple[Standing, dict[str, Evaluated]]:
    """Rounds of equal placements for all who are not beaten; one candidate alone has won."""
    if len(candidates) == 1:
        (only,) = candidates
        return Standing("winner", only, (only,), {}), {}
    raced: dict[str, Evaluated] = {}
    race = Race(tuple(candidates), options.most, ERROR)
    done = 0
    # So few episodes that nobody could be beaten still say who did best.
    while not raced or race.standing.state == "continue":
        reach = min(done + ROUND, options.most)
        for name in race.standing.alive:
            raced[name] = evaluated(options.of(candidates[name], RACE, reach), console)
            for row in raced[name].rows[done:]:
                # Where the arm cannot do it, luck decides; such places are nobody's point.
                race.add(name, row["index"], row["feasible"] and row["success"])
        done = reach
        console.step(f"after {done} episodes: {_line(race.standing, raced)}")
        console.advance(done, options.most)
    return race.standing, raced


def _line(standing: Standing, raced: dict[str, Evaluated]) -> str:
    rates = {name: _rate(raced[name].rows) for name in standing.alive}
    alive = ", ".join(f"{name} {rate.k}/{rate.n}" for name, rate in rates.items())
    return f"{alive} where the arm can do it; beaten: {', '.join(standing.beaten) or 'none'}"


def _best(standing: Standing, raced: dict[str, Evaluated]) -> str:
    """The winner; of those whom nobody has beaten the most successful, and of equals the last."""
    if standing.winner is not None:
        return standing.winner
    return max(standing.alive, key=lambda name: (_rate(raced[name].rows).k, int(name)))


def _rate(rows: Sequence[Row]) -> Rate:
    """Where the arm can do it."""
    good = [row for row in rows if row["feasible"]]
    return wilson(sum(row["success"] for row in good), len(good))


def _told(
    options: Sweep, standing: Standing, raced: dict[str, Evaluated], best: str, test: Evaluated
) -> dict[str, Any]:
    decided = standing.winner is not None
    why = "nobody else raced" if not raced else "it beat all others" if decided else "nobody is known to be better"
    return {
        "version": 1,
        "checkpoint": best,
        "digest": test.told["checkpoint_digest"],
        "why": why,
        "decided": decided,
        "error": ERROR,
        "race": [_entry(name, mine, standing.beaten.get(name)) for name, mine in raced.items()],
        "fresh": _numbers(_rate(test.rows)),
        "fresh_all": _numbers(_everywhere(test.rows)),
        "seed": options.seed,
        "race_seed": options.stream(RACE),
        "fresh_seed": options.stream(FRESH),
        "placements": test.told["placements"],
        "evaluation": str(test.folder),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _entry(name: str, mine: Evaluated, beaten_by: str | None) -> dict[str, Any]:
    """A candidate in the race. How many episodes it got was decided by results, so its interval holds at any number."""
    rate = _rate(mine.rows)
    low, high = anytime_interval(rate.k, rate.n)
    return {
        "checkpoint": name,
        **_numbers(Rate(rate.k, rate.n, low, high)),
        "all": _numbers(_everywhere(mine.rows)),
        "beaten_by": beaten_by,
        "evaluation": mine.folder.name,
    }


def _everywhere(rows: Sequence[Row]) -> Rate:
    return wilson(sum(row["success"] for row in rows), len(rows))


def _numbers(rate: Rate) -> dict[str, Any]:
    return {"k": rate.k, "n": rate.n, "low": rate.low, "high": rate.high}


def _text(run: str, told: dict[str, Any]) -> str:
    race = told["race"]
    lines = (
        [f"{run}: {len(race)} checkpoints on the same placements in random order, seed {told['seed']}"] if race else []
    )
    for entry in race:
        rate = Rate(**{name: entry[name] for name in ("k", "n", "low", "high")})
        beaten = f", beaten by {entry['beaten_by']}" if entry["beaten_by"] else ""
        lines.append(f"  {entry['checkpoint']}  {_where(rate, entry['all'])}{beaten}")
    fresh = Rate(**told["fresh"])
    share = f"{100 * fresh.k / fresh.n:.0f} % " if fresh.n else ""
    lines += [
        "",
        f"  best: {run}@{told['checkpoint']}, as {told['why']} (chance of any wrong claim at most {told['error']:g})",
        f"  on fresh placements: {share}({_where(fresh, told['fresh_all'])}); {run}@best is this one",
    ]
    return "\n".join(lines)


def _where(rate: Rate, everywhere: dict[str, Any]) -> str:
    """Where the arm can do it; and at all places, if those are more."""
    if everywhere["n"] == rate.n:
        return rate.of("episodes")
    return f"{rate.of('feasible episodes')}; {Rate(**everywhere).of('at all places')}"
