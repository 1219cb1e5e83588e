"""The README's one script, as it stands there but small: demonstrations, ACT, its successes, the Hub, a VLA."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from curation.store import Store
from tests.curation.checks import arm
from tests.end_to_end.commands import BIN, ROOT
from tests.hub.conftest import Ours
from tests.training import vlas

TITLE = "## One script, from a position to a VLA"
LOOK = "--width 128 --height 96 --overhead-fov 30"
ATTEMPTS = 12
SMALLER = (
    # Faster than the clock; recording in real time has tests of its own.
    ("studio record --operator expert --episodes 20", f"studio generate --operator expert --episodes 20 {LOOK}"),
    # About 40 s on one quiet core, after which every other attempt or so succeeds.
    ("--policy act --steps 20000", "--preset cpu-image --resize 48x64 --steps 150"),
    (
        "--jitter 0.01 --yaw 0 --attempts 100",
        f"--jitter 0.005 --yaw 0 --n-action-steps 10 {LOOK} --attempts {ATTEMPTS}",
    ),
    ("to you/curated", "to alice/curated"),
    ("hf:you/curated", "hf:alice/curated"),
    ("--weights hf:lerobot/smolvla_base --steps 20000 --batch-size 64", "--weights WEIGHTS --steps 2 --batch-size 2"),
    ("-n 60", "-n 2 --limit 2"),
)
"""What the test changes in the script: sizes, names on the Hub, and weights that are not at hand here."""

pytestmark = [pytest.mark.timeout(1200), pytest.mark.filterwarnings("ignore")]


def script(weights: Path) -> str:
    """The README's script, smaller."""
    _, _, after = (ROOT / "README.md").read_text(encoding="utf-8").partition(TITLE)
    text = after.split("```bash\n")[1].split("```")[0]
    for there, here in SMALLER:
        assert text.count(there) == 1, there
        text = text.replace(there, here)
    return text.replace("WEIGHTS", str(weights))


def test_the_readmes_script_leads_from_a_position_to_a_vla(hub: Ours, tmp_path: Path) -> None:
    weights = vlas.smolvla(tmp_path, arm.record(tmp_path / "arm").root)
    home = tmp_path / "home"
    home.mkdir()
    commands = hub.commands(home)
    surroundings = commands.surroundings | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script(weights)], cwd=home, env=surroundings, capture_output=True,
        encoding="utf-8", timeout=1100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    demos, rollouts, curated = (Store.open(home / name) for name in ("demos", "rollouts", "curated"))
    assert demos.total_episodes == 20
    assert {(row.x, row.y) for row in demos.rows()} == {(0.337, -0.015)}
    assert len((rollouts.root / "meta/studio/attempts.jsonl").read_text().splitlines()) == ATTEMPTS
    assert 0 < rollouts.total_episodes < ATTEMPTS
    assert all(row.success and row.operator.startswith("policy:act@") for row in rollouts.rows())
    assert curated.total_episodes == 20 + rollouts.total_episodes
    repo = hub.server.repos["dataset", "alice/curated"]
    assert "meta/info.json" in repo.files(repo.resolve("v3.0"))
    run = json.loads((home / "runs/vla/run.json").read_text())
    assert (run["state"], run["policy"], run["dataset"]["episodes"]) == ("done", "smolvla", curated.total_episodes)
    rows = [json.loads(line) for path in home.glob("runs/vla/**/rows.jsonl") for line in path.read_text().splitlines()]
    assert len(rows) == 2
