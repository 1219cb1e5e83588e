"""Which episodes: a few words, all of which must hold.

    outcome:success operator:keyboard x<0.3 score>=0.5 masked note:slip pos2 date>2026-11-01 -lazy jerk<15

`field:word` holds where the field contains the word, and of several instructions any does; `field<number` and the like
compare, dates too; a bare state, outcome or mark selects it, any other bare word is looked for in all text of the
episode. A `-` in front of a term turns it round.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from curation.errors import UnknownChoice, UsageError
from curation.frames import Outcome
from curation.library import Entry, State
from curation.motion import FIELDS
from curation.verdicts import looked_at

Test = Callable[[Entry], bool]

TEXT: dict[str, Callable[[Entry], str | tuple[str, ...]]] = {
    "outcome": lambda entry: entry.outcome,
    "operator": lambda entry: entry.operator,
    "state": lambda entry: entry.state,
    "note": lambda entry: " ".join(entry.comments),
    "why": lambda entry: entry.why,
    "target": lambda entry: entry.target,
    "id": lambda entry: entry.episode_id,
    "date": lambda entry: entry.started,
    "task": lambda entry: entry.tasks,
    "keep": lambda entry: entry.keep,
}
NUMBERS: dict[str, Callable[[Entry], float | None]] = {
    "index": lambda entry: entry.index,
    "x": lambda entry: entry.x,
    "y": lambda entry: entry.y,
    "yaw": lambda entry: entry.yaw_deg,
    "frames": lambda entry: entry.frames,
    "length": lambda entry: entry.frames,
    "seconds": lambda entry: entry.seconds,
    "score": lambda entry: entry.score,
    "predicted": lambda entry: entry.predicted,
    "interventions": lambda entry: entry.interventions,
    "survival": lambda entry: entry.survival,
    "stressed": lambda entry: entry.stressed,
    **{name: lambda entry, name=name: entry.motion.get(name) for name in FIELDS},  # type: ignore[misc]
}
MARKS: dict[str, Callable[[Entry], bool | None]] = {
    "lazy": lambda entry: entry.lazy,
    "clean": lambda entry: entry.clean,
    "cut": lambda entry: entry.cut,
    "looked": looked_at,
}
"""Bare words for what is so; where it is unknown, it is not so."""
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip
_TERM = re.compile(r"(-?)([a-z_]+)(<=|>=|<|>|=|:)(.*)")
_WORDS = {*get_args(State), *(str(outcome) for outcome in Outcome)}


@dataclass(frozen=True)
class Term:
    """One word of a query.

    Attributes:
        word: as it was written.
        holds: whether an entry fits.
        has: what an entry has instead, for people.
        field: the number it asks about, "" if none.
    """

    word: str
    holds: Test
    has: Callable[[Entry], str]
    field: str = ""

    def reason(self, entry: Entry) -> str:
        """Why an entry does not fit, such as "score is 0.25, asked score>=0.5"."""
        return f"{self.has(entry)}, asked {self.word}"


def query(text: str) -> Test:
    """A test of entries; an empty text holds for all.

    Raises:
        UsageError: a field is unknown, or a number is none.
    """
    tests = [term.holds for term in terms(text)]
    return lambda entry: all(test(entry) for test in tests)


def terms(text: str) -> tuple[Term, ...]:
    """The words of a query.

    Raises:
        UsageError: a field is unknown, or a number is none.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"A quotation mark in {text!r} is not closed.") from None
    return tuple(_term(word) for word in words)


def asks_motion(text: str) -> bool:
    """Whether a query asks how episodes move, which may need their data: see `curation.motion.with_motion`."""
    return any(term.field in FIELDS for term in terms(text))


def asks_score(text: str) -> bool:
    """Whether a query asks how good episodes are, which a classifier may have said."""
    return any(term.field in ("score", "predicted") for term in terms(text))


def _term(word: str) -> Term:
    found = _TERM.fullmatch(word)
    turned = word.startswith("-") and len(word) > 1
    if not found:
        test, has = _bare(word[1:] if turned else word)
        return Term(word, _turn(test, turned), has)
    _, name, sign, value = found.groups()
    if name == "date" and sign != ":":
        return Term(word, _turn(_date(sign, value), turned), lambda entry: f"date is {entry.started or 'unknown'}")
    if name in NUMBERS:
        test = _number(name, "=" if sign == ":" else sign, value)
        return Term(word, _turn(test, turned), lambda entry: _has_number(name, entry), name)
    if name not in TEXT:
        raise UnknownChoice("field", name, [*TEXT, *NUMBERS])
    if sign not in (":", "="):
        raise UsageError(f"{name} is text; write {name}:word.")
    wanted = value.casefold()
    return Term(
        word,
        _turn(lambda entry: any(wanted in text.casefold() for text in _texts(name, entry)), turned),
        lambda entry: f"{name} is {'; '.join(_texts(name, entry)) or 'unknown'}",
    )


def _texts(name: str, entry: Entry) -> tuple[str, ...]:
    """What a field says; several texts where an episode has several."""
    found = TEXT[name](entry)
    return (found,) if isinstance(found, str) else found


def _number(name: str, sign: str, value: str) -> Test:
    try:
        wanted = float(value)
    except ValueError:
        raise UsageError(f"{name}{sign}{value} compares with no number; write {name}{sign}0.3.") from None
    get, compare = NUMBERS[name], _COMPARE[sign]
    return lambda entry: (number := get(entry)) is not None and compare(number, wanted)


def _has_number(name: str, entry: Entry) -> str:
    number = NUMBERS[name](entry)
    return f"{name} is unknown" if number is None else f"{name} is {number:g}"


def _date(sign: str, value: str) -> Test:
    """Compares as far as the asked date says: date=2026-11 holds all of November, date>2026-11-01 from the 2nd on."""
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d([T ]\d\d(:\d\d(:\d\d)?)?)?)?)?", value) or not _exists(value):
        raise UsageError(
            f"date{sign}{value} compares with no date; write date{sign}2026-11-01, or with T10:30 after it."
        )
    wanted, compare = value.replace(" ", "T"), _COMPARE[sign]
    # ISO dates of one length are ordered as their texts are.
    return lambda entry: bool(entry.started) and compare(entry.started[: len(wanted)], wanted)


def _exists(value: str) -> bool:
    whole = value + "0000-01-01T00:00:00"[len(value) :]
    try:
        datetime.fromisoformat(whole.replace(" ", "T"))
    except ValueError:
        return False
    return True


def _bare(word: str) -> tuple[Test, Callable[[Entry], str]]:
    if set(word) & set("<>=!:()"):
        raise UsageError(f"'{word}' is no term. Write field:word, field<0.3, a bare word, or -term for its opposite.")
    if word in _WORDS:
        return lambda entry: word in (entry.state, entry.outcome), _state
    if word in MARKS:
        get = MARKS[word]
        return lambda entry: get(entry) is True, lambda entry: f"{word} is {_yes(get(entry))}"
    wanted = word.casefold()
    return lambda entry: any(wanted in text.casefold() for name in TEXT for text in _texts(name, entry)), _state


def _state(entry: Entry) -> str:
    return f"it is {entry.state}, outcome {entry.outcome or 'unknown'}"


def _yes(value: bool | None) -> str:
    return "unknown" if value is None else "yes" if value else "no"


def _turn(test: Test, turned: bool) -> Test:
    return (lambda entry: not test(entry)) if turned else test
