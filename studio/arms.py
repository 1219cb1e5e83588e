"""The arms of a filter experiment: which attempts each of them learns from, and that nothing else got into them.

Arms that choose hold as many attempts as the tested filter's, because more data alone makes better policies; one whose
filter passes fewer is smaller, and says so. The expert drove at the same placements, but its episodes go to its own arm
alone: a ceiling to see how far a filter is from it, and no result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from curation.controls import control
from curation.errors import DataError, UsageError
from curation.filters import fitting, saved
from curation.library import Entry
from curation.provenance import read_provenance
from curation.query import terms
from curation.store import Store

STREAM = 31
"""Keeps the draws of arms apart from those of other seeds."""
DEMONSTRATIONS, UNFILTERED, ORACLE, CLASSIFIER = "demonstrations", "unfiltered", "oracle", "classifier"
RANDOM, MATCHED, STRESS, EXPERT = "random", "matched", "stress", "expert"
CEILING = (EXPERT,)
"""Arms that are no result."""
SUCCESS = "success"


@dataclass(frozen=True)
class Arms:
    """What every arm adds to the demonstrations.

    Attributes:
        size: attempts in the arm of the tested filter and in its controls; no other that chooses holds more.
        found: how many each filter would have passed.
        chosen: ids by arm; of the expert's dataset for the ceiling, else of the attempts.
        matched: how well the matched control matches, in words.
    """

    size: int
    found: Mapping[str, int]
    chosen: Mapping[str, tuple[str, ...]]
    matched: str

    @property
    def choosing(self) -> list[str]:
        """Arms that hold some of the attempts."""
        return [name for name in self.chosen if name not in (DEMONSTRATIONS, UNFILTERED, *CEILING)]

    @property
    def smaller(self) -> dict[str, int]:
        """Arms whose filter passes fewer than the tested one, and how many."""
        return {name: count for name, count in self.found.items() if name not in CEILING and count < self.size}

    def wanted(self, name: str) -> int:
        """How many attempts an arm that chooses holds."""
        return self.smaller.get(name, self.size)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Arms:
        """What `as_json` gave.

        Raises:
            DataError: it is not that.
        """
        try:
            chosen = {str(name): tuple(map(str, ids)) for name, ids in told["chosen"].items()}
            found = {str(name): int(count) for name, count in told["found"].items()}
            return cls(int(told["size"]), found, chosen, str(told["matched"]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DataError(f"The arms are damaged: {error}.") from error


def arms_of(
    attempts: Sequence[Entry], expert: Sequence[Entry], queries: Mapping[str, str], tested: str, seed: int
) -> Arms:
    """Draw the arms.

    The expert decides nothing: neither how many attempts an arm holds nor which.

    Args:
        attempts: of the policy.
        expert: its episodes at the same placements.
        queries: by filter, what it passes; among them the oracle.
        tested: the filter that the experiment is about, whose size and choice the controls follow.
        seed: of every draw.

    Raises:
        UsageError: the tested filter passes nothing.
    """
    everything = [entry for entry in attempts if entry.state == "saved"]
    passed = {name: _passing(everything, text) for name, text in queries.items()}
    found = {name: len(ids) for name, ids in passed.items()}
    # Of more than half of all, a random draw of that size would mostly be the same attempts.
    size = min(found[tested], len(everything) // 2)
    if size < 1:
        raise UsageError(
            f"{tested} passes {found[tested]} of {len(everything)} attempts, so there is nothing to compare. Begin "
            "anew under another --to, with more --attempts or with a policy that succeeds now and then."
        )
    chosen = {name: _some(ids, min(size, len(ids)), seed, name) for name, ids in passed.items()}
    candidates = [(entry.episode_id, entry) for entry in everything]
    random = control(chosen[tested], candidates, "random", seed)
    matched = control(chosen[tested], candidates, "matched", seed, outside=False)
    theirs = _at_places_of(chosen[tested], everything, expert)
    return Arms(
        size,
        {**found, EXPERT: len(theirs)},
        {
            DEMONSTRATIONS: (),
            UNFILTERED: tuple(entry.episode_id for entry in everything),
            **chosen,
            RANDOM: tuple(map(str, random.keys)),
            MATCHED: tuple(map(str, matched.keys)),
            EXPERT: theirs,
        },
        matched.words,
    )


def require_sound(arms: Arms, data: Mapping[str, Store], demonstrations: Store, attempts: Store, expert: Store) -> None:
    """Look at the datasets of all arms: each holds the demonstrations and what was chosen for it, and nothing else.

    Args:
        arms: as they were drawn.
        data: the dataset of every arm.
        demonstrations, attempts, expert: what they were made of.

    Raises:
        DataError: one holds something else; above all, an episode of the expert.
    """
    base, theirs = _ids(demonstrations), _ids(expert)
    tried = {row.episode_id: row for row in attempts.rows()}
    for name in arms.choosing:
        if len(arms.chosen[name]) != arms.wanted(name):
            raise DataError(f"Arm {name} holds {len(arms.chosen[name])} attempts and not {arms.wanted(name)}.")
    for name, store in data.items():
        origins = _origins(store)
        leaked = sorted(origins & theirs) if name not in CEILING else []
        if leaked:
            raise DataError(f"Arm {name} holds episode {leaked[0]} of the expert, which must teach its own arm alone.")
        wanted = base | set(arms.chosen[name])
        if origins != wanted:
            raise DataError(
                f"Arm {name} ({store.root}) holds {len(origins - wanted)} episodes that were not chosen for it and "
                f"lacks {len(wanted - origins)} that were. Begin the experiment anew under another --to."
            )
        others = [one for one in arms.chosen[name] if name not in CEILING and one not in tried]
        strangers = [one for one in arms.chosen[name] if one in tried and not tried[one].operator.startswith("policy")]
        if others or strangers:
            raise DataError(f"Arm {name} holds {[*others, *strangers][0]}, which the policy did not drive.")


def _passing(entries: Sequence[Entry], text: str) -> tuple[str, ...]:
    chosen = saved(entries).then(entries, lambda left: fitting(left, terms(text)))
    return chosen.kept


def _at_places_of(chosen: Sequence[str], attempts: Sequence[Entry], expert: Sequence[Entry]) -> tuple[str, ...]:
    """The expert's successes at the placements of some attempts."""
    inside = set(chosen)
    places = {(one.x, one.y, one.yaw_deg) for one in attempts if one.episode_id in inside}
    return tuple(
        one.episode_id
        for one in expert
        if one.state == "saved" and one.success and (one.x, one.y, one.yaw_deg) in places
    )


def _some(ids: Sequence[str], size: int, seed: int, name: str) -> tuple[str, ...]:
    """So many of them, each set as likely as another, in their order."""
    rng = np.random.default_rng([seed, *name.encode(), STREAM])
    return tuple(ids[index] for index in sorted(rng.choice(len(ids), size=size, replace=False)))


def _ids(store: Store) -> set[str]:
    return {row.episode_id for row in store.rows()}


def _origins(store: Store) -> set[str]:
    """Ids in the datasets that a merged one was made of."""
    episodes = read_provenance(store.root).get("episodes") or {}
    return {str(episodes[row.episode_id]["episode_id"]) for row in store.rows() if row.episode_id in episodes} | {
        row.episode_id for row in store.rows() if row.episode_id not in episodes
    }
