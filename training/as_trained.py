"""Whether an evaluation drove a policy as it was trained, where it was trained; and if not, what was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from .checkpoint_card import CONFIG, Card

TRAINED = "trained"
"""In evaluation.json: what the checkpoint would have done by itself."""
_USUAL: Mapping[str, Any] = {"blind": [], "latency": "0", "gripper_bias": 0.0, "gripper_clip": None}
"""Settings that no checkpoint has of itself."""
_MACHINE = ("batch", "device", "threads")
"""Settings that decide how fast rows are made, and hardly what is in them."""


def trained_of(card: Card) -> dict[str, Any]:
    """How a checkpoint is carried out by itself, with which instructions and in which scenes; None is unknown."""
    config: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        config = json.loads((card.folder / CONFIG).read_bytes())
    ensemble = config.get("temporal_ensemble_coeff")
    return {
        "n_action_steps": 1 if ensemble is not None else config.get("n_action_steps"),
        "ensemble": ensemble,
        "chunk_size": config.get("chunk_size"),
        "tasks": list(card.tasks),
        "scenes": list(card.fingerprints),
    }


def changes(told: Mapping[str, Any], scenes: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What was not as the policy was trained, in words; empty if nothing was, as far as is known.

    Args:
        told: evaluation.json.
        scenes: fingerprints of the training's scenes, where evaluation.json does not say them.
    """
    settings, trained = dict(told.get("settings") or {}), told.get(TRAINED)
    found = {name: settings[name] for name, usual in _USUAL.items() if settings.get(name, usual) != usual}
    if isinstance(trained, Mapping):
        scenes = tuple(trained.get("scenes") or scenes)
        found |= _unlike(settings, trained)
    words = [f"{name} {_word(value)}" for name, value in found.items()]
    here = dict(told.get("scene") or {}).get("fingerprint")
    if scenes and here and here not in scenes:
        words.append("another scene than the trained one")
    return tuple(words)


def driven(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that decide how a policy is carried out, without those of the machine."""
    return {name: value for name, value in settings.items() if name not in _MACHINE}


def _unlike(settings: Mapping[str, Any], trained: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    ensembling = "ensemble" in settings and settings["ensemble"] != trained.get("ensemble")
    if ensembling:
        found["ensemble"] = "off" if settings["ensemble"] is None else settings["ensemble"]
    own, here = trained.get("n_action_steps"), settings.get("n_action_steps")
    # Ensembling asks in every frame, so one of the two says both.
    if own is not None and here is not None and own != here and not ensembling:
        found["n_action_steps"] = here
    tasks = trained.get("tasks") or ()
    if tasks and settings.get("task") and settings["task"] not in tasks:
        found["task"] = f'"{settings["task"]}"'
    return found


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " and ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
