"""convert: older LeRobot datasets to v3.0, and datasets to plain arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from curation.arrays import write_arrays
from curation.errors import UsageError
from curation.foreign import convert as to_v3
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Convert:
    """Make a v3.0 dataset of one of LeRobot 2.0 or 2.1, or plain arrays of any. The original is never changed."""

    dataset: Name
    """The dataset."""
    to: str = ""
    """The new dataset; must not exist."""
    arrays: Path | None = None
    """Write numpy files under RLDS's names into this new folder instead, for openpi and others."""
    json: bool = False
    """Print what was written as JSON."""


def convert(options: Convert, console: Console) -> int:
    """Convert, prove, and say what was proved."""
    if bool(options.to) == (options.arrays is not None):
        raise UsageError("Say what to make: --to NEW for a v3.0 dataset, --arrays DIR for plain arrays.")
    if options.arrays is not None:
        return _arrays(dataset_path(options.dataset), options.arrays, console)
    made = to_v3(dataset_path(options.dataset), dataset_path(options.to), tell=_teller(console))
    text = (
        f"{made.root}: {made.episodes} episodes, {made.frames} frames, from {made.version}.\n"
        f"Every number, every task and all {made.images} decoded images are those of the original, which is untouched."
    )
    if made.statistics:
        text += f"\nStatistics are those of the original, without quantiles: {made.statistics}"
    console.result(text, {"dataset": str(made.root), **asdict(made)})
    return 0


def _arrays(source: Path, to: Path, console: Console) -> int:
    count = write_arrays(Store.open(source), to, tell=_teller(console))
    console.result(f"{to}: {count} episodes as arrays.", {"arrays": str(to), "episodes": count})
    return 0


def _teller(console: Console) -> Callable[[str, int, int], None]:
    def tell(what: str, done: int, of: int) -> None:
        console.progress(f"{what} {done} of {of}")
        console.advance(done, of)

    return tell
