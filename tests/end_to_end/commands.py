"""The real command lines, as people start them: `studio` and LeRobot's own, offline, with caches of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    out: str
    err: str


@dataclass(frozen=True)
class Commands:
    """Runs command lines at home in a temporary folder, which is also their STUDIO_DATA.

    Args:
        home: exists.
        more: set in the environment of all.
    """

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def surroundings(self) -> dict[str, str]:
        """The environment: no Hub, no person's caches, MuJoCo's backend left for the studio to choose.

        One thread, because torch on two shared cores is forty times slower with more of them than cores are free.
        """
        kept = {key: value for key, value in os.environ.items() if key not in ("MUJOCO_GL", "COLUMNS")}
        return kept | {
            "STUDIO_DATA": str(self.home),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_CACHE": str(self.home / "cache"),
            "HF_LEROBOT_HOME": str(self.home / "lerobot"),
            "OMP_NUM_THREADS": "1",
            **self.more,
        }

    def run(
        self, program: str, *options: str, code: int = 0, more: Mapping[str, str] | None = None, timeout: float = 900
    ) -> Said:
        """Run a program of this environment and require its exit code."""
        done = subprocess.run(
            [BIN / program, *options], env={**self.surroundings, **(more or {})}, cwd=self.home, capture_output=True,
            encoding="utf-8", timeout=timeout, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return Said(done.stdout, done.stderr)

    def studio(self, *options: str, code: int = 0, more: Mapping[str, str] | None = None, timeout: float = 900) -> Said:
        """Run `studio`; whatever it does, people see no traceback."""
        said = self.run("studio", *options, code=code, more=more, timeout=timeout)
        assert "Traceback" not in said.err
        return said
