"""A plan on its way: shown, asked about, applied. The short forms of edits all end here."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.apply import Applied, apply
from curation.errors import UsageError
from curation.plan import Plan
from curation.preflight import require_agreement
from curation.preview import Preview, preview
from curation.staging import require_free
from curation.store import Store
from studio.console import Console
from studio.edits import Yes
from studio.paths import dataset_path
from studio.plan_text import plan_text


@dataclass(frozen=True, kw_only=True)
class Into:
    """Where the result goes. Sources are never changed."""

    to: str
    """The new dataset; must not exist."""
    yes: Yes = False
    """Apply without asking."""
    with_masked: bool = False
    """Take episodes in the trash along, still masked."""


def opened(names: Sequence[str]) -> list[Store]:
    """The datasets of an edit.

    Raises:
        UsageError: none is named.
        NotADataset: one is none.
    """
    if not names:
        raise UsageError("Name at least one dataset.")
    return [Store.open(dataset_path(name)) for name in names]


def finish(plan: Plan, stores: Sequence[Store], into: Into, console: Console, allow: Sequence[str] = ()) -> int:
    """Show a plan, ask, apply.

    Raises:
        UsageError: it cannot be applied, or nobody is there to be asked.
        StudioError: applying failed; sources are untouched.
    """
    made = _finished({into.to: plan}, stores, into, console, allow)
    for text, data in made:
        console.result(text, data)
    return 0


def finish_all(plans: Mapping[str, Plan], stores: Sequence[Store], into: Into, console: Console) -> int:
    """The same for several results of one command: all are shown, and asked about once.

    Args:
        plans: target to plan.
        stores: the sources of all.
        into: its target is not used.
        console: prints one result.

    Raises:
        UsageError: one cannot be applied, or nobody is there to be asked. Nothing was written.
        StudioError: applying one failed; those before it are whole.
    """
    made = _finished(plans, stores, into, console, ())
    if made:
        console.result("\n".join(text for text, _ in made), [data for _, data in made])
    return 0


def _finished(
    plans: Mapping[str, Plan], stores: Sequence[Store], into: Into, console: Console, allow: Sequence[str]
) -> list[tuple[str, dict[str, Any]]]:
    """Text and data of each result; nothing, if the answer was no."""
    targets = {dataset_path(name): plan for name, plan in plans.items()}
    seen = {}
    for to, plan in targets.items():
        require_free(to)
        require_agreement(plan, stores, allow)
        seen[to] = preview(plan, stores)
        if not into.yes or seen[to].differences:
            console.step(f"{to}\n{plan_text(seen[to])}")
    if not into.yes and not _agreed(targets):
        console.step("Nothing was written.")
        return []
    results = [(applied(plan, to, console, allow), seen[to]) for to, plan in targets.items()]
    return [(told(done, sight), data_of(done, sight)) for done, sight in results]


def applied(
    plan: Plan, to: Path, console: Console, allow: Sequence[str] = (), expected: Sequence[str] | None = None
) -> Applied:
    """Apply with progress."""

    def tell(what: str, done: int, of: int) -> None:
        console.progress(f"{what} {done} of {of}")
        if what == "written":
            console.advance(done, of)

    return apply(plan, to, tell=tell, allow=allow, expected=expected)


def told(done: Applied, seen: Preview) -> str:
    """What came out, in two lines."""
    videos = ", ".join(f"{count} {how}" for how, count in sorted(done.videos.items())) or "no videos"
    likeness = f" (at least {done.least_psnr:.1f} dB like their sources)" if done.least_psnr != float("inf") else ""
    return (
        f"{done.root}: {done.episodes} episodes, {done.frames} frames, {seen.after.seconds:.0f} s. "
        f"Videos: {videos}{likeness}.\n"
        "Every number and every video was compared with its source; sources are untouched."
    )


def data_of(done: Applied, seen: Preview) -> dict[str, Any]:
    """The same as JSON values."""
    least = None if done.least_psnr == float("inf") else round(done.least_psnr, 2)
    return {
        "dataset": str(done.root),
        "episodes": done.episodes,
        "frames": done.frames,
        "videos": done.videos,
        "least_psnr_db": least,
        "masked_left_out": seen.masked,
        "dropped": seen.dropped,
        "differences": [asdict(difference) for difference in seen.differences],
    }


def _agreed(targets: Iterable[Path]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here; say -y to apply what was shown.")
    sys.stderr.write(f"Write {', '.join(map(str, targets))}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
