"""Where datasets and runs lie."""

from __future__ import annotations

import os
from pathlib import Path

from training import runs


def data_home() -> Path:
    """The folder of bare names: STUDIO_DATA, or ./datasets."""
    return Path(os.environ.get("STUDIO_DATA") or "datasets")


def dataset_path(name: str) -> Path:
    """A path as given, a bare name under the data home, or `hf:owner/name[@revision]`, pulled once and kept by commit.

    Raises:
        UsageError: what follows hf: is no name.
        HubError: the Hub refuses or cannot be reached.
        DataError: what came from there is damaged.
    """
    if name.startswith("hf:"):
        from curation.hub.pull import resolve

        return resolve(name, data_home())
    path = Path(name).expanduser()
    if len(path.parts) != 1:
        return path
    # "./pos2" is not a bare name, and must not be printed as one: absolute, it reads back as itself.
    bare = not name.startswith((".", "~"))
    return data_home() / path if bare else path.absolute()


def runs_home() -> Path:
    """The folder of jobs, trainings, classifiers and evaluations: STUDIO_RUNS, or ./runs."""
    return Path(os.environ.get("STUDIO_RUNS") or "runs")


def run_path(name: str) -> Path:
    """The folder of a training or a classifier: a path as given, or a bare name under the runs' home.

    Args:
        name: also as notes name a classifier, `classifier:<name>`.

    Raises:
        UsageError: the name is none.
    """
    return runs.run_path(runs_home(), name.removeprefix("classifier:"))
