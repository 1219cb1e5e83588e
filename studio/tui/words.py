"""Numbers and times as short words, for narrow columns."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from curation.rates import Rate

_OUTCOMES = {
    "held_at_timeout": "held at end",
    "never_picked_up": "not picked up",
    "dropped_in_transport": "dropped",
    "never_reached": "not reached",
}


def outcome_word(outcome: str) -> str:
    """An outcome in at most 13 characters."""
    return _OUTCOMES.get(outcome, outcome.replace("_", " ")) or "-"


def counted(number: int, what: str) -> str:
    """ "1 episode", "2 episodes"."""
    return f"{number} {what}" + ("" if number == 1 else "s")


def ago(then: datetime | None, now: datetime) -> str:
    """How long ago, coarsely: "now", "5 min", "3 h", "12 d"."""
    if then is None:
        return ""
    seconds = max(0.0, (now - then).total_seconds())
    for limit, unit, word in ((90, 60, ""), (3600 * 1.5, 60, " min"), (86400 * 1.5, 3600, " h")):
        if seconds < limit:
            return f"{round(seconds / unit)}{word} ago" if word else "just now"
    return f"{round(seconds / 86400)} d ago"


def moment(then: str) -> str:
    """A time in ISO 8601 as date and time of day where we are: "2026-03-14 09:26"; as it is if it is no such time."""
    try:
        return f"{datetime.fromisoformat(then).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return then


def clock_words(seconds: float | None) -> str:
    """Minutes and seconds as "4:07", hours as "1:04:07"; "-" where nobody knows."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def length_words(seconds: float) -> str:
    """A length of recordings: "48 s", "12 min", "3.1 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def size_words(count: int) -> str:
    """Bytes as "812 MB" or "12.4 GB"."""
    return f"{count / 1e6:.0f} MB" if count < 1e9 else f"{count / 1e9:.1f} GB"


def interval_words(rate: Rate) -> str:
    """A rate's 95 % interval, short: "68-95 %"."""
    return f"{100 * rate.low:.0f}-{100 * rate.high:.0f} %"


def path_words(path: Path) -> str:
    """A path as a person would type it: relative to here or to home where that is shorter."""
    if not path.is_absolute():
        return path.as_posix() if path.as_posix().startswith(".") else f"./{path.as_posix()}"
    for base, prefix in ((Path.cwd(), "."), (Path.home(), "~")):
        if path.is_relative_to(base):
            rest = path.relative_to(base).as_posix()
            return prefix if rest == "." else f"{prefix}/{rest}"
    return path.as_posix()


def cut(text: str, width: int) -> str:
    """At most `width` characters, with an ellipsis where something was cut."""
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"
