"""The yield of generating, as a file beside the dataset, and what it decides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError
from curation.layout import ATTEMPTS, YIELD, json_bytes
from curation.notes import last_masks, masked, read_notes, scores_by_people
from curation.store import Store
from curation.yields import Yield, place_of, total, yields
from recorders.session import Session

BY = "yield"
"""Who holds back the episodes of a position whose precision nobody has shown."""
LUCK = 20
"""Of so many positions that are just not worth it, up to about one passes a look by luck: at bounds of 0.5 to 0.9, with
up to 200 attempts judged, the exact chance is 0.02 on average and at most 0.06, where there are four. Bounds are not
corrected for the number of positions or of looks: table and file name both."""


@dataclass(frozen=True)
class Look:
    """One time that it was decided which positions are kept; each is one more chance to pass by luck.

    Attributes:
        attempts: that were made by then.
        precision: the lower bound that was asked for.
        forced: whether positions below it were kept all the same.
        scores: of people's scores of these attempts, other where one was given since.
    """

    attempts: int
    precision: float
    forced: bool
    scores: str


@dataclass(frozen=True)
class Found:
    """What a generation gave.

    Attributes:
        asked: how it was made, JSON values: equal values give equal attempts.
        precision: the lower bound that a position must reach, the strictest that was ever asked for; None if none was.
        forced: whether positions below it are kept all the same.
        positions: in the order in which they were first tried.
        total: all together.
        looks: at which it was decided which positions are kept, oldest first, no two of them equal.
        wanted: attempts that shall be made in all; None where none were asked for.
    """

    asked: Mapping[str, Any]
    precision: float | None
    forced: bool
    positions: tuple[Yield, ...]
    total: Yield
    looks: tuple[Look, ...] = ()
    wanted: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 2,
            "asked": dict(self.asked),
            "precision": self.precision,
            "forced": self.forced,
            "positions": [
                {**one.as_json(), **({} if self.precision is None else {"proven": one.proves(self.precision)})}
                for one in self.positions
            ],
            "total": self.total.as_json(),
            "looks": [asdict(look) for look in self.looks],
            "allowed_for": "each bound is of one position and one look; of positions that are just not worth it, up to "
            f"about 1 in {LUCK} passes by luck at each look",
            "wanted": self.wanted,
        }

    @property
    def unproven(self) -> list[Yield]:
        """Positions below the bound that was asked for."""
        return [] if self.precision is None else [one for one in self.positions if not one.proves(self.precision)]


def find(
    session: Session,
    asked: Mapping[str, Any],
    precision: float | None = None,
    *,
    forced: bool = False,
    wanted: int | None = None,
) -> Found:
    """The yield of all attempts of a dataset, as it is now.

    Args:
        session: the dataset.
        asked: how its attempts are made.
        precision: the bound asked for now; one that was asked for before and is stricter stays in force.
        forced: whether positions below it are kept all the same.
        wanted: as `Found` has it.

    Raises:
        DataError: the file is damaged.
    """
    told = _read(session.root)
    bounds = [bound for bound in (precision, None if told is None else told.precision) if bound is not None]
    live = {row.episode_id for row in session.live}
    found = _found(session.root, session.attempts, live, asked, told)
    return replace(found, precision=max(bounds, default=None), forced=forced, wanted=wanted)


def seen(root: Path) -> tuple[Found, list[dict[str, Any]]]:
    """The yield of a dataset that somebody may be recording, and its attempts; a torn last line is passed over.

    Raises:
        DataError: no attempts were made here, or their log, notes or yield are damaged.
    """
    path = root / ATTEMPTS
    told = _read(root)
    if told is None or (not path.is_file() and not told.wanted):
        raise DataError(f"{root} holds no attempts of studio generate. studio episodes lists what it holds.")
    try:
        whole = path.read_bytes().rpartition(b"\n")[0] if path.is_file() else b""
        lines = [dict(json.loads(line)) for line in whole.split(b"\n") if line]
        gone = masked(read_notes(root))
        live = {row.episode_id for row in Store.open(root).rows()} - gone
        found = _found(root, lines, live, told.asked, told)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"The log of attempts {path} is damaged: {error}. Mend or remove that line.") from error
    return replace(found, precision=told.precision, forced=told.forced, wanted=told.wanted), lines


def _found(
    root: Path, lines: Sequence[Mapping[str, Any]], live: set[str], asked: Mapping[str, Any], told: _Told | None
) -> Found:
    scores, looks = _scores(root), () if told is None else told.looks
    return Found(asked, None, False, tuple(yields(lines, scores, live)), total(lines, scores, live), looks)


def decide(session: Session, found: Found, precision: float | None = None) -> Found:
    """Hold back what no bound speaks for, bring back what one does; what a person put to the trash stays there.

    Nothing that was held back comes back for being asked about less strictly, or not at all: only by force.

    Args:
        session: the dataset.
        found: its yield.
        precision: the bound asked for now, which the look is remembered by; None is the one in force.

    Returns:
        The yield after that, with this look.
    """
    if found.precision is None and not found.forced:
        return found
    held = set() if found.forced else {one.place for one in found.unproven}
    last = last_masks(read_notes(session.root))
    shown: list[str] = []
    away: list[str] = []
    for line in session.attempts:
        name = str(line["episode_id"])
        said = last.get(name)
        if not line["kept"] or (said is not None and said.by != BY):
            continue
        masked = said is not None and bool(said.value)
        if (place_of(line) in held) != masked:
            (shown if masked else away).append(name)
    session.mask(away, True, BY)
    session.mask(shown, False, BY)
    decided = find(session, found.asked, found.precision, forced=found.forced, wanted=found.wanted)
    bound = found.precision if precision is None else precision
    if bound is None:
        return decided
    look = Look(len(session.attempts), bound, found.forced, _mark(session))
    return decided if look in decided.looks else replace(decided, looks=(*decided.looks, look))


def write(root: Path, found: Found) -> None:
    """Write it beside the dataset."""
    write_aside(root / YIELD, json_bytes(found.as_json()))


def asked_of(root: Path) -> dict[str, Any] | None:
    """How the attempts of a dataset are made; None if nobody said.

    Raises:
        DataError: the file is damaged.
    """
    told = _read(root)
    return None if told is None else dict(told.asked)


def bound_of(root: Path) -> float | None:
    """The strictest precision that was asked for; errors as `asked_of`."""
    told = _read(root)
    return None if told is None else told.precision


def _scores(root: Path) -> dict[str, float]:
    """People's scores by episode id."""
    return {name: float(note.value) for name, note in scores_by_people(read_notes(root)).items()}


def _mark(session: Session) -> str:
    """The same for equal scores of people, of the attempts that are counted."""
    names = {str(line["episode_id"]) for line in session.attempts}
    told = sorted((name, value) for name, value in _scores(session.root).items() if name in names)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Told:
    """What the file says that outlives a run: see `Found`."""

    asked: Mapping[str, Any]
    precision: float | None
    forced: bool
    wanted: int | None
    looks: tuple[Look, ...]


def _read(root: Path) -> _Told | None:
    path = root / YIELD
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_bytes())
        bound, wanted = told["precision"], told.get("wanted")
        return _Told(
            asked=dict(told["asked"]),
            precision=None if bound is None else float(bound),
            forced=bool(told.get("forced")),
            wanted=None if wanted is None else int(wanted),
            looks=tuple(Look(**look) for look in told["looks"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Move it away, and the next run writes it anew.") from error
