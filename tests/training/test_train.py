"""Training: the same numbers however often it is interrupted, a subset's own statistics, and no lost checkpoint."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.errors import StudioError, UsageError
from curation.library import put_to_trash
from curation.store import Store
from tests.training.runs import asked, begun, copied, losses, trained
from training import checkpoints
from training.adapter import Stopped, Training
from training.launch import command, environment, forget_after
from training.recipe import Recipe
from training.remote import job_command
from training.runs import Run, opened, state_of
from training.start import RandomWeights
from training.subset import by_ids, subset_stats
from training.weights import NotAtHand

# LeRobot's own warnings are not ours to mend.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

STEPS = 6


@pytest.fixture(scope="module")
def run(arm: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Six steps of 15 frames, four to an epoch, with dropout, a VAE and a checkpoint after each. Never changed."""
    training = asked(steps=STEPS, batch_size=15, seed=3, where="x<0.21", set_=("save_freq=1",))
    run = begun(tmp_path_factory.mktemp("runs") / "whole", arm, training)
    assert trained(run) == 0
    return run


@pytest.mark.parametrize("last", [3, 4, 5], ids=["in the first epoch", "at its end", "in the second"])
def test_a_resumed_training_makes_the_same_numbers(run: Run, tmp_path: Path, last: int) -> None:
    whole = losses(run)
    assert list(whole) == list(range(1, STEPS + 1))
    copy = copied(run, tmp_path / "copy", last)
    forget_after(copy.progress, last)
    checkpoint, damaged = checkpoints.last_complete(copy.checkpoints)
    assert (checkpoint.name, damaged) == (f"{last:06d}", [])
    assert trained(copy, checkpoint) == 0
    assert losses(copy) == whole
    name = f"{checkpoints.MODEL}/model.safetensors"
    ours, theirs = (one.checkpoints / f"{STEPS:06d}" / name for one in (copy, run))
    assert ours.read_bytes() == theirs.read_bytes()


def test_progress_is_exact_and_every_checkpoint_has_a_card(run: Run, arm: Path) -> None:
    lines = run.curve()
    assert all({"step", "loss", "grad_norm", "lr", "step_s", "data_s", "at"} <= line.keys() for line in lines)
    assert [path.name for path in checkpoints.listed(run.checkpoints)] == [f"{n:06d}" for n in range(1, STEPS + 1)]
    assert (run.checkpoints / "last").resolve().name == f"{STEPS:06d}"
    card = json.loads((run.checkpoints / "000002" / checkpoints.MODEL / checkpoints.CARD).read_bytes())
    told = run.read()
    assert (card["version"], card["run"], card["step"], card["policy"], card["seed"]) == (1, "whole", 2, "act", 3)
    assert card["cameras"] == {"overhead_cam": [48, 64], "wrist_cam": [48, 64]}
    assert card["dataset"]["fingerprint"] == told["dataset"]["fingerprint"]
    assert "episode_ids" not in card["dataset"]
    assert card["scene"]["fingerprint"] == "0123456789abcdef"
    assert not card["privileged"]
    assert told["positions"] == [[row.x, row.y, row.yaw_deg] for row in Store.open(arm).rows()[:1]]


def test_a_backbone_without_weights_is_calibrated_from_the_seed(run: Run, arm: Path, tmp_path: Path) -> None:
    def constants(of: Run) -> dict[str, Any]:
        from safetensors.numpy import load_file

        first = checkpoints.listed(of.checkpoints)[0]
        tensors = load_file(first / checkpoints.MODEL / "model.safetensors")
        return {name: value for name, value in tensors.items() if name.endswith(("running_mean", "running_var"))}

    found = constants(run)
    assert len(found) == 40  # 20 layers of a ResNet-18
    assert all(np.abs(value - name.endswith("var")).max() > 1e-3 for name, value in found.items())
    again, other = (begun(tmp_path / f"seed{seed}", arm, asked(steps=1, seed=seed, where="x<0.21")) for seed in (3, 4))
    assert trained(again) == trained(other) == 0
    assert all(np.array_equal(value, found[name]) for name, value in constants(again).items())
    assert any(not np.array_equal(value, found[name]) for name, value in constants(other).items())


