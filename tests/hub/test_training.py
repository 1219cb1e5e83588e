"""Checkpoints of a training go up as they are made; a Hub that fails costs a message, never the training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.apply import apply
from curation.columns import DropFeature
from curation.errors import UsageError
from curation.frames import Feature
from curation.hub.publish import publish
from curation.plan import Columns, begin, edited
from curation.store import Store
from studio import cli
from tests.curation.checks.arm import Numbers, record
from tests.curation.tiny import CAMERAS, FEATURES
from tests.hub.conftest import TOKEN, Ours
from tests.hub.server import Fault
from training.remote import require_published

WORDS = ("--preset", "cpu-state", "--set", "save_freq=3", "--force")


def data(folder: Path) -> Path:
    """An arm and a block's pose, without pictures."""
    pose = Feature("float32", (5,), ("a", "b", "c", "d", "e"))

    def see(episode: int, numbers: Numbers, block: Any) -> Numbers:
        return numbers | {"observation.environment_state": block[:, :5].astype(np.float32)}

    plan = begin([record(folder / "whole", twist=see, features={**FEATURES, "observation.environment_state": pose})])
    for camera in CAMERAS:
        plan = edited(plan, Columns(DropFeature(camera), 0))
    apply(plan, folder / "state", tell=lambda *_: None)
    return folder / "state"


def trained(hub: Ours, home: Path) -> tuple[dict[str, Any], str]:
    """A training of six steps that pushes, and all that it said."""
    said = hub.commands(home).studio(
        "train", str(data(home)), "--to", str(home / "runs/a"), "--steps", "6", "--batch-size", "4",
        "--push-checkpoints", "alice/policy", "--keep-last", "1", *WORDS, "--json",
    )  # fmt: skip
    return json.loads(said.out), said.err + (home / "runs/a/train.log").read_text()


def test_every_checkpoint_goes_up(hub: Ours, tmp_path: Path) -> None:
    told, said = trained(hub, tmp_path)
    assert told["state"] == "done"
    assert TOKEN not in said
    repo = hub.server.repos["model", "alice/policy"]
    there = set(repo.files(repo.resolve("main")))
    for step in ("000003", "000006"):
        assert f"checkpoints/{step}/pretrained_model/model.safetensors" in there
        assert f"checkpoints/{step}/training_state/training_step.json" in there
    here = tmp_path / "runs/a/train/checkpoints"
    top = json.loads(repo.get(repo.files(repo.resolve("main"))["studio.json"].oid))
    assert top == json.loads((here / "000006/pretrained_model/studio.json").read_text())
    assert top["step"] == 6
    assert sorted(path.name for path in here.iterdir() if path.name != "last") == ["000006"]


def test_a_job_is_refused_what_is_not_on_the_hub_and_what_preflight_refuses(
    hub: Ours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = data(tmp_path)
    files = {name: root / name for name in ("meta/info.json", "meta/stats.json")}
    commit = publish(hub.repo("alice/state"), files, private=True, message="as it was").commit
    store, there = Store.open(root), hub.repo("alice/state")
    require_published(store, there, commit)
    (root / "meta/studio/hub.json").write_text(json.dumps({"repo": "alice/state", "commit": commit}))
    stats = json.loads((root / "meta/stats.json").read_text())
    stats["action"]["mean"][0] += 1
    (root / "meta/stats.json").write_text(json.dumps(stats))
    with pytest.raises(UsageError, match=r"was changed since it was published as alice/state at .* studio publish"):
        require_published(store, there, commit)
    stats["action"]["std"][0] = 1e20
    (root / "meta/stats.json").write_text(json.dumps(stats))
    words = ["train", str(root), "--hf-jobs", "a10g-small", "--push-checkpoints", "alice/policy", *WORDS[:-1]]
    assert cli.run(words) == 3
    assert "preflight refuses this training. statistics:" in capsys.readouterr().err


@pytest.mark.slow
def test_a_hub_that_fails_does_not_end_a_training(hub: Ours, tmp_path: Path) -> None:
    hub.server.faults.append(Fault("*", "/commit/", 400, times=99, body=f"your token {TOKEN}"))
    told, said = trained(hub, tmp_path)
    assert told["state"] == "done"
    assert [one["what"] for one in told["not_pushed"]][:2] == ["checkpoint 000003", "checkpoint 000006"]
    assert "checkpoint 000006 of a was not pushed: " in said
    assert TOKEN not in said
    assert (tmp_path / "runs/a/train/checkpoints/000006/pretrained_model/model.safetensors").is_file()
