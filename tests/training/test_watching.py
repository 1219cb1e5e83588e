"""Watching shows what is really done, changes nothing, and goes on from any frame as if it had never left it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import Frame
from recorders.foresight import Foresight
from recorders.rollout import rollout
from recorders.world.sim import SimWorld
from studio.evaluating import pose_of
from studio.watching.history import History
from studio.watching.repeating import first_difference
from studio.watching.session import Session
from tests.training import vlas
from tests.training.policies import SMALL, tiny_act, tiny_diffusion
from tests.training.thinkers import FRAMES, SETTINGS, START, TASK, amplified, same, session_of
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel
from training.thought import GRIPPER

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]


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


def test_a_blend_of_chunks_that_agree_is_the_way_then_taken_to_its_end(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    """The blend is known as far as later chunks say nothing new: then within a millimetre and half a degree."""
    model = PolicyModel(amplified(folders["ensemble"], tmp_path / "constant", 0), device="cpu")
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
