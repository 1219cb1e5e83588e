"""The rooms stay as they were drawn: imports flow one way, modules stay readable, what ships is all there."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("studio", "recorders", "curation", "classifiers", "training")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
MOST_LINES = 400
GLOBAL_RNG = (
    "np.random.seed(",
    "np.random.rand",
    "np.random.uniform(",
    "np.random.normal(",
    "np.random.choice(",
    "import random",
)


def test_import_contracts_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_stay_short_explained_and_seeded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    assert not text or text.startswith('"""')
    assert not [word for word in GLOBAL_RNG if word in text]


def test_only_these_packages_ship() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert tuple(settings["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) == PACKAGES
    assert settings["project"]["scripts"] == {"studio": "studio.cli:main"}


def test_assets_are_inside_their_package() -> None:
    arm = files("recorders.world") / "assets" / "so101.xml"
    assert arm.read_text(encoding="utf-8").startswith("<")
    ignored = subprocess.run(["git", "check-ignore", str(arm)], cwd=ROOT, capture_output=True, check=False)
    assert ignored.returncode == 1, "hatchling leaves out what git ignores"
