"""The summary that every recording ends with: the same as `studio inspect`."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from curation.inspect import inspect, table
from curation.store import Store


def summary(root: Path) -> tuple[str, dict[str, Any]]:
    """A dataset as text and as JSON values."""
    inspection = inspect(Store.open(root))
    width = max(80, min(120, shutil.get_terminal_size((100, 24)).columns))
    return table(inspection, width=width), {"dataset": str(root), **asdict(inspection)}
