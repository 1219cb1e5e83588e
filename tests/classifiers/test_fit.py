"""A network is taught in as few steps as there may be, and the same again from its seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from classifiers import fit
from classifiers.controls import LEAST_STEPS, SHUFFLES, portion, shuffled_labels
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


def test_the_other_camera_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (60, 2, 16, 16, 3), dtype=np.uint8)
    blinded = augmented(pictures, np.random.default_rng(1))
    monkeypatch.setattr(fit, "BLIND_SHARE", 0.0)
    whole = augmented(pictures, np.random.default_rng(1))
    seen = blinded.reshape(60, 2, -1).std(axis=-1) > 0
    assert not seen.all()
    assert np.array_equal(blinded[seen], whole[seen])


def test_a_network_ends_with_the_running_mean_of_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    from classifiers.network import new_network

    seen, means = [], []

    def watched(network: Any) -> Any:
        means.append(running := running_mean(network))
        update = running.update_parameters

        def noted(now: Any) -> None:
            seen.append({name: value.detach().clone() for name, value in now.state_dict().items()})
            update(now)

        running.update_parameters = noted
        return running

    running_mean = fit._running_mean
    monkeypatch.setattr(fit, "_running_mean", watched)
    pictures = np.random.default_rng(4).integers(0, 256, (6, 2, 128, 128, 3), dtype=np.uint8)
    network = new_network(["overhead_cam", "wrist_cam"], 0)
    labels = np.array([0, 1, 0, 1, 0, 1], np.float32)
    taught(network, pictures, labels, Settings(epochs=1, batch=2), np.random.default_rng(0), lambda *told: None)
    assert len(seen) == 3
    names = [name for name in seen[0] if name.endswith(("running_mean", "classifier_head.0.weight"))]
    assert any("running_mean" in name for name in names)
    assert any("classifier_head" in name for name in names)
    for name in names:
        mean = seen[0][name]
        for steps, now in enumerate(seen[1:], start=1):
            mean = now[name] + (mean - now[name]) * (1 + steps) / (10 + steps)
        assert torch.allclose(network.state_dict()[name], mean, atol=1e-6), name
        assert not torch.equal(network.state_dict()[name], seen[-1][name])
    assert all(part[0] is network.encoder for part in network.encoders.values()), "still one encoder"


def test_labels_dealt_out_tell_nothing_of_their_pictures() -> None:
    pictures = np.stack(np.divmod(np.arange(1000), 256), axis=-1).astype(np.uint8).reshape(-1, 1, 1, 1, 2)
    labels = (np.arange(1000) < 400).astype(np.float32)
    lessons = Lessons(pictures, labels, [pictures[:1]] * 50, np.arange(50) < 20)
    dealt = lessons.dealt_out(np.random.default_rng(3), 0.5)
    kept = dealt.pictures.reshape(-1, 2).astype(int) @ (256, 1)
    assert len(dealt.labels) == len(set(kept)) == 500
    assert abs(np.corrcoef(dealt.labels, kept < 400)[0, 1]) < 0.15
    assert dealt.labels.mean() == pytest.approx(0.4, abs=0.06)
    assert dealt.truth.sum() == 20
    assert abs(np.corrcoef(dealt.truth, lessons.truth)[0, 1]) < 0.5
    everything = lessons.dealt_out(np.random.default_rng(3), 1.0)
    assert abs(np.corrcoef(everything.labels, labels)[0, 1]) < 0.1
    assert everything.labels.sum() == 400


def test_shuffled_trainings_have_as_many_steps_as_the_classifier_or_the_least() -> None:
    for epochs in (1, 6, 12, 13, 24, 35):
        share, each = portion(Settings(epochs=epochs), 60_000)
        assert SHUFFLES * share * each == pytest.approx(epochs)
        assert share <= 1
    share, each = portion(Settings(), 200)
    assert share * each * 200 / 16 >= LEAST_STEPS


def test_where_only_one_kind_is_held_out_nothing_is_trained() -> None:
    from dataclasses import make_dataclass

    held = [make_dataclass("Held", ["success"])(True)] * 3
    told = shuffled_labels([], [], held, {}, Settings(), 0)
    assert told.as_json() == {"value": None, "low": None, "high": None}
