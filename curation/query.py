"""Which episodes: a few words, all of which must hold.

    outcome:success operator:keyboard x<0.3 score>=0.5 masked note:slip pos2

`field:word` holds where the field contains the word, `field<number` and the like compare, a bare state or outcome
selects it, any other bare word is looked for in all text of the episode. A `-` in front of a term turns it round.
"""

from __future__ import annotations

import operator
import re
import shlex
from collections.abc import Callable
from typing import Any, get_args

from curation.errors import UnknownChoice, UsageError
from curation.frames import Outcome
from curation.library import Entry, State

Test = Callable[[Entry], bool]

TEXT: dict[str, Callable[[Entry], str]] = {
    "outcome": lambda entry: entry.outcome,
    "operator": lambda entry: entry.operator,
    "state": lambda entry: entry.state,
    "note": lambda entry: " ".join(entry.comments),
    "why": lambda entry: entry.why,
    "target": lambda entry: entry.target,
    "id": lambda entry: entry.episode_id,
    "date": lambda entry: entry.started,
}
NUMBERS: dict[str, Callable[[Entry], float | None]] = {
    "index": lambda entry: entry.index,
    "x": lambda entry: entry.x,
    "y": lambda entry: entry.y,
    "yaw": lambda entry: entry.yaw_deg,
    "frames": lambda entry: entry.frames,
    "seconds": lambda entry: entry.seconds,
    "score": lambda entry: entry.score,
}
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt, "=": operator.eq,
}  # fmt: skip
_TERM = re.compile(r"(-?)([a-z_]+)(<=|>=|<|>|=|:)(.*)")
_WORDS = {*get_args(State), *(str(outcome) for outcome in Outcome)}


def query(text: str) -> Test:
    """A test of entries; an empty text holds for all.

    Raises:
        UsageError: a field is unknown, or a number is none.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError(f"A quotation mark in {text!r} is not closed.") from None
    tests = [_test(word) for word in words]
    return lambda entry: all(test(entry) for test in tests)


def _test(word: str) -> Test:
    found = _TERM.fullmatch(word)
    turned = word.startswith("-") and len(word) > 1
    if not found:
        plain = word[1:] if turned else word
        return _turn(_bare(plain), turned)
    _, field, sign, value = found.groups()
    if field in NUMBERS:
        return _turn(_number(field, "=" if sign == ":" else sign, value), turned)
    if field not in TEXT:
        raise UnknownChoice("field", field, [*TEXT, *NUMBERS])
    if sign not in (":", "="):
        raise UsageError(f"{field} is text; write {field}:word.")
    get, wanted = TEXT[field], value.casefold()
    return _turn(lambda entry: wanted in get(entry).casefold(), turned)


def _number(field: str, sign: str, value: str) -> Test:
    try:
        wanted = float(value)
    except ValueError:
        raise UsageError(f"{field}{sign}{value} compares with no number; write {field}{sign}0.3.") from None
    get, compare = NUMBERS[field], _COMPARE[sign]
    return lambda entry: (number := get(entry)) is not None and compare(number, wanted)


def _bare(word: str) -> Test:
    if set(word) & set("<>=!:()"):
        raise UsageError(f"'{word}' is no term. Write field:word, field<0.3, a bare word, or -term for its opposite.")
    if word in _WORDS:
        return lambda entry: word in (entry.state, entry.outcome)
    wanted = word.casefold()
    return lambda entry: any(wanted in get(entry).casefold() for get in TEXT.values())


def _turn(test: Test, turned: bool) -> Test:
    return (lambda entry: not test(entry)) if turned else test
