"""What an evaluation found, in a table: outcomes, phases, success, each with its count and 95 % interval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean, median
from typing import Any

from curation.frames import Outcome
from curation.rates import Rate, wilson

from .rows import PHASES, Row

RACED = (
    "  A sweep chose a checkpoint by these very episodes: their rates are no estimate of how it does. Another --seed\n"
    "  gives fresh placements; the sweep's own rate on fresh ones is in best.json."
)


def summarised(rows: Sequence[Row]) -> dict[str, Any]:
    """Numbers of the table, JSON values."""
    feasible = [row for row in rows if row["feasible"]]
    counts = Counter(row["outcome"] for row in rows)
    times = [row["seconds"] for row in rows if row["success"]]
    calls = [row["call_ms"] for row in rows if row["call_ms"] is not None]
    return {
        "episodes": len(rows),
        "feasible_episodes": len(feasible),
        "outcomes": {one.value: _json(wilson(counts[one.value], len(rows))) for one in Outcome if counts[one.value]},
        "phases": {name: _rate(rows, lambda row, name=name: row["phases"][name]) for name in PHASES},
        "success": _rate(rows, lambda row: row["success"]),
        "clean_success": _rate(rows, lambda row: row["clean"]),
        "feasible_success": _rate(feasible, lambda row: row["success"]),
        "feasible_clean_success": _rate(feasible, lambda row: row["clean"]),
        "median_success_s": median(times) if times else None,
        "call_ms": round(fmean(calls), 2) if calls else None,
        "errors": [{"index": row["index"], "error": row["error"]} for row in rows if row.get("error")],
    }


def table(told: Mapping[str, Any], rows: Sequence[Row], name: str, *, raced: bool = False) -> str:
    """For people.

    Args:
        told: evaluation.json.
        rows: in order.
        name: of the checkpoint.
        raced: whether a checkpoint was chosen by these episodes.
    """
    found = summarised(rows)
    lines = [f"{name}{' (privileged: it sees the block)' if told.get('privileged') else ''}", _conditions(told), ""]
    width = max(len(one.value) for one in Outcome)
    lines += [f"  {outcome:<{width}}  {_words(rate)}" for outcome, rate in found["outcomes"].items()]
    lines += ["", "  phases got through: " + ", ".join(_short(phase, rate) for phase, rate in found["phases"].items())]
    everywhere = found["feasible_episodes"] == found["episodes"]
    lines += ["", *([RACED] if raced else []), *(_successes(found, "all", "") if everywhere else _both(found))]
    if found["median_success_s"] is not None:
        lines.append(f"  median time of a success: {found['median_success_s']:.1f} s")
    if found["errors"]:
        first = found["errors"][0]
        lines.append(f"  {len(found['errors'])} episodes broke off; number {first['index']}: {first['error']}")
    return "\n".join(lines)


def _both(found: Mapping[str, Any]) -> list[str]:
    left = found["episodes"] - found["feasible_episodes"]
    return [
        *_successes(found, "all", " at all places"),
        *_successes(found, "feasible", f" where the arm can do it ({left} elsewhere)"),
    ]


def _successes(found: Mapping[str, Any], which: str, where: str) -> list[str]:
    prefix = "feasible_" if which == "feasible" else ""
    return [
        f"  success{where}: {_words(found[f'{prefix}success'])}",
        f"  clean success{where}: {_words(found[f'{prefix}clean_success'])}",
    ]


def _conditions(told: Mapping[str, Any]) -> str:
    places, settings, scene = told["placements"], told["settings"], told["scene"]
    yaw = places["yaw"] if isinstance(places["yaw"], str) else f"{places['yaw']:g} deg"
    asks = f"n_action_steps {settings['n_action_steps']}"
    if settings["ensemble"] is not None:
        asks = f"temporal ensembling {settings['ensemble']:g}"
    parts = [
        f"{_where(places)}, seed {places['seed']}, jitter {1e3 * places['jitter']:g} mm, yaw {yaw}",
        f"limit {told['limit_frames'] / told['fps']:g} s",
        f"servo {scene['scene']['servo']}, scene {scene['fingerprint']}",
        f"{asks}, batch {settings['batch']}, {settings['device']}",
    ]
    if settings["latency"] != "0":
        parts.append(f"latency {settings['latency']}{'' if settings['latency'] == 'real' else ' ms'}")
    if settings["blind"]:
        parts.append(f"blind {', '.join(settings['blind'])}")
    if settings.get("task"):
        parts.append(f'told "{settings["task"]}"')
    return "; ".join(parts)


def _where(places: Mapping[str, Any]) -> str:
    match places["kind"]:
        case "at":
            return "at {:g} {:g}".format(*places["at"])
        case "box":
            return "in box {:g} {:g} {:g} {:g}".format(*places["box"])
        case "grid":
            return "grid {} x {} over {:g} {:g} {:g} {:g}".format(*places["grid"], *places["box"])
        case _:
            return f"{len(places['targets'])} targets"


def _rate(rows: Sequence[Row], holds: Any) -> dict[str, Any]:
    return _json(wilson(sum(bool(holds(row)) for row in rows), len(rows)))


def _json(rate: Rate) -> dict[str, Any]:
    return {"k": rate.k, "n": rate.n, "low": rate.low, "high": rate.high}


def _words(rate: Mapping[str, Any]) -> str:
    share = f"{100 * rate['k'] / rate['n']:.0f} %" if rate["n"] else "-"
    return f"{share} ({Rate(**rate).of('episodes')})"


def _short(phase: str, rate: Mapping[str, Any]) -> str:
    return f"{phase} {rate['k']}/{rate['n']} [{100 * rate['low']:.0f}-{100 * rate['high']:.0f} %]"
