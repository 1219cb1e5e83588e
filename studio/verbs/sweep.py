"""sweep: which checkpoint of a training is best, with as few episodes as it takes, tried again on fresh seeds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import UsageError
from curation.rates import Rate, wilson
from studio.console import Console
from studio.options import Name, Where
from studio.paths import runs_home
from studio.verbs.evaluate import Carried, Evaluate, Evaluated, World, evaluated
from training.checkpoint_card import BEST, checkpoints
from training.rows import Row
from training.runs import opened
from training.sequential import ERROR, Race, Standing

ROUND = 10
"""Episodes that every candidate gets before one is judged again."""
FRESH = 1_000_000
"""Added to the seed for the test of the winner: its rate in the race is too good, since it was chosen by it."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Find a run's best checkpoint: all race on the same placements, those that are beaten drop out, and the winner is
    tried on fresh ones. Writes best.json, which @best reads."""

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
    """Of every placement."""
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

    def of(self, checkpoint: Path, seed: int, episodes: int) -> Evaluate:
        """The evaluation of one checkpoint."""
        return Evaluate(
            checkpoint=str(checkpoint), where=self.where, episodes=episodes, seed=seed, limit=self.limit,
            world=self.world, carried=self.carried, batch=self.batch, device=self.device, threads=self.threads,
            processes=self.processes,
        )  # fmt: skip


def sweep(options: Sweep, console: Console) -> int:
    """Race, test the winner on fresh seeds, write best.json."""
    run = opened(runs_home(), options.run)
    candidates = _candidates(options, run.folder)
    standing, rows = _race(options, console, candidates)
    best = _best(standing, rows)
    console.step(f"{best} on {options.fresh} fresh placements")
    test = evaluated(options.of(candidates[best], options.seed + FRESH, options.fresh), console)
    told = _told(options, standing, rows, best, test)
    write_aside(run.folder / BEST, json.dumps(told, indent=2).encode() + b"\n")
    console.result(_text(run.name, told), told)
    return 0


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


def _race(options: Sweep, console: Console, candidates: dict[str, Path]) -> tuple[Standing, dict[str, tuple[Row, ...]]]:
    """Rounds of equal placements for all who are not beaten; one candidate alone has won."""
    rows: dict[str, tuple[Row, ...]] = dict.fromkeys(candidates, ())
    if len(candidates) == 1:
        (only,) = candidates
        return Standing("winner", only, (only,), {}), rows
    race = Race(tuple(candidates), options.most, ERROR)
    done = 0
    while race.standing.state == "continue":
        reach = min(done + ROUND, options.most)
        for name in race.standing.alive:
            rows[name] = evaluated(options.of(candidates[name], options.seed, reach), console).rows
            for row in rows[name][done:]:
                race.add(name, row["index"], row["success"])
        done = reach
        console.step(f"after {done} episodes: {_line(race.standing, rows)}")
        console.advance(done, options.most)
    return race.standing, rows


def _line(standing: Standing, rows: dict[str, tuple[Row, ...]]) -> str:
    alive = ", ".join(f"{name} {_rate(rows[name]).k}/{len(rows[name])}" for name in standing.alive)
    return f"{alive}; beaten: {', '.join(standing.beaten) or 'none'}"


def _best(standing: Standing, rows: dict[str, tuple[Row, ...]]) -> str:
    """The winner; of those whom nobody has beaten the most successful, and of equals the last."""
    if standing.winner is not None:
        return standing.winner
    return max(standing.alive, key=lambda name: (_rate(rows[name]).k, int(name)))


def _rate(rows: Sequence[Row]) -> Rate:
    return wilson(sum(row["success"] for row in rows), len(rows))


def _told(
    options: Sweep, standing: Standing, rows: dict[str, tuple[Row, ...]], best: str, test: Evaluated
) -> dict[str, Any]:
    decided = standing.winner is not None
    why = "nobody else raced" if len(rows) == 1 else "it beat all others" if decided else "nobody is known to be better"
    return {
        "version": 1,
        "checkpoint": best,
        "why": why,
        "decided": decided,
        "error": ERROR,
        "race": [
            {"checkpoint": name, **_numbers(_rate(mine)), "beaten_by": standing.beaten.get(name)}
            for name, mine in rows.items()
        ],
        "fresh": _numbers(_rate(test.rows)),
        "seed": options.seed,
        "fresh_seed": options.seed + FRESH,
        "evaluation": str(test.folder),
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _numbers(rate: Rate) -> dict[str, Any]:
    return {"k": rate.k, "n": rate.n, "low": rate.low, "high": rate.high}


def _text(run: str, told: dict[str, Any]) -> str:
    lines = [f"{run}: {len(told['race'])} checkpoints on the same placements, seed {told['seed']}"]
    for entry in told["race"]:
        rate = Rate(**{name: entry[name] for name in ("k", "n", "low", "high")})
        beaten = f", beaten by {entry['beaten_by']}" if entry["beaten_by"] else ""
        lines.append(f"  {entry['checkpoint']}  {rate.of('episodes')}{beaten}")
    fresh = Rate(**told["fresh"])
    lines += [
        "",
        f"  best: {run}@{told['checkpoint']}, as {told['why']} (chance of any wrong claim at most {told['error']:g})",
        f"  on fresh placements: {100 * fresh.k / fresh.n:.0f} % ({fresh.of('episodes')}); {run}@best is this one",
    ]
    return "\n".join(lines)
