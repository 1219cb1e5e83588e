"""The yield of generating, as a file beside the dataset, and what it decides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from curation.atomic import write_aside
from curation.errors import DataError
from curation.layout import YIELD, json_bytes
from curation.notes import last_masks, read_notes, scores_by_people
from curation.yields import Yield, place_of, total, yields
from recorders.session import Session

BY = "yield"
"""Who holds back the episodes of a position whose precision nobody has shown."""


@dataclass(frozen=True)
class Found:
    """What a generation gave.

    Attributes:
        asked: how it was made, JSON values: equal values give equal attempts.
        precision: the lower bound that a position must reach; None asks for none.
        forced: whether positions below it are kept all the same.
        positions: in the order in which they were first tried.
        total: all together.
        looks: after how many attempts it was decided which positions are kept; each look is one more chance to pass by
            luck, which no interval here allows for.
    """

    asked: Mapping[str, Any]
    precision: float | None
    forced: bool
    positions: tuple[Yield, ...]
    total: Yield
    looks: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "asked": dict(self.asked),
            "precision": self.precision,
            "forced": self.forced,
            "positions": [
                {**one.as_json(), **({} if self.precision is None else {"proven": one.proves(self.precision)})}
                for one in self.positions
            ],
            "total": self.total.as_json(),
            "looks": list(self.looks),
        }

    @property
    def unproven(self) -> list[Yield]:
        """Positions below the bound that was asked for."""
        return [] if self.precision is None else [one for one in self.positions if not one.proves(self.precision)]


def find(session: Session, asked: Mapping[str, Any], precision: float | None = None, *, forced: bool = False) -> Found:
    """The yield of all attempts of a dataset, as it is now."""
    scores = {name: float(note.value) for name, note in scores_by_people(read_notes(session.root)).items()}
    live = {row.episode_id for row in session.live}
    positions = tuple(yields(session.attempts, scores, live))
    whole = total(session.attempts, scores, live)
    return Found(asked, precision, forced, positions, whole, looks_of(session.root))


def decide(session: Session, found: Found) -> Found:
    """Hold back what no bound speaks for, bring back what one does; what a person put to the trash stays there.

    Returns:
        The yield after that.
    """
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
    decided = find(session, found.asked, found.precision, forced=found.forced)
    made = len(session.attempts)
    if found.precision is None or made in decided.looks:
        return decided
    return replace(decided, looks=(*decided.looks, made))


def write(root: Path, found: Found) -> None:
    """Write it beside the dataset."""
    write_aside(root / YIELD, json_bytes(found.as_json()))


def asked_of(root: Path) -> dict[str, Any] | None:
    """How the attempts of a dataset are made; None if nobody said.

    Raises:
        DataError: the file is damaged.
    """
    told = _read(root)
    return None if told is None else dict(told["asked"])


def looks_of(root: Path) -> tuple[int, ...]:
    """After how many attempts it was decided what is kept; errors as `asked_of`."""
    told = _read(root)
    return () if told is None else tuple(told["looks"])


def _read(root: Path) -> dict[str, Any] | None:
    path = root / YIELD
    if not path.is_file():
        return None
    try:
        told = json.loads(path.read_bytes())
        return {"asked": dict(told["asked"]), "looks": [int(look) for look in told["looks"]]}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} cannot be read ({error}). Move it away, and the next run writes it anew.") from error
