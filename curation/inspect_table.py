"""An inspection as a plain-text table that fits a terminal of 80 columns and uses more where there is more."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from curation.names import camera_name

if TYPE_CHECKING:
    from curation.attempts import Attempts
    from curation.inspect import Corrections, EpisodeFacts, Grasp, Inspection, JointFacts

NARROWEST = 80
NONE = "-"
"""Stands where a number is not known."""
_GAP, _INDENT, _LABEL = "  ", "  ", 12


@dataclass(frozen=True)
class _Column[Row]:
    """One column: `keep` 0 is always shown, higher numbers go first when the terminal is narrow."""

    title: str
    text: Callable[[Row], str]
    keep: int = 0
    left: bool = False


def table(inspection: Inspection, width: int = 100) -> str:
    """The inspection for a person to read, at most `width` (at least 80) columns wide."""
    width = max(width, NARROWEST)
    parts = [
        _header(inspection, width),
        _section(_episodes_title(inspection), _rows(_episode_columns(inspection), inspection.episodes, width)),
        _section(_joints_title(inspection), _rows(_JOINT, inspection.joints, width)),
        _section("Notes", _notes(inspection.notes, width)),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _header(found: Inspection, width: int) -> list[str]:
    scene = f" · scene {found.scene}" if found.scene else ""
    size = f"{found.total_episodes} episodes · {found.total_frames} frames · {_duration(found.seconds)}"
    facts = [
        ("robot", f"{found.robot_type or 'unknown'} · {found.fps} fps{scene}"),
        *(("task" if not row else "", task) for row, task in enumerate(found.tasks)),
        ("cameras", ", ".join(camera_name(name) for name in found.cameras) or "none"),
        *_rates(found),
    ]
    title = f"{_cut(found.name, width - len(size) - 2)}{size:>{width - min(len(found.name), width - len(size) - 2)}}"
    lines = [title, "─" * width]
    for label, text in facts:
        wrapped = textwrap.wrap(text, width - _LABEL - len(_INDENT)) or [""]
        lines.append(f"{_INDENT}{label:<{_LABEL}}{wrapped[0]}")
        lines += [" " * (_LABEL + len(_INDENT)) + line for line in wrapped[1:]]
    return lines


def _rates(found: Inspection) -> Iterator[tuple[str, str]]:
    yield "success", success_words(found)
    yield "attempts", attempts_words(found.attempts)
    if found.outcomes:
        yield "kept", ", ".join(f"{count} {name}" for name, count in found.outcomes.items())
    if found.corrections is not None:
        yield "corrected", corrected_words(found.corrections)
    if found.lazy_grips:
        yield "lazy grips", ", ".join(f"#{index}" for index in found.lazy_grips)


def corrected_words(by: Corrections) -> str:
    """How often a person took over from a policy, and for how long."""
    often = f"{by.interventions} {'intervention' if by.interventions == 1 else 'interventions'}"
    frames = f"{by.person_frames} of {by.frames} frames by a person"
    return f"{often} in {by.corrected} of {by.episodes} episodes, {frames}"


def success_words(found: Inspection) -> str:
    """The success rate with its interval, or why there is none."""
    if found.success is not None:
        return found.success.of(found.success_of)
    if not found.episodes:
        return "not known: there are no episodes"
    return "not known: " + ("only what was kept is here" if found.outcomes else "no outcomes are stored")


def attempts_words(attempts: Attempts | None) -> str:
    """How many attempts were made, kept, and stopped before they could be judged."""
    if attempts is None:
        return "unknown"
    stopped = "".join(f", {count} {end}" for end, count in attempts.unjudged.items())
    return f"{attempts.total}, {attempts.kept} kept{stopped}"


def _section(title: str, body: Sequence[str]) -> list[str]:
    return [title, *(f"{_INDENT}{line}" for line in body)] if body else []


def _episode_columns(found: Inspection) -> tuple[_Column[EpisodeFacts], ...]:
    """Without the task where all share one, which the header says."""
    return _EPISODE if len(found.tasks) > 1 else _EPISODE[:-1]


def _rows[Row](columns: Sequence[_Column[Row]], rows: Sequence[Row], width: int) -> list[str]:
    """Aligned rows under a rule; columns without a value, then the least important, are left out."""
    if not rows:
        return []
    cells = {column: [column.text(row) for row in rows] for column in columns}
    shown = [column for column in columns if any(cell not in ("", NONE) for cell in cells[column])]
    sizes = {column: max(len(column.title), *map(len, cells[column])) for column in shown}
    room = width - len(_INDENT)
    while sum(sizes[c] + len(_GAP) for c in shown) - len(_GAP) > room and any(c.keep for c in shown):
        shown.remove(max(shown, key=lambda column: column.keep))

    def line(texts: Sequence[str]) -> str:
        aligned = (
            f"{text:<{sizes[c]}}" if c.left else f"{text:>{sizes[c]}}" for c, text in zip(shown, texts, strict=True)
        )
        return _cut(_GAP.join(aligned).rstrip(), room)

    rule = _GAP.join("─" * sizes[column] for column in shown)[:room]
    titles = line([column.title for column in shown])
    body = (line(texts) for texts in zip(*(cells[c] for c in shown), strict=True))
    return [titles, rule, *body]


def _episodes_title(found: Inspection) -> str:
    return "Episodes" + (" (grip in mm)" if any(episode.grasps for episode in found.episodes) else "")


def _joints_title(found: Inspection) -> str:
    degrees = bool(found.joints) and all(joint.name.endswith(".pos") for joint in found.joints)
    return "Joints" + (" (degrees, gripper 0 to 100)" if degrees else "")


def _notes(notes: Sequence[str], width: int) -> list[str]:
    wrap = textwrap.TextWrapper(width - len(_INDENT), initial_indent="! ", subsequent_indent="  ")
    return [line for note in notes for line in wrap.wrap(note)]


def _grip(read: Callable[[Grasp], float], digits: int) -> Callable[[EpisodeFacts], str]:
    return lambda episode: NONE if episode.grip is None else f"{read(episode.grip):.{digits}f}"


def _marks(episode: EpisodeFacts) -> str:
    """What sets an episode apart, in words; nothing for a clean one."""
    fumbles = f"{episode.fumbles} fumble{'s' if episode.fumbles != 1 else ''}" if episode.fumbles else ""
    trash = "in the trash" if episode.masked else ""
    return ", ".join(filter(None, (trash, "lazy grip" if episode.lazy_grip else "", fumbles)))


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def _count(value: int | None) -> str:
    return NONE if value is None else str(value)


def _yes(value: bool | None) -> str:
    return NONE if value is None else "yes" if value else "no"


def _between(low: float | None, high: float | None) -> str:
    return NONE if low is None or high is None else f"{low:7.1f} .. {high:6.1f}"


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1] + "…"


_EPISODE: tuple[_Column[EpisodeFacts], ...] = (
    _Column("#", lambda e: str(e.index)),
    _Column("frames", lambda e: str(e.length), keep=8),
    _Column("s", lambda e: _number(e.seconds, 1)),
    _Column("x m", lambda e: _number(e.x, 3)),
    _Column("y m", lambda e: _number(e.y, 3)),
    _Column("yaw", lambda e: _number(e.yaw_deg, 0), keep=2),
    _Column("operator", lambda e: e.operator or NONE, keep=5, left=True),
    _Column("outcome", lambda e: e.outcome or NONE, left=True),
    _Column("clean", lambda e: _yes(e.clean), keep=6, left=True),
    _Column("overlap", _grip(lambda grasp: grasp.overlap_mm, 1), keep=3),
    _Column("offset", _grip(lambda grasp: grasp.offset_mm, 1), keep=4),
    _Column("slip", _grip(lambda grasp: grasp.slip_mm, 1), keep=3),
    _Column("peak N", _grip(lambda grasp: grasp.peak_force_n, 0), keep=7),
    _Column("late", lambda e: _count(e.late), keep=9),
    _Column("p99 ms", lambda e: _number(e.interval_p99_ms, 1), keep=10),
    _Column("marks", _marks, left=True),
    _Column("task", lambda e: e.task, keep=11, left=True),
)
_JOINT: tuple[_Column[JointFacts], ...] = (
    _Column("joint", lambda j: j.name.removesuffix(".pos"), left=True),
    _Column("action", lambda j: _between(j.action_low, j.action_high)),
    _Column("state", lambda j: _between(j.state_low, j.state_high)),
    _Column("|state - action|", lambda j: _number(j.max_gap, 1)),
    _Column("in episode", lambda j: _count(j.max_gap_episode), keep=1),
)
