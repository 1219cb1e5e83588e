"""A checkpoint is found by every name it has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.errors import DataError, UnknownChoice, UsageError
from training.checkpoint_card import Card, card, resolve
from training.identity import digest, is_of, weights_digest

CARD = {
    "version": 1, "run": "a", "group": "a", "step": 200, "policy": "act", "seed": 3, "fps": 30, "task": "Pick",
    "scene": {"fingerprint": "f00", "scene": {"width": 64}}, "cameras": {"wrist_cam": [48, 64]}, "privileged": False,
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for step in (100, 200, 1000):
        folder = tmp_path / "a/train/checkpoints" / f"{step:06d}" / "pretrained_model"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"type": "act"}')
        (folder / "model.safetensors").write_bytes(str(step).encode())
        (folder / "studio.json").write_text(json.dumps(CARD | {"step": step}))
    (tmp_path / "a/train/checkpoints/001100.partial").mkdir()
    return tmp_path


def test_every_name_of_a_checkpoint_leads_to_its_weights(home: Path) -> None:
    checkpoints = home / "a/train/checkpoints"
    last = checkpoints / "001000/pretrained_model"
    for text in ("a", "a@last", "a@1000", "a@001000", str(home / "a"), str(home / "a/train"), str(checkpoints)):
        assert resolve(text, home) == last, text
    assert resolve("a@100", home) == checkpoints / "000100/pretrained_model"
    assert resolve(str(checkpoints / "000200"), home) == checkpoints / "000200/pretrained_model"
    assert resolve(str(checkpoints / "000200/pretrained_model"), home) == checkpoints / "000200/pretrained_model"


def test_the_best_is_the_one_that_a_sweep_wrote_down(home: Path) -> None:
    with pytest.raises(UsageError, match="studio sweep a"):
        resolve("a@best", home)
    (home / "a/best.json").write_text('{"checkpoint": "000200"}')
    assert resolve("a@best", home).parent.name == "000200"


def test_names_that_lead_nowhere_say_where_one_could_go(home: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownChoice, match="Valid: a"):
        resolve("b", home)
    with pytest.raises(UnknownChoice, match="Valid: last, best, 000100, 000200, 001000"):
        resolve("a@150", home)
    empty = tmp_path / "somewhere/else"
    empty.mkdir(parents=True)
    with pytest.raises(UsageError, match="holds no checkpoint"):
        resolve(str(empty), home)


def test_a_card_tells_the_world_and_a_foreign_checkpoint_tells_nothing(home: Path) -> None:
    path = resolve("a@200", home)
    told = card(path)
    assert (told.policy, told.fps, told.fingerprint, told.label) == ("act", 30, "f00", "a@000200")
    assert told.cameras == {"wrist_cam": (48, 64)}
    (path / "studio.json").unlink()
    assert card(path) == Card(path, policy="act")
    (path / "studio.json").write_text("{")
    with pytest.raises(DataError, match=r"studio\.json cannot be read"):
        card(path)


def test_a_digest_names_all_that_decides_actions_and_nothing_else(home: Path, tmp_path: Path) -> None:
    one, other = resolve("a@100", home), resolve("a@200", home)
    assert digest(one) != digest(other)
    (other / "model.safetensors").write_bytes(b"100")
    assert digest(one) == digest(other), "cards and folders tell nothing of what a policy does"
    for name in ("config.json", "policy_postprocessor.json", "policy_postprocessor_step_0.safetensors", "merges.txt"):
        before = digest(one)
        (one / name).write_bytes(b'{"type": "other"}')
        assert digest(one) != before, name
    (one / "README.md").write_text("a policy")
    (one / "train_config.json").write_text("{}")
    (other / "config.json").write_bytes(b'{"type": "other"}')
    for name in ("policy_postprocessor.json", "policy_postprocessor_step_0.safetensors", "merges.txt"):
        (other / name).write_bytes(b'{"type": "other"}')
    assert digest(one) == digest(other)
    with pytest.raises(DataError, match="not whole"):
        digest(tmp_path)


def test_the_base_below_an_adapter_decides_too(home: Path, tmp_path: Path) -> None:
    base, adapter = resolve("a@100", home), tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"small")
    (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base), "revision": None}))
    before = digest(adapter)
    (base / "model.safetensors").write_bytes(b"another")
    assert digest(adapter) != before


def test_evaluations_that_know_the_weights_only_are_told_apart(home: Path) -> None:
    path = resolve("a@100", home)
    assert is_of(path, {"version": 1, "checkpoint_digest": weights_digest(path)})
    assert not is_of(path, {"version": 2, "checkpoint_digest": weights_digest(path)})
    assert is_of(path, {"version": 2, "checkpoint_digest": digest(path)})