def test_a_subset_is_normalised_by_its_own_statistics(arm: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(arm, tmp_path / "data"))
    put_to_trash(data, ["id-1"], "test")
    run = begun(tmp_path / "run", data, asked(steps=1, where="x<0.25", set_=("dataset.use_imagenet_stats=false",)))
    ids = run.read()["dataset"]["episode_ids"]
    assert ids == ["id-0", "id-2"]
    assert trained(run) == 0
    store = Store.open(data)
    rows = np.concatenate([store.numeric(index)["action"] for index in (0, 2)]).astype(np.float64)
    from safetensors.numpy import load_file

    model = run.checkpoints / "000001" / checkpoints.MODEL
    (path,) = model.glob("policy_preprocessor*normalizer*.safetensors")
    kept = load_file(path)
    assert np.allclose(kept["action.mean"], rows.mean(0), atol=1e-5)
    assert np.allclose(kept["action.std"], rows.std(0), atol=1e-4)
    whole = json.loads((data / "meta/stats.json").read_text())
    assert not np.allclose(kept["action.mean"], whole["action"]["mean"], atol=1e-2)
    own = subset_stats(by_ids(store, ids))
    camera = "observation.images.overhead_cam"
    assert np.allclose(kept[f"{camera}.mean"], own[camera]["mean"], atol=1e-6)
    assert not np.allclose(kept[f"{camera}.mean"], whole[camera]["mean"], atol=1e-3)


def test_episodes_that_lerobot_held_out_are_no_training_episodes(arm: Path, tmp_path: Path) -> None:
    run = begun(tmp_path / "run", arm, asked(steps=1, where="x<0.25", set_=("dataset.eval_split=0.3",)))
    assert run.read()["dataset"]["episode_ids"] == ["id-0", "id-1", "id-2"]
    assert trained(run) == 0
    assert run.trained_on() == ["id-0", "id-1"]
    assert json.loads((run.folder / "held_out.json").read_text()) == ["id-2"]


def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(
    arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run", arm, asked(steps=3, set_=("save_freq=1",)))

    class Killed(BaseException):
        pass

    real = checkpoints.finish

    def finish(partial: Path, checkpoint: Path, card: Any) -> None:
        if checkpoint.name == "000002":
            (partial / checkpoints.STATE / "optimizer_state.safetensors").unlink()
            raise Killed
        real(partial, checkpoint, card)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "finish", finish)
        with pytest.raises(Killed):
            trained(run)
    assert (run.checkpoints / "last").resolve().name == "000001"
    found, damaged = checkpoints.last_complete(run.checkpoints)
    assert (found.name, damaged) == ("000001", [])
    assert trained(run, found) == 0
    assert [path.name for path in checkpoints.listed(run.checkpoints)] == ["000001", "000002", "000003"]
    assert not list(run.checkpoints.glob(f"*{checkpoints.PARTIAL}"))


