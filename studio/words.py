"""Options as the words of the command line that makes them, so that what one command plans another can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

from training.recipe import Recipe


def line_of(words: Sequence[str]) -> str:
    """A command as one would type it."""
    return shlex.join(["studio", *words])


def flags_of(options: Any, *leave: str) -> list[str]:
    """Every option of a dataclass that is not as by default; nested ones lie flat, as on the command line.

    Args:
        options: an instance whose fields are options, none of them positional.
        leave: names of fields to leave out.
    """
    found: list[str] = []
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in leave:
            continue
        if is_dataclass(value):
            found += flags_of(value)
            continue
        if field.default is MISSING or value != field.default:
            found += flag(field.name, value)
    return found


def asked_by(options: Any, *leave: str) -> dict[str, Any]:
    """What a person asked for: every option that is not as by default, by name, as JSON values; nested ones lie flat.

    Args:
        options: an instance whose fields are options.
        leave: names of fields to leave out.
    """
    found: dict[str, Any] = {}
    for field in fields(options):
        value = getattr(options, field.name)
        if field.name in leave:
            continue
        if is_dataclass(value):
            found |= asked_by(value)
        elif field.default is MISSING or value != field.default:
            found[field.name] = str(value) if isinstance(value, Path) else value
    return found


def flag(name: str, value: Any) -> list[str]:
    """One option and its values, such as ["--box", "0.2", "0.3", "0", "0.1"]."""
    option = "--" + name.strip("_").replace("_", "-")
    if value is True:
        return [option]
    if isinstance(value, tuple):
        return [option, *map(_word, value)]
    # What begins with a minus would be taken for an option, unless it is a number.
    if isinstance(value, str) and value.startswith("-"):
        return [f"{option}={value}"]
    return [option, _word(value)]


def recipe_words(recipe: Recipe, *, images: bool) -> list[str]:
    """The options of `studio train` that make this recipe, its seed included.

    Args:
        recipe: of a training.
        images: whether its dataset has any; without them there is nothing to cache.
    """
    found = ["--policy", recipe.policy, "--steps", str(recipe.steps), "--batch-size", str(recipe.batch_size)]
    found += ["--seed", str(recipe.seed), "--device", recipe.device]
    if recipe.weights:
        found += ["--weights", recipe.weights_given or recipe.weights]
    if recipe.resize:
        found += ["--resize", f"{recipe.resize[0]}x{recipe.resize[1]}"]
    if recipe.threads:
        found += ["--threads", str(recipe.threads)]
    if recipe.processes != 1:
        found += ["--gpus", str(recipe.processes)]
    if recipe.keep_last:
        found += ["--keep-last", str(recipe.keep_last)]
    if recipe.cache and images:
        found += ["--cache"]
    if recipe.settings:
        found += ["--set", *(f"{key}={value}" for key, value in sorted(recipe.settings.items()))]
    return found


def _word(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value) if not isinstance(value, Path) else value.as_posix()
