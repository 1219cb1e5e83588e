"""Episodes that several datasets hold: the same id, or the same frames of one recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from curation.difference import Difference
from curation.naming import episode_name, is_numbered
from curation.origins import Origin, Origins
from curation.plan import Once, Plan, Ref, result_ids
from curation.store import Store


@dataclass(frozen=True)
class Twin:
    """An episode that a dataset before its own holds as well.

    Attributes:
        ref: the episode.
        first: the one in the dataset before.
        clash: whether both would have one id in the result.
    """

    ref: Ref
    first: Ref
    clash: bool


def twins(plan: Plan, stores: Sequence[Store]) -> list[Twin]:
    """Every such episode of a plan; of datasets of others too, whose episodes are only numbered.

    Raises:
        DataError: a dataset of others cannot be read to tell it from the rest, or says damaged things of its origin.
    """
    if len(stores) < 2:
        return []
    origins = [Origins(store) for store in stores]
    ids = _ids(plan, origins)
    held: dict[Hashable, Ref] = {}
    found = []
    for ref in dict.fromkeys(clip.ref for clip in plan.clips):
        number, name = ref
        keys: list[Hashable] = [origins[number].of(stores[number].episode(name))]
        if not is_numbered(name):
            keys.append(name)
        first = next((held[key] for key in keys if key in held and held[key][0] != number), None)
        if first is not None:
            clash = (not is_numbered(name) and name == first[1]) or bool(ids[ref] & ids[first])
            found.append(Twin(ref, first, clash))
        for key in keys:
            held.setdefault(key, ref)
    return found


def once(plan: Plan, stores: Sequence[Store]) -> Once | None:
    """The edit that takes each of them from the first dataset only; None if there are none."""
    pairs = tuple((twin.ref, twin.first) for twin in twins(plan, stores))
    return Once(pairs) if pairs else None


def once_words(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[str]:
    """What was decided about copies that are not alike: a line for each whose instruction or outcome is another."""
    for edit in plan.edits:
        for gone, kept in edit.pairs if isinstance(edit, Once) else ():
            pair = [stores[number].episode(name) for number, name in (gone, kept)]
            facts = [("task", *(one.task_words for one in pair)), ("outcome", *(one.row.outcome for one in pair))]
            for what, left, stays in facts:
                if left != stays:
                    yield (
                        f"{episode_name(stores[gone[0]], gone[1])} of {names[gone[0]]} is "
                        f"{episode_name(stores[kept[0]], kept[1])} of {names[kept[0]]}: {what} '{stays}' stays, "
                        f"'{left}' goes"
                    )


def twin_differences(plan: Plan, stores: Sequence[Store], names: Sequence[str]) -> Iterator[Difference]:
    """How many episodes of each dataset are in one before it, whole or in part."""
    found = twins(plan, stores)
    mend = "Take each once with --duplicates first."
    for clash in (True, False):
        count = Counter(twin.ref[0] for twin in found if twin.clash == clash)
        for parent, number in sorted(count.items()):
            same = (
                "are in a dataset before it as well" if clash else "show frames of a dataset before it in another form"
            )
            what = f"{number} of its episodes {same}{_otherwise(plan, [t for t in found if t.ref[0] == parent])}"
            yield Difference("duplicates", names[parent], what, mend, blocks=clash, parent=parent)
    for parent, number in sorted(_overlapping(plan, stores, {twin.ref for twin in found}).items()):
        what = f"{number} of its episodes show some frames that an episode of a dataset before it shows"
        mend = "Training sees them twice; drop one of each with studio drop if that is not meant."
        yield Difference("duplicates", names[parent], what, mend, blocks=False, parent=parent)


def _otherwise(plan: Plan, found: Sequence[Twin]) -> str:
    tasks = {clip.ref: clip.task for clip in plan.clips}
    other = [(tasks[twin.ref], tasks[twin.first]) for twin in found if tasks[twin.ref] != tasks[twin.first]]
    return f", {len(other)} of them with another task ('{other[0][0]}', '{other[0][1]}' before)" if other else ""


def _overlapping(plan: Plan, stores: Sequence[Store], known: set[Ref]) -> Counter[int]:
    """Episodes by dataset that have frames in common with one of a dataset before."""
    if len(stores) < 2:
        return Counter()
    origins = [Origins(store) for store in stores]
    held: dict[str, list[tuple[int, Origin]]] = {}
    found: set[Ref] = set()
    for clip in plan.clips:
        whole = origins[clip.parent].of(stores[clip.parent].episode(clip.episode_id))
        own = Origin(whole.recording, whole.start + clip.start, whole.start + clip.stop)
        before = held.setdefault(own.recording, [])
        if clip.ref not in known and any(number != clip.parent and own.overlaps(one) for number, one in before):
            found.add(clip.ref)
        before.append((clip.parent, own))
    return Counter(parent for parent, _ in found)


def _ids(plan: Plan, origins: Sequence[Origins]) -> dict[Ref, set[str]]:
    """Ids in the result by source episode. Only numbered episodes ask for the fingerprint of their dataset."""
    numbered = {clip.parent for clip in plan.clips if is_numbered(clip.episode_id)}
    marks = [one.mark if number in numbered else "" for number, one in enumerate(origins)]
    found: dict[Ref, set[str]] = {}
    for clip, name in zip(plan.clips, result_ids(plan, marks), strict=True):
        found.setdefault(clip.ref, set()).add(name)
    return found
