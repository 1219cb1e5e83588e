"""rerender: the same episodes in another look."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from curation.store import Store
from recorders import rerender as drawing
from recorders.world.gl import require_opengl
from recorders.world.scene import Scene, fingerprint, scene_from
from studio.console import Console
from studio.options import Name, process_count
from studio.paths import dataset_path
from studio.verbs.summary import summary


@dataclass(frozen=True, kw_only=True)
class Rerender:
    """Draw a dataset's episodes again from their physics, into a new dataset. What is not given stays."""

    dataset: Name
    """A dataset recorded by the studio."""
    to: str
    """The new dataset; must not exist."""
    ground: Literal["checker", "dark"] | None = None
    """The table top."""
    camera: Literal["studio", "thesis"] | None = None
    """Wrist camera mount."""
    overhead_fov: float | None = None
    """Vertical field of view of the overhead camera in degrees."""
    distractors: int | None = None
    """Extra blocks, at most 4."""
    look: Literal["fast", "nice"] | None = None
    """Drawing quality."""
    size: tuple[int, int] | None = None
    """Image width and height in pixels."""
    depth: bool = False
    """Also draw depth images."""
    vary: int | None = None
    """Seed of a look per episode: ground, overhead field of view, distractors."""
    processes: int = 0
    """Episodes drawn at once; 0 is one per processor core."""
    json: bool = False
    """Print the new dataset's summary as JSON."""


def rerender(options: Rerender, console: Console) -> int:
    """Write the new dataset and print its summary."""
    require_opengl()
    source = Store.open(dataset_path(options.dataset))
    source.require_scene()
    scene = new_look(options, scene_from(source.scene["scene"]))
    to = dataset_path(options.to)
    drawing.rerender(
        source,
        to,
        scene,
        vary=options.vary,
        processes=process_count(options.processes),
        tell=lambda done, of: _tell(console, done, of),
    )
    looks = "" if options.vary is None else f", and varies around it with seed {options.vary}"
    console.step(f"scene {source.scene.get('fingerprint')} became {fingerprint(scene)}{looks}")
    console.result(*summary(to))
    return 0


def _tell(console: Console, done: int, of: int) -> None:
    console.step(f"drawn {done} of {of}")
    console.advance(done, of)


def new_look(options: Rerender, recorded: Scene) -> Scene:
    """The recorded scene with what was asked for."""
    names = ("ground", "camera", "overhead_fov", "distractors", "look")
    given: dict[str, Any] = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    if options.size is not None:
        given["width"], given["height"] = options.size
    return replace(recorded, **given, depth=options.depth or recorded.depth)
