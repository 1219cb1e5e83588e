"""What every recording asks, paced or not: where to, who, how many, where the block goes; and how it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from curation.errors import NotADataset, UsageError
from curation.video import Encoding
from recorders.crew import Undrawn
from recorders.operators.named import Who
from recorders.placements import Placing, cells_without, require_recordable
from recorders.record import Drawing, Event, Saved, Took
from recorders.session import Session
from recorders.take import Keep
from recorders.world.gl import require_opengl
from recorders.world.scene import Scene
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.console import Console
from studio.options import Episodes, Where
from studio.paths import dataset_path


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is recorded, and into what."""

    to: str
    """The dataset: a folder, or a bare name under STUDIO_DATA (default ./datasets). Must be new without --resume."""
    operator: str = "expert"
    """Who drives: expert."""
    episodes: Episodes = 20
    """Episodes the dataset shall hold at the end; with --resume the total."""
    where: Where = field(default_factory=Where)
    keep: Keep = Keep.SUCCESS
    """Which takes become episodes; "verdict" is a person's word."""
    seed: int = 0
    """Of every random choice; stored per episode. Another recording with the same options needs another seed."""
    limit: float = TIME_LIMIT_S
    """Time limit of an episode in seconds."""
    noise: float = 0.0
    """Noise on the body joints' targets in degrees."""
    resume: bool = False
    """Continue an existing dataset recorded with the same settings."""
    scene: Scene = field(default_factory=Scene)

    @property
    def who(self) -> Who:
        return Who(name=self.operator, noise=self.noise)

    @property
    def limit_frames(self) -> int:
        return round(self.limit * self.scene.fps)

    def check(self) -> Placing:
        """Refuse what cannot be recorded, before anything is made.

        Raises:
            UsageError: naming the value and the valid ones.
        """
        require_opengl()
        who = self.who
        if self.episodes < 1:
            raise UsageError(f"--episodes {self.episodes} must be at least 1.")
        if not 0.5 <= self.limit <= 600:
            raise UsageError(f"--limit {self.limit} is outside 0.5 to 600 seconds.")
        if self.keep is Keep.VERDICT:
            raise UsageError(f"--keep verdict needs a person; {who.name} gives none. Valid: all, success.")
        placing = self.where.placing()
        require_recordable(placing, self.scene, self.seed)
        return placing

    def open(self) -> Session:
        """The new dataset, or with --resume the existing one."""
        return open_session(self.to, self.scene, resume=self.resume)


def open_session(to: str, scene: Scene, *, resume: bool) -> Session:
    """A new dataset, or with `resume` an existing one."""
    root = dataset_path(to)
    if not resume:
        return Session.create(root, scene, Encoding())
    if not root.is_dir():
        raise NotADataset(root, "there is no such folder; leave --resume away to start it")
    session = Session.resume(root, scene)
    if "driven" in session.store.scene:
        session.close()
        raise UsageError(f"{root} was drawn again from another dataset. Record into a new one, and merge the two.")
    return session


def offer(console: Console, session: Session, unfinished: list[Path]) -> None:
    """Name unfinished takes and the way to them."""
    if unfinished:
        takes = "1 unfinished take waits" if len(unfinished) == 1 else f"{len(unfinished)} unfinished takes wait"
        console.step(f"{takes}: studio recover {session.root} --keep | --discard")


def tell_if_full(console: Console, session: Session, wanted: int) -> None:
    """Say so where there is nothing left to do."""
    have = session.store.total_episodes
    if have >= wanted:
        console.step(f"{session.root} already holds {have} episodes.")


def tell_holes(console: Console, session: Session, placing: Placing) -> None:
    """Name asked positions that have no episode, because the total alone hides them."""
    missing = cells_without(placing, [row.extra.get("asked") for row in session.store.rows()])
    if missing:
        listed = ", ".join(f"({x:g}, {y:g})" for x, y in missing[:8]) + (", ..." if len(missing) > 8 else "")
        console.step(
            f"{len(missing)} of {placing.cells} asked positions have no episode: {listed}. "
            "Ask for more episodes with --resume, or record them with --at."
        )


def console_event(console: Console, event: Event, wanted: int) -> None:
    """One line per event of a recording."""
    match event:
        case Took():
            late = f", {event.late} late frames" if event.late else ""
            word = "kept" if event.kept else "not kept"
            driven = f"{event.ending.outcome.value}, {event.frames} frames{late}"
            console.step(f"take {event.attempt}: {driven}, {word} ({event.total}/{wanted})")
        case Saved():
            console.step(f"saved episode {event.index}")
        case Undrawn():
            console.step(f"take {event.journal.stem[:8]} is kept but cannot be drawn: {event.why}")
        case Drawing():
            console.progress(f"drawing and saving kept takes: {event.left} left")
