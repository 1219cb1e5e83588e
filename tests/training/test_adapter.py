"""What we take hold of in LeRobot 0.6.1: the names, and how its training calls them."""

from __future__ import annotations

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pytest

from training.adapter import WRAPPED, Training, entered, line_of
from training.runs import Run

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

CALLS = {
    "init_logging": (0, {"accelerator"}),
    "make_train_eval_datasets": (1, set()),
    "make_policy": (0, {"cfg", "ds_meta", "rename_map"}),
    "make_pre_post_processors": (0, {"policy_cfg", "pretrained_path", "pretrained_revision", None}),
    "cycle": (1, set()),
    "should_save_checkpoint": (3, set()),
    "save_checkpoint": (0, {"checkpoint_dir", "step", "cfg", "policy", "optimizer", "scheduler", "preprocessor",
                            "postprocessor", "num_processes", "batch_size", "model_state_dict", "optim_state_dict"}),
    "update_last_checkpoint": (1, set()),
    "push_checkpoint_to_hub": (2, {"private"}),
    "tqdm": (0, {"total", "desc", "unit", "disable", "position", "leave"}),
}  # fmt: skip


def test_lerobots_training_calls_its_parts_by_the_names_that_are_wrapped() -> None:
    import lerobot.scripts.lerobot_train as module

    assert version("lerobot") == "0.6.1"
    assert set(CALLS) == set(WRAPPED)
    tree = ast.parse(inspect.getsource(module))
    found: dict[str, tuple[int, set[str | None]]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found[node.func.id] = (len(node.args), {word.arg for word in node.keywords})
    assert found == CALLS


def test_the_parts_are_put_back(tmp_path: Path) -> None:
    import lerobot.scripts.lerobot_train as module

    before = {name: getattr(module, name) for name in WRAPPED}
    training = Training(Run(tmp_path), {"recipe": {}}, {})
    with entered(module, training):
        assert all(getattr(module, name) is not before[name] for name in WRAPPED)
    assert all(getattr(module, name) is before[name] for name in WRAPPED)


def test_a_line_of_progress_has_lerobots_numbers_unabridged() -> None:
    from lerobot.utils.logging_utils import AverageMeter, MetricsTracker

    metrics = {name: AverageMeter(name) for name in ("loss", "grad_norm", "lr", "update_s", "dataloading_s")}
    tracker = MetricsTracker(8, 1000, 10, metrics, initial_step=1234)
    tracker.loss, tracker.lr = 0.123456789, 1e-5
    told = line_of(tracker.to_dict())
    assert (told["step"], told["loss"], told["lr"]) == (1234, 0.123456789, 1e-5)
    assert {"grad_norm", "step_s", "data_s", "at"} <= told.keys()
