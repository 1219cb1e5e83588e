"""A network is taught in as few steps as there may be, and the same again from its seed."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.fit import Settings, taught


@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_few_steps_teach_too_and_repeat_by_seed(steps: int) -> None:
    from classifiers.network import new_network

    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (2 * steps, 1, 128, 128, 3), dtype=np.uint8)
    labels = (np.arange(2 * steps) % 2).astype(np.float32)
    told: list[tuple[int, int]] = []

    def losses() -> list[float]:
        network, settings = new_network(["wrist_cam"], 0), Settings(epochs=1, batch=2)
        return taught(network, pictures, labels, settings, np.random.default_rng(0), lambda *at: told.append(at))

    first = losses()
    assert len(first) == 1
    assert 0 < first[0] < 10
    assert losses() == first
    assert told == [(1, 1)] * 2
