"""Whether the state follows the action as a driven arm does: by how many frames late, and how far behind.

A frame holds what was seen and what was then commanded, so a measured joint follows its action one frame later or
more. Recorders that observe after they have commanded store the answer beside the question: a lag of none.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from curation.checks.finding import Finding, joined, listed
from curation.checks.scale import scales
from curation.checks.subject import Motion, Subject
from curation.names import STATE

FARTHEST = 12
"""Lags that are tried, in frames, either way."""
SLOW_S = 0.25
"""A lag above this makes the action of a frame one that is seen much later [s]; a good servo needs about 0.1 s."""
BEHIND_DEG = 20.0
"""Gap of a body joint, lag and sag taken off, that means the arm did not follow [deg]."""
UNRELATED = 0.5
"""Correlation of state and action, at the best lag, below which one is not the measurement of the other."""
SURE, NEARER = 0.95, 0.25
"""Correlation of one joint's action with another's state above which they may be exchanged, and the share of what is
left unexplained that then remains of what the joint's own state leaves."""
_LEAST = 4 * FARTHEST
"""Frames an episode needs before its lag is looked for."""
_MOVES = 0.03
"""Share of its range by which a joint must move to be followed."""

_LAGS = np.arange(-FARTHEST, FARTHEST + 1)
Sums = NDArray[np.float64]


