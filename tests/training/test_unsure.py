"""How unsure a policy was: what its chunks say of each other, stored and nothing changed, and what it is worth."""

from __future__ import annotations

import csv
import json
import math
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from curation.frames import JOINTS, Ending, Placement, Vector
from recorders.rollout import Start, rollout
from studio.evaluating import Evaluator, Setup, Trial
from tests.studio.conftest import Studio, studio
from tests.training import vlas
from tests.training.evaluations import unsure_row, write_evaluation, write_run
from tests.training.policies import SMALL, tiny_act, tiny_diffusion, tiny_tdmpc
from training.evaluated import read_evaluation
from training.foretelling import FAIL, NOT_TOLD, OTHER_WAY, UNKNOWN, unsureness
from training.latency import Latency
from training.maps import trials_of
from training.policy import PolicyOperator, PolicySettings
from training.policy_model import PolicyModel
from training.rows import RowFile, as_csv, read_rows

__all__ = ["studio"]
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("lerobot")]

FRAMES = 26
PLACES = ((0.3, 0.0), (0.25, 0.1))
MEASURED = ("call_ms", "wall_s")
"""Columns that say how fast the machine was."""


@pytest.fixture(scope="module")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It sees the block's pose and no image; chunks of 20."""
    return tiny_act(tmp_path_factory.mktemp("act") / "policy", cameras=(), privileged=True)


@pytest.fixture(scope="module")
def vla(tmp_path_factory: pytest.TempPathFactory, arm: Path, lerobot: None) -> Path:
    """A flow policy of a few thousand numbers."""
    return vlas.smolvla(tmp_path_factory.mktemp("vla"), arm)


def setup_of(folder: Path, model: PolicyModel, settings: PolicySettings, samples: int = 0) -> Setup:
    return Setup(folder, SMALL, settings.resolved(model), "cpu", 1, "pick up", "policy:tiny", FRAMES, samples)


def rows_of(folder: Path, model: PolicyModel, settings: PolicySettings, samples: int = 0) -> list[dict[str, Any]]:
    """Rows of two episodes in lockstep."""
    evaluator = Evaluator(setup_of(folder, model, settings, samples), model)
    batch = [Trial(i, Start(i, Placement(*place)), {"index": i}) for i, place in enumerate(PLACES)]
    with closing(evaluator):
        found = sorted((one.row for one in evaluator.run(batch)), key=lambda row: row["index"])
    return [{name: value for name, value in row.items() if name not in MEASURED} for row in found]


class Counted(PolicyOperator):
    """Puts beside each other by itself what was still to come and what the new chunk says."""

    apart: list[list[tuple[int, Vector]]]

    def begin(self, observations: Any, seeds: Any) -> None:
        super().begin(observations, seeds)
        self.apart, self.heard, self.frame = [[] for _ in observations], [], -1
        self.raw: list[Vector] = []
        self.watcher = self.heard.append

    def left(self, number: int) -> Vector:
        if self.settings.ensemble is None:
            return self.ahead(number)
        return self.raw[-1][number][1:] if self.raw else np.zeros((0, 6))

    def act(self, observations: Any) -> Any:
        self.frame += 1
        left = [self.left(number) for number in range(len(self.apart))]
        calls = list(self.calls)
        commands = super().act(observations)
        for question in self.heard:
            chunks = self.finished(question.answer)
            self.raw.append(chunks)
            for number in range(len(self.apart)):
                if self.calls[number] > calls[number] and len(left[number]):
                    new = chunks[number]
                    self.apart[number].append((self.frame, np.abs(left[number] - new[: len(left[number])])))
        self.heard.clear()
        return commands


