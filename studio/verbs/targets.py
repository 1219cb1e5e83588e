"""targets: positions to record at, made, checked and added to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from curation import coverage
from curation.errors import BAD_DATA, OK, TargetExists, UsageError
from curation.frames import Placement
from curation.targets import Target, named, read_targets, write_targets
from recorders.world import reach
from recorders.world.scene import Scene
from studio.console import Console
from studio.options import From, recorded_at

BOX = (0.18, 0.40, -0.12, 0.28)
"""The usual box of placements: x low, x high, y low, y high [m]."""
File = tyro.conf.Positional[Path]


@dataclass(frozen=True, kw_only=True)
class Make:
    """Make a positions file by a pattern; positions that cannot be recorded are named and left out."""

    file: File
    """The file, which must be new."""
    grid: tuple[int, int] | None = None
    """NX by NY positions over --box."""
    ring: tuple[float, float, float, int] | None = None
    """X Y RADIUS N: around a centre, metres."""
    random: int | None = None
    """So many anywhere in --box."""
    gaps: int | None = None
    """So many where recorded data is farthest away, at least --farther-than from it and from each other."""
    from_: From = ()
    """Datasets whose placements are the recorded data."""
    farther_than: float = coverage.RADIUS
    """Metres."""
    box: tuple[float, float, float, float] = BOX
    """X-low X-high Y-low Y-high in metres."""
    yaw: float | None = None
    """Heading of all in degrees; left to the recording by default."""
    note: str = ""
    """Written beside every position."""
    seed: int = 0
    """Of --random."""
    json: bool = False
    """Print the positions as JSON."""
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True, kw_only=True)
class Check:
    """Check a positions file: reach, view, bowl, distance to recorded or named positions. Exit code 3 if any fails."""

    file: File
    """The file."""
    from_: From = ()
    """Datasets whose placements the positions shall be far from."""
    near: tuple[tuple[float, float], ...] = ()
    """Further positions to be far from: X Y X Y ... in metres."""
    farther_than: float = coverage.RADIUS
    """Metres; what is nearer adds little."""
    write: Path | None = None
    """Write the positions that pass to this new file."""
    json: bool = False
    """Print the positions as JSON."""
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True, kw_only=True)
class Add:
    """Add one position to a file, which is made if it is not there."""

    file: File
    """The file."""
    x: tyro.conf.Positional[float]
    """Metres."""
    y: tyro.conf.Positional[float]
    """Metres."""
    yaw: float | None = None
    """Heading in degrees."""
    note: str = ""
    """For people."""
    json: bool = False
    """Print the positions as JSON."""
    scene: Scene = field(default_factory=Scene)


@dataclass(frozen=True, kw_only=True)
class Targets:
    """Positions to record at: {"positions": [{"x", "y", "rotation", "note", "id"}]}, metres and degrees. With --json an
    action prints them as data."""

    do: (
        Annotated[Make, tyro.conf.subcommand("make")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Add, tyro.conf.subcommand("add")]
    )

    @property
    def json(self) -> bool:
        """Whether the result is printed as JSON."""
        return self.do.json


@dataclass(frozen=True)
class Near:
    """The nearest recorded or named position: its distance and where it is [m]."""

    metres: float
    x: float
    y: float


def targets(options: Targets, console: Console) -> int:
    """Do what was asked."""
    match options.do:
        case Make():
            return _make(options.do, console)
        case Check():
            return _check(options.do, console)
        case Add():
            return _add(options.do, console)


def _make(asked: Make, console: Console) -> int:
    if asked.file.exists():
        raise TargetExists(asked.file, "Choose another name, or add to it with studio targets add.")
    points = _points(asked)
    if asked.gaps is not None and len(points) < asked.gaps:
        console.step(f"Only {len(points)} of {asked.gaps} gaps are {asked.farther_than:g} m from data and each other.")
    good = []
    for x, y in points:
        problems = _problems(asked.scene, x, y)
        good += [] if problems else [(x, y)]
        if problems:
            console.step(f"({x:g}, {y:g}) is left out: {' and '.join(problems)}")
    if not good:
        raise UsageError(f"None of {len(points)} positions can be recorded: choose another box, pattern or distance.")
    made = named([Target("", x, y, asked.yaw, asked.note) for x, y in good])
    write_targets(asked.file, made)
    console.result(_table([_line(target, [], None) for target in made]), [asdict(target) for target in made])
    console.step(f"{asked.file} holds {len(made)} positions.")
    return OK


def _points(asked: Make) -> list[tuple[float, float]]:
    patterns = {"--grid": asked.grid, "--ring": asked.ring, "--random": asked.random, "--gaps": asked.gaps}
    given = [name for name, value in patterns.items() if value is not None]
    if len(given) != 1:
        raise UsageError(f"Choose exactly one pattern of {', '.join(patterns)}; got {' and '.join(given) or 'none'}.")
    if asked.grid is not None:
        return coverage.grid(asked.box, *asked.grid)
    if asked.ring is not None:
        x, y, radius, count = asked.ring
        return coverage.ring((x, y), radius, count)
    if asked.random is not None:
        return coverage.scatter(asked.box, asked.random, asked.seed)
    assert asked.gaps is not None
    return coverage.gaps(
        lambda x, y: not _problems(asked.scene, x, y),
        asked.box,
        recorded_at(asked.from_),
        asked.gaps,
        asked.farther_than,
    )


def _check(asked: Check, console: Console) -> int:
    positions = read_targets(asked.file)
    data = np.concatenate([recorded_at(asked.from_), np.array(asked.near, dtype=np.float64).reshape(-1, 2)])
    distance, index = coverage.nearest(np.array([(t.x, t.y) for t in positions]), data)
    close = {near.target.id for near in coverage.too_close(positions, data, asked.farther_than)}
    lines, found, good = [], [], []
    for target, metres, which in zip(positions, distance, index, strict=True):
        near = None if which < 0 else Near(float(metres), *map(float, data[which]))
        problems = _problems(asked.scene, target.x, target.y)
        if target.id in close and near:
            problems.append(
                f"{near.metres:.3f} m from ({near.x:.3f}, {near.y:.3f}), nearer than {asked.farther_than:g}"
            )
        lines.append(_line(target, problems, near))
        found.append({**asdict(target), "nearest": None if near is None else asdict(near), "problems": problems})
        good += [] if problems else [target]
    if asked.write is not None:
        _write(asked.write, good)
        console.step(f"{asked.write} holds the {len(good)} that pass.")
    flagged = len(positions) - len(good)
    console.result("\n".join([_table(lines), f"{flagged} of {len(positions)} flagged"]), found)
    return BAD_DATA if flagged else OK


def _write(path: Path, good: Sequence[Target]) -> None:
    if path.exists():
        raise TargetExists(path, "Choose another name.")
    if not good:
        raise UsageError(f"No position passes, so {path} is not written.")
    write_targets(path, good)


def _add(asked: Add, console: Console) -> int:
    if problems := _problems(asked.scene, asked.x, asked.y):
        near = reach.nearest_valid(asked.scene, Placement(asked.x, asked.y))
        way_out = f" The nearest recordable position is {near.x:g} {near.y:g}." if near else ""
        raise UsageError(f"A block at ({asked.x:g}, {asked.y:g}) is {' and '.join(problems)}.{way_out}")
    before = read_targets(asked.file) if asked.file.exists() else ()
    after = named([*before, Target("", asked.x, asked.y, asked.yaw, asked.note)])
    write_targets(asked.file, after)
    console.result(f"{asked.file} holds {len(after)} positions.", [asdict(target) for target in after])
    return OK


def _problems(scene: Scene, x: float, y: float) -> list[str]:
    return reach.problems(scene, Placement(x, y))


def _line(target: Target, problems: Sequence[str], near: Near | None) -> tuple[str, ...]:
    yaw = "free" if target.rotation is None else f"{target.rotation:g}"
    far, where = ("-", "-") if near is None else (f"{near.metres:.3f}", f"{near.x:.3f} {near.y:.3f}")
    words = "; ".join(problems) or target.note
    return ("!" if problems else " ", target.id, f"{target.x:.3f}", f"{target.y:.3f}", yaw, far, where, words)


def _table(lines: Sequence[tuple[str, ...]]) -> str:
    rows = [("", "id", "x m", "y m", "yaw", "nearest m", "at", ""), *lines]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