def test_a_stop_ends_with_a_checkpoint_of_the_step_in_progress(
    arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(tmp_path / "run", arm, asked(steps=50, set_=("save_freq=50",)), keep_last=1)
    beat = Training.beat

    def stop_at_two(self: Training, *, now: bool = False) -> None:
        beat(self, now=now)
        if self.step == 2 and not self.wanted:
            self.stop()

    monkeypatch.setattr(Training, "beat", stop_at_two)
    assert trained(run) == 130
    assert [path.name for path in checkpoints.listed(run.checkpoints)] == ["000003"]
    assert run.beat()["step"] == 3
    early = begun(tmp_path / "early", arm, asked(steps=2))
    with pytest.raises(Stopped):
        Training(early, early.read(), {}).stop()


def test_old_checkpoints_are_dropped_and_the_last_ones_stay(run: Run, tmp_path: Path) -> None:
    copy = copied(run, tmp_path / "copy", 4)
    (copy.checkpoints / "000003" / checkpoints.MODEL / "config.json").unlink()  # no whole one, so none that is kept
    dropped = checkpoints.drop_old(copy.checkpoints, 2)
    assert [path.name for path in dropped] == ["000001"]
    assert [path.name for path in checkpoints.listed(copy.checkpoints)] == ["000002", "000003", "000004"]
    (copy.folder / "best.json").write_text('{"checkpoint": "000002"}')
    assert checkpoints.drop_old(copy.checkpoints, 1) == []  # the best is spared


@pytest.mark.parametrize("what", ["no weights", "cut off", "no optimiser", "no step"])
def test_a_damaged_checkpoint_is_passed_over_and_none_is_refused(run: Run, tmp_path: Path, what: str) -> None:
    copy = copied(run, tmp_path / "copy", 2)
    model, state = (copy.checkpoints / "000002" / name for name in (checkpoints.MODEL, checkpoints.STATE))
    match what:
        case "no weights":
            (model / "model.safetensors").unlink()
        case "cut off":
            weights = model / "model.safetensors"
            weights.write_bytes(weights.read_bytes()[:-100])
        case "no optimiser":
            (state / "optimizer_state.safetensors").unlink()
        case "no step":
            (state / "training_step.json").write_text("{")
    found, damaged = checkpoints.last_complete(copy.checkpoints)
    assert found.name == "000001"
    assert [path.name for path, _ in damaged] == ["000002"]
    shutil.rmtree(copy.checkpoints / "000001")
    with pytest.raises(checkpoints.NoCheckpoint, match=r"random weights\. Train anew"):
        checkpoints.last_complete(copy.checkpoints)


def test_other_weights_than_those_saved_are_refused(run: Run, tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = copied(run, tmp_path / "copy", 2)
    weights = copy.checkpoints / "000002" / checkpoints.MODEL / "model.safetensors"
    tensors = load_file(weights)
    first = next(name for name in tensors if name.startswith("model.encoder"))
    save_file({("renamed." if name == first else "") + name: value for name, value in tensors.items()}, weights)
    with pytest.raises((RandomWeights, RuntimeError), match="renamed"):
        trained(copy, copy.checkpoints / "000002")


def test_weights_of_another_policy_are_refused_and_those_of_a_run_are_taken(
    run: Run, arm: Path, tmp_path: Path
) -> None:
    again = begun(tmp_path / "again", arm, asked(steps=1, weights=str(run.folder)))
    assert again.read()["recipe"]["weights"] == str((run.checkpoints / f"{STEPS:06d}" / checkpoints.MODEL).resolve())
    assert trained(again) == 0
    # One more step from trained weights is not a first step from random ones.
    assert losses(again)[1] < 0.8 * losses(run)[1]


def test_weights_are_named_as_checkpoints_are(
    run: Run, arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_RUNS", str(run.folder.parent))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    shutil.copytree(run.checkpoints / "000003" / checkpoints.MODEL, tmp_path / "copied")
    for given, folder in (
        ("whole@000002", run.checkpoints / "000002" / checkpoints.MODEL),
        ("whole", run.checkpoints / f"{STEPS:06d}" / checkpoints.MODEL),
        ("copied", tmp_path / "copied"),
    ):
        assert asked(steps=1, weights=given).recipe(Store.open(arm)).weights == str(folder.resolve())
    with pytest.raises(UsageError, match="Unknown checkpoint of whole '000099'"):
        asked(steps=1, weights="whole@000099").recipe(Store.open(arm))
    with pytest.raises(NotAtHand, match=r"hf download nobody/nothing .* --weights FOLDER"):
        asked(steps=1, weights="hf:nobody/nothing").recipe(Store.open(arm))


def test_the_command_of_several_gpus_and_the_childs_environment(tmp_path: Path) -> None:
    recipe = Recipe(policy="act", steps=1, batch_size=1, seed=0, device="cuda", processes=2, threads=1)
    words = command(Run(tmp_path), recipe, None)
    assert words[1:6] == ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    assert words[-2:] == ["training.child", str(tmp_path)]
    told = environment(recipe)
    assert (told["OMP_NUM_THREADS"], told["HF_HUB_OFFLINE"]) == ("1", "1")


def test_a_job_on_the_hub_is_refused_what_does_not_travel(arm: Path) -> None:
    store = Store.open(arm)

    def words(**options: Any) -> list[str]:
        asking = asked(steps=5, push_checkpoints="me/act", **options)
        return job_command(asking.recipe(store), asking.chosen(store), {"repo": "me/arm", "commit": "a"}, "a10g-small")

    whole = ("policy.pretrained_backbone_weights=ResNet18_Weights.IMAGENET1K_V1",)
    told = words(set_=whole)
    assert told[0].endswith("lerobot-train")
    assert {
        "--dataset.repo_id=me/arm",
        "--dataset.revision=a",
        "--policy.repo_id=me/act",
        "--job.target=a10g-small",
        "--steps=5",
    } <= set(told)
    assert not [word for word in told if str(arm) in word]
    with pytest.raises(UsageError, match="knows no --where"):
        words(set_=whole, where="x<0.21")
    with pytest.raises(UsageError, match="calibrated from the data"):
        words()
    for more, what in (
        ({"set_": (*whole, "policy.use_relative_actions=true")}, "statistics of relative actions"),
        ({"set_": (*whole, "dataset.eval_split=0.2")}, r"dataset\.eval_split"),
        ({"set_": whole, "keep_last": 2}, "--keep-last"),
    ):
        with pytest.raises(UsageError, match=f"knows no .*{what}"):
            words(**more)
    for hub in (None, {"repo": "me/arm", "commit": None}):
        with pytest.raises(UsageError, match="First studio publish"):
            job_command(asked(steps=1).recipe(store), asked(steps=1).chosen(store), hub, "a10g-small")


def test_a_run_that_says_running_without_a_process_was_killed(run: Run, tmp_path: Path) -> None:
    copy = copied(run, tmp_path / "copy", 1)
    copy.update(state="running", pid=2**22 + 1)
    assert state_of(copy) == "killed"
    with pytest.raises(StudioError, match=r"Unknown training 'cop'.*Did you mean copy"):
        opened(tmp_path, "cop")
