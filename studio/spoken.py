"""A sitting in words: what happened, one line each, and how it stands now."""

from __future__ import annotations

from recorders.operators.keymap import REASONS
from recorders.signals import Event, Finished, Invited, Masked, Ready, Said, Stage, Stored, Tick
from studio.verbs.asked import Asked

STAGES = {
    Stage.READY: "READY: drive or press Enter; i k j l y h move, o c grip, u undo, Esc stop",
    Stage.REVIEW: "KEEP IT? Enter keeps, d discards",
    Stage.DONE: "DONE: u takes the last one back, Enter or Esc ends",
    Stage.SAVING: "drawing and saving kept takes",
}

WITH_CONTROLLER = STAGES | {
    Stage.READY: "READY: squeeze and drive; trigger grips, A keeps, B discards, stick click: forward; Esc stops",
    Stage.REVIEW: "KEEP IT? A or Enter keeps, B or d discards",
    Stage.DONE: "DONE: u takes the last one back; A, Enter or Esc ends",
}
WITH_LEADER = STAGES | {
    Stage.READY: "READY: Enter starts, and the arm nears the leader; m or space holds it; u undo, Esc stop",
}
TO_CORRECT = "READY: Enter lets the policy drive; any key that drives takes over, p hands back, Esc stops"


def line(event: Event) -> str:
    """What happened; "" for what needs no line."""
    match event:
        case Ready(attempt, (x, y, _), target):
            return f"take {attempt}: block at ({x:g}, {y:g}){' ' + target if target else ''}"
        case Finished() if event.kept:
            return f"take: {event.outcome}, {event.frames} frames, kept"
        case Finished():
            why = ", ".join(f"{key} {words}" for key, words in REASONS.items())
            return f"take: {event.outcome}, {event.frames} frames, {event.why or 'discarded. Why? ' + why}"
        case Stored(index, _):
            return f"saved episode {index}"
        case Masked(episode_id, masked):
            return f"take {episode_id[:8]} {'put to the trash; U restores it' if masked else 'restored'}"
        case Said(text, _):
            return text
        case Invited(address, fingerprint):
            return (
                f"Open {address} in the headset's browser. It warns once, because nobody but this machine signed the "
                f"certificate: SHA-256 {fingerprint}."
            )
    return ""


def progress(tick: Tick, asked: Asked) -> str:
    """How it stands."""
    if asked.corrects and tick.stage is Stage.READY:
        return TO_CORRECT
    if tick.stage is not Stage.RECORDING:
        words = {"vr": WITH_CONTROLLER, "leader": WITH_LEADER}.get(asked.operator, STAGES)
        return words.get(tick.stage, str(tick.stage))
    keys = "".join(tick.driving)
    red = f"  discard? {tick.advice}" if tick.advice else ""
    goal = f"{tick.kept} of {tick.goal}" if tick.goal else str(tick.kept)
    stop = f"  stopped by {tick.stopped_at}" if tick.stopped_at else ""
    who = f"{tick.by} drives" if asked.corrects else tick.phase
    delay = f"  {sum(tick.delays[1:]):.0f} ms" if tick.delays else ""
    return f"RECORDING {tick.seconds:4.1f} s  {who}  {tick.mode} x{tick.pace:g} [{keys}]{delay}  {goal} kept{stop}{red}"
