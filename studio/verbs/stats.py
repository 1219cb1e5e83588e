"""stats: a dataset's statistics, computed anew from its data; compared with those stored, or written over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from curation.errors import BAD_DATA, OK, UsageError
from curation.histograms import Images
from curation.restat import CODING, ROUNDING, Difference, differences, repair, restate, stored_whole, worst
from curation.store import Store
from studio.console import Console
from studio.options import Name, process_count
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Stats:
    """Show, verify or repair a dataset's statistics. Exit code 3 if --verify finds a difference."""

    dataset: Name
    """A LeRobot v3 dataset, the studio's or others'."""
    verify: bool = False
    """Compute everything anew and name each feature whose stored statistics differ."""
    repair: bool = False
    """Compute everything anew and write it over what is stored, in stats.json and for each episode."""
    deep: bool = False
    """Decode every video, also where histograms were kept when it was recorded."""
    processes: int = 0
    """Processes that decode; 0 is one per core."""
    json: bool = False
    """Print the result as JSON."""


def stats(options: Stats, console: Console) -> int:
    """Print the statistics, or what differs."""
    if options.verify and options.repair:
        raise UsageError("Choose one of --verify and --repair; a repair says what differed.")
    store = Store.open(dataset_path(options.dataset))
    if not options.verify and not options.repair:
        stored = stored_whole(store.root)
        console.result(_shown(stored), stored)
        return OK
    images: Images = "all" if options.deep else "missing"

    def tell(done: int, of: int) -> None:
        console.progress(f"decoding: frame {done} of {of}")
        console.advance(done, of)

    processes = process_count(options.processes)
    if options.repair:
        apart = repair(store, images, processes=processes, progress=tell)
        done = "Nothing differed; no statistic was written." if not apart else "Mended. Before, there was:"
    else:
        apart = differences(store, restate(store, images, processes=processes, progress=tell))
        done = "All statistics are those of the data." if not apart else "Different from the data:"
    text = "\n".join([done, *_differing(apart), _tolerance()])
    data = {"dataset": options.dataset, "repaired": options.repair, "differences": [asdict(one) for one in apart]}
    console.result(text, {**data, "tolerance": {"numbers": ROUNDING, "decoded_images": CODING}})
    return BAD_DATA if options.verify and apart else OK


def _tolerance() -> str:
    return (
        f"Compared within {ROUNDING:g} (numbers, kept histograms) and {CODING:g} of 0..1 (decoded images: mean, std)."
    )


def _differing(apart: Sequence[Difference]) -> list[str]:
    """One line a feature and place, with the statistic that is farthest off."""
    lines = []
    for feature in dict.fromkeys(one.feature for one in apart):
        for of_whole in (True, False):
            mine = [one for one in apart if one.feature == feature and (one.episode is None) == of_whole]
            if not mine:
                continue
            first = max(worst(mine), key=lambda one: one.share)
            stored = "missing" if first.stored is None else f"{first.stored:.6g}"
            where = "stats.json" if of_whole else f"{len({one.episode for one in mine})} episodes"
            names = ", ".join(dict.fromkeys(one.statistic for one in mine))
            at = "" if first.episode is None else f" of episode {first.episode}"
            lines.append(
                f"  {feature} in {where}: {names}; {first.statistic}{at} is {stored}, not {first.computed:.6g}"
            )
    return lines


def _shown(stored: dict[str, dict[str, object]]) -> str:
    if not stored:
        return "No statistics are stored; --repair computes them."
    lines = []
    for key, values in stored.items():
        lines.append(key)
        names = [name for name in ("count", "min", "max", "mean", "std") if name in values]
        lines += [f"  {name:<6}{_numbers(values[name])}" for name in names]
    return "\n".join(lines)


def _numbers(value: object) -> str:
    if isinstance(value, list):
        return " ".join(_numbers(one) for one in value)
    return f"{value:10.4g}" if isinstance(value, (int, float)) else str(value)
