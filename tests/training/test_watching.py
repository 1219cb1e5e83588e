"""Watching shows what is really done, changes nothing, and goes on from any frame as if it had never left it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from curation.errors import DataError, StudioError, TargetExists, UnknownChoice, UsageError
from curation.frames import Frame, Placement
from recorders.foresight import Foresight
from recorders.rollout import Start, rollout
from recorders.world.sim import SimWorld
from studio.again import CannotRepeat
from studio.evaluating import Setup, pose_of
from studio.watching.files import read_history, write_history
from studio.watching.history import History
from studio.watching.opening import Watched, opened
from studio.watching.repeating import first_difference, repeated
from studio.watching.session import Session
from tests.training import vlas
from tests.training.policies import SMALL, tiny_act, tiny_diffusion
from training.latency import Latency
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel
from training.thought import GRIPPER

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

TASK = "pick up the block"
FRAMES = 36
START = Start(3, Placement(0.3, 0.0))
SETTINGS: dict[str, PolicySettings] = {
    "act": PolicySettings(n_action_steps=10),
    "late": PolicySettings(
        n_action_steps=10, latency=Latency(150.0), gripper_bias=30.0, gripper_clip=(20.0, 60.0), batch=2
    ),
    "ensemble": PolicySettings(ensemble=0.01),
    "smolvla": PolicySettings(),
    "diffusion": PolicySettings(),
}
"""The ways of carrying out a policy that are told apart here."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory, arm: Path) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("watching")
    seeing = tiny_act(home / "act")
    return {
        "act": seeing,
        "late": tiny_act(home / "late", cameras=(), privileged=True),
        "ensemble": tiny_act(home / "ensemble", cameras=(), privileged=True),
        "smolvla": vlas.smolvla(home / "smolvla", arm),
        "diffusion": tiny_diffusion(home / "diffusion"),
    }


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, PolicyModel]:
    return {kind: PolicyModel(folder, device="cpu") for kind, folder in folders.items()}


def session_of(
    folder: Path, model: PolicyModel, settings: PolicySettings, frames: int = FRAMES, **more: Any
) -> Session:
    setup = Setup(folder, SMALL, settings.resolved(model), "cpu", 1, TASK, "policy:tiny", frames)
    return opened(Watched(setup, START, str(folder), **more), model)


