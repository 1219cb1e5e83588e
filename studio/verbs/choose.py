"""Which episodes of which datasets: the filters as the command line spells them, and the control sets beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from curation import filters
from curation.controls import Control, Kind, control
from curation.coverage import RADIUS, Points, placements_of, unplaced
from curation.duplicates import Track, copies, tracks_of
from curation.errors import UsageError
from curation.filters import Selection
from curation.library import Entry, entries
from curation.motion import with_motion
from curation.naming import dataset_names
from curation.query import asks_motion, terms
from curation.store import Store
from studio.options import From
from studio.paths import dataset_path
from studio.table_of import table_of

_KINDS: dict[str, tuple[Kind, ...]] = {
    "none": (), "random": ("random",), "matched": ("matched",), "both": ("random", "matched"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Choose:
    """Which episodes: all that is asked must hold."""

    where: str = ""
    """Only those that fit, such as "outcome:success operator:keyboard x<0.3 score>0.5 date>2026-11-01 jerk<15 -masked
    note:slip"; what begins with a minus needs an equals sign: --where="-lazy"."""
    from_: From = ()
    """Datasets; only episodes recorded --farther-than from their placements."""
    farther_than: float | None = None
    """Metres to every placement of --from, 0.07 by default."""
    near: tuple[float, float, float] | None = None
    """X Y RADIUS in metres: only episodes recorded around a place."""
    in_view: bool = False
    """Only episodes that began with the whole block in every fixed camera's view."""
    no_duplicates: bool = False
    """Of episodes that are one motion only one."""
    no_lazy: bool = False
    """Leave out grips too weak for hardware."""
    controls: Literal["none", "random", "matched", "both"] = "none"
    """Also draw control sets of the same size from the episodes that fit --where (from all, where nothing else is
    asked): random, or random but matched on position and length."""
    seed: int = 0
    """Of the control sets."""

    @property
    def filters(self) -> bool:
        """Whether more is asked than a query."""
        return bool(self.from_ or self.near or self.in_view or self.no_duplicates or self.no_lazy)

    @property
    def why(self) -> str:
        """What was asked, in words, such as "outcome:success, farther than 0.07 m from pos1"."""
        far = RADIUS if self.farther_than is None else self.farther_than
        said = [
            self.where,
            f"farther than {far:g} m from {' and '.join(self.from_)}" if self.from_ else "",
            "within {2:g} m of ({0:g}, {1:g})".format(*self.near) if self.near else "",
            "in view" if self.in_view else "",
            "no lazy grips" if self.no_lazy else "",
            "no duplicates" if self.no_duplicates else "",
        ]
        return ", ".join(filter(None, said)) or "all"


class Ref(NamedTuple):
    """An episode of a dataset; ids alone repeat between datasets of others."""

    dataset: str
    episode_id: str


@dataclass(frozen=True)
class Part:
    """What was chosen of one dataset.

    Attributes:
        name: unlike the others'.
        root: its folder.
        entries: everything it holds.
        selection: of it.
    """

    name: str
    root: Path
    entries: tuple[Entry, ...]
    selection: Selection

    @property
    def kept(self) -> list[Entry]:
        """The chosen episodes, in order."""
        inside = set(self.selection.kept)
        return [entry for entry in self.entries if entry.episode_id in inside]


@dataclass(frozen=True)
class Away:
    """A dataset of --from.

    Attributes:
        points: its known placements, shape (M, 2) [m].
        unknown, masked: episodes that tell none, because nobody knows it or because they are in the trash.
    """

    name: str
    points: Points
    unknown: int
    masked: int

    @property
    def silent(self) -> str:
        """The episodes that tell no placement, in words; "" if there are none."""
        parts = [f"{self.unknown} unknown" if self.unknown else "", f"{self.masked} masked" if self.masked else ""]
        return " and ".join(filter(None, parts))

    @property
    def data(self) -> dict[str, int]:
        """JSON values."""
        return {"placements": len(self.points), "unknown": self.unknown, "masked": self.masked}


@dataclass(frozen=True)
class Chosen:
    """What was chosen of several datasets.

    Attributes:
        parts: in the order of the datasets.
        controls: keys of their episodes are `Ref`.
        why: what was asked, in words.
        away: the datasets of --from.
    """

    parts: tuple[Part, ...]
    controls: tuple[Control, ...]
    why: str
    away: tuple[Away, ...] = ()

    def data(self) -> dict[str, Any]:
        """JSON values: kept ids and reasons by dataset, and the control sets."""
        return {
            "why": self.why,
            "kept": {part.name: list(part.selection.kept) for part in self.parts},
            "dropped": {part.name: part.selection.dropped for part in self.parts},
            "controls": [asdict(control) for control in self.controls],
            **({"from": {one.name: one.data for one in self.away}} if self.away else {}),
        }


