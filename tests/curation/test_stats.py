"""Statistics are exact and merge without loss."""

from __future__ import annotations

import json

import numpy as np

from curation.stats import QUANTILES, ImageStats, NumericStats


def test_merged_columns_equal_numpy_over_all() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(50, 0.1, (n, 3)).astype(np.float32) for n in (1, 7, 150)]
    running = NumericStats.of(parts[0])
    for part in parts[1:]:
        running = running.merge(NumericStats.of(part))
    have, everything = running.as_lerobot(), np.concatenate(parts).astype(np.float64)
    assert np.array_equal(have["min"], everything.min(0))
    assert np.array_equal(have["max"], everything.max(0))
    assert np.allclose(have["mean"], everything.mean(0), rtol=1e-13)
    assert np.allclose(have["std"], everything.std(0), rtol=1e-9)
    for name, q in QUANTILES.items():
        assert np.allclose(have[name], np.quantile(everything, q, axis=0), rtol=1e-12)
    assert have["count"].tolist() == [158]


def test_one_column_keeps_lerobots_shape() -> None:
    assert {v.shape for v in NumericStats.of(np.arange(5)).as_lerobot().values()} == {(1,)}


def test_image_histograms_equal_numpy_over_the_grid() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 200, (3, 480, 640, 3), dtype=np.uint8)
    halves = ImageStats(), ImageStats()
    for index, image in enumerate(images):
        halves[index % 2].add(image)
    stored = ImageStats.from_json(json.loads(json.dumps(halves[0].to_json())))
    have, pixels = stored.merge(halves[1]).as_lerobot(), images[:, ::4, ::4].reshape(-1, 3) / 255
    wanted = {"min": pixels.min(0), "max": pixels.max(0), "mean": pixels.mean(0), "std": pixels.std(0)}
    wanted |= {name: np.quantile(pixels, q, axis=0) for name, q in QUANTILES.items()}
    for name, value in wanted.items():
        assert have[name].shape == (3, 1, 1)
        assert np.allclose(have[name].ravel(), value), name
    assert have["count"].tolist() == [3]
