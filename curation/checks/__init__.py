"""Everything that can be wrong with a dataset at rest, what it means for training and what mends it.

Metadata, files and videos are looked at once; the numbers of all episodes go by once, past every rule about them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from curation.checks.cameras import Cameras
from curation.checks.counts import counts
from curation.checks.files import files
from curation.checks.finding import Finding, Level, gravest_first
from curation.checks.following import Following
from curation.checks.indices import Indices
from curation.checks.joints import Joints
from curation.checks.labels import Labels
from curation.checks.leak import Leak
from curation.checks.others import Refs, Trees, doctor, hub
from curation.checks.ranges import Ranges
from curation.checks.schemas import schemas
from curation.checks.statistics import Statistics
from curation.checks.subject import Motion, Subject, Watcher, damaged_scene, motions
from curation.checks.turns import Turns
from curation.checks.twins import Twins
from curation.checks.unknown import Unknown
from curation.checks.videos import videos
from curation.errors import DataError
from curation.store import Store

__all__ = ["Finding", "Level", "check", "check_folder"]

_WATCHERS: tuple[Callable[[Subject], Watcher], ...] = (
    Indices,
    Joints,
    Unknown,
    Turns,
    Ranges,
    Following,
    Leak,
    Labels,
    Twins,
    Cameras,
    Statistics,
)


def check(
    store: Store,
    *,
    deep: bool = False,
    second_opinion: bool = False,
    refs: Refs | None = None,
    trees: Trees | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> list[Finding]:
    """Look for everything that may be wrong; nothing is changed.

    Args:
        store: the dataset.
        deep: decode every image; else videos are unpacked and their last frames decoded.
        second_opinion: let lerobot-doctor look too, if it is installed.
        refs: asks the Hub for the branches and tags of a repository; without it the Hub is not asked.
        trees: asks the Hub which data a commit holds.
        tell: told how many frames of how many are decoded.

    Returns:
        What was found, gravest first.
    """
    try:
        subject = Subject.of(store, deep=deep, tell=tell)
    except DataError as error:
        return [damaged(str(error))]
    return gravest_first(_findings(subject, second_opinion=second_opinion, refs=refs, trees=trees))


def check_folder(root: Path, **asked: object) -> list[Finding]:
    """`check` of a folder; one whose metadata cannot even be opened gets a finding instead of an error.

    Raises:
        NotADataset: there is no dataset.
    """
    try:
        store = Store.open(root)
    except DataError as error:
        return [damaged(str(error))]
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # another tool's metadata may lack anything
        return [damaged(f"{root}: the metadata is not that of a LeRobot v3 dataset ({type(error).__name__}: {error})")]
    return check(store, **asked)  # type: ignore[arg-type]


def damaged(what: str) -> Finding:
    """Metadata that cannot be read."""
    return Finding(
        "metadata",
        "error",
        what,
        "LeRobot cannot open the dataset, or opens it with other episodes than it has.",
        "Restore the file from where the dataset was copied; nothing was changed.",
    )


def _findings(subject: Subject, *, second_opinion: bool, refs: Refs | None, trees: Trees | None) -> Iterator[Finding]:
    yield from counts(subject)
    yield from schemas(subject)
    yield from videos(subject)
    yield from files(subject)
    yield from damaged_scene(subject)
    watchers = [make(subject) for make in _WATCHERS]
    for motion in motions(subject):
        if isinstance(motion, Motion):
            for watcher in watchers:
                watcher.see(motion)
        else:
            yield motion
    for watcher in watchers:
        yield from watcher.findings()
    if second_opinion:
        yield from doctor(subject)
    if refs is not None:
        yield from hub(subject, refs, trees)
