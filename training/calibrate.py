"""A backbone without pretrained weights, given the normalisation that its layers were designed with.

LeRobot's ACT uses a ResNet whose batch normalisation is frozen. With pretrained weights its constants are ImageNet's;
without, they are 0 and 1, which is a ResNet without any normalisation. Here they are measured once, from a batch of the
data at the random initial weights, and stay frozen; they lie in the checkpoint, which stays LeRobot's own.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BATCH = 32
STREAM = 23
"""Keeps this choice of frames apart from other streams of the seed."""


def calibrate(policy: Any, dataset: Any, preprocessor: Any, seed: int) -> int:
    """Measure the constants of every frozen normalisation of a policy's image backbone.

    Args:
        policy: an ACTPolicy.
        dataset: LeRobot's, as training reads it.
        preprocessor: of the policy.
        seed: of the choice of frames; the same seed gives the same weights.

    Returns:
        How many layers were measured; 0 if the policy has none.
    """
    import torch
    from torchvision.ops import FrozenBatchNorm2d

    backbone = getattr(policy.model, "backbone", None)
    layers = [m for m in backbone.modules() if isinstance(m, FrozenBatchNorm2d)] if backbone is not None else []
    if backbone is None or not layers:
        return 0
    rng = np.random.default_rng([seed, STREAM])
    chosen = np.sort(rng.choice(len(dataset), size=min(BATCH, len(dataset)), replace=False))
    batch = torch.utils.data.default_collate([dataset[int(index)] for index in chosen])
    for key in dataset.meta.camera_keys:
        if batch[key].dtype == torch.uint8:
            batch[key] = batch[key].to(torch.float32) / 255.0
    seen = preprocessor(batch)
    images = torch.cat([seen[key] for key in policy.config.image_features])
    hooks = [layer.register_forward_pre_hook(_measure) for layer in layers]
    training = backbone.training
    try:
        with torch.no_grad():
            backbone.eval()(images)
    finally:
        backbone.train(training)
        for hook in hooks:
            hook.remove()
    return len(layers)


def _measure(layer: Any, given: tuple[Any, ...]) -> None:
    """Set a layer's constants to what it is about to normalise, shape (N, C, H, W)."""
    (values,) = given
    layer.running_mean.copy_(values.mean(dim=(0, 2, 3)))
    # Channels that are dead at the initial weights would be divided by nothing.
    layer.running_var.copy_(values.var(dim=(0, 2, 3), unbiased=False).clamp_min(1e-4))
