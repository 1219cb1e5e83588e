"""The loop. Record, generate, correct, replay and evaluate are this loop with another operator, clock and sink."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from curation.errors import StudioError
from curation.frames import Command, Ending, Frame, Observation, Outcome, Placement, Status, Verdict

from .clock import Clock, Unpaced
from .operators import Operator
from .world.protocol import World


@dataclass(frozen=True)
class Start:
    """How an episode begins.

    Attributes:
        seed: of every random choice in it.
        placement: where the block is put.
        redraws: draws of the placement that could not be recorded and were drawn again.
    """

    seed: int
    placement: Placement
    redraws: int = 0


@dataclass(frozen=True)
class Midway:
    """Episodes that are gone on with: worlds and operator stand where they stood in a frame, before it was acted on.

    Attributes:
        observations: one per world, as seen in that frame.
        frame: its index.
    """

    observations: Sequence[Observation]
    frame: int


@dataclass
class _Run:
    """One world's episode in progress."""

    world: World
    observation: Observation | None
    frames: int = 0


def rollout(
    worlds: Sequence[World],
    operator: Operator,
    starts: Sequence[Start],
    *,
    limit: int,
    clock: Clock | None = None,
    until_success: bool = True,
    midway: Midway | None = None,
) -> Iterator[tuple[int, Frame | Ending]]:
    """Run one episode in each world, in lockstep.

    A frame pairs the observation seen with the action then chosen; the world steps after the frame was handed out,
    so a sink that fails stops the arm. What an operator raises as a `StudioError` ends that rollout as failed, what a
    world raises ends that world; the frames so far are kept.

    Args:
        worlds: K worlds with one fps.
        operator: drives all of them.
        starts: one per world.
        limit: most frames of an episode.
        clock: paces the frames; as fast as it goes if None.
        until_success: whether an episode ends as soon as the judge is content.
        midway: where to go on; nothing is reset then, and the starts do not matter.

    Yields:
        (world index, frame) and, once per world and last for it, (world index, ending).
    """
    clock = clock or Unpaced()
    if midway is not None:
        runs = [_Run(world, seen, midway.frame) for world, seen in zip(worlds, midway.observations, strict=True)]
    else:
        runs = [_Run(world, world.reset(s.seed, s.placement)) for world, s in zip(worlds, starts, strict=True)]
        try:
            operator.begin([run.observation for run in runs if run.observation], [start.seed for start in starts])
        except StudioError as error:
            yield from _fail(runs, str(error))
            return
    clock.start()
    index = 0 if midway is None else midway.frame
    while any(run.observation is not None for run in runs):
        wall, late = clock.wait(index)
        try:
            commands = operator.act([run.observation for run in runs])
        except StudioError as error:
            yield from _fail(runs, str(error))
            return
        for number, (run, command) in enumerate(zip(runs, commands, strict=True)):
            if run.observation is not None and command is not None:
                yield from _step(number, run, command, index, wall, late, limit, until_success)
        index += 1


def _step(
    number: int, run: _Run, command: Command, index: int, wall: float, late: bool, limit: int, until_success: bool
) -> Iterator[tuple[int, Frame | Ending]]:
    """One frame of one world, then its ending if that was the last."""
    assert run.observation is not None
    if command.verdict is not None:
        status = Status.DISCARDED if command.verdict is Verdict.DISCARD else Status.ENDED
        yield number, _end(run, status, {"verdict": command.verdict.value})
        return
    try:
        admitted = replace(command, action=run.world.admit(command.action))
    except StudioError as error:
        yield number, _end(run, Status.FAILED, {"error": str(error)})
        return
    yield number, Frame(index, run.observation, admitted, run.world.physics(), run.world.phase, wall, late)
    try:
        run.observation = run.world.step(admitted.action)
    except StudioError as error:
        yield number, _end(run, Status.FAILED, {"error": str(error)})
        return
    run.frames += 1
    if until_success and run.world.verdict()[0] is Outcome.SUCCESS:
        yield number, _end(run, Status.SUCCESS, {})
    elif run.frames >= limit:
        yield number, _end(run, Status.TIMEOUT, {})


def _end(run: _Run, status: Status, more: dict[str, str]) -> Ending:
    outcome, report = run.world.verdict()
    run.observation = None
    return Ending(status, outcome, {**report, **more})


def _fail(runs: Sequence[_Run], error: str) -> Iterator[tuple[int, Ending]]:
    for number, run in enumerate(runs):
        if run.observation is not None:
            yield number, _end(run, Status.FAILED, {"error": error})
