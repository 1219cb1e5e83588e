"""The policy operator: a trained policy drives K worlds, one forward pass for all of them.

It resets itself in `begin`, runs the checkpoint's own pre- and post-processors, owns its chunks, and asks for images
only when the policy is called. Batches always have the same size, so that what a world gets does not depend on how many
others are still going.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.errors import StudioError, UsageError
from curation.frames import JOINTS, Command, Observation, Vector

from .chunks import Plan, Span, narrow
from .latency import Latency, parse_latency
from .policy_model import PolicyModel

POLICY_STREAM = 5
"""Keeps what a policy draws apart from the placement's and the operators' random streams."""
GRIPPER = JOINTS.index("gripper")
NO_STATISTICS = "The checkpoint holds no statistics of the actions, so they are driven as they are: denormalised?"
Pose = Callable[[], Vector]
"""Privileged: the block's pose, x, y, z [m], sine and cosine of its yaw; shape (5,)."""


@dataclass(frozen=True, kw_only=True)
class PolicySettings:
    """How a policy is carried out; what is None is as the policy was trained.

    Attributes:
        n_action_steps: actions carried out of each chunk.
        ensemble: coefficient of temporal ensembling: every frame asks, and the answers are averaged; 0 weighs all
            alike, positive weighs older ones more.
        ensembling: False turns off what the checkpoint has.
        blind: cameras that show their training mean.
        gripper_bias: added to the gripper's target [0..100].
        gripper_clip: lowest and highest target of the gripper.
        latency: what thinking costs.
        batch: worlds in one forward pass.
    """

    n_action_steps: int | None = None
    ensemble: float | None = None
    ensembling: bool = True
    blind: tuple[str, ...] = ()
    gripper_bias: float = 0.0
    gripper_clip: tuple[float, float] | None = None
    latency: Latency = field(default_factory=Latency)
    batch: int = 1

    def resolved(self, model: PolicyModel) -> PolicySettings:
        """The same with nothing left to the checkpoint.

        Raises:
            UsageError: a value is not possible, or two do not go together.
        """
        if self.ensemble is not None and self.n_action_steps not in (None, 1):
            raise UsageError("--ensemble asks the policy in every frame; leave --n-action-steps away.")
        trained = model.ensemble if self.ensembling and self.n_action_steps is None else None
        ensemble = trained if self.ensemble is None else self.ensemble
        steps = self.n_action_steps or model.n_action_steps
        self._require(model, ensemble, steps)
        values = {**vars(self), "ensemble": ensemble, "n_action_steps": 1 if ensemble is not None else steps}
        return PolicySettings(**values)

    def as_json(self) -> dict[str, Any]:
        """For keys and files; `resolved` before."""
        told = asdict(self)
        del told["ensembling"]
        clip = self.gripper_clip
        return {
            **told,
            "blind": sorted(self.blind),
            "gripper_clip": None if clip is None else list(clip),
            "latency": self.latency.text,
        }

    def _require(self, model: PolicyModel, ensemble: float | None, steps: int) -> None:
        thinks = self.latency.real or self.latency.lost(0.0, 1000) > 0
        if self.batch < 1:
            raise UsageError(f"--batch {self.batch} must be at least 1.")
        if steps < 1 or (model.chunked and steps > model.chunk_size):
            raise UsageError(f"--n-action-steps {steps} is outside 1 to {model.chunk_size}, the policy's chunk.")
        if ensemble is not None and not model.chunked:
            raise UsageError(f"--ensemble averages chunks, and {model.kind} keeps its chunk to itself.")
        if ensemble is not None and model.relative:
            raise UsageError("--ensemble averages normalised actions, and this policy's are relative to where it was.")
        if thinks and (ensemble is not None or not model.chunked):
            what = "ensembling asks in every frame" if ensemble is not None else f"{model.kind} keeps its chunk"
            raise UsageError(f"--latency {self.latency.text} needs a chunk to go on with, and {what}.")
        if self.latency.real and self.batch != 1:
            raise UsageError("--latency real is what one world waits for: use --batch 1.")
        clip = self.gripper_clip
        if clip is not None and not 0.0 <= clip[0] <= clip[1] <= 100.0:
            raise UsageError(f"--gripper-clip {clip[0]:g} {clip[1]:g} must be LOW HIGH within 0 to 100.")


@dataclass(frozen=True)
class Question:
    """One question to the policy, for whoever watches.

    Attributes:
        seen: observations as the policy takes them, B worlds.
        seed: of whatever it drew.
        answer: normalised, shape (B, T, A); (B, A) of a policy that keeps its chunk to itself.
    """

    seen: dict[str, Any]
    seed: int
    answer: Any


@dataclass(frozen=True)
class Memory:
    """Everything that decides what an operator does next, observations apart.

    Attributes:
        own: the operator's attributes by name, copied.
        model: what the policy keeps to itself.
    """

    own: dict[str, Any]
    model: dict[str, Any]


