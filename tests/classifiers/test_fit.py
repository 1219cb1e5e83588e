"""A network is taught in as few steps as there may be, and the same again from its seed."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.fit import BLIND_SHARE, Lessons, Settings, augmented, taught


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


def test_some_instants_lack_one_camera_and_never_both() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (400, 2, 16, 16, 3), dtype=np.uint8)
    grey = augmented(pictures, np.random.default_rng(1)).reshape(400, 2, -1).std(axis=-1) == 0
    assert not grey.all(axis=1).any()
    assert grey.any(axis=1).mean() == pytest.approx(BLIND_SHARE, abs=0.06)
    assert 0.3 < grey[grey.any(axis=1), 0].mean() < 0.7, "either camera"
    alone = augmented(pictures[:, :1], np.random.default_rng(1))
    assert alone.std(axis=(1, 2, 3, 4)).min() > 0, "of a single camera nothing would be left"


def test_labels_dealt_out_tell_nothing_of_their_pictures() -> None:
    pictures = np.arange(1000, dtype=np.uint8).reshape(-1, 1, 1, 1, 1)
    labels = (np.arange(1000) < 400).astype(np.float32)
    lessons = Lessons(pictures, labels, [pictures[:1]] * 50, np.arange(50) < 20)
    dealt = lessons.dealt_out(np.random.default_rng(3), 0.5)
    kept = dealt.pictures.ravel()
    assert len(dealt.labels) == len(kept) == 500
    assert dealt.labels.mean() == pytest.approx(0.4, abs=0.06)
    assert dealt.truth.sum() == 20
    assert abs(np.corrcoef(dealt.truth, lessons.truth)[0, 1]) < 0.5
    everything = lessons.dealt_out(np.random.default_rng(3), 1.0)
    assert abs(np.corrcoef(everything.labels, labels)[0, 1]) < 0.1
    assert everything.labels.sum() == 400
