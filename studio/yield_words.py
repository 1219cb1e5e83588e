"""The yield of generating for people: a line a position, and a picture over the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from curation.attempts import UNJUDGED
from curation.frames import Outcome
from curation.notes import classifier_name
from curation.rates import Rate, wilson
from curation.table import Table
from curation.yields import Yield, side_of
from studio.yielding import LUCK, Found, Look

TITLES = ("position", "attempts", "accepted", "judged", "successes of judged", "precision", "kept")


def table(found: Found) -> str:
    """One line a position, and what is to be said of all."""
    rows = [TITLES, *(_row(one, found) for one in (*found.positions, found.total))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(TITLES))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *_words(found)])


def _row(one: Yield, found: Found) -> tuple[str, ...]:
    told = f" (below {found.precision:g})" if one in found.unproven else ""
    precision = "the judge's" if one.precision is None else _rate(one.precision)
    numbers = (str(one.attempts), str(one.accepted), str(one.base.n), _rate(one.base), precision, f"{one.kept}{told}")
    return one.place.name, *numbers


def _rate(rate: Rate) -> str:
    return f"{rate.k}/{rate.n} [{100 * rate.low:.0f}-{100 * rate.high:.0f} %]" if rate.n else "nobody knows"


def _words(found: Found) -> list[str]:
    words = ["intervals are 95 %"]
    if found.total.precision is not None:
        words.append("precision: successes of those that were accepted and judged")
    if found.unproven:
        below = "1 position is" if len(found.unproven) == 1 else f"{len(found.unproven)} positions are"
        done = "are kept by --force" if found.forced else "lie in the trash; --force brings them back"
        accepted = sum(one.accepted for one in found.unproven)
        words.append(f"{below} not shown to reach {found.precision:g}: {accepted} accepted episodes {done}")
    if any(look.precision < (found.precision or 0.0) for look in found.looks):
        words.append(f"{found.precision:g} was asked for too and stays in force: only --force keeps what is below it")
    if found.looks:
        looks, places = _several(len(found.looks), "look"), _several(len(found.positions), "position")
        words.append(
            f"{looks} ({'; '.join(map(_look, found.looks))}) at {places}: at each look up to about 1 in {LUCK} "
            "positions that are just not worth it passes by luck, which no bound here allows for"
        )
    return words


def _several(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _look(look: Look) -> str:
    return f"{look.attempts} attempts at {look.precision:g}{' by --force' if look.forced else ''}"


def refusals(lines: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Why attempts were not kept, the most frequent reason first: "judge: missed_goal", "done below 0.5"."""
    return dict(Counter(_reason(line) for line in lines if not line["kept"]).most_common())


def refusals_words(why: Mapping[str, int], attempts: int) -> list[str]:
    """A line for each reason, with its share of all attempts."""
    return [f"not kept, {reason}: {_rate(wilson(count, attempts))}" for reason, count in why.items()]


def disagreements(lines: Iterable[Mapping[str, Any]]) -> Rate:
    """Of the attempts that both a classifier and the judge have judged, those of which they say opposite things."""
    both = [
        (bool(line["referee"]["accepts"]), line["outcome"] == Outcome.SUCCESS)
        for line in lines
        if line.get("referee") and line.get("status") not in UNJUDGED and line.get("outcome") in set(Outcome)
    ]
    return wilson(sum(said != truth for said, truth in both), len(both))


def _reason(line: Mapping[str, Any]) -> str:
    referee = line.get("referee")
    if referee and line.get("status") not in UNJUDGED:
        return f"{classifier_name(str(referee['by']))} below {referee['threshold']:g}"
    return str(line.get("why") or line.get("status") or "nobody said why")


def draw(found: Found, ground: Table | None, note: str, path: Path) -> None:
    """Draw the yield over the table: what was accepted, what succeeded, and how often a referee was right."""
    from training.map_picture import Panel, picture
    from training.maps import Cell
    from training.sheet import save

    side = side_of([(one.place.x or 0.0, one.place.y or 0.0) for one in found.positions])

    def panel(title: str, words: str, rate: Callable[[Yield], Rate | None]) -> Panel:
        cells = [
            Cell(one.place.x, one.place.y, side, side, rate(one) or wilson(0, 0), 0)
            for one in found.positions
            if one.place.x is not None and one.place.y is not None
        ]
        return Panel(title=title, rate=words, cells=cells)

    every = found.total
    panels = [
        panel(
            "accepted", f"{every.accepted} of {every.attempts} attempts", lambda one: wilson(one.accepted, one.attempts)
        ),
        panel("successes", every.base.of("judged attempts"), lambda one: one.base),
    ]
    if every.precision is not None:
        words = every.precision.of("accepted and judged attempts")
        panels.append(panel("precision", words, lambda one: one.precision))
    save(picture(panels, ground, note), path)
