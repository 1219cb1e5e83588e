"""The YAML at the top of a card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curation.errors import UsageError

_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\r?\n", re.DOTALL)


def front_of(text: str) -> tuple[dict[str, Any], str]:
    """What the YAML of a card says, and the words below it.

    Raises:
        UsageError: the YAML is broken, or no mapping.
    """
    import yaml

    front = _FRONT.match(text)
    if front is None:
        return {}, text
    try:
        told = yaml.safe_load(front[1])
    except yaml.YAMLError as error:
        raise UsageError(f"The YAML at the top of README.md cannot be read: {error}. Mend it first.") from error
    if told is not None and not isinstance(told, dict):
        raise UsageError("The YAML at the top of README.md is no mapping of names to values. Mend it first.")
    return told or {}, text[front.end() :]


def with_front(front: Mapping[str, Any], words: str) -> str:
    """A card: its YAML, then its words."""
    import yaml

    return f"---\n{yaml.safe_dump(dict(front), sort_keys=False, allow_unicode=True)}---\n{words}"
