"""Whether a policy and recorded data fit: image sizes, rate, units, scene. Otherwise errors would be of the data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from curation.errors import UsageError
from curation.names import IMAGES
from curation.scenes import Scenes
from curation.store import Store
from training.checkpoint_card import Card
from training.origin import units_of

if TYPE_CHECKING:
    from training.policy_model import PolicyModel


def require_same_kind(
    model: PolicyModel, card: Card, store: Store, episodes: Sequence[int], *, other_scene: bool = False
) -> None:
    """Check data against what a policy was trained on, as an evaluation checks a world.

    Args:
        model: the policy.
        card: of its checkpoint; what it does not say is not checked.
        store: the dataset, which has every feature that the policy looks at.
        episodes: indices of those it is asked in.
        other_scene: whether another scene than the checkpoint's is meant.

    Raises:
        UsageError: naming everything that does not fit, on both sides.
    """
    why = [*_sizes(model, store), *_rate(card, store), *_units(card, store)]
    why += [] if other_scene else _scenes(card, store, episodes)
    if why:
        raise UsageError(f"The policy {card.label} was trained on data of another kind: {' '.join(why)}")


def _sizes(model: PolicyModel, store: Store) -> Iterator[str]:
    if model.resizes:
        return
    for name, (height, width) in model.cameras.items():
        have = store.features[IMAGES + name].shape[:2]
        if tuple(have) != (height, width):
            yield (
                f"{name} was {width}x{height} in training and is {have[1]}x{have[0]} in {store.root}, and nothing in "
                "the checkpoint resizes it: studio rerender draws it in the other size."
            )


def _rate(card: Card, store: Store) -> Iterator[str]:
    if card.fps is not None and card.fps != store.fps:
        yield f"It was trained at {card.fps} fps, and {store.root} has {store.fps}."


def _units(card: Card, store: Store) -> Iterator[str]:
    here = units_of(store) or {}
    apart = {part: unit for part, unit in (card.units or {}).items() if here.get(part, unit) != unit}
    for part, unit in apart.items():
        yield f"It was trained with {part} in {unit}, which is in {here[part]} in {store.root}."


def _scenes(card: Card, store: Store, episodes: Sequence[int]) -> list[str]:
    known = Scenes(store)
    marks = {known.of(store.episodes[index].row.episode_id) for index in episodes} - {None}
    others = sorted(str(mark) for mark in marks if mark not in card.fingerprints)
    if not card.fingerprints or not others:
        return []
    return [
        f"It was trained in scene {', '.join(card.fingerprints)}, and episodes here are of {', '.join(others)}: choose "
        "others, or say --other-scene if you mean it."
    ]
