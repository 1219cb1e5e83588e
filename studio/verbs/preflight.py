"""preflight: everything that would make a training wrong, impossible or lost, before it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from curation import layout
from curation.checks import Finding
from curation.errors import BAD_DATA, OK, DataError, StudioError
from curation.store import Store
from studio.console import Console
from studio.findings import findings_text
from studio.options import Name
from studio.paths import dataset_path, runs_home
from studio.training_options import Training
from training.preflight import Asked, World, names
from training.preflight import preflight as look
from training.recipe import Recipe
from training.subset import Subset
from training.weights import hub_answers


@dataclass(frozen=True, kw_only=True)
class Preflight:
    """Look for everything that would make a training wrong, impossible or lost. Exit code 3 if there is an error.

    studio train does the same before it begins."""

    dataset: Name
    """A dataset."""
    training: Training = field(default_factory=Training)
    world: str = ""
    """A dataset whose world the policy will be evaluated in; by default its own."""
    json: bool = False
    """Print the findings as JSON."""


def preflight(options: Preflight, console: Console) -> int:
    """Print what was found, gravest first."""
    store = Store.open(dataset_path(options.dataset))
    recipe, chosen = options.training.recipe(store), options.training.chosen(store)
    console.progress(f"{options.dataset}: looking")
    found = findings(chosen, recipe, runs_home(), options.world)
    console.result(findings_text(options.dataset, found), [asdict(one) for one in found])
    return BAD_DATA if names(found) else OK


def findings(
    chosen: Subset,
    recipe: Recipe,
    folder: Path,
    world: str = "",
    resume: Path | None = None,
    trainings: int = 1,
    elsewhere: bool = False,
) -> Sequence[Finding]:
    """What stands against a training.

    Args:
        chosen: what it is trained on.
        recipe: how.
        folder: where the run will be.
        world: a dataset whose world it will be evaluated in; "" for its own.
        resume: checkpoints of the run to go on with.
        trainings: how many of it are made, one after the other.
        elsewhere: whether another machine trains.
    """
    hub = hub_answers()
    published = (chosen.store.root / layout.HUB).is_file()
    found, fault = None, ""
    try:
        found = world_of(Store.open(dataset_path(world)) if world else chosen.store)
    except DataError as error:
        fault = str(error)
    asked = Asked(
        chosen=chosen,
        recipe=recipe,
        folder=folder,
        world=found,
        world_fault=fault,
        resume=resume,
        trainings=trainings,
        elsewhere=elsewhere,
        hub=hub,
    )
    return look(asked, refs=_refs() if hub and published else None)


def world_of(store: Store) -> World | None:
    """The world of a dataset, as this studio builds it; None if the dataset does not say.

    Raises:
        DataError: what it says is damaged, or of another version.
    """
    card = store.scene
    if "scene" not in card:
        return None
    # A fingerprint needs no picture, so no OpenGL is asked for.
    from recorders.world.scene import fingerprint, scene_from

    try:
        scene = scene_from(card["scene"])
        mark = fingerprint(scene)
    except (StudioError, TypeError, ValueError, AttributeError) as error:
        raise DataError(f"{store.root / layout.SCENE} describes no world: {error}") from error
    cameras = dict.fromkeys(scene.cameras, (scene.height, scene.width))
    depth = {f"{name}_depth": size for name, size in cameras.items()} if scene.depth else {}
    name = "the world that this studio builds from its settings"
    return World(name, mark, cameras | depth, scene.fps)


def _refs() -> Callable[[str], Mapping[str, str]]:
    """What asks the Hub; heavy, so loaded only where it is wanted."""
    from curation.hub import refs_of

    return refs_of
