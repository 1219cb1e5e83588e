"""Whether the stored statistics are those of the data; they decide what a policy sees and does."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from curation import layout
from curation.checks.cameras import exchanged, frozen
from curation.checks.finding import Finding, joined, listed
from curation.checks.samples import sampled
from curation.checks.subject import Motion, Subject
from curation.commit import kept_histograms
from curation.errors import DataError
from curation.histograms import pictures
from curation.restat import (
    CODING,
    Difference,
    Restated,
    add_images,
    differences,
    stored_episodes,
    stored_whole,
    worst,
)
from curation.tally import Tally

MEND = "studio stats DATASET --repair"
FAINT = 0.02
"""An image's standard deviation below this, of 0..1, is an overflow or an empty picture; real ones are above 0.05."""
BLANK = 0.01
"""Standard deviation, of 0..1, of a whole episode's pixels below which nothing is to be seen."""
_PRECISE = 1e-3
"""Difference, relative to the spread of its own column, that changes a normalised value noticeably."""


class Statistics:
    """Recomputes the numeric statistics, and compares what is stored."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._tally = Tally(subject.features, subject.store.total_episodes)
        self._usable = True

    def see(self, motion: Motion) -> None:
        whole = len(motion.rows) == motion.episode.length
        finite = all(np.isfinite(values).all() for values in motion.numbers.values())
        if not whole or not finite:
            self._usable = False  # the rules about rows say so
            return
        self._tally.add(motion.index, motion.numbers)

    def findings(self) -> Iterator[Finding]:
        store = self._subject.store
        if not store.episodes:
            return
        whole = stored_whole(store.root)
        yield from _implausible(self._subject, whole)
        if not self._usable or any(not own for own in self._tally.episodes):
            return
        found = Restated(whole=self._tally.whole(), episodes=self._tally.episodes)
        try:
            add_images(store, found, "all" if self._subject.deep else "histograms", progress=self._subject.tell)
            apart = differences(store, found)
        except DataError as error:
            yield Finding(
                "statistics",
                "error",
                f"statistics cannot be compared: {error}",
                "What is damaged would damage training too.",
                "See the other findings.",
            )
            return
        other = _other_than_recorded(self._subject, found)
        yield from _undecodable(found)
        yield from _other_pictures(other)
        yield from frozen(self._subject, found)
        yield from exchanged(self._subject, found)
        yield from _blank(self._subject, found)
        known = _explained(self._subject, whole)
        yield from sampled(self._subject, {key: own for key, own in whole.items() if key not in known}, found)
        yield from _stale(
            [
                one
                for one in apart
                if (one.episode, one.feature) not in other and (one.episode is not None or one.feature not in known)
            ],
            found,
        )


def _other_than_recorded(subject: Subject, found: Restated) -> list[tuple[int | None, str]]:
    """Decoded images that are not those counted when the episode was recorded: episode and feature."""
    apart: list[tuple[int | None, str]] = []
    for episode, decoded in zip(subject.store.episodes, found.histograms, strict=True):
        kept = kept_histograms(subject.root, episode) if decoded else {}
        for key in kept.keys() & decoded.keys():
            was, now = kept[key].as_lerobot(), decoded[key].as_lerobot()
            if max(float(np.abs(was[name] - now[name]).max()) for name in ("mean", "std")) > CODING:
                apart.append((episode.index, key))
    return apart


def _undecodable(found: Restated) -> Iterator[Finding]:
    for (episode, key), refused in found.broken.items():
        yield Finding(
            "video readable",
            "error",
            f"episode {episode}, {key}: {refused}",
            "Training stops at the first sample of it, or silently skips what cannot be decoded.",
            "studio rerender draws pictures anew from the physics, if it was stored; else studio drop leaves it out.",
            (episode,),
        )


def _other_pictures(other: list[tuple[int | None, str]]) -> Iterator[Finding]:
    episodes = tuple(sorted({episode for episode, _ in other if episode is not None}))
    if episodes:
        yield Finding(
            "pictures",
            "error",
            f"the pictures of {listed(episodes)} are not those recorded ({joined(key for _, key in other)})",
            "Videos were exchanged or altered: the policy sees one scene and does what belongs to another.",
            "Make the dataset again from its source. If they were altered on purpose: studio stats --repair --deep.",
            episodes,
        )


def _blank(subject: Subject, found: Restated) -> Iterator[Finding]:
    """Cameras that show one colour all through an episode."""
    for key in pictures(subject.store):
        seen = [(index, own[key]["std"]) for index, own in enumerate(found.episodes) if key in own]
        blank = tuple(index for index, std in seen if float(std.max()) < BLANK)
        if blank:
            yield Finding(
                "pictures",
                "warning",
                f"{key} shows nothing but one colour in {listed(blank)}",
                "The camera was covered, off, or in the dark: the policy learns to act without seeing.",
                "studio rerender draws pictures anew from the physics, if it was stored; else studio drop.",
                blank,
            )


def _implausible(subject: Subject, whole: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """What is wrong with stats.json on its face."""
    if not whole:
        yield _error("stats.json is missing or damaged", "Nothing can be normalised: training stops.")
        return
    yield from _explained(subject, whole).values()
    yield from _not_finite(subject, whole)
    yield from _counts_disagree(subject)


def _not_finite(subject: Subject, whole: dict[str, dict[str, Any]]) -> Iterator[Finding]:
    """Statistics that are no numbers, of every feature, also of those that are not computed here."""
    found = _no_numbers(whole)
    if found:
        means = "One of them makes every normalised value, the loss and then every weight of the policy no number."
        yield _error(f"stats.json holds values that are no numbers: {joined(found)}", means)
    episodes: dict[int, list[str]] = {}
    for index, own in stored_episodes(subject.store):
        if names := _no_numbers(own):
            episodes[index] = names
    if episodes:
        every = joined(name for mine in episodes.values() for name in mine)
        what = f"meta/episodes holds statistics that are no numbers: {every} of {listed(tuple(episodes))}"
        yield Finding("statistics", "error", what, _MEANS[True], MEND, tuple(episodes))


def _no_numbers(stats: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{key} {name}"
        for key, values in stats.items()
        for name, value in values.items()
        if not np.isfinite(_flat(value)).all()
    ]


def _explained(subject: Subject, whole: dict[str, dict[str, Any]]) -> dict[str, Finding]:
    """Image features whose statistics have a fault with a name."""
    found: dict[str, Finding] = {}
    for key, feature in subject.store.features.items():
        if feature.dtype not in ("video", "image"):
            continue
        stored = whole.get(key)
        if stored is None or "mean" not in stored:
            means = "Training with LeRobot's defaults dies with a KeyError, or takes pixels as they are."
            found[key] = _error(f"{key} has no statistics", means)
            continue
        low, high, mean, std = (_flat(stored.get(name)) for name in ("min", "max", "mean", "std"))
        if mean.size and (mean == 0).all() and (std == 1).all() and np.isin(high, (1.0, 255.0)).all():
            means = "Pixels are not normalised, or by 255 times too much; a policy trained so fails with true ones."
            found[key] = _error(f"{key} has placeholders: mean 0, std 1, max {high[0]:g}", means)
        elif std.size and (std < FAINT).all() and np.ptp(np.concatenate([low, high, mean])) > 10 * FAINT:
            means = (
                "Known overflow of LeRobot (issue 3682): normalised pixels reach hundreds, and the policy learns to "
                "ignore its cameras or breaks on the next one."
            )
            found[key] = _error(f"{key} has a standard deviation of {std.max():.4f}", means)
        elif high.size and (high.max() > 1.5 or low.min() < -0.5):
            means = "LeRobot scales pixels to 0..1 before it normalises: these are 255 times too large."
            found[key] = _error(f"{key} reaches {high.max():g}, pixels are 0..1", means)
    return found


def _counts_disagree(subject: Subject) -> Iterator[Finding]:
    """LeRobot counts images where it samples PNGs and pixels where it encodes at once; merged, one outweighs all."""
    pictures = [key for key, feature in subject.store.features.items() if feature.dtype in ("video", "image")]
    lengths = [episode.length for episode in subject.store.episodes]
    ways: dict[str, dict[bool, list[int]]] = {key: {True: [], False: []} for key in pictures}
    for index, own in stored_episodes(subject.store):
        for key in pictures:
            count = _flat(own.get(key, {}).get("count"))
            if count.size:
                ways[key][bool(count[0] > 10 * lengths[index])].append(index)
    mixed = {key: way for key, way in ways.items() if way[True] and way[False]}
    if mixed:
        key, way = next(iter(mixed.items()))
        yield Finding(
            "statistics",
            "warning",
            f"{joined(mixed)}: {listed(way[True])} count pixels, {listed(way[False])} count images",
            "Episodes of two ways of recording were merged: in the mean of images one weighs thousands of times more.",
            MEND,
            tuple(sorted(way[True])),
        )


def _stale(apart: list[Difference], found: Restated) -> Iterator[Finding]:
    """Differences, sorted by what they do."""
    keeping = set(layout.BOOKKEEPING)
    apart = [one for one in apart if one.stored is None or np.isfinite(one.stored)]  # the others are named already
    grave = [one for one in apart if _grave(one, found)]
    for own, where in ((False, "stats.json"), (True, "meta/episodes")):
        here = [one for one in grave if (one.episode is not None) == own]
        features = [one for one in here if one.feature not in keeping]
        if features:
            yield _differs(features, where, "error" if not own else "warning", _MEANS[own])
        book = [one for one in here if one.feature in keeping]
        if book:
            yield _differs(book, where, "note" if own else "warning", _BOOK)
    fine = [one for one in apart if not _grave(one, found)]
    for quantile, what, means in _FINE:
        mine = [one for one in fine if one.statistic.startswith("q") == quantile]
        if mine:
            kinds = joined(sorted({one.statistic for one in mine}))
            yield Finding("statistics", "note", f"{kinds} of {joined(o.feature for o in mine)} {what}", means, MEND)


_MEANS = {
    False: "A policy is trained and run with these: its inputs and actions are scaled and shifted wrongly.",
    True: "LeRobot's next delete, split or merge computes stats.json from them and brings the wrong numbers back.",
}
_FINE = (
    (
        True,
        "are estimates",
        "LeRobot averages quantiles of episodes, which gives none of the whole; only policies that normalise by "
        "quantiles, such as pi0.5, notice.",
    ),
    (False, "show small differences", "Nothing: normalised values move by less than a thousandth."),
)
_BOOK = "Nothing in training; tools that read ranges from the statistics of indices are misled (LeRobot issue 3788)."


def _grave(one: Difference, found: Restated) -> bool:
    """Whether a difference changes what a policy sees; LeRobot's own estimates and its single precision do not."""
    if one.statistic.startswith("q"):
        return False
    if one.stored is None:
        return one.statistic != "count"
    if one.statistic == "count":
        return one.feature not in found.decoded
    return one.share > _PRECISE


def _differs(apart: Iterable[Difference], where: str, level: Any, means: str) -> Finding:
    every = list(apart)
    first = next((one for one in worst(every) if one.stored is not None), every[0])
    value = "missing" if first.stored is None else f"{first.stored:.6g}"
    episodes = tuple(sorted({one.episode for one in every if one.episode is not None}))
    at = f" of episode {first.episode}" if first.episode is not None else ""
    return Finding(
        "statistics",
        level,
        f"{where} is stale for {joined(one.feature for one in every)}: {first.feature} {first.statistic}{at} is "
        f"{value}, the data says {first.computed:.6g}",
        means,
        MEND,
        episodes,
    )


def _flat(value: Any) -> np.ndarray:
    try:
        return np.asarray([] if value is None else value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return np.zeros(0)


def _error(what: str, means: str) -> Finding:
    return Finding("statistics", "error", what, means, MEND)
