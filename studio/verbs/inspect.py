"""inspect: what a dataset holds, as a table, a film or a poster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.errors import UsageError
from curation.store import Store
from studio.console import Console
from studio.options import Name
from studio.paths import dataset_path
from studio.verbs.summary import summary


@dataclass(frozen=True, kw_only=True)
class Inspect:
    """Show a dataset: outcomes, placements, action range per joint, lazy grips, timing."""

    dataset: Name
    """A LeRobot v3 dataset."""
    episode: tuple[int, ...] = ()
    """Episodes of the film; the first four by default."""
    video: Path | None = None
    """Write a film of six angles, one tracking the gripper, to this .mp4 file."""
    poster: Path | None = None
    """Write one picture of the whole dataset to this .png file."""
    json: bool = False
    """Print everything as JSON."""


def inspect(options: Inspect, console: Console) -> int:
    """Print the table; draw what was asked for."""
    root = dataset_path(options.dataset)
    for path, ending in ((options.video, ".mp4"), (options.poster, ".png")):
        if path is not None and path.suffix != ending:
            raise UsageError(f"{path} must end in {ending}.")
    if options.episode and options.video is None:
        raise UsageError("--episode chooses the episodes of a film; say where it goes with --video FILE.mp4.")
    text, data = summary(root)
    written: dict[str, str] = {}
    if options.video or options.poster:
        _draw(options, Store.open(root), console, written)
    console.result("\n".join([text, *(f"{what}: {path}" for what, path in written.items())]), {**data, **written})
    return 0


def _draw(options: Inspect, store: Store, console: Console, written: dict[str, str]) -> None:
    from recorders.world.gl import require_opengl

    require_opengl()
    if options.video is not None:
        from recorders.film import make_film

        chosen = list(options.episode) or list(range(min(4, store.total_episodes)))

        def tell(done: int, of: int) -> None:
            console.progress(f"film: frame {done} of {of}")
            console.advance(done, of)

        make_film(store, chosen, options.video, progress=tell)
        written["film"] = str(options.video)
    if options.poster is not None:
        from recorders.poster import make_poster

        make_poster(store, options.poster)
        written["poster"] = str(options.poster)