class Following:
    """Lag and gap of every joint, of each episode and of all."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._pairs = subject.paired
        self._scales = scales(subject, STATE) if self._pairs else []
        self._sums: dict[str, Sums] = {}
        self._own: dict[str, list[tuple[int, int]]] = {}
        self._behind: dict[str, list[tuple[float, int]]] = {}
        self._crossed: dict[tuple[str, str], Sums] = {}
        self._short: list[int] = []

    def see(self, motion: Motion) -> None:
        action, state = motion.action, motion.state
        if action is None or state is None:
            return
        if len(action) < _LEAST:
            self._short.append(motion.index)
            return
        driving = [pair for pair in self._pairs if self._drives(pair, action, state)]
        for name, driven, measured in driving:
            scale = self._scales[measured]
            asked, was = action[:, driven], state[:, measured]
            sums = _products(asked, was)
            self._sums[name] = self._sums.get(name, 0.0) + sums
            related = _correlations(sums)
            best = int(np.argmax(related))
            if related[best] > 0.9:
                self._own.setdefault(name, []).append((motion.index, int(_LAGS[best])))
            if related[best] > UNRELATED and scale.per_degree:
                gap = _gap(asked, was, int(_LAGS[best])) / scale.per_degree
                self._behind.setdefault(name, []).append((gap, motion.index))
        if len(driving) > 1:
            crossed = _crossed(action[:, [d for _, d, _ in driving]], state[:, [m for _, _, m in driving]])
            for row, (name, _, _) in enumerate(driving):
                for column, (other, _, _) in enumerate(driving):
                    if other != name:
                        known = self._crossed.get((name, other), 0.0)
                        self._crossed[name, other] = known + crossed[row, column]

    def _drives(self, pair: tuple[str, int, int], action: Sums, state: Sums) -> bool:
        """Whether a joint moves so that it can be followed; a gripper stops at what it holds."""
        _, driven, measured = pair
        scale = self._scales[measured]
        asked, was = action[:, driven], state[:, measured]
        if scale.gripper or not np.isfinite(asked).all() or not np.isfinite(was).all():
            return False
        return float(np.ptp(asked)) > _MOVES * (scale.width or 0.0)

    def findings(self) -> Iterator[Finding]:
        yield from self._too_short()
        related = {name: _correlations(sums) for name, sums in self._sums.items()}
        pairs = self._exchanged({name: float(values.max()) for name, values in related.items()})
        if pairs:
            yield _exchanged(pairs)
        related = {name: values for name, values in related.items() if name not in pairs}
        stranger = [name for name, values in related.items() if values.max() < UNRELATED]
        if stranger and 2 * len(stranger) <= len(related):
            yield Finding(
                "state",
                "warning",
                f"{STATE} of {joined(stranger)} does not follow its action: they correlate by less than {UNRELATED:g}",
                "The joint is measured by another column, not at all, or was held: a policy takes it for its position.",
                "Look at it (studio inspect --video), or leave it out: studio merge DATASET --drop-feature.",
            )
        elif stranger:
            yield Finding(
                "state",
                "error",
                f"{STATE} does not follow the action: {joined(stranger)} correlate by less than {UNRELATED:g}",
                "The state is not the measurement of what is driven; it may be the block's pose, other joints, or "
                "another order. A policy takes it for its own position.",
                "Find out what the columns are, or leave them out: studio merge DATASET --drop-feature.",
            )
            return
        known = {name: values for name, values in related.items() if values.max() >= UNRELATED}
        yield from self._lags({name: int(_LAGS[np.argmax(values)]) for name, values in known.items()})
        yield from self._shifted()
        yield from self._far_behind()

    def _too_short(self) -> Iterator[Finding]:
        if self._short and self._pairs:
            yield Finding(
                "lag",
                "note",
                f"whether the state follows the action was not looked at in {listed(tuple(self._short))}: fewer than "
                f"{_LEAST} frames",
                "Nothing as such.",
                "Nothing needs to be done.",
                tuple(self._short),
            )

    def _exchanged(self, own: dict[str, float]) -> dict[str, str]:
        """Joints whose action another's state follows, much better than their own, by that other; in closed circles."""
        follows: dict[str, str] = {}
        for name in own:
            others = {
                two: float(_correlations(sums).max()) for (one, two), sums in self._crossed.items() if one == name
            }
            other = max(others, key=others.__getitem__, default=name)
            related = others.get(other, 0.0)
            if related > SURE and 1 - related < NEARER * (1 - own[name]):
                follows[name] = other
        while any(other not in follows for other in follows.values()) or len(set(follows.values())) < len(follows):
            led = set(follows.values())
            kept = {name: other for name, other in follows.items() if other in follows and name in led}
            if len(kept) == len(follows):
                return {}
            follows = kept
        return follows

    def _lags(self, lags: dict[str, int]) -> Iterator[Finding]:
        early = {name: lag for name, lag in lags.items() if lag < 1}
        if lags and 2 * len(early) > len(lags):
            yield Finding(
                "lag",
                "warning",
                f"state and action are of the same moment or exchanged: {_words(early)}",
                "The state already shows what the action asks for. The policy learns to copy it and stands still when "
                "it drives; the earlier work recorded like this.",
                "Observe before commanding. What is recorded keeps its use with action chunks of several frames.",
            )
        limit = round(SLOW_S * self._subject.fps)
        late = {name: lag for name, lag in lags.items() if lag > limit}
        if late:
            yield Finding(
                "lag",
                "warning",
                f"the state follows its action late: {_words(late)}",
                "What an action does is seen only after others were chosen: the policy overshoots.",
                "Look for a slow bus or a camera that blocks the loop. Joints that differ in lag were read apart.",
            )
        if lags and max(lags.values()) - min(lags.values()) > 3 and not late and not early:
            yield Finding(
                "lag",
                "note",
                f"joints follow by different lags: {_words(lags)}",
                "Joints were read at different times, or one is weaker than the others.",
                "Nothing needs to be done where the task is slow.",
            )

    def _shifted(self) -> Iterator[Finding]:
        """Episodes whose own lag is not that of the others."""
        apart: dict[int, int] = {}
        votes: dict[int, list[int]] = {}
        for own in self._own.values():
            usual = int(np.median([lag for _, lag in own]))
            for episode, lag in own:
                votes.setdefault(episode, []).append(lag - usual)
        for episode, away in votes.items():
            if len(away) >= 2 and abs(float(np.median(away))) >= 3:
                apart[episode] = round(float(np.median(away)))
        if apart and len(apart) < len(votes):
            first = next(iter(apart))
            yield Finding(
                "lag",
                "warning",
                f"actions are shifted against states: episode {first} by {apart[first]:+d} frames against the others "
                f"({listed(tuple(apart))})",
                "The same picture goes with different actions: what is learnt is their mean.",
                "studio drop leaves these episodes out.",
                tuple(sorted(apart)),
            )

    def _far_behind(self) -> Iterator[Finding]:
        far = {name: [one for one in gaps if one[0] > BEHIND_DEG] for name, gaps in self._behind.items()}
        far = {name: gaps for name, gaps in far.items() if gaps}
        if far:
            name, (gap, episode) = max(((n, max(g)) for n, g in far.items()), key=lambda item: item[1])
            found = tuple(sorted({one[1] for gaps in far.values() for one in gaps}))
            yield Finding(
                "gap",
                "warning",
                f"{name} is {gap:.0f} degrees away from its action in episode {episode}, lag taken off "
                f"({joined(far)}; {listed(found)})",
                "The arm was blocked, too weak or switched off: the action was never reached, and is learnt as if.",
                "Look at it with studio inspect --video; studio trim or studio drop.",
                found,
            )