@pytest.fixture(params=SETTINGS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def histories(folders: dict[str, Path], models: dict[str, PolicyModel]) -> dict[str, History]:
    """Of one whole episode each."""
    found = {}
    for kind, settings in SETTINGS.items():
        session = session_of(folders[kind], models[kind], settings)
        with closing(session.world):
            session.finish()
        found[kind] = session.history
    return found


@pytest.fixture
def history(kind: str, histories: dict[str, History]) -> History:
    return histories[kind]


@pytest.fixture
def session(kind: str, folders: dict[str, Path], models: dict[str, PolicyModel]) -> Iterator[Session]:
    """One that has ended."""
    made = session_of(folders[kind], models[kind], SETTINGS[kind])
    with closing(made.world):
        made.finish()
        yield made


def same(one: History, other: History) -> bool:
    """Whether two histories are equal bit for bit, thoughts and whiskers too."""
    if first_difference(one, other) is not None or one.asked != other.asked:
        return False
    for frame in one.asked:
        ours, theirs = one.outlooks[frame], other.outlooks[frame]
        pairs = [(getattr(ours.thought, name), getattr(theirs.thought, name)) for name in ("plan", "chunk", "samples")]
        pairs += [(ours.thought.denoising, theirs.thought.denoising), (ours.thought.sure, theirs.thought.sure)]
        assert ours.whisker is not None
        assert theirs.whisker is not None
        pairs += [(ours.whisker.path, theirs.whisker.path)]
        if not all(np.array_equal(first, second) for first, second in pairs):
            return False
    return True


def test_a_whisker_is_the_way_then_taken_as_far_as_it_is_settled(history: History, kind: str) -> None:
    checked = 0
    for moment in history:
        whisker, sure = moment.whisker, min(moment.sure, len(history) - moment.frame)
        assert whisker is not None
        assert sure >= 1
        end = moment.frame + sure
        assert np.array_equal(whisker.path[: sure + 1], history.path[moment.frame : end + 1])
        assert np.array_equal(whisker.joints[: sure + 1], history.columns.state[moment.frame : end + 1])
        assert np.array_equal(moment.tip, whisker.path[0])
        checked += sure
    assert checked > (len(history) if kind != "ensemble" else 0)
    assert np.ptp(history.path, axis=0).max() > 0.02, "it really moved"
    asked = {"act": 10, "smolvla": 5, "diffusion": 8, "ensemble": 1}
    if kind in asked:
        assert history.asked == tuple(range(0, FRAMES, asked[kind]))
    else:
        assert history.asked == (0, 14, 24, 34), "it is due after 10 actions, and four frames of the first answer pass"


def test_watching_changes_nothing(history: History, kind: str, models: dict[str, PolicyModel]) -> None:
    settings = SETTINGS[kind].resolved(models[kind])
    world = SimWorld(SMALL)
    poses = [pose_of(world)] * settings.batch
    alone = PolicyOperator(models[kind], settings, fps=30, task=TASK, poses=poses)
    driven = [event for _, event in rollout([world], alone, [START], limit=FRAMES) if isinstance(event, Frame)]
    world.close()
    assert np.array_equal([frame.physics for frame in driven], history.columns.physics[:-1])
    assert np.array_equal([frame.command.action for frame in driven], history.columns.action)


def test_going_on_from_a_past_frame_repeats_the_episode_bit_for_bit(session: Session, history: History) -> None:
    before = session.history
    assert same(before, history), "the same seed is the same episode"
    for frame in (17, 0):
        session.go(frame)
        session.go_on()
        assert (session.at, len(session.history), session.ending) == (frame, frame + 1, None)
        ending = session.finish()
        assert same(session.history, history)
        assert ending.report == before.told["ending"]["report"]
    assert session.replaced is not None
    assert same(session.replaced, history)


def test_other_settings_are_in_force_from_that_very_frame_and_gone_before_it(session: Session, kind: str) -> None:
    before = session.history
    session.go(17)
    changed = {"gripper_clip": (70.0, 90.0)} if kind in ("ensemble", "late") else {"n_action_steps": 3}
    branch = session.change(**changed)
    assert (branch.frame, branch.replaced, session.moment.asked) == (17, FRAMES - 17, True)
    session.finish()
    after = session.history
    assert np.array_equal(after.columns.physics[:18], before.columns.physics[:18])
    assert first_difference(after, before) is not None
    if kind in ("ensemble", "late"):
        assert (after.columns.action[24:, GRIPPER] >= 69.9).all()
        assert (before.columns.action[24:, GRIPPER] < 69.9).any()
    else:
        assert [at for at in after.asked if at >= 17] == list(range(17, FRAMES, 3))
    session.go(25)
    session.go_on()
    session.finish()
    assert same(session.history, after), "the branch is an episode like any other"
    session.go(9)
    session.go_on()
    assert session.branches == [], "before the branch nothing was changed"
    for _ in session.run(until=20):
        pass
    assert np.array_equal(session.history.columns.physics, before.columns.physics[:21])


def test_further_answers_leave_no_trace_and_spread_only_where_the_policy_draws(
    kind: str, histories: dict[str, History], folders: dict[str, Path], models: dict[str, PolicyModel]
) -> None:
    asking = session_of(folders[kind], models[kind], SETTINGS[kind], samples=3)
    with closing(asking.world):
        asking.finish()
    history = asking.history
    assert first_difference(history, histories[kind]) is None
    draws = kind in ("smolvla", "diffusion")
    assert history.told["draws"] is draws
    for outlook in history.outlooks.values():
        spread = outlook.thought.spread
        if not draws:
            assert spread is None, "equal answers are no measure of doubt"
            continue
        assert spread is not None
        assert spread.shape == outlook.thought.chunk.shape
        assert (spread.max(axis=1) > 0).all()
        assert [len(whisker) for whisker in outlook.samples] == [len(outlook.thought.chunk)] * 3


def test_denoising_goes_from_noise_to_the_chunk(history: History, kind: str) -> None:
    for outlook in history.outlooks.values():
        thought = outlook.thought
        if kind not in ("smolvla", "diffusion"):
            assert len(thought.denoising) == len(thought.times) == 0
            continue
        steps = 2 if kind == "smolvla" else 6
        assert thought.denoising.shape == (steps + 1, *thought.chunk.shape)
        assert thought.times == pytest.approx(np.linspace(1, 0, steps + 1))
        assert np.array_equal(thought.denoising[-1], thought.chunk)
        assert not np.array_equal(thought.denoising[0], thought.chunk)
        assert len(outlook.denoising) == steps + 1


def test_flow_goes_straight_where_its_steps_say(
    folders: dict[str, Path], models: dict[str, PolicyModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is overheard are LeRobot's own x_t: its Euler steps lead from each to the next."""
    model = models["smolvla"]
    flow = model._policy.model
    speeds: list[Any] = []
    step = flow.denoise_step

    def remembering(**named: Any) -> Any:
        speeds.append(step(**named))
        return speeds[-1]

    monkeypatch.setattr(flow, "denoise_step", remembering)
    session = session_of(folders["smolvla"], model, SETTINGS["smolvla"])
    with closing(session.world):
        session.step()
        thought = session.moment.outlook.thought
    # What finishing adds to any action drops out of a difference.
    said = [model.finish(speed[..., :6])[0] - model.finish(0 * speed[..., :6])[0] for speed in speeds]
    for number, speed in enumerate(said):
        gone = thought.denoising[number + 1] - thought.denoising[number]
        assert gone == pytest.approx(-speed / 2, abs=1e-3)


def test_a_blend_is_lerobots_average_of_every_chunk_that_covers_a_frame(histories: dict[str, History]) -> None:
    history = histories["ensemble"]
    for moment in (history[0], history[7], history[30]):
        over = history.overlapping(moment.frame)
        assert len(over) == min(moment.frame + 1, 20)
        for ahead in (0, 5, 19):
            target = moment.frame + ahead
            said = [one.thought.chunk[target - one.thought.frame] for one in over
                    if target - one.thought.frame < 20]  # fmt: skip
            weights = np.exp(-0.01 * np.arange(len(said)))
            assert moment.plan[ahead] == pytest.approx(np.average(said, axis=0, weights=weights), abs=2e-3)
    known = np.isfinite(history.votes()).sum(axis=1)
    assert np.array_equal(known, np.minimum(np.arange(len(history)) + 1, 20))


def test_what_is_driven_is_among_the_votes(history: History, kind: str) -> None:
    """Also where the answer comes late, so that its actions are of later frames than they would have been."""
    waited = 4 if kind == "late" else 0
    foretold = history.foretold()
    for joint in (1, GRIPPER):
        votes = history.votes(joint)
        assert np.isnan(votes[:waited]).all(), "the arm holds until the first answer comes"
        for frame in range(waited, FRAMES if kind != "ensemble" else 1):
            assert foretold[frame, joint] in votes[frame]
    assert np.ptp(foretold[waited:, 1]) > 1


def constant(source: Path, folder: Path) -> Path:
    """The same policy, but it always says the same: its chunks agree about every frame."""
    import shutil

    shutil.copytree(source, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.action_head.weight"] *= 0
    save_file(weights, folder / "model.safetensors")
    return folder


def test_a_blend_of_chunks_that_agree_is_the_way_then_taken_to_its_end(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """The blend is known as far as later chunks say nothing new: then within a millimetre and half a degree."""
    model = PolicyModel(constant(folders["ensemble"], tmp_path / "constant"), device="cpu")
    session = session_of(tmp_path / "constant", model, SETTINGS["ensemble"])
    with closing(session.world):
        session.finish()
    history = session.history
    for moment in history[:-20]:
        whisker = moment.whisker
        assert whisker is not None
        assert len(whisker) == 20
        taken = slice(moment.frame, moment.frame + 21)
        assert np.linalg.norm(whisker.path - history.path[taken], axis=1).max() < 1e-3
        assert np.abs(whisker.joints - history.columns.state[taken]).max() < 0.5
    assert np.ptp(history.path, axis=0).max() > 0.05


def test_in_hindsight_a_blend_is_a_chunk_like_any_other(histories: dict[str, History]) -> None:
    """The actions that ensembling really gave lead where the arm really went, from any frame to the end."""
    history = histories["ensemble"]
    with closing(SimWorld(SMALL)) as world:
        for frame in (0, 9, 15):
            carried_out = Foresight(world).whisker(history[frame].physics, history.columns.action[frame:])
            assert np.array_equal(carried_out.path, history.path[frame:])


def test_stepping_jumping_and_refusals(folders: dict[str, Path], models: dict[str, PolicyModel]) -> None:
    session = session_of(folders["act"], models["act"], SETTINGS["act"], frames=12)
    with closing(session.world):
        for does in (session.go_on, lambda: session.moment, lambda: session.change(blind=())):
            with pytest.raises(UsageError, match="Nothing was run yet"):
                does()
        assert [moment.frame for moment in session.run(until=5)] == [0, 1, 2, 3, 4, 5]
        assert (session.live, session.back().frame, session.live) == (True, 4, False)
        with pytest.raises(UsageError, match="Frame 6 is outside 0 to 5"):
            session.go(6)
        before = session.history
        with pytest.raises(UnknownChoice, match="Unknown setting 'blnd'"):
            session.change(blnd=("wrist_cam",))
        with pytest.raises(UsageError, match="no camera of this policy"):
            session.change(blind=("left_cam",))
        with pytest.raises(UsageError, match="nobody can repeat"):
            session.change(latency=Latency(None))
        assert session.history is before
        step = session.step()
        assert step is not None
        assert step.frame == 5, "still the frame that was"
        session.change(blind=("wrist_cam",))
        assert models["act"].blinded == ("wrist_cam",)
        session.change(ensemble=0.01)
        assert (session.settings.ensemble, session.settings.blind) == (0.01, ("wrist_cam",))
        session.go(3)
        session.go_on()
        assert models["act"].blinded == ()
        session.finish()
        assert session.step() is None
        assert session.jump("success") is None
        assert session.at == 11


def test_a_history_is_read_as_it_was_written_and_run_again_with_its_branches(
    folders: dict[str, Path], models: dict[str, PolicyModel], tmp_path: Path
) -> None:
    session = session_of(folders["act"], models["act"], SETTINGS["act"], frames=20, samples=1)
    with closing(session.world):
        for _ in session.run(until=14):
            pass
        session.go(6)
        session.change(blind=("overhead_cam",), latency=Latency(70.0))
        for _ in session.run(until=15):
            pass
        history = session.history
        write_history(tmp_path / "a", history)
        with pytest.raises(TargetExists, match="already exists"):
            write_history(tmp_path / "a", history)
    read = read_history(tmp_path / "a")
    assert same(read, history)
    assert read.told["branches"] == [{"frame": 6, "changed": {"blind": ["overhead_cam"], "latency": {"ms": 70.0}},
                                      "replaced": 9}]  # fmt: skip
    assert read.told["settings"]["blind"] == ["overhead_cam"]
    assert read.told["began"]["blind"] == []
    assert len(read.columns.state) == len(read) == 16, "it goes on: the state after the last action is not known yet"
    assert np.array_equal(read.votes(), history.votes(), equal_nan=True)
    assert [one.as_json() for one in read.tracked()] == [one.as_json() for one in history.tracked()]
    assert (read[-1].frame, read[3:5][1].frame, len(list(read))) == (15, 4, 16)
    again = repeated(read, models["act"])
    with closing(again.world):
        assert same(again.history, history)
        again.finish()
        assert len(again.history) == 20
    other = tiny_act(tmp_path / "other", seed=9)
    weights = (other / "model.safetensors").read_bytes()
    folder = folders["act"]
    mine = (folder / "model.safetensors").read_bytes()
    try:
        (folder / "model.safetensors").write_bytes(weights)
        with pytest.raises(CannotRepeat, match="gone or has other weights"):
            repeated(read, models["act"])
    finally:
        (folder / "model.safetensors").write_bytes(mine)


def test_a_damaged_history_is_named(folders: dict[str, Path], models: dict[str, PolicyModel], tmp_path: Path) -> None:
    session = session_of(folders["act"], models["act"], SETTINGS["act"], frames=4)
    with closing(session.world):
        session.finish()
    write_history(tmp_path / "a", session.history)
    with pytest.raises(UsageError, match=r"holds no watched episode"):
        read_history(tmp_path)
    path = tmp_path / "a" / "frames.npz"
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DataError, match="is not what was written"):
        read_history(tmp_path / "a")
    told = json.loads((tmp_path / "a/watch.json").read_bytes())
    (tmp_path / "a/watch.json").write_text(json.dumps({name: told[name] for name in told if name != "ending"}))
    with pytest.raises(DataError, match=r"does not say ending"):
        read_history(tmp_path / "a")
    (tmp_path / "a/watch.json").write_text(json.dumps({**told, "version": 99}))
    with pytest.raises(DataError, match="Upgrade"):
        read_history(tmp_path / "a")


def without_postprocessor(source: Path, folder: Path) -> Path:
    """The checkpoint as it is when nobody brings its actions back to degrees."""
    import shutil

    shutil.copytree(source, folder)
    path = folder / "policy_postprocessor.json"
    told = json.loads(path.read_bytes())
    told["steps"] = [step for step in told["steps"] if "unnormalizer" not in step["registry_name"]]
    path.write_text(json.dumps(told))
    return folder


def lively(source: Path, folder: Path) -> Path:
    """The same policy with larger motions, such as demonstrations have."""
    import shutil

    shutil.copytree(source, folder)
    weights = load_file(folder / "model.safetensors")
    weights["model.action_head.weight"] *= 12
    save_file(weights, folder / "model.safetensors")
    return folder


def alarms(folder: Path) -> list[str]:
    session = session_of(folder, PolicyModel(folder, device="cpu"), SETTINGS["act"], frames=61, whiskers=False)
    with closing(session.world):
        session.finish()
    return list(session.history.told["alarms"])


def test_a_policy_without_its_postprocessor_raises_the_alarm_and_a_healthy_one_does_not(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    healthy = lively(folders["late"], tmp_path / "healthy")
    assert alarms(healthy) == []
    (said,) = alarms(without_postprocessor(healthy, tmp_path / "bare"))
    assert "denormalised?" in said


def test_a_policy_that_fails_leaves_what_it_did_before(folders: dict[str, Path], tmp_path: Path) -> None:
    model = PolicyModel(folders["act"], device="cpu")
    session = session_of(folders["act"], model, SETTINGS["act"])
    with closing(session.world):
        for _ in session.run(until=9):
            pass
        model._policy.model.decoder = None
        with pytest.raises(StudioError, match=r"The policy \(act\) failed"):
            session.step()
        assert (len(session.history), session.at) == (10, 9)
        write_history(tmp_path / "a", session.history)
    assert len(read_history(tmp_path / "a")) == 10


@pytest.mark.slow
def test_a_tiny_pi0_is_watched_as_the_others_are(arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = vlas.pi0(tmp_path, arm, monkeypatch)
    session = session_of(folder, PolicyModel(folder, device="cpu"), PolicySettings(), frames=12, samples=2)
    with closing(session.world):
        session.finish()
        before = session.history
        session.go(7)
        session.go_on()
        session.finish()
        assert same(session.history, before)
    assert (before.told["draws"], before.asked) == (True, (0, 5, 10))
    for outlook in before.outlooks.values():
        assert outlook.thought.denoising.shape == (3, 10, 6)
        assert outlook.thought.times == pytest.approx([1, 0.5, 0])
        assert outlook.thought.samples.shape == (2, 10, 6)
    whisker = before[5].whisker
    assert whisker is not None
    assert np.array_equal(whisker.path[:6], before.path[5:11])
