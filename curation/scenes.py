"""In which scene each episode was recorded, of one dataset and of several that become one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation.difference import Difference
from curation.plan import Plan
from curation.store import Store

Card = Mapping[str, Any]
"""What scene.json says of a scene."""


class Scenes:
    """The scenes of a dataset.

    Args:
        store: the dataset; its scene.json holds one scene, or several and which episode is of which.
    """

    def __init__(self, store: Store) -> None:
        scene = store.scene
        several = scene.get("scenes")
        self.cards: dict[str, Card] = {mark_of(card): card for card in (several or [scene]) if card}
        self._of: Mapping[str, str] | None = scene.get("episodes", {}) if several else None

    def of(self, episode_id: str) -> str | None:
        """Fingerprint of an episode's scene; None where nobody knows."""
        if self._of is None:
            return next(iter(self.cards), None)
        return self._of.get(episode_id) if self._of else next(iter(self.cards)) if len(self.cards) == 1 else None


def mark_of(card: Card) -> str:
    """What tells a scene from others."""
    return str(card.get("fingerprint", card))


def resulting_scene(plan: Plan, stores: Sequence[Store], ids: Sequence[str]) -> dict[str, Any] | None:
    """scene.json of what a plan makes: the scene of all, or a list of them that nobody takes for one, with the scene of
    each episode; None if nobody knows any.

    Args:
        plan: at least one clip.
        stores: its parents.
        ids: of the resulting episodes.
    """
    known = [Scenes(store) for store in stores]
    marks = [known[clip.parent].of(clip.episode_id) for clip in plan.clips]
    cards = {mark: card for scenes in known for mark, card in scenes.cards.items()}
    # Of a dataset that does not say which episode is of which, every scene stays.
    open_ = {
        mark for clip, own in zip(plan.clips, marks, strict=True) if own is None for mark in known[clip.parent].cards
    }
    used = [mark for mark in cards if mark in open_ or mark in set(marks)]
    if not used:
        return None
    if len(used) == 1 and None not in marks:
        return dict(cards[used[0]])
    named = {name: mark for name, mark in zip(ids, marks, strict=True) if mark is not None}
    return {"scenes": [dict(cards[mark]) for mark in used], "episodes": named}


def scene_differences(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[Difference]:
    """Scenes of a dataset that none before it has, and episodes of which nobody knows the scene."""
    known = [Scenes(store) for store in stores]
    before: dict[str, Card] = {}
    unknown_before = False
    for number, scenes in enumerate(known):
        marks = {scenes.of(clip.episode_id) for clip in plan.clips if clip.parent == number}
        used = {mark for mark in scenes.cards if mark in marks or None in marks}
        new = sorted(used - before.keys())
        mend = "Compare the pictures yourself: studio inspect --poster."
        if new and before:
            for mark in new:
                told = _told(next(iter(before.values())), scenes.cards[mark])
                yield Difference(
                    "scene",
                    names[number],
                    f"another scene: {told}",
                    f"Draw it in the other scene with studio rerender {names[number]}, or take both looks with "
                    "--allow scene.",
                    parent=number,
                )
        elif new and unknown_before:
            what = f"scene {', '.join(new)}, unknown before"
            yield Difference("scene", names[number], what, mend, blocks=False, parent=number)
        if None in marks and not used and before:
            what = "nobody knows in which scene it was recorded"
            yield Difference("scene", names[number], what, mend, blocks=False, parent=number)
        unknown_before |= None in marks and not used
        before |= {mark: scenes.cards[mark] for mark in new}


def _told(first: Card, card: Card) -> str:
    one, other = first.get("scene", {}), card.get("scene", {})
    fields = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    return (
        ", ".join(f"{key} {other.get(key)} instead of {one.get(key)}" for key in fields)
        or f"{mark_of(card)}, {mark_of(first)} before"
    )