_REMEMBERED = ("calls", "passes", "_told", "_seed", "_frame", "_plans", "_spans", "_ensembler")


def settings_from(told: Mapping[str, Any]) -> PolicySettings:
    """Settings that `PolicySettings.as_json` wrote.

    Raises:
        KeyError, TypeError, UsageError: they are not all there.
    """
    clip = told["gripper_clip"]
    return PolicySettings(
        n_action_steps=told["n_action_steps"],
        ensemble=told["ensemble"],
        ensembling=told["ensemble"] is not None,
        blind=tuple(told["blind"]),
        gripper_bias=told["gripper_bias"],
        gripper_clip=None if clip is None else (clip[0], clip[1]),
        latency=parse_latency(told["latency"]),
        batch=told["batch"],
    )


class PolicyOperator:
    """Drives up to `settings.batch` worlds in lockstep.

    Args:
        model: the policy.
        settings: how it is carried out.
        fps: of the worlds.
        task: the instruction it is given.
        label: stored as who drove.
        poses: one per world, for a privileged policy.
        alarm: is told, once, what looks wrong.

    Attributes:
        settings: resolved.
        calls: times the policy was asked, per world, since `begin`.
        seconds: spent in "render" and "forward" since `begin`.
        passes: forward passes since `begin`.
        failure: why the policy could not go on; None while it can.
        watcher: is told of every question.

    Raises:
        UsageError: settings that this policy cannot have.
    """

    def __init__(
        self,
        model: PolicyModel,
        settings: PolicySettings,
        *,
        fps: int,
        task: str,
        label: str = "policy",
        poses: Sequence[Pose] = (),
        alarm: Callable[[str], None] = lambda text: None,
    ) -> None:
        self.model = model
        self.settings = settings.resolved(model)
        model.blind(settings.blind)
        self.calls: list[int] = []
        self.seconds = {"render": 0.0, "forward": 0.0}
        self.passes = 0
        self.failure: StudioError | None = None
        self.watcher: Callable[[Question], None] = lambda question: None
        self._fps, self._task, self._label, self._poses = fps, task, label, poses
        self._tell, self._told = alarm, False
        self._seed = self._frame = 0
        self._plans: list[Plan] = []
        self._spans: list[Span] = []
        self._ensembler: Any = None

    @property
    def chunks(self) -> list[tuple[Vector | None, int]]:
        """For viewers: per world the chunk in execution, shape (T, 6), and the index of its next action."""
        return [(plan.chunk, plan.at) for plan in self._plans]

    @property
    def spans(self) -> list[float | None]:
        """Per world, the share of the demonstrations' span that its actions had; None while nobody can say."""
        return [self._spans[number].share if self._spans else None for number in range(len(self._plans))]

    @property
    def call_ms(self) -> float | None:
        """Mean time of a forward pass since `begin` [ms], of as many worlds as a batch has; None before the first."""
        return 1000.0 * self.seconds["forward"] / self.passes if self.passes else None

    def begin(self, observations: Sequence[Observation], seeds: Sequence[int]) -> None:
        """Forget everything, and start in all worlds.

        Raises:
            UsageError: there are more worlds than a batch has.
        """
        if len(observations) > self.settings.batch:
            raise UsageError(f"{len(observations)} worlds are more than a batch of {self.settings.batch}.")
        steps = self.settings.n_action_steps
        assert steps is not None
        self.model.reset(steps)
        self.calls = [0] * len(observations)
        self.seconds, self.passes, self.failure = {"render": 0.0, "forward": 0.0}, 0, None
        self._seed, self._frame = int(seeds[0]), 0
        self._plans = [Plan(steps, observation.state) for observation in observations]
        demonstrated = self.model.demonstrated
        self._spans = [] if demonstrated is None else [Span(demonstrated) for _ in observations]
        self._ensembler = self._new_ensembler()
        if demonstrated is None and not self.model.relative:
            self._say(NO_STATISTICS)

    def act(self, observations: Sequence[Observation | None]) -> list[Command | None]:
        """One command per world.

        Raises:
            PolicyFailed: the policy raised an error.
        """
        plans = zip(self._plans, observations, strict=True)
        if self._ensembler is None and self.model.chunked:
            asking = [number for number, (plan, seen) in enumerate(plans) if seen is not None and plan.due]
        else:
            asking = [number for number, (_, seen) in enumerate(plans) if seen is not None]
        if asking:
            try:
                self._ask(observations, asking)
            except StudioError as error:
                self.failure = error
                raise
        self._frame += 1
        return [
            None if seen is None else Command(self._gripped(plan.next()), self._label)
            for plan, seen in zip(self._plans, observations, strict=True)
        ]

    def remember(self) -> Memory:
        """What `recall` needs to go on from here bit for bit, given the same observation."""
        return Memory(deepcopy({name: getattr(self, name) for name in _REMEMBERED}), self.model.remember())

    def recall(self, memory: Memory, *, anew: bool = False) -> None:
        """Go on from a memory of this operator or of another one of the same policy.

        Args:
            memory: of `remember`.
            anew: ask at once, whatever was decided, as other settings call for.
        """
        for name, value in deepcopy(memory.own).items():
            setattr(self, name, value)
        steps, self.failure = self.settings.n_action_steps, None
        assert steps is not None
        self.model.blind(self.settings.blind)
        self.model.recall(memory.model, steps, without_plan=anew)
        if anew:
            self._plans = [plan.renewed(steps) for plan in self._plans]
            self._ensembler = self._new_ensembler()

    def ahead(self, number: int) -> Vector:
        """Targets of the frames to come in a world if the policy were not asked again, shape (H, 6)."""
        if self._ensembler is not None:
            coming = self.model.finish(self._ensembler.ensembled_actions)[number]
        elif self.model.chunked:
            coming = self._plans[number].ahead()
        else:
            kept = self.model.decided()
            coming = np.zeros((0, len(JOINTS))) if kept is None or kept.shape[1] == 0 else kept[number]
        return np.array([self._gripped(target) for target in coming]).reshape(-1, len(JOINTS))

    def sure(self, number: int) -> int:
        """How many of those are settled before the policy is asked again."""
        if self._ensembler is not None:
            return 0
        return self._plans[number].sure if self.model.chunked else len(self.ahead(number))

    def finished(self, normalised: Any) -> Vector:
        """Normalised actions (B, ..., A) as they would be driven, with the gripper's bias and limits."""
        actions = self.model.finish(normalised)
        flat = actions.reshape(-1, actions.shape[-1])
        return np.array([self._gripped(target) for target in flat]).reshape(actions.shape)

    def _new_ensembler(self) -> Any:
        coefficient = self.settings.ensemble
        return None if coefficient is None else self.model.ensembler(coefficient)

    def _ask(self, observations: Sequence[Observation | None], asking: Sequence[int]) -> None:
        """One forward pass; the worlds in `asking` get new chunks."""
        began = time.perf_counter()
        rows = [observations[number if number in asking else asking[0]] for number in range(len(observations))]
        rows += [observations[asking[0]]] * (self.settings.batch - len(rows))
        which = [number if number in asking else asking[0] for number in range(self.settings.batch)]
        images = self._draw(rows)
        drawn = time.perf_counter()
        state = np.stack([row.state for row in rows if row is not None]).astype(np.float32)
        pose = None
        if self.model.privileged:
            poses = {number: self._poses[number]() for number in asking}
            pose = np.stack([poses[number] for number in which]).astype(np.float32)
        seen = self.model.see(images, state, pose, self._task)
        chunks = self._answers(seen)
        done = time.perf_counter()
        self.seconds["render"] += drawn - began
        self.seconds["forward"] += done - drawn
        self.passes += 1
        lost = self.settings.latency.lost(done - began, self._fps)
        for number in asking:
            self.calls[number] += 1
            self._plans[number].answer(chunks[number], lost)
            if self._spans:
                self._spans[number].see(chunks[number], self._frame)
                self._say(narrow(self._spans[number].share))

    def _draw(self, rows: Sequence[Observation | None]) -> dict[str, NDArray[np.uint8]]:
        """Images of the policy's cameras, uint8 (B, height, width, 3); each observation is drawn once."""
        cameras = self.model.cameras
        if not cameras:
            return {}
        drawn: dict[int, Any] = {}
        for row in rows:
            if row is not None and id(row) not in drawn:
                drawn[id(row)] = row.render()
        return {camera: np.stack([drawn[id(row)][camera] for row in rows]) for camera in cameras}

    def _answers(self, seen: dict[str, Any]) -> NDArray[np.float64]:
        """Chunks in the world's units, shape (B, T, 6); T is 1 where every frame asks."""
        draw = np.random.SeedSequence([self._seed, POLICY_STREAM, self.passes]).generate_state(1, np.uint64)
        seed = int(draw[0]) >> 1
        model = self.model
        normalised = model.chunk(seen, seed) if model.chunked else model.select(seen, seed)
        self.watcher(Question(seen, seed, normalised))
        if not model.chunked:
            return model.finish(normalised)[:, None]
        if self._ensembler is None:
            return model.finish(normalised)
        return model.finish(self._ensembler.update(normalised))[:, None]

    def _gripped(self, target: Vector) -> Vector:
        """The target with the gripper's bias and limits."""
        clip = self.settings.gripper_clip
        if not self.settings.gripper_bias and clip is None:
            return target
        changed = target.copy()
        changed[GRIPPER] += self.settings.gripper_bias
        if clip is not None:
            changed[GRIPPER] = np.clip(changed[GRIPPER], *clip)
        return changed

    def _say(self, text: str) -> None:
        if text and not self._told:
            self._told = True
            self._tell(text)