def _exchanged(follows: dict[str, str]) -> Finding:
    ways = "; ".join(f"{told} moves as {asked} is driven" for asked, told in follows.items())
    return Finding(
        "state",
        "error",
        f"{STATE} has columns exchanged: {ways}",
        "The policy takes one joint's position for another's.",
        "Name the columns as they are recorded, or record anew; studio merge DATASET --drop-feature leaves the state "
        "out.",
    )


def _products(asked: Sums, was: Sums) -> Sums:
    """For every lag the sums of asked², was² and asked·was over the frames that all lags share, shape (3, lags).

    Values are taken off their means, so that what a joint sags by does not matter.
    """
    middle = asked[FARTHEST : len(asked) - FARTHEST]
    middle = middle - middle.mean()
    found = np.empty((3, len(_LAGS)))
    for place, lag in enumerate(_LAGS):
        part = was[FARTHEST + lag : len(was) - FARTHEST + lag]
        part = part - part.mean()
        found[:, place] = middle @ middle, part @ part, middle @ part
    return found


def _crossed(asked: Sums, was: Sums) -> Sums:
    """`_products` of every column of one with every column of the other, shape (columns, columns, 3, lags)."""
    middle = asked[FARTHEST : len(asked) - FARTHEST].T
    middle = middle - middle.mean(axis=1, keepdims=True)
    parts = np.lib.stride_tricks.sliding_window_view(was, middle.shape[1], axis=0)  # (lags, columns, frames)
    parts = parts - parts.mean(axis=2, keepdims=True)
    found = np.empty((len(middle), was.shape[1], 3, len(_LAGS)))
    found[:, :, 0] = (middle**2).sum(axis=1)[:, None, None]
    found[:, :, 1] = (parts**2).sum(axis=2).T[None]
    found[:, :, 2] = np.einsum("if,ljf->ijl", middle, parts)
    return found


def _correlations(sums: Sums) -> Sums:
    with np.errstate(invalid="ignore", divide="ignore"):
        values = sums[2] / np.sqrt(sums[0] * sums[1])
    return np.nan_to_num(values, nan=0.0)


def _gap(asked: Sums, was: Sums, lag: int) -> float:
    """The farthest that the state stays from where it was sent, beyond what it is always away."""
    sent = asked[max(0, -lag) : len(asked) - max(0, lag)]
    measured = was[max(0, lag) : len(was) - max(0, -lag)]
    away = measured - sent
    return float(np.quantile(np.abs(away - np.median(away)), 0.95))


def _words(lags: dict[str, int]) -> str:
    return ", ".join(f"{name} {lag:+d} frame{'s' if abs(lag) != 1 else ''}" for name, lag in lags.items())