def choose(options: Choose, roots: Sequence[Path], *, with_masked: bool = False) -> Chosen:
    """Choose episodes of datasets; nothing is changed.

    Args:
        options: what is asked.
        roots: the datasets.
        with_masked: whether episodes in the trash may pass.

    Raises:
        UsageError: what is asked makes no sense.
        NotADataset: a dataset is none, or has no scene to tell views by.
        DataError: a dataset cannot be read.
    """
    _require_sensible(options, roots)
    asked = terms(options.where)
    away = _placements(options.from_)
    others = {one.name: one.points for one in away}
    parts, fitting = [], []
    for name, root in zip(dataset_names(roots), roots, strict=True):
        store = Store.open(root)
        everything = entries(root)
        if asks_motion(options.where):
            everything = with_motion(store, everything)
        first = filters.saved(everything)
        if with_masked:
            first = Selection.by(everything, lambda entry: None if entry.index is not None else f"it is {entry.state}")
        fit = first.then(everything, lambda found: filters.fitting(found, asked))
        parts.append(Part(name, root, tuple(everything), _filtered(options, fit, everything, store, others)))
        fitting.append(Part(name, root, tuple(everything), fit if options.filters else first))
    if options.no_duplicates:
        parts = _without_copies(parts)
    return Chosen(tuple(parts), tuple(_controls(options, parts, fitting)), _why(options, away), tuple(away))


def _why(options: Choose, away: Sequence[Away]) -> str:
    """What was asked, and which episodes of --from told no placement to keep away from."""
    silent = [f"{one.name} tells {len(one.points)} placements, {one.silent} left out" for one in away if one.silent]
    return f"{options.why} ({'; '.join(silent)})" if silent else options.why


def _filtered(
    options: Choose, fit: Selection, everything: Sequence[Entry], store: Store, others: dict[str, Points]
) -> Selection:
    if options.no_lazy:
        fit = fit.then(everything, filters.without_lazy)
    if options.in_view:
        table = table_of(store)
        fit = fit.then(everything, lambda found: filters.in_view(found, table))
    if options.near is not None:
        x, y, radius = options.near
        fit = fit.then(everything, lambda found: filters.near(found, x, y, radius))
    if options.from_:
        metres = RADIUS if options.farther_than is None else options.farther_than
        fit = fit.then(everything, lambda found: filters.farther_than(found, metres, others))
    return fit


def _without_copies(parts: Sequence[Part]) -> list[Part]:
    """Copies are looked for among what every other filter left, over all datasets."""
    compared: list[tuple[Ref, str, Entry]] = []
    tracks: list[Track] = []
    for part in parts:
        by_id = {track.key: track for track in tracks_of(Store.open(part.root))}
        for entry in part.kept:
            if entry.episode_id in by_id:
                name = f"episode {entry.index} of {part.name}"
                compared.append((Ref(part.name, entry.episode_id), name, entry))
                tracks.append(by_id[entry.episode_id])
    reasons = filters.distinct(compared, copies(tracks))

    def cleared(part: Part) -> Part:
        judged = part.selection.then(
            part.entries,
            lambda found: Selection.by(found, lambda entry: reasons.get(Ref(part.name, entry.episode_id))),
        )
        return Part(part.name, part.root, part.entries, judged)

    return [cleared(part) for part in parts]


def _controls(options: Choose, parts: Sequence[Part], fitting: Sequence[Part]) -> list[Control]:
    kept = [Ref(part.name, entry.episode_id) for part in parts for entry in part.kept]
    candidates = [(Ref(part.name, entry.episode_id), entry) for part in fitting for entry in part.kept]
    return [control(kept, candidates, kind, options.seed) for kind in _KINDS[options.controls]]


def _placements(names: Sequence[str]) -> list[Away]:
    """Where the episodes of --from were recorded.

    Raises:
        UsageError: one of the datasets tells no placement, so nothing could be near it.
    """
    roots = [dataset_path(name) for name in names]
    found = []
    for name, root in zip(dataset_names(roots), roots, strict=True):
        store = Store.open(root)
        found.append(Away(name, placements_of(store), *unplaced(store)))
        if not len(found[-1].points):
            raise UsageError(
                f"--from {name} tells no placement ({found[-1].silent or 'it has no episodes'}), so nothing is near it "
                "and everything would stay. Name datasets of the studio with unmasked episodes, or leave it out."
            )
    return found


def _require_sensible(options: Choose, roots: Sequence[Path]) -> None:
    if options.farther_than is not None and not options.from_:
        raise UsageError(f"--farther-than {options.farther_than:g} from what? Name datasets with --from.")
    if len({root.resolve() for root in roots}) != len(roots):
        raise UsageError("A dataset was named twice; name each once.")
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed} must be at least 0.")
