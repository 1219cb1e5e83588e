"""Where datasets lie."""

from __future__ import annotations

import os
from pathlib import Path


def data_home() -> Path:
    """The folder of bare names: STUDIO_DATA, or ./datasets."""
    return Path(os.environ.get("STUDIO_DATA") or "datasets")


def dataset_path(name: str) -> Path:
    """A path as given, or a bare name under the data home."""
    path = Path(name).expanduser()
    bare = len(path.parts) == 1 and not name.startswith(".")
    return data_home() / path if bare else path
