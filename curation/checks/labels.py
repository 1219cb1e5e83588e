"""What episodes are called: timeouts without a label, failures, blocks that begin in the goal, scenes that differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curation.attempts import INTERRUPTED
from curation.checks.finding import Finding, listed
from curation.checks.subject import Motion, Subject
from curation.episodes import SavedEpisode

IN_GOAL = 0.05
"""Half width of a goal whose scene tells none [m]: the bowl's is 0.06, a resting block's middle is inside it."""
SHORTEST_S = 0.1
"""An episode that is not longer is a slip of a key: nothing was done in it [s]."""
SETTLES_M = 0.01
"""How far a block may be from its stored placement when the episode begins [m]."""
AT_ONCE_S = 0.5
"""A success within this time was there before the arm could do anything [s]."""


class Labels:
    """Outcomes, lengths, and where the block begins and ends."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._starts: dict[int, NDArray[np.float64]] = {}
        self._ends: dict[int, NDArray[np.float64]] = {}
        self._later: set[int] = set()

    def see(self, motion: Motion) -> None:
        row, physics = motion.episode.row, motion.physics
        if not motion.begins:
            self._later.add(motion.index)
            return
        if "block" in physics:
            self._starts[motion.index] = physics["block"][0, :2]
            if row.success:
                self._ends[motion.index] = physics["block"][-1, :2]
        elif np.isfinite([row.x, row.y]).all():
            self._starts[motion.index] = np.array([row.x, row.y])

    def findings(self) -> Iterator[Finding]:
        yield from self._elsewhere()
        yield from _short(self._subject)
        yield from _timeouts(self._subject)
        yield from _failures(self._subject)
        yield from self._in_goal()
        yield from _scenes(self._subject)

    def _elsewhere(self) -> Iterator[Finding]:
        """Placements that the physics does not have, as when episodes are drawn anew with the block elsewhere."""
        away: dict[int, float] = {}
        for episode in self._subject.store.episodes:
            stored = np.array([episode.row.x, episode.row.y])
            if episode.index in self._starts and np.isfinite(stored).all():
                gap = float(np.hypot(*(self._starts[episode.index] - stored)))
                if gap > SETTLES_M:
                    away[episode.index] = gap
        if away:
            first = next(iter(away))
            yield Finding(
                "placement",
                "error",
                f"the block is not where it was placed: {away[first]:.3f} m off in episode {first} ({listed([*away])})",
                "The arm reaches for a place where the pictures show nothing; coverage and distances are wrong too.",
                "Make the dataset again from the one it was drawn from; studio drop leaves these episodes out.",
                tuple(away),
            )

    def _in_goal(self) -> Iterator[Finding]:
        goal, half = self._goal()
        inside = {
            index for index, place in self._starts.items() if goal is not None and np.hypot(*(place - goal)) < half
        }
        limit = AT_ONCE_S * self._subject.fps
        at_once = {
            episode.index
            for episode in self._subject.store.episodes
            if episode.row.success and episode.length <= limit and not _is_short(self._subject, episode)
        }
        # Where the block began and where the goal is are both known, the time says nothing more.
        known = set(self._starts) if goal is not None else set()
        found = tuple(sorted(inside | at_once - self._later - known))
        if found:
            yield Finding(
                "start in goal",
                "error",
                f"{listed(found)} begin with the block in the goal",
                "They succeed without doing anything: the policy learns to do nothing, and rates are too high.",
                "studio drop leaves them out; targets keep clear of the bowl when they are made with studio targets.",
                found,
            )

    def _goal(self) -> tuple[NDArray[np.float64] | None, float]:
        """Where the goal is: as the scene tells it, else where successes ended, if they agree."""
        bowl = (self._subject.scene.get("table") or {}).get("bowl")
        if isinstance(bowl, dict) and {"x", "y", "half"} <= bowl.keys():
            return np.array([float(bowl["x"]), float(bowl["y"])]), float(bowl["half"])
        ends = np.array([place for index, place in self._ends.items() if not self._rests(index)])
        if len(ends) < 2:
            return None, 0.0
        middle = np.median(ends, axis=0)
        agree = bool(np.median(np.hypot(*(ends - middle).T)) < IN_GOAL)
        return (middle, IN_GOAL) if agree else (None, 0.0)

    def _rests(self, index: int) -> bool:
        """Whether a block ended where it began."""
        return index in self._starts and bool(np.hypot(*(self._ends[index] - self._starts[index])) < 0.01)


def _is_short(subject: Subject, episode: SavedEpisode) -> bool:
    return episode.length <= SHORTEST_S * subject.fps


