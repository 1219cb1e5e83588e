"""The network: LeRobot's own reward classifier, so that its HIL-SERL loads what we train. The one place that knows it.

LeRobot's `Classifier` runs its per-camera layers under `no_grad` (`_get_encoder_output`) and freezes the encoder, so of
690 k parameters only the last 130 k would ever learn, on random projections; and its default encoder needs the Hub.
Here the encoder is a small ResNet with random weights, kept beside the checkpoint, and `logits` runs the same layers
with gradients. What is saved gives the same probabilities when LeRobot loads it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from classifiers.look import SIDE
from curation.atomic import write_aside
from curation.errors import CannotWrite, DataError
from curation.names import IMAGES

ENCODER = "encoder"
"""Folder beside the weights that holds the encoder's architecture, as transformers reads it."""
_WIDTHS = (24, 48, 96, 128)
_CONFIG = "config.json"


def new_network(cameras: Sequence[str], seed: int) -> Any:
    """A `lerobot.rewards.classifier.Classifier` with random weights that follow from the seed.

    Args:
        cameras: names without prefix, in the order of the pictures.
        seed: of the weights. Torch's own generator is put back as it was.
    """
    from lerobot.configs.types import FeatureType, NormalizationMode, PolicyFeature
    from lerobot.rewards.classifier.configuration_classifier import RewardClassifierConfig
    from lerobot.rewards.classifier.modeling_classifier import Classifier

    with torch.random.fork_rng(devices=[]), TemporaryDirectory() as folder, _silent():
        torch.manual_seed(seed)
        _encoder().save_pretrained(folder)
        config = RewardClassifierConfig(
            model_name=folder,
            num_cameras=len(cameras),
            hidden_dim=128,
            latent_dim=64,
            image_embedding_pooling_dim=4,
            # HIL-SERL shows it pictures of 0 to 1; LeRobot's own pre-processor must leave them so, too.
            normalization_mapping={FeatureType.VISUAL.value: NormalizationMode.IDENTITY},
            input_features={IMAGES + camera: PolicyFeature(FeatureType.VISUAL, (3, SIDE, SIDE)) for camera in cameras},
        )
        network = Classifier(config)
    for parameter in network.parameters():
        parameter.requires_grad_(True)
    return network


def logits(network: Any, images: torch.Tensor) -> torch.Tensor:
    """Log-odds of a success, with gradients where they are on.

    Args:
        images: float (N, cameras, 3, SIDE, SIDE), 0 to 1.

    Returns:
        Shape (N,).
    """
    # All cameras share the encoder. In one batch its batch statistics are those it will have when it only looks.
    features = network.encoder(images.flatten(0, 1)).last_hidden_state.unflatten(0, images.shape[:2])
    parts = [
        network.encoders[key][1:](SimpleNamespace(last_hidden_state=features[:, camera]))
        for camera, key in enumerate(network.image_keys)
    ]
    return network.classifier_head(torch.hstack(parts)).squeeze(-1)


def as_tensor(pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Pictures uint8 (N, cameras, SIDE, SIDE, 3) as float (N, cameras, 3, SIDE, SIDE), 0 to 1."""
    return torch.from_numpy(pictures).permute(0, 1, 4, 2, 3).float().div_(255.0)


def predict(network: Any, pictures: NDArray[np.uint8], batch: int = 64) -> NDArray[np.float64]:
    """Log-odds of a success of every picture, shape (N,)."""
    network.eval()
    with torch.inference_mode():
        parts = [logits(network, as_tensor(pictures[at : at + batch])) for at in range(0, len(pictures), batch)]
    return torch.cat(parts).double().numpy() if parts else np.zeros(0)


def save_network(network: Any, folder: Path, home: Path) -> list[float]:
    """Write config.json, model.safetensors and encoder/ into a folder, as LeRobot reads them.

    Args:
        network: it.
        folder: where it is written.
        home: what that folder will be called in the end; LeRobot needs the encoder's absolute path.

    Returns:
        What it answers to some noise; `load_network` asks again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _silent():
        network.encoder.save_pretrained(folder / ENCODER)
        network.config.model_name = str((home / ENCODER).resolve())
        network.save_pretrained(folder)
    return _proof(network)


def load_network(folder: Path, proof: Sequence[float]) -> Any:
    """A saved network, for looking only.

    LeRobot's config names the encoder by an absolute path; a folder that was copied elsewhere is put right.

    Raises:
        DataError: it is none.
    """
    from lerobot.configs.rewards import RewardModelConfig
    from lerobot.rewards.classifier.modeling_classifier import Classifier
    from safetensors import SafetensorError

    try:
        encoder = str((folder / ENCODER).resolve())
        with _silent():
            config = RewardModelConfig.from_pretrained(folder)
            moved, config.model_name = config.model_name != encoder, encoder
            # Not strict: the shared encoder's counters of batches are written once and read twice.
            network = Classifier.from_pretrained(folder, config=config)
        if moved:
            _put_right(folder / _CONFIG, encoder)
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError, SafetensorError) as error:
        raise DataError(f"The classifier {folder} cannot be loaded: {error}.") from error
    if not np.allclose(_proof(network), proof, atol=1e-3):
        raise DataError(f"The classifier {folder} answers otherwise than when it was saved; its weights are damaged.")
    return network


def _put_right(path: Path, encoder: str) -> None:
    """Name the encoder where it is now, for LeRobot; a folder that cannot be written to stays as it is."""
    told = json.loads(path.read_bytes())
    with suppress(CannotWrite):
        write_aside(path, json.dumps({**told, "model_name": encoder}, indent=4).encode())


def _proof(network: Any) -> list[float]:
    noise = np.random.default_rng(0).integers(0, 256, (2, len(network.image_keys), SIDE, SIDE, 3), dtype=np.uint8)
    return [round(float(value), 4) for value in predict(network, noise)]


def _encoder() -> Any:
    from transformers import AutoModel, ResNetConfig

    shape = {"embedding_size": _WIDTHS[0], "hidden_sizes": list(_WIDTHS), "depths": [1, 1, 1, 1]}
    return AutoModel.from_config(ResNetConfig(**shape, layer_type="basic"))


@contextmanager
def _silent() -> Iterator[None]:
    """LeRobot and transformers say where weights come from, and name every counter the shared encoder has once."""
    from transformers.utils import logging as told

    told.disable_progress_bar()
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(StringIO()):
            yield
    finally:
        logging.disable(before)
