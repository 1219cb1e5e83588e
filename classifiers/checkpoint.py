"""A classifier on disk: what LeRobot's HIL-SERL loads, and beside it `classifier.json` with all that is ours.

runs/<name>/config.json, model.safetensors, encoder/    LeRobot's reward classifier (config.json, weights, encoder)
runs/<name>/classifier.json                             cut-outs, verdict, what it learned from, HIL-SERL's settings
runs/<name>/learned.npz                                 the motion of what it learned from, to know copies again
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
from classifiers.familiar import Known, known_of, read_known, write_known
from classifiers.fit import Fitted, Settings
from classifiers.labels import Labelled
from classifiers.look import SIDE, CutOut
from curation.atomic import write_aside
from curation.errors import DataError, UsageError
from curation.fingerprint import fingerprint
from curation.layout import json_bytes
from curation.names import IMAGES
from curation.notes import CLASSIFIER
from curation.staging import building
from curation.store import Store

FILE = "classifier.json"
WEIGHTS = "model.safetensors"
LEARNED = "learned.npz"


@dataclass(frozen=True)
class Classifier:
    """A classifier that was saved.

    Attributes:
        root: its folder.
        name: the folder's name.
        digest: SHA-256 of all that decides what it says, the first 12 digits: its id in notes.
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
        return f"{CLASSIFIER}{self.name}@{self.digest}"

    def known(self) -> list[Known]:
        """What the episodes it learned from are known again by.

        Raises:
            DataError: the file that tells is damaged.
        """
        return read_known(self.root / LEARNED)


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
    from classifiers.network import save_network

    with building(to) as folder:
        proof = save_network(fitted.network, folder, to)
        write_known(folder / LEARNED, known_of(stores, episodes))
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
            "hil_serl": hil_serl(to, fitted.look, stores[0]),
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
    from classifiers.network import load_network

    if not (root / FILE).is_file():
        raise UsageError(f"{root} is no classifier: it has no {FILE}. Train one: studio classifier DATASET --to NAME.")
    try:
        told = json.loads((root / FILE).read_bytes())
        look = {camera: CutOut(**cut) for camera, cut in told["look"].items()}
        saved = told["verdict"]
        tuples = {name: tuple(saved[name]) for name in ("mean", "scale", "weights")}
        weighing = Weighing(**tuples, bias=float(saved["bias"]))
        settings = Settings(**told["settings"])
        digest = _digest((root / WEIGHTS).read_bytes(), told)
        losses, instants = tuple(told["losses"]), (int(told["instants"][0]), int(told["instants"][1]))
        learned, fps, seconds = dict(told["learned"]), int(told["fps"]), float(told["seconds"])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{root / FILE} cannot be read ({error}). Train the classifier again.") from error
    network = load_network(root, told["proof"])
    fitted = Fitted(network, look, weighing, settings, losses, instants, seconds)
    return Classifier(root, root.resolve().name, digest, fitted, learned, fps)


def hil_serl(to: Path, look: Mapping[str, CutOut], store: Store) -> dict[str, Any]:
    """What belongs under `processor` in a config of LeRobot's gym_manipulator, actor and learner.

    Args:
        to: the classifier's folder.
        look: its cut-outs.
        store: a dataset with pictures of the size that the robot's cameras have.
    """
    keys = {IMAGES + camera: cut for camera, cut in look.items()}
    crops = {key: list(cut.pixels(*store.features[key].shape[:2])) for key, cut in keys.items()}
    return {
        "image_preprocessing": {"crop_params_dict": crops, "resize_size": [SIDE, SIDE]},
        "reward_classifier": {"pretrained_path": str(to.resolve()), "success_threshold": 0.5},
    }


def digest_of(by: str) -> str:
    """The digest in what notes and cards call a classifier; "" if there is none."""
    return by.partition("@")[2]


def _digest(weights: bytes, told: Mapping[str, Any]) -> str:
    """Weights, where it looks, and how pictures become a verdict."""
    rest = json.dumps([told[name] for name in ("look", "verdict", "fps")], sort_keys=True)
    return hashlib.sha256(weights + rest.encode()).hexdigest()[:12]


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
        "sessions": sorted({one.session for one in episodes}),
        "labels": {by: sum(one.by == by for one in episodes) for by in sorted({one.by for one in episodes})},
    }
