"""What chains begin from: a finished training, and what is asked of an experiment on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifiers.card_json import card_json
from curation.fingerprint import fingerprint
from curation.layout import json_bytes
from curation.store import Store
from studio.cli import parsed
from studio.improving import Source, source_of
from studio.options import Where
from studio.steps import Step
from studio.training_options import Training
from studio.verbs.experiment import Filter, asked_for
from tests.classifiers.test_card import made as held_out
from tests.training.policies import tiny_act
from tests.training.runs import TINY_ACT
from training.task import prepared

PLACED = Where(box=(0.2, 0.36, -0.1, 0.2), jitter=0.01, yaw=-15.0)


@pytest.fixture
def source(home: Path, arm: Path) -> Source:
    """A finished training of tiny ACT on the arm's dataset."""
    store = Store.open(arm)
    training = Training(device="cpu", batch_size=4, steps=30, seed=5, resize="48x64", set_=TINY_ACT)
    run = prepared(home / "base", "base", training.chosen(store), training.recipe(store), fingerprint(store), where="",
                   forced=())  # fmt: skip
    run.update(state="done")
    tiny_act(home / "base/train/checkpoints/000030/pretrained_model")
    return source_of("base")


def asked(**more: Any) -> Any:
    return asked_for(Filter(**{"run": "base", "to": "exp", "placed": PLACED, "attempts": 30, "episodes": 40, **more}))


def typed(step: Step) -> Any:
    """The options of a step's command line."""
    return parsed(step.words[0], list(step.words[1:]))[1]


def carded(home: Path, threshold: float = 0.6, digest: str = "1f2e", positions: Any = ()) -> Path:
    """The card of a classifier called done."""
    (home / "done").mkdir(exist_ok=True)
    card = replace(
        held_out(), classifier=f"classifier:done@{digest}", threshold=threshold, learned={"positions": positions}
    )
    (home / "done/card.json").write_bytes(json_bytes(card_json(card)))
    return home / "done"
