"""What LeRobot makes of a recipe is known without loading it where nobody typed anything, and asked otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from training.recipe import PRESETS, Recipe, preset
from training.understood import CHUNKS, Understood, understood

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


def test_the_usual_chunks_are_lerobots() -> None:
    plain = {"log_freq": "1"}
    for policy, (name, frames) in CHUNKS.items():
        recipe = Recipe(policy=policy, steps=1, batch_size=1, seed=0, device="cpu", settings=plain)
        asked_for = understood(replace(recipe, settings=plain | {"wandb.project": "x"}))
        assert understood(recipe) == asked_for == Understood("", frames, f"policy.{name}")


def test_lerobot_is_asked_about_a_preset_only_where_it_was_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    recipes = [Recipe(policy="act", steps=50, batch_size=1, seed=0, device="cpu", settings=preset(name, 50)[1])
               for name in PRESETS]  # fmt: skip
    for recipe in recipes:
        asked_for = understood(replace(recipe, settings=dict(recipe.settings) | {"wandb.project": "x"}))
        assert understood(recipe) == asked_for == Understood("", 40, "policy.chunk_size")
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr("training.understood._read", lambda words: asked.append(words) or Understood("asked"))
    for recipe in recipes:
        assert understood(recipe).fault == ""
        for changed in ({"policy.chunk_size": "10"}, {"optimizer.lr": "x"}, {"num_workers": "x"}, {"x": "1"}):
            assert understood(replace(recipe, settings=dict(recipe.settings) | changed)).fault == "asked"
        assert understood(replace(recipe, policy="diffusion")).fault == "asked"
    assert len(asked) == 5 * len(recipes)
