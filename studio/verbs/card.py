"""card: how far a success classifier may be trusted, measured on episodes it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import tyro

from classifiers.card_file import read_card, write_card
from classifiers.checkpoint import load
from classifiers.labels import labelled
from curation.store import Store
from studio.carding import Ask, carded
from studio.console import Console
from studio.paths import dataset_path, run_path
from studio.verbs.classifier import progress, show


@dataclass(frozen=True, kw_only=True)
class Card:
    """Show a classifier's calibration card, or make it anew on other datasets."""

    classifier: tyro.conf.Positional[str]
    """A classifier: a folder, or a bare name under STUDIO_RUNS."""
    on: tuple[str, ...] = ()
    """Datasets to measure it on; episodes it learned from do not count. Without, the card it has is shown."""
    learned_from: tuple[str, ...] = ()
    """The datasets it learned from, for the controls that learn too."""
    threshold: float = 0.5
    """Probability from which an episode is kept. The card remembers which ones were looked at on the same episodes."""
    seed: int = 0
    """Of bootstrap and counterfactuals."""
    json: bool = False
    """Print the card as JSON."""


def card(options: Card, console: Console) -> int:
    """Show or make."""
    folder = run_path(options.classifier)
    if not options.on:
        return show(read_card(folder), folder, console)
    ask = Ask(options.threshold, bool(options.learned_from), options.seed)
    made = load(folder)
    on = [Store.open(dataset_path(name)) for name in options.on]
    stores = on + [Store.open(dataset_path(name)) for name in options.learned_from]
    episodes = labelled(stores)
    seen = {one.recording for one in made.known()}
    learn = [one for one in episodes if one.dataset >= len(on) and one.recording in seen]
    held = [one for one in episodes if one.dataset < len(on)]
    new = carded(made, stores, held, learn, ask, progress(console))
    return show(write_card(folder, new), folder, console)
