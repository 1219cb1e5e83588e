"""A plan on its way: shown, asked about, applied. The short forms of edits all end here."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation.apply import Applied, apply
from curation.errors import TargetExists, UsageError
from curation.fingerprint import fingerprint
from curation.plan import Plan
from curation.preflight import require_agreement
from curation.preview import Preview, preview
from curation.recipe import write_recipe
from curation.staging import require_free
from curation.store import Store
from studio.console import Console
from studio.edits import Yes
from studio.paths import dataset_path
from studio.plan_text import changes_text, plan_text


@dataclass(frozen=True, kw_only=True)
class Into:
    """Where the result goes. Sources are never changed."""

    to: str
    """The new dataset; must not exist."""
    yes: Yes = False
    """Apply without asking."""
    with_masked: bool = False
    """Take episodes in the trash along, still masked."""
    save: Path | None = None
    """Also write what was done to this file, as a recipe for studio apply."""


def opened(names: Sequence[str]) -> list[Store]:
    """The datasets of an edit.

    Raises:
        UsageError: none is named.
        NotADataset: one is none.
    """
    if not names:
        raise UsageError("Name at least one dataset.")
    return [Store.open(dataset_path(name)) for name in names]


@dataclass(frozen=True)
class Planned:
    """What a command would do.

    Attributes:
        plans: target, as it was named, to plan.
        stores: the sources of all plans.
        allow: kinds of differences between the sources that are accepted.
        notes: what to say about single episodes, such as why one was left out.
    """

    plans: Mapping[str, Plan]
    stores: Sequence[Store]
    allow: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def seen(planned: Planned) -> dict[Path, Preview]:
    """What each result would be, by target.

    Raises:
        TargetExists: something is at a target.
        StudioError: a plan cannot be applied.
    """
    found = {}
    for name, plan in planned.plans.items():
        to = dataset_path(name)
        require_free(to)
        require_outside(to, planned.stores)
        require_agreement(plan, planned.stores, planned.allow)
        found[to] = preview(plan, planned.stores)
    return found


def require_outside(to: Path, stores: Sequence[Store]) -> None:
    """Refuse a target inside a source, which would then hold another dataset.

    Raises:
        UsageError: it is inside one.
    """
    for store in stores:
        if to.resolve().is_relative_to(store.root.resolve()):
            raise UsageError(f"{to} is inside {store.root}, which is never changed. Choose another --to.")


def room(to: Path, sight: Preview) -> str:
    """Disk that the result takes and what is free, in words."""
    place = next(folder for folder in to.absolute().parents if folder.exists())
    free = shutil.disk_usage(place).free
    return f"needs about {sight.after.video_bytes / 1e6:.1f} MB, {free / 1e9:.1f} GB are free at {place}"


def finish(planned: Planned, into: Into, console: Console) -> int:
    """Show what would be done, ask once, apply.

    Raises:
        UsageError: something cannot be applied, or nobody is there to be asked. Nothing was written.
        StudioError: applying failed; results before it are whole, sources are untouched.
    """
    for note in planned.notes:
        console.step(note)
    sights = seen(planned)
    recipes = _recipes(planned, into)
    for to, sight in sights.items():
        if not into.yes or sight.differences:
            console.step(f"{to}\n{plan_text(sight)}\n{room(to, sight)}")
        elif said := changes_text(sight):
            console.step(f"{to}\n{said}")
    if not into.yes and not _agreed(sights):
        console.step("Nothing was written.")
        return 0
    plans = {dataset_path(name): plan for name, plan in planned.plans.items()}
    done = [(applied(plan, to, console, planned.allow), sights[to]) for to, plan in plans.items()]
    for path, plan in recipes.items():
        marks = [fingerprint(store) for store in planned.stores]
        write_recipe(path, plan, marks, planned.allow)
        console.step(f"Saved as {path}; studio apply {path} --to NAME does the same again.")
    data = [data_of(one, sight) for one, sight in done]
    console.result("\n".join(told(one, sight) for one, sight in done), data[0] if len(data) == 1 else data)
    return 0


def applied(
    plan: Plan, to: Path, console: Console, allow: Sequence[str] = (), expected: Sequence[str] | None = None
) -> Applied:
    """Apply with progress."""

    def tell(what: str, done: int, of: int) -> None:
        console.progress(f"{what} {done} of {of}")
        if what == "written":
            console.advance(done, of)

    return apply(plan, to, tell=tell, allow=allow, expected=expected)


def told(done: Applied, sight: Preview) -> str:
    """What came out, in two lines."""
    videos = ", ".join(f"{count} {how}" for how, count in sorted(done.videos.items())) or "no videos"
    likeness = f" (at least {done.least_psnr:.1f} dB like their sources)" if done.least_psnr != float("inf") else ""
    return (
        f"{done.root}: {done.episodes} episodes, {done.frames} frames, {sight.after.seconds:.0f} s. "
        f"Videos: {videos}{likeness}.\n"
        "Every number and every video was compared with its source; sources are untouched."
    )


def data_of(done: Applied, sight: Preview) -> dict[str, Any]:
    """The same as JSON values."""
    least = None if done.least_psnr == float("inf") else round(done.least_psnr, 2)
    return {
        "dataset": str(done.root),
        "episodes": done.episodes,
        "frames": done.frames,
        "videos": done.videos,
        "least_psnr_db": least,
        "masked_left_out": sight.masked,
        "dropped": sight.dropped,
        "lost": list(done.lost),
        "differences": [asdict(difference) for difference in sight.differences],
    }


def _recipes(planned: Planned, into: Into) -> dict[Path, Plan]:
    """Files for recipes, one for each result.

    Raises:
        TargetExists: something is there.
    """
    if into.save is None:
        return {}
    paths = {recipe_path(into.save, name.removeprefix(into.to)): plan for name, plan in planned.plans.items()}
    for path in paths:
        if path.exists():
            raise TargetExists(path, "Choose another --save.")
    return paths


def recipe_path(path: Path, suffix: str) -> Path:
    """The file for the recipe of a control set or a part, beside that of the whole."""
    return path.with_name(f"{path.stem}{suffix}{path.suffix}")


def _agreed(targets: Iterable[Path]) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("Nobody can be asked here; say -y to apply what was shown.")
    sys.stderr.write(f"Write {', '.join(map(str, targets))}? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")