WAYS = {
    "as trained": PolicySettings(n_action_steps=7, batch=2),
    "late": PolicySettings(
        n_action_steps=12, latency=Latency(150.0), gripper_bias=30.0, gripper_clip=(20.0, 60.0), batch=2
    ),
    "ensemble": PolicySettings(ensemble=0.01, batch=2),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_disagreement_is_the_distance_of_a_chunk_from_what_would_have_come_without_it(act: Path, way: str) -> None:
    settings, model = WAYS[way], PolicyModel(act, device="cpu")
    rows = rows_of(act, model, settings)
    setup = setup_of(act, model, settings)
    evaluator = Evaluator(setup, model)
    operator = Counted(model, settings, fps=SMALL.fps, task="pick up", poses=evaluator.operator._poses)
    starts = [Start(i, Placement(*place)) for i, place in enumerate(PLACES)]
    with closing(evaluator):
        events = list(rollout(evaluator.worlds, operator, starts, limit=FRAMES))
    endings = {number: event.report for number, event in events if isinstance(event, Ending)}
    assert [row["closest_m"] for row in rows] == [endings[0]["closest_approach"], endings[1]["closest_approach"]]
    for row, apart in zip(rows, operator.apart, strict=True):
        told = row["disagreement"]
        assert told["times"] == len(apart) == {"as trained": 3, "late": 1, "ensemble": FRAMES - 1}[way]
        mean = np.mean([each.mean(axis=0) for _, each in apart], axis=0)
        assert [told["mean"][joint] for joint in JOINTS] == pytest.approx(list(mean), abs=1e-4)
        most = np.max([each.max(axis=0) for _, each in apart], axis=0)
        assert [told["max"][joint] for joint in JOINTS] == pytest.approx(list(most), abs=1e-4)
        assert told["course"] == [[frame, pytest.approx(each[:, :5].mean(), abs=1e-4)] for frame, each in apart]
        assert row["disagreement_deg"] == pytest.approx(mean[:5].mean(), abs=1e-4)
        assert row["disagreement_deg"] > 0.01
        assert "spread" not in row, "nobody asked for samples"


def test_where_no_two_chunks_overlap_it_says_so_instead_of_a_number(act: Path, tmp_path: Path) -> None:
    model = PolicyModel(act, device="cpu")
    for settings, why in (
        (PolicySettings(n_action_steps=20, batch=2), "all 20 actions of every chunk are carried out"),
        (PolicySettings(n_action_steps=20, latency=Latency(300.0), batch=2), "so no two overlap"),
    ):
        for row in rows_of(act, model, settings):
            assert row["disagreement_deg"] is None
            assert row["disagreement"]["times"] == 0
            assert why in row["disagreement"]["why_not"]
    found = unsureness([{"feasible": True, "success": False, "frames": 9, **row} for row in [row]], "disagreement")
    assert (found.middle, found.tells) == (None, ())
    assert "so no two overlap" in found.words
    alone = tiny_diffusion(tmp_path / "diffusion")
    (row, _) = rows_of(alone, PolicyModel(alone, device="cpu"), PolicySettings(batch=2))
    assert row["disagreement"]["why_not"] == "diffusion keeps its chunk to itself"


@pytest.mark.parametrize("frame", [14, 70])
def test_a_policy_whose_answer_is_no_number_leaves_a_row_that_can_be_written(
    act: Path, frame: int, tmp_path: Path
) -> None:
    """The world breaks the episode off; what was heard until then stays."""
    model = PolicyModel(act, device="cpu")
    ask, asked = model.chunk, []

    def fails(seen: dict[str, Any], seed: int) -> Any:
        asked.append(seed)
        return ask(seen, seed) * (float("nan") if len(asked) > frame / 7 else 1.0)

    model.chunk = fails  # type: ignore[method-assign]
    settings = PolicySettings(n_action_steps=7, batch=2)
    setup = Setup(act, SMALL, settings.resolved(model), "cpu", 1, "pick up", "policy:tiny", 90)
    with closing(Evaluator(setup, model)) as evaluator, closing(RowFile(tmp_path / "rows.jsonl")) as file:
        for one in evaluator.run(
            [Trial(i, Start(i, Placement(*place)), {"index": i}) for i, place in enumerate(PLACES)]
        ):
            file.append(one.row)
    for row in read_rows(tmp_path / "rows.jsonl"):
        assert (row["frames"], "not finite" in row["error"]) == (frame, True)
        assert [at for at, _ in row["disagreement"]["course"]] == list(range(7, frame, 7))
        assert row["disagreement_deg"] > 0.01


@pytest.mark.parametrize("kind", ["smolvla", "diffusion", "tdmpc"])
def test_samples_change_nothing_but_add_their_spread(kind: str, tmp_path: Path, vla: Path) -> None:
    made = {"diffusion": tiny_diffusion, "tdmpc": tiny_tdmpc, "smolvla": lambda _: vla}
    folder = made[kind](tmp_path)
    model = PolicyModel(folder, device="cpu")
    settings = PolicySettings(batch=2, n_action_steps=3 if kind == "smolvla" else None)
    without, asked = (rows_of(folder, model, settings, samples) for samples in (0, 2))
    bare = [{name: value for name, value in row.items() if not name.startswith("spread")} for row in asked]
    assert bare == without
    assert all("spread" not in row for row in without)
    assert asked == rows_of(folder, model, settings, 2), "the samples have seeds too"
    for row in asked:
        assert row["spread_deg"] > 0
        assert min(row["spread"]["mean"].values()) > 0
        assert max(row["spread"]["mean"].values()) <= max(row["spread"]["max"].values())
    assert asked[0]["spread"]["mean"] != asked[1]["spread"]["mean"], "each world has its own"
    if kind == "diffusion":
        assert asked[0]["spread"]["times"] == math.ceil(FRAMES / 8), "once for each of its chunks"


def test_spread_is_the_standard_deviation_of_the_answer_and_the_further_ones(vla: Path) -> None:
    model = PolicyModel(vla, device="cpu")
    evaluator = Evaluator(setup_of(vla, model, PolicySettings(batch=1), 3), model)
    answers: list[Vector] = []
    ask, operator = model.chunk, evaluator.operator

    def listened(seen: dict[str, Any], seed: int) -> Any:
        found = ask(seen, seed)
        answers.append(operator.finished(found)[0])
        return found

    model.chunk = listened  # type: ignore[method-assign]
    with closing(evaluator):
        (one,) = evaluator.run([Trial(0, Start(0, Placement(*PLACES[0])), {"index": 0})])
    asked = [np.array(answers[first : first + 4]).std(axis=0, ddof=1) for first in range(0, len(answers), 4)]
    assert one.row["spread"]["times"] == len(asked) == one.row["calls"]
    assert one.row["spread_deg"] == pytest.approx(np.mean([each[:, :5] for each in asked]), abs=1e-4)


@pytest.fixture
def trained(home: Path, act: Path) -> Path:
    write_run(home, "a", positions=[(0.337, -0.015)])
    folder = home / "a/train/checkpoints/000100"
    folder.mkdir(parents=True)
    (folder / "pretrained_model").symlink_to(act)
    return home


def test_asking_for_samples_is_another_evaluation_of_the_same_episodes(trained: Path, studio: Studio) -> None:
    checkpoint = str(trained / "a/train/checkpoints/000100/pretrained_model")
    words = ("evaluate", checkpoint, "--limit", "1", "--batch", "2", "--jitter", "0.02", "--device", "cpu", "-n", "2",
             "--width", "64", "--height", "48")  # fmt: skip
    plain = studio(*words, "--json")
    assert plain.code == 0, plain.err
    told = json.loads(studio(*words, "--samples", "2", "--json", "--csv", "rows.csv").out)
    assert told["evaluation"]["samples"] == 2
    before = json.loads(plain.out)
    assert "samples" not in before["evaluation"]
    assert told["folder"] != before["folder"]
    bare = [{k: v for k, v in row.items() if k not in MEASURED and "spread" not in k} for row in told["rows"]]
    assert bare == [{k: v for k, v in row.items() if k not in MEASURED} for row in before["rows"]]
    assert "act draws nothing" in told["unsure"]["spread"]["why_not"]
    assert told["unsure"]["disagreement"]["n"] == 2
    text = studio(*words, "--samples", "2").out
    assert "each chunk contradicts the one before by" in text
    assert "spread: act draws nothing: asked again it says the same" in text
    assert "whether that tells failure: nobody can say, since all 2 failed" in text
    with open("rows.csv", newline="") as file:
        listed = list(csv.DictReader(file))
    assert float(listed[0]["disagreement_mean_wrist_flex"]) > 0
    assert float(listed[0]["disagreement_deg"]) == told["rows"][0]["disagreement_deg"]
    refused = studio(*words, "--samples", "-1")
    assert (refused.code, "outside 0 to 100" in refused.err) == (2, True)


def drawn(shift: float, seed: int = 0, n: int = 40, late: float = 0.0) -> list[dict[str, Any]]:
    """Failures that run twice as long as successes, and are less sure by `shift` standard deviations; by `late` degrees
    more once the successes are over."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        good = number % 2 == 0
        course = np.abs(5 + 0.5 * rng.normal(0 if good else shift, 1) + rng.normal(size=7 if good else 14))
        course[7:] += late
        rows.append(unsure_row(good, list(course), 150 if good else 300))
    return rows


def test_what_warns_while_all_still_run_tells_failure_and_what_is_nothing_is_inconclusive() -> None:
    found = unsureness(drawn(6.0), "disagreement")
    assert (found.n, found.failed, found.frames) == (40, 20, 150)
    judged, *beside = found.tells
    assert (judged.verdict, judged.judged) == (FAIL, True)
    assert judged.auroc.low > 0.5
    assert [each.verdict for each in beside] == ["", "", ""], "what is known at the end only is not judged"
    assert unsureness(drawn(-6.0), "disagreement").tells[0].verdict == OTHER_WAY
    said = [unsureness(drawn(0.0, seed), "disagreement").tells[0].verdict for seed in range(20)]
    assert said.count(UNKNOWN) >= 17
    lines = found.lines
    assert "median of 40 episodes" in lines[0]
    assert "(40 episodes, 20 failed): tells failure" in lines[1]
    assert [frame for frame, _ in found.course] == [20, 40, 60, 80, 100, 120, 140], "in which all still ran"
    assert lines[2].strip().startswith("in frame 20 ")
    assert "length alone: AUROC 1.000" in lines[-1]


def test_what_only_grows_with_length_is_no_warning() -> None:
    """The longer an episode the larger the largest of its numbers: that tells failure as length does, and no sooner."""
    found = unsureness(drawn(0.0, 3, 200), "disagreement")
    judged, _, largest, length = found.tells
    assert judged.verdict == UNKNOWN
    assert largest.auroc.low > 0.5
    assert length.auroc.value == 1.0
    judged, whole, *_ = unsureness(drawn(0.0, late=9.0), "disagreement").tells
    assert (judged.verdict, whole.auroc.value) == (UNKNOWN, 1.0), "it dithers once it has failed, and not before"


def test_what_comes_late_is_shown_to_come_late() -> None:
    rows = [
        unsure_row(good, [1.0 + number % 3 / 10] * 4 + [2.0 if good else 8.0] * 3, 160)
        for number, good in enumerate([True, True, False, False] * 6)
    ]
    told = {frame: auroc.value for frame, auroc in unsureness(rows, "disagreement").course}
    assert told == {20: 0.5, 40: 0.5, 60: 0.5, 80: 0.5, 100: 1.0, 120: 1.0, 140: 1.0}


def test_rows_that_say_nothing_or_broke_off_are_left_out_and_older_ones_are_read(home: Path) -> None:
    old = [one.told for one in read_evaluation(write_evaluation(home, "a", [True, False] * 4)).rows]
    found = unsureness(old, "disagreement")
    assert (found.n, found.middle, found.why_not) == (0, None, NOT_TOLD)
    rows = drawn(6.0)
    more = [*rows, unsure_row(False, [99.0], 21, feasible=False), unsure_row(False, [99.0], 21, error="broke"), *old]
    assert unsureness(more, "disagreement") == unsureness(rows, "disagreement")
    both = as_csv([{"phases": {}, **old[0], "index": 0}, {"phases": {}, **rows[0], "index": 1}])
    assert [line["disagreement_times"] for line in csv.DictReader(both.splitlines())] == ["", "7"]
    assert trials_of(read_evaluation(home / "a/evaluations/k1").rows).unsure is None