def _short(subject: Subject) -> Iterator[Finding]:
    """Episodes in which nothing can have been done."""
    found = tuple(episode.index for episode in subject.store.episodes if _is_short(subject, episode))
    if found:
        lengths = sorted({subject.store.episodes[index].length for index in found})
        shown = " or ".join(map(str, lengths)) + (" frame" if lengths == [1] else " frames")
        yield Finding(
            "short",
            "warning",
            f"{listed(found)} {'has' if len(found) == 1 else 'have'} {shown}, too few to train on",
            "A key was pressed twice, or an edit left a rest: no action chunk fits in, and it counts as an episode.",
            "studio drop leaves them out.",
            found,
        )


def _timeouts(subject: Subject) -> Iterator[Finding]:
    """Without outcomes, episodes that end at the clock's limit, and nobody says so.

    The limit is the one that the recorder stored; without it, the greatest length, if several episodes have it.
    """
    unlabelled = [episode for episode in subject.store.episodes if not episode.row.outcome]
    if not unlabelled:
        return
    whole = [episode for episode in unlabelled if "cut" not in episode.row.extra]
    told = [episode for episode in whole if _limit(episode) is not None]
    untold = [episode for episode in whole if _limit(episode) is None]
    longest = max((episode.length for episode in untold), default=0)
    alike = [episode for episode in untold if episode.length == longest]
    capped = tuple(
        sorted(
            [episode.index for episode in told if episode.length >= (_limit(episode) or 0)]
            + [episode.index for episode in (alike if len(alike) >= 2 else [])]
        )
    )
    if capped:
        ends = sorted({subject.store.episodes[index].length / subject.fps for index in capped})
        yield Finding(
            "timeouts",
            "warning",
            f"{listed(capped)} end{'s' if len(capped) == 1 else ''} at {' or '.join(f'{end:g}' for end in ends)} s, "
            f"{'their limit' if told else 'the longest there is'}, and {'has' if len(capped) == 1 else 'have'} no "
            "outcome",
            "They look like attempts that ran out of time; a policy learns failures as if they were meant.",
            "Look at their ends (studio inspect --video); studio note says what they are, studio drop leaves them out.",
            capped,
        )
    yield Finding(
        "labels",
        "note",
        f"no outcome is stored for {listed(tuple(episode.index for episode in unlabelled))}",
        "Nobody can say which of them succeeded, so no rate can be quoted and failures cannot be left out.",
        "studio note adds scores and comments; a success classifier can score them.",
    )


def _limit(episode: SavedEpisode) -> int | None:
    """The most frames that the recorder let an episode have; None where it does not say."""
    limit = episode.row.extra.get("limit_frames")
    return int(limit) if isinstance(limit, int | float) and limit > 0 else None


def _failures(subject: Subject) -> Iterator[Finding]:
    judged = [episode for episode in subject.store.episodes if episode.row.outcome]
    cut = tuple(episode.index for episode in judged if episode.row.outcome == INTERRUPTED)
    failed = tuple(e.index for e in judged if not e.row.success and e.index not in cut)
    for found, what in ((failed, "did not succeed"), (cut, "were stopped before their end, so nobody judged them")):
        if found:
            yield Finding(
                "outcomes",
                "note",
                f"{listed(found)} {what}",
                "Imitation learns failures too; they are of use to a classifier, or where they end in a recovery.",
                'studio episodes --where="-outcome:success" lists them, studio drop leaves them out.',
                found,
            )


def _scenes(subject: Subject) -> Iterator[Finding]:
    by_scene: dict[str, list[int]] = {}
    for episode in subject.store.episodes:
        scene = episode.row.extra.get("scene")
        if scene:
            by_scene.setdefault(str(scene), []).append(episode.index)
    stored = subject.scene.get("fingerprint")
    if len(by_scene) > 1:
        parts = "; ".join(f"{scene[:8]}: {listed(mine, 4)}" for scene, mine in by_scene.items())
        fewest = min(by_scene.values(), key=len)
        yield Finding(
            "scene",
            "warning",
            f"episodes of {len(by_scene)} scenes: {parts}",
            "Cameras, sizes or physics differ between them. That may be meant; if not, pictures of one scene teach "
            "the policy to miss in the other, as a camera of 58 degrees did in one of 52.",
            "studio rerender draws all of them in one scene; studio drop keeps one.",
            tuple(fewest),
        )
    elif stored and by_scene and stored not in by_scene:
        yield Finding(
            "scene",
            "error",
            f"scene.json is {str(stored)[:8]}, the episodes were recorded in {next(iter(by_scene))[:8]}",
            "What is evaluated, replayed or drawn anew would be another scene than the one that was recorded.",
            "Restore meta/studio/scene.json of the source dataset.",
        )
