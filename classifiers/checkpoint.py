"""A classifier on disk: what LeRobot's HIL-SERL loads, and beside it `classifier.json` with all that is ours.

runs/<name>/config.json, model.safetensors, encoder/    LeRobot's reward classifier (config.json, weights, encoder)
runs/<name>/classifier.json                             cut-outs, verdict, what it learned from
runs/<name>/card.json, card.md, card.png                how far to trust it
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifiers.evidence import Weighing
from classifiers.fit import Fitted, Settings
from classifiers.labels import Labelled
from classifiers.look import CutOut
from classifiers.network import load_network, save_network
from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.layout import json_bytes
from curation.staging import building
from curation.store import Store

FILE = "classifier.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Classifier:
    """A classifier that was saved.

    Attributes:
        root: its folder.
        name: the folder's name.
        digest: SHA-256 of its weights, the first 12 digits: its id in notes.
        fitted: it.
        learned: what it learned from: {"datasets": [{"name", "fingerprint", "episodes": [ids]}], "positions":
            [[x, y]], "operators": [names], "sessions": [keys]}.
        fps: frames per second it learned at.
    """

    root: Path
    name: str
    digest: str
    fitted: Fitted
    learned: Mapping[str, Any]
    fps: int

    @property
    def by(self) -> str:
        """Who its notes are by."""
        return f"classifier:{self.name}@{self.digest}"


def save(to: Path, fitted: Fitted, stores: Sequence[Store], episodes: Sequence[Labelled]) -> Classifier:
    """Write a new folder, whole or not at all.

    Args:
        to: where nothing is.
        fitted: it.
        stores: the datasets.
        episodes: all it learned from, with those of its calibration.

    Raises:
        TargetExists: something is there.
        CannotWrite: the disk refused.
    """
    with building(to) as folder:
        proof = save_network(fitted.network, folder)
        told = {
            "version": 1,
            "proof": proof,
            "look": {camera: cut.as_json() for camera, cut in fitted.look.items()},
            "verdict": asdict(fitted.weighing),
            "settings": asdict(fitted.settings),
            "losses": [round(loss, 5) for loss in fitted.losses],
            "instants": list(fitted.instants),
            "seconds": round(fitted.seconds, 1),
            "fps": stores[0].fps,
            "learned": learned_from(stores, episodes),
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        write_aside(folder / FILE, json_bytes(told))
    return load(to)


def load(root: Path) -> Classifier:
    """A saved classifier.

    Raises:
        UsageError: there is none.
        DataError: it is damaged.
    """
    if not (root / FILE).is_file():
        raise UsageError(f"{root} is no classifier: it has no {FILE}. Train one: studio classifier DATASET --to NAME.")
    try:
        told = json.loads((root / FILE).read_bytes())
        look = {camera: CutOut(**cut) for camera, cut in told["look"].items()}
        saved = told["verdict"]
        tuples = {name: tuple(saved[name]) for name in ("mean", "scale", "weights")}
        weighing = Weighing(**tuples, bias=float(saved["bias"]))
        settings = Settings(**told["settings"])
        digest = hashlib.sha256((root / WEIGHTS).read_bytes()).hexdigest()[:12]
        losses, instants = tuple(told["losses"]), (int(told["instants"][0]), int(told["instants"][1]))
        learned, fps, seconds = dict(told["learned"]), int(told["fps"]), float(told["seconds"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{root / FILE} cannot be read ({error}). Train the classifier again.") from error
    network = load_network(root, told["proof"])
    fitted = Fitted(network, look, weighing, settings, losses, instants, seconds)
    return Classifier(root, root.resolve().name, digest, fitted, learned, fps)


def learned_from(stores: Sequence[Store], episodes: Sequence[Labelled]) -> dict[str, Any]:
    """What a card compares held-out episodes with."""
    by_store: list[list[str]] = [[] for _ in stores]
    for one in episodes:
        by_store[one.dataset].append(one.episode.row.episode_id)
    rows = [one.episode.row for one in episodes]
    return {
        "datasets": [
            {"name": store.root.name, "fingerprint": fingerprint(store), "episodes": ids}
            for store, ids in zip(stores, by_store, strict=True)
        ],
        "positions": sorted({(round(row.x, 4), round(row.y, 4)) for row in rows if row.x == row.x}),
        "operators": sorted({row.operator for row in rows}),
        "sessions": sorted({session_of(one) for one in episodes}),
        "labels": {by: sum(one.by == by for one in episodes) for by in sorted({one.by for one in episodes})},
    }


def session_of(one: Labelled) -> str:
    """The session an episode was recorded in: its seed where there is one."""
    extra = one.episode.row.extra
    seed = extra.get("session_seed")
    return f"{one.episode.row.operator}:{seed}" if seed is not None else f"dataset {one.dataset}"
