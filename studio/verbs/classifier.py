"""classifier: train a success classifier and measure how far to trust it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tyro

from classifiers.card import Card
from classifiers.card_file import write_card
from classifiers.card_json import card_json
from classifiers.checkpoint import load, save
from classifiers.fit import Settings, fit, require_enough
from classifiers.holdout import one_side
from classifiers.labels import labelled
from classifiers.look import CutOut, look_of
from curation.errors import DataError, UsageError
from curation.staging import require_free
from curation.store import Store
from studio.carding import Ask, Said, carded
from studio.console import Console
from studio.paths import dataset_path, run_path

HOLD_OUT = 0.25
HOLD_OUT_STREAM = 13


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """Train a classifier that sees from pictures whether an episode succeeded, and make its calibration card."""

    datasets: tyro.conf.Positional[tuple[str, ...]]
    """Datasets with successes and failures, as the judge or people's scores say."""
    to: str
    """The classifier: a folder, or a bare name under STUDIO_RUNS (default ./runs). Must be new."""
    hold_out: float | None = None
    """Share of the episodes, those on one side of the table, that is kept for the card; 0.25, and 0 with --on."""
    on: tuple[str, ...] = ()
    """Datasets of which nothing is learned, for the card: of another session, policy or person."""
    epochs: int = 6
    """Times everything is seen."""
    seed: int = 0
    """Of weights, draws and augmentation."""
    threshold: float = 0.5
    """Probability from which an episode is kept, for the card."""
    cut_out: tuple[str, ...] = field(default=())
    """Where a camera is looked at: CAMERA=TOP,LEFT,HEIGHT,WIDTH as shares of the picture. By default around the bowl
    where the dataset says where that is, else the whole picture."""
    controls: bool = True
    """Also measure what should not be enough to tell; trains again, on shuffled labels."""
    json: bool = False
    """Print the card as JSON."""


def classifier(options: Classifier, console: Console) -> int:
    """Train, save, measure."""
    if not options.datasets:
        raise UsageError("Name at least one dataset.")
    share = _hold_out(options)
    settings = Settings(seed=options.seed, epochs=options.epochs)
    ask = Ask(options.threshold, options.controls, options.seed)
    to = run_path(options.to)
    require_free(to)
    stores = [Store.open(dataset_path(name)) for name in (*options.datasets, *options.on)]
    episodes = labelled(stores)
    look = look_of(stores, dict(_cut_out(text) for text in options.cut_out))
    own = [one for one in episodes if one.dataset < len(options.datasets)]
    require_enough(own)
    learn, held = one_side(own, share, np.random.default_rng([options.seed, HOLD_OUT_STREAM]))
    held += [one for one in episodes if one.dataset >= len(options.datasets)]
    require_enough(learn, len(held))
    if not held:
        raise DataError(
            "All episodes are in one place, so none can be held out. Record at more positions, or name other datasets "
            "with --on."
        )
    said = progress(console)
    known = stores[: len(options.datasets)]
    save(to, fit(known, learn, look, settings, said), known, learn)
    card = carded(load(to), stores, held, learn, ask, said)
    return show(write_card(to, card), to, console)


def _hold_out(options: Classifier) -> float:
    """The share in force.

    Raises:
        UsageError: nothing would be held out, or nearly everything.
    """
    share = (0.0 if options.on else HOLD_OUT) if options.hold_out is None else options.hold_out
    if not (0.05 if not options.on else 0.0) <= share <= 0.9:
        raise UsageError(f"--hold-out {share:g} is outside 0.05 to 0.9. Only with --on may it be 0.")
    return share


def show(card: Card, to: Path, console: Console) -> int:
    """Print a card."""
    from classifiers.card_text import card_lines

    console.result("\n".join([*card_lines(card), "", f"{to}/card.png shows it."]), {"to": str(to), **card_json(card)})
    return 0


def progress(console: Console) -> Said:
    """Tells what is being done, about ten times each."""

    def said(what: str, done: int, total: int) -> None:
        console.advance(done, total)
        if done == total or done % max(1, total // 10) == 0:
            console.step(f"{what} {done} of {total}")

    return said


def _cut_out(text: str) -> tuple[str, CutOut]:
    camera, _, numbers = text.partition("=")
    try:
        top, left, height, width = (float(number) for number in numbers.split(","))
    except ValueError:
        raise UsageError(
            f"--cut-out {text} is not CAMERA=TOP,LEFT,HEIGHT,WIDTH, such as overhead_cam=0.1,0.5,0.4,0.4."
        ) from None
    return camera, CutOut(top, left, height, width)
