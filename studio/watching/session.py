"""A session: run, pause, step through what was, and go on from any of it.

Looking back runs nothing. Only `go_on` and `change` bring the world back to a past frame; what came after that frame is
kept in `replaced` until the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from curation.errors import UnknownChoice, UsageError
from curation.frames import Ending
from recorders.events import Event, next_event
from recorders.rollout import Start
from recorders.world.sim import SimWorld
from training.policy import PolicySettings
from training.thinking import Thinker

from .history import History
from .moment import Moment
from .tape import Tape


@dataclass(frozen=True)
class Branch:
    """Where the episode was gone on with from a frame that was there.

    Attributes:
        frame: the first that was made anew.
        changed: settings by name, as they are from there on.
        replaced: how many frames were there before.
    """

    frame: int
    changed: dict[str, Any]
    replaced: int


class Session:
    """One watched episode.

    Args:
        world: it is in; no one else steps it.
        make: makes a thinker of the policy with such settings; it tells alarms to its second argument.
        settings: to begin with.
        start: of the episode.
        limit: most frames.
        told: what `History.told` says beside what the session itself knows.
        whiskers: simulate ahead what is thought.

    Attributes:
        at: the frame that is looked at; -1 before the first.
        branches: where settings were changed, by frame.
        replaced: all of the history as it was before the last branch; None without one.
    """

    def __init__(
        self,
        world: SimWorld,
        make: Callable[[PolicySettings, Callable[[str], None]], Thinker],
        settings: PolicySettings,
        start: Start,
        *,
        limit: int,
        told: dict[str, Any],
        whiskers: bool = True,
    ) -> None:
        self.world = world
        self.at = -1
        self.branches: list[Branch] = []
        self.replaced: History | None = None
        self._alarms: list[tuple[int, str]] = []
        self._make, self._told = make, told
        self._tape = Tape(world, make(settings, self._alarm), start, limit=limit, whiskers=whiskers)
        self._history: History | None = None

    @property
    def settings(self) -> PolicySettings:
        """How the policy is carried out now."""
        return self._tape.thinker.settings

    def tell(self, **more: Any) -> None:
        """Let `History.told` say more, such as how the episode compares with a recorded one."""
        self._told, self._history = {**self._told, **more}, None

    @property
    def ending(self) -> Ending | None:
        """How the episode ended; None while it goes on."""
        return self._tape.ending

    @property
    def live(self) -> bool:
        """Whether the moment looked at is the last one that was made."""
        return self.at == len(self._tape) - 1

    @property
    def moment(self) -> Moment:
        """The one looked at.

        Raises:
            UsageError: nothing was run yet.
        """
        self._require_begun()
        moment: Moment = self.history[self.at]
        return moment

    @property
    def history(self) -> History:
        """Everything so far; what was handed out does not change."""
        if self._history is None:
            tape = self._tape
            told = {
                **self._told,
                "settings": self.settings.as_json(),
                "draws": tape.thinker.draws,
                "branches": [asdict(branch) for branch in self.branches],
                "alarms": list(dict.fromkeys(text for _, text in self._alarms)),
                "ending": None if tape.ending is None else _ending(tape.ending),
            }
            self._history = History(told, tape.columns(), dict(tape.outlooks))
        return self._history

    def step(self) -> Moment | None:
        """One frame forth: the next one of the history, or a new one; None where the episode has ended.

        Raises:
            StudioError: the policy failed.
        """
        if self.live and not self._grow():
            return None
        self.at += 1
        return self.moment

    def run(self, until: int | None = None) -> Iterator[Moment]:
        """Steps until a frame or the end; whoever stops asking has paused it."""
        while (until is None or self.at < until) and (moment := self.step()) is not None:
            yield moment

    def finish(self) -> Ending:
        """Run to the end, and look at the last moment.

        Raises:
            StudioError: the policy failed.
        """
        while self._grow():
            pass
        self.at = len(self._tape) - 1
        assert self.ending is not None
        return self.ending

    def go(self, frame: int) -> Moment:
        """Look at a frame of the history.

        Raises:
            UsageError: there is none such yet.
        """
        if not 0 <= frame < len(self._tape):
            raise UsageError(f"Frame {frame} is outside 0 to {len(self._tape) - 1}, what was run so far.")
        self.at = frame
        return self.moment

    def back(self) -> Moment:
        """One frame back; stays at the first."""
        return self.go(max(0, self.at - 1))

    def jump(self, kind: str | None = None, *, back: bool = False) -> Event | None:
        """Look at the next event, or the one before; None, and nothing moves, where there is none.

        Args:
            kind: one of `recorders.events.KINDS`; any if None.
            back: towards the beginning.
        """
        found = next_event(self.history.events, self.at, kind, back=back)
        if found is not None:
            # An event of the end is seen after the last moment.
            self.at = min(found.frame, len(self._tape) - 1)
        return found

    def go_on(self) -> Branch:
        """Bring the world back to the moment looked at and make it again; the next step makes the frame after it.

        Without a change everything repeats bit for bit.

        Raises:
            UsageError: the policy keeps a memory that cannot be brought back.
        """
        self._require_begun()
        return self._branch(None, {})

    def change(self, **changed: Any) -> Branch:
        """Go on from the moment looked at with other settings; the policy is asked in that very frame.

        Args:
            changed: fields of `PolicySettings`, such as blind, n_action_steps, ensemble. Of the last two either decides
                the other: n_action_steps turns ensembling off, and `ensemble=None` is n_action_steps as trained.

        Raises:
            UsageError: a setting is not possible, or the policy's memory cannot be brought back; nothing has changed.
        """
        unknown = set(changed) - set(PolicySettings.__dataclass_fields__)
        if unknown:
            raise UnknownChoice("setting", min(unknown), PolicySettings.__dataclass_fields__)
        self._require_begun()
        self._tape.require_rewindable()
        settings = self._tape.anchor(self.at)[1].thinker.settings
        if {"n_action_steps", "ensemble"} & set(changed):
            settings = replace(settings, n_action_steps=None, ensemble=None, ensembling=False)
        return self._branch(self._make(replace(settings, **changed), self._alarm), changed)

    def _branch(self, thinker: Thinker | None, changed: dict[str, Any]) -> Branch:
        self._tape.require_rewindable()
        before, branch = self.history, Branch(self.at, changed, len(self._tape) - self.at)
        # What was wrong with frames that are gone is gone too; those made again raise their alarms again.
        since = self._tape.anchor(self.at)[0]
        self._alarms = [(frame, text) for frame, text in self._alarms if frame < since]
        self._tape.rewind(self.at, thinker)
        self.replaced, self._history = before, None
        # Branches of frames that are gone are gone too.
        kept = [one for one in self.branches if one.frame <= branch.frame]
        self.branches = [*kept, branch] if changed else kept
        return branch

    def _alarm(self, text: str) -> None:
        self._alarms.append((self._tape.acting, text))

    def _grow(self) -> bool:
        self._history = None
        return self._tape.grow()

    def _require_begun(self) -> None:
        if self.at < 0:
            raise UsageError("Nothing was run yet: step first.")


def _ending(ending: Ending) -> dict[str, Any]:
    return {"status": ending.status.value, "outcome": ending.outcome.value, "report": dict(ending.report)}
