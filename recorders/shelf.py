"""Where the takes of a sitting go: into a dataset, or nowhere while practising."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from curation.notes import Note, add_notes, masked, read_notes

from .crew import Undrawn, WorkerDied
from .darkroom import Darkroom, Drawing, Saved
from .journal import Journal, read_journal
from .rollout import Start
from .session import Session, Terms
from .signals import Event, Said, Stored
from .take import Log, Unwritten

BY = "person"
DEATHS = 3
"""Deaths of the drawing process in one sitting before it ends; what is kept is then saved at the next start."""


class Shelf(Protocol):
    """What a booth asks of the place where takes go."""

    @property
    def waiting(self) -> int:
        """Takes kept and not yet saved."""
        ...

    def next_attempt(self) -> int: ...

    def begin(self, start: Start, label: str, attempt: int, terms: Terms) -> Log:
        """Open the log of a take."""
        ...

    def settle(self, log: Log, *, kept: bool) -> None:
        """A take was closed with a decision."""
        ...

    def count(self) -> int:
        """Episodes kept or saved and not masked."""
        ...

    def by_target(self) -> Counter[str]:
        """The same by the id of their position."""
        ...

    def mask(self, *, undo: bool) -> str | None:
        """Put the last episode of this sitting to the trash, or restore the last that was; its id, None if there is
        none."""
        ...

    def explain(self, episode_id: str, why: str) -> None:
        """Note why a take was discarded."""
        ...

    def work(self) -> None:
        """Save what has been drawn meanwhile."""
        ...

    def rest(self, resting: bool) -> None:
        """Whether drawing shall pause."""
        ...

    def finish(self) -> None:
        """Save everything kept."""
        ...

    def close(self) -> None: ...


class DatasetShelf:
    """Takes become episodes of a dataset.

    Args:
        session: open for recording.
        tell: is told what was saved.
    """

    def __init__(self, session: Session, tell: Callable[[Event], None]) -> None:
        self._session = session
        self._tell = tell
        self._room = Darkroom(session, self._heard)
        self._deaths = 0
        self._target: dict[str, str] = {}
        self._mine: set[str] = set()
        for row in session.store.rows():
            self._target[row.episode_id] = str(row.extra.get("target", ""))
        notes = read_notes(session.root)
        self._masked = [note.episode_id for note in notes if note.episode_id in masked(notes)]
        kept, unfinished = session.waiting()
        for take in kept:
            self._keep(take.header["episode_id"], take.header)
        if unfinished:
            takes = "1 unfinished take waits" if len(unfinished) == 1 else f"{len(unfinished)} unfinished takes wait"
            tell(Said(f"{takes}: studio recover {session.root} --keep | --discard"))

    @property
    def waiting(self) -> int:
        return self._room.open

    def next_attempt(self) -> int:
        return self._session.next_attempt

    def begin(self, start: Start, label: str, attempt: int, terms: Terms) -> Journal:
        return self._session.begin(start, label, attempt, terms)

    def settle(self, log: Log, *, kept: bool) -> None:
        take = read_journal(self._session.journal(log.episode_id))
        self._session.settle(take)
        if kept:
            self._mine.add(log.episode_id)
            self._keep(log.episode_id, take.header)

    def count(self) -> int:
        return len(self._target.keys() - set(self._masked))

    def by_target(self) -> Counter[str]:
        return Counter(target for episode, target in self._target.items() if target and episode not in self._masked)

    def mask(self, *, undo: bool) -> str | None:
        shown = [episode for episode in self._target if episode not in self._masked]
        # What an earlier sitting left is the library's business: nobody has just seen it.
        among = [episode for episode in (self._masked if undo else shown) if episode in self._mine]
        if not among:
            return None
        episode_id = among[-1]
        self._note(episode_id, "mask", not undo)
        self._masked = [one for one in self._masked if one != episode_id] if undo else [*self._masked, episode_id]
        return episode_id

    def explain(self, episode_id: str, why: str) -> None:
        self._note(episode_id, "discarded", why)

    def work(self) -> None:
        try:
            self._room.collect()
        except WorkerDied as death:
            self._draw_again(death)

    def rest(self, resting: bool) -> None:
        self._room.pause(resting)

    def finish(self) -> None:
        self._room.finish()

    def close(self) -> None:
        self._room.close()
        self._session.close()

    def _keep(self, episode_id: str, header: Terms) -> None:
        self._target[episode_id] = str(header.get("target", ""))
        self._room.give(self._session.journal(episode_id))

    def _draw_again(self, death: WorkerDied) -> None:
        """A drawing process that died must not end a sitting: another one takes up what is kept.

        Raises:
            WorkerDied: it dies again and again.
        """
        self._deaths += 1
        if self._deaths > DEATHS:
            raise death
        self._tell(Said("The drawing process died; it is started again. Nothing is lost.", grave=True))
        self._room.close()
        self._session.drop_staged()
        for take in self._session.waiting()[0]:
            self._keep(take.header["episode_id"], take.header)

    def _note(self, episode_id: str, kind: str, value: bool | str) -> None:
        when = datetime.now(UTC).isoformat(timespec="seconds")
        add_notes(self._session.root, [Note(episode_id, kind, value, BY, when)])

    def _heard(self, event: Saved | Drawing | Undrawn) -> None:
        match event:
            case Saved():
                self._tell(Stored(event.index, event.episode_id))
            case Undrawn():
                # It is no episode, so it counts for none.
                self._target.pop(event.journal.stem, None)
                text = f"Take {event.journal.stem[:8]} is kept but cannot be drawn: {event.why}"
                self._tell(Said(text, grave=True))


class Practice:
    """Nothing is written, so nothing is kept."""

    waiting = 0

    def __init__(self) -> None:
        self._attempts = 0

    def next_attempt(self) -> int:
        return self._attempts

    def begin(self, start: Start, label: str, attempt: int, terms: Terms) -> Unwritten:
        self._attempts = attempt + 1
        return Unwritten()

    def settle(self, log: Log, *, kept: bool) -> None:
        pass

    def count(self) -> int:
        return 0

    def by_target(self) -> Counter[str]:
        return Counter()

    def mask(self, *, undo: bool) -> str | None:
        return None

    def explain(self, episode_id: str, why: str) -> None:
        pass

    def work(self) -> None:
        pass

    def rest(self, resting: bool) -> None:
        pass

    def finish(self) -> None:
        pass

    def close(self) -> None:
        pass
