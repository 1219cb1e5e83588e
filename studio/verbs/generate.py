"""generate: episodes as fast as the machine makes them."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from curation.errors import TargetExists, UnknownChoice, UsageError
from curation.layout import INFO
from curation.notes import CLASSIFIER
from curation.yields import least
from recorders.fleet import Order, fleet, save_made
from recorders.placements import Placing, start_as_asked
from recorders.record import MAX_FAILURES_IN_A_ROW, NothingKept
from recorders.referee import AUDIT, JUDGE, NOBODY, Rule
from recorders.schedule import Turns
from recorders.session import Session
from recorders.take import Keep
from studio import yielding
from studio.console import Console
from studio.generating import how_made, lockstep, opened, processes_for, require_alike
from studio.paths import dataset_path
from studio.table_of import table_of
from studio.verbs.asked import EPISODES, Asked
from studio.verbs.summary import summary
from studio.verbs.told import finish_waiting, require_all, tell_close, tell_doubts, tell_holes

SHOWN = 200
"""Placements that a plan names at most."""


@dataclass(frozen=True, kw_only=True)
class Generate:
    """Generate episodes unpaced, several at once, into a LeRobot dataset."""

    recording: Asked
    attempts: int | None = None
    """Attempts in all, kept or not, at the asked positions in turn, instead of a number of episodes. The same command
    again goes on where it was stopped."""
    done_by: str = JUDGE
    """Who ends an attempt: judge, once it succeeded; nobody, so that each lasts until --limit; or classifier:NAME.
    What the judge ended tells by its length whether it succeeded, so a filter is tried on the others only."""
    audit: float | None = None
    """With --keep classifier:NAME: share of attempts, drawn beforehand, whose truth is counted; by default 0.2."""
    precision: float | None = None
    """Keep only positions where the lower 95 % bound of accepted attempts that were successes reaches this, judged once
    all --attempts are made; the others' episodes lie in the trash. It stays in force for the dataset, a stricter one
    takes its place, and up to about 1 in 20 positions that are just not worth it passes by luck each time you look."""
    force: bool = False
    """Keep positions below --precision all the same."""
    batch: int = 0
    """Attempts that a policy drives in lockstep, in one forward pass; 0 is 8 on a CPU, 32 on a GPU."""
    processes: int = 0
    """Batches worked on at once; 0 chooses: one per processor core, fewer where starting them takes longer."""
    dry_run: bool = False
    """Say what would be made and refuse what would be refused; make nothing."""
    picture: Path | None = None
    """Draw the yield over the table to this new PNG file."""
    json: bool = False
    """Print the summary as JSON."""


def generate(options: Generate, console: Console) -> int:
    """Generate until the dataset holds the asked number of episodes, or all attempts are made; prints its summary."""
    asked = options.recording
    placing = _checked(options)
    tell_close(console, asked, placing)
    tell_doubts(console, asked.who)
    order = _order(options, placing)
    how = how_made(order)
    if options.dry_run:
        _tell_plan(options, console, order, how)
        return 0
    session = opened(asked, how, options.attempts, options.precision, forced=options.force)
    console.about(session.root)
    try:
        finish_waiting(console, session)
        turns = None if options.attempts else asked.turns(placing, session)
        _fill(options, console, session, order, turns)
        found = yielding.find(session, how, options.precision, forced=options.force, wanted=options.attempts)
        if options.attempts is not None:
            found = yielding.decide(session, found, options.precision)
        yielding.write(session.root, found)
    finally:
        session.close()
    if options.attempts is None:
        tell_holes(console, session, placing)
    _result(options, console, session, found)
    require_all(turns, placing)
    return 0


def _checked(options: Generate) -> Placing:
    """Refuse what cannot be done, before anything is made; errors as `Asked.check`."""
    asked = options.recording
    if asked.by_person:
        raise UsageError(f"{asked.operator} is a person, who records in real time: studio record.")
    if options.processes < 0 or options.batch < 0:
        raise UsageError(f"--processes {options.processes} and --batch {options.batch} must not be negative.")
    if options.attempts is not None and (options.attempts < 1 or asked.episodes or asked.per_position != 1):
        raise UsageError("--attempts must be at least 1, and takes the place of --episodes and --per-position.")
    if options.done_by not in (JUDGE, NOBODY) and not options.done_by.startswith(CLASSIFIER):
        raise UnknownChoice("word for --done-by", options.done_by, (JUDGE, NOBODY, f"{CLASSIFIER}NAME"))
    if options.done_by != JUDGE and asked.classifier:
        raise UsageError(f"--keep {asked.keep} ends its attempts itself; leave --done-by {options.done_by} away.")
    if options.audit is not None and not (asked.classifier and 0.0 <= options.audit <= 1.0):
        raise UsageError(f"--audit {options.audit:g} must be 0 to 1, and is for --keep classifier:NAME.")
    if options.picture is not None and options.picture.exists():
        raise TargetExists(options.picture, "Choose another name.")
    placing = asked.check()
    if options.precision is not None:
        _require_within_reach(options, placing)
    return placing


def _tell_plan(options: Generate, console: Console, order: Order, how: dict[str, Any]) -> None:
    """What would be made, and what of it is there; errors as `opened`, except for the scene of a dataset that is."""
    root, placing = dataset_path(options.recording.to), order.placing
    there = (root / INFO).is_file()
    before = yielding.asked_of(root) if there else None
    if there and before is None and not options.recording.resume:
        raise TargetExists(root, "Choose another place, or continue it with --resume.")
    if before is not None and options.attempts is not None:
        require_alike(root, before, how)
    made = len(yielding.seen(root)[1]) if before is not None else 0
    count = placing.cells or min(SHOWN, options.attempts or options.recording.episodes or EPISODES)
    spots = [_spot(placing, order.seed, index) for index in range(count)]
    places = f"{placing.cells} positions" if placing.cells > 1 else "1 position" if placing.at else "places in the box"
    wanted = f"{options.attempts} attempts" if options.attempts else "as many attempts as it takes"
    text = f"{wanted} at {places}, by {how['operator']}, kept by {how['keep']}"
    text += f"; {made} are made already" if made else ""
    told = {
        "wanted": options.attempts,
        "made": made,
        "spots": spots,
        "text": text,
        "scene": asdict(options.recording.scene),
        **how,
    }
    console.result(text, told)


def _spot(placing: Placing, seed: int, index: int) -> tuple[float, float]:
    """Where an attempt is asked to begin [m]: its position, else as it is drawn."""
    if nominal := placing.nominal(index):
        return nominal[0], nominal[1]
    placement = start_as_asked(placing, seed, index).placement
    return round(placement.x, 4), round(placement.y, 4)


def _require_within_reach(options: Generate, placing: Placing) -> None:
    """Refuse a precision that nobody could show, or that says nothing."""
    asked, precision = options.recording, options.precision
    assert precision is not None
    if not 0.0 < precision < 1.0:
        raise UsageError(f"--precision {precision:g} must lie between 0 and 1.")
    if asked.rule is Keep.SUCCESS:
        raise UsageError(
            "--precision asks how often who keeps is right, and the judge is the truth: --keep classifier."
        )
    if options.attempts is None:
        raise UsageError("--precision needs --attempts: looked at until it is reached, a bound would hold of nothing.")
    share = (AUDIT if options.audit is None else options.audit) if asked.classifier else 1.0
    places = placing.cells or (1 if placing.at else 0)
    each = share * options.attempts / places if places else share * options.attempts
    if each < least(precision) and not options.force:
        raise UsageError(
            f"--precision {precision:g} needs at least {least(precision)} attempts at a position that are accepted and "
            f"judged, even if all are successes; {options.attempts} attempts at {max(1, places)} positions, a share of "
            f"{share:g} judged, are {each:.1f}. Make more --attempts, --audit more of them, ask for less, or --force."
        )


def _order(options: Generate, placing: Placing) -> Order:
    """What is made; errors as `rule_of` and `lockstep`."""
    asked = options.recording
    # A number of attempts may grow, and the attempts of before must stay what they were.
    episodes = len(placing.targets) * asked.per_position or asked.episodes
    return Order(
        who=asked.who,
        placing=placing,
        seed=asked.seed,
        rule=_rule(options),
        limit=asked.limit_frames,
        worlds=lockstep(asked.who, asked.scene, options.batch, None if options.attempts else episodes),
        most=options.attempts,
    )


def _rule(options: Generate) -> Rule:
    asked, done_by = options.recording, options.done_by
    if asked.classifier:
        from studio.referee import rule_of

        return rule_of(asked.classifier, AUDIT if options.audit is None else options.audit, asked.scene)
    rule = Rule.of(asked.rule)
    if not done_by.startswith(CLASSIFIER):
        return replace(rule, ends=done_by)
    from studio.referee import maker_of

    maker = maker_of(done_by.removeprefix(CLASSIFIER), asked.scene)
    return replace(rule, referee=maker, ends=maker.by)


def _fill(options: Generate, console: Console, session: Session, order: Order, turns: Turns | None) -> None:
    """Make attempts until all are made, the dataset is full, or no position wants more.

    Raises:
        NothingKept: if attempt after attempt fails; with `turns`, each position is given up by itself instead, and a
            number of attempts is made whatever becomes of them.
    """
    goal = options.attempts or options.recording.goal(order.placing, session)
    began, failures, had = time.monotonic(), 0, _made(options, session)
    if had >= goal:
        console.step(f"{session.root} already holds {had} {'attempts' if options.attempts else 'episodes'}.")
        return
    count = processes_for(order.who, options.processes, goal - had, order.worlds, session.scene)
    # Held back until the bound is looked at: a run that is killed leaves nothing in use that nobody vouches for.
    bounded = options.attempts is not None and yielding.bound_of(session.root) is not None
    hold = yielding.BY if bounded and not options.force else ""
    with closing(fleet(session, order, turns, processes=count)) as attempts:
        for made in attempts:
            footer, index = save_made(session, made, hold=hold)
            total = _made(options, session)
            rate = 60 * (total - had) / (time.monotonic() - began)
            what = "not kept" if index is None else f"saved episode {index}"
            driven = f"{footer['outcome']}, {footer['frames']} frames{_heard(footer)}"
            console.step(f"take {made.attempt}: {driven}, {what} ({total}/{goal}, {rate:.1f}/min)")
            console.advance(total, goal)
            if options.attempts is None and total >= goal:
                return
            failures = 0 if index is not None else failures + 1
            if turns is None and options.attempts is None and failures >= MAX_FAILURES_IN_A_ROW:
                raise NothingKept(failures, footer["outcome"])


def _made(options: Generate, session: Session) -> int:
    """How much of the goal is there: attempts, or episodes."""
    return session.next_attempt if options.attempts else len(session.live)


def _heard(footer: dict[str, Any]) -> str:
    """What a referee said, beside the judge's outcome."""
    referee = footer.get("report", {}).get("referee")
    return f", {referee['by'].partition('@')[0]} {referee['probability']:.2f}" if referee else ""


def _result(options: Generate, console: Console, session: Session, found: yielding.Found) -> None:
    from studio.yield_words import draw, table

    text, data = summary(session.root)
    asked = options.recording
    if options.picture is not None:
        note = f"{session.root.name}: {asked.who.label}, kept by {found.asked['keep']}, seed {asked.seed}"
        draw(found, table_of(session.store), note, options.picture)
        console.step(f"{options.picture} is drawn.")
    shown = options.attempts is not None or asked.classifier or "policy" in asked.who.about
    console.result(f"{text}\n\n{table(found)}" if shown else text, {**data, "yield": found.as_json()})
