"""The command line: parse, call one verb, print, exit.

Nothing heavy is imported before a command is known, so that help is instant.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from types import ModuleType
from typing import Any

COMMANDS = {
    "tui": "the studio on this terminal; the same as studio without a command",
    "record": "record episodes in real time into a LeRobot dataset",
    "generate": "generate episodes unpaced, several at once",
    "correct": "let a policy drive, take over by keys where it goes wrong, record both",
    "replay": "simulate stored episodes again and report the drift",
    "rerender": "draw the same episodes again in another look",
    "inspect": "show what a dataset holds; make a film or a poster of it",
    "check": "look for everything that may be wrong with datasets, and say what mends it",
    "stats": "show, verify or repair a dataset's statistics",
    "targets": "positions to record at: make, check, add",
    "episodes": "list episodes and takes, and filter them",
    "coverage": "where the data is, how far it carries, and where to record next",
    "note": "write a comment or a score about episodes",
    "trash": "exclude episodes without deleting them, and bring them back",
    "recover": "finish kept takes; keep or discard unfinished ones",
    "plan": "show what edits would do, and save them as a recipe",
    "apply": "carry out a recipe",
    "merge": "make one dataset of several",
    "filter": "make a dataset of the episodes that pass, with control sets",
    "drop": "make a dataset without some episodes",
    "trim": "make a dataset of shorter episodes",
    "cut": "make several episodes of one",
    "split": "make several datasets of one",
    "relabel": "make a dataset with another instruction",
    "gripper": "make a dataset whose gripper has another range",
    "rename": "make a dataset with other names of features and cameras",
    "convert": "make a v3.0 dataset of an older one, or plain arrays",
    "log": "show where a dataset comes from",
    "diff": "compare two datasets",
    "publish": "a dataset or a checkpoint to the Hugging Face Hub",
    "pull": "a dataset from the Hugging Face Hub",
    "preflight": "look for all that would make a training wrong, impossible or lost",
    "train": "train a policy on a dataset, by LeRobot's own training",
    "runs": "the ledger of trainings; what differs between two and what came of it",
    "evaluate": "try a checkpoint on seeded placements, one row per episode",
    "watch": "a policy thinks, frame by frame: what it has in mind and where that leads",
    "sweep": "which checkpoint of a training is best, tried again on fresh placements",
    "compare": "two checkpoints, or two recipes: is one better, or does nobody know yet",
    "map": "where on the table policies succeed, how surely, and where to try next",
    "classifier": "train a success classifier, and measure how far to trust it",
    "card": "show or make a classifier's calibration card",
    "score": "let a classifier say how sure it is that episodes succeeded",
    "hil": "a smoke run of LeRobot's HIL-SERL, rewarded by a classifier",
    "yields": "what studio generate gave so far at each position, also while it goes on",
    "stress": "simulate episodes again under other friction, mass, delay and servos",
    "improve": "a policy tries where it is unsure, learns from what succeeded, and is tried again",
    "experiment": "what a filter is worth, by the policies that it leads to",
    "analyze": "a policy's predictions beside demonstrations, joint by joint",
    "report": "one page about a run or two: tables, maps, films",
    "ablate": "change one thing at a time on the same episodes, and say what it changed",
    "scale": "how success grows with the number of demonstrations",
    "jobs": "commands in the background: list, log, cancel",
    "serve": "the same screens in a browser",
    "doctor": "check this machine: OpenGL, codecs, disk, versions, devices",
}

SIMULATING = (
    "record", "generate", "correct", "replay", "rerender", "stress", "recover", "targets", "evaluate", "sweep",
    "ablate", "scale", "hil", "watch",
)  # fmt: skip
"""Commands that load MuJoCo at once."""


def main(argv: list[str] | None = None) -> None:
    """Entry point of `studio`; exits with 0 ok, 1 failed, 2 usage, 3 data failed its checks, 130 interrupted."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one command; returns the exit code."""
    if not argv and all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        return _guarded("tui", [])
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
        return 0 if argv else 2
    if argv[0] == "--version":
        from importlib.metadata import version

        print(f"teleop-studio {version('teleop-studio')}")
        return 0
    name, rest = argv[0], argv[1:]
    if name not in COMMANDS:
        from curation.errors import UnknownChoice

        print(f"studio: {UnknownChoice('command', name, COMMANDS)}", file=sys.stderr)
        return 2
    return _guarded(name, rest)


def _guarded(name: str, rest: list[str]) -> int:
    from curation.errors import FAILED, INTERRUPTED, StudioError

    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _call(name, rest)
    except KeyboardInterrupt:
        way_on = " What was kept or saved is on disk: --resume goes on, studio recover shows what waits."
        recording = name in ("record", "generate", "correct", "recover")
        print(f"\nstudio {name}: interrupted.{way_on if recording else ''}", file=sys.stderr)
        return INTERRUPTED
    except StudioError as error:
        print(f"studio {name}: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # a fault of ours: people get a line and a file, not a traceback
        return _our_fault(name, error)


def _call(name: str, rest: list[str]) -> int:
    from studio.console import Console

    if name in SIMULATING and not {"-h", "--help"} & set(rest):
        # MuJoCo dies while it is imported where the OpenGL library is missing, with a message that names no way out.
        from recorders.world.gl import require_opengl

        require_opengl()
    module, options = parsed(name, rest)
    code: int = getattr(module, name)(options, Console(as_json=options.json))
    return code


def parsed(name: str, rest: list[str], *, quiet: bool = False) -> tuple[ModuleType, Any]:
    """The module of a command, and its options.

    Raises:
        SystemExit: the words are none of its, as tyro says on stderr unless it shall be quiet; or help was asked for.
    """
    import tyro

    module = importlib.import_module(f"studio.verbs.{name}")
    options = tyro.cli(
        getattr(module, name.capitalize()),
        prog=f"studio {name}",
        args=rest,
        config=(
            tyro.conf.OmitArgPrefixes,
            tyro.conf.OmitSubcommandPrefixes,
            tyro.conf.FlagCreatePairsOff,
            tyro.conf.EnumChoicesFromValues,
        ),
        console_outputs=not quiet,
    )
    return module, options


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _our_fault(name: str, error: Exception) -> int:
    import tempfile
    import traceback
    from pathlib import Path

    log = Path(tempfile.gettempdir()) / f"studio-{name}-{os.getpid()}.log"
    log.write_text(traceback.format_exc(), encoding="utf-8")
    kind = type(error).__name__
    print(f"studio {name}: unexpected {kind}: {error}. This is a fault of ours; details are in {log}.", file=sys.stderr)
    return 1


def _help() -> str:
    width = max(map(len, COMMANDS))
    rows = "\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items())
    return (
        "usage: studio COMMAND [options]\n\n"
        "Record, curate, train and evaluate robot demonstrations in simulation.\n\n"
        f"commands:\n{rows}\n\n"
        "studio COMMAND --help shows the options of one. Start with:\n"
        "  studio record --operator expert -n 20 --at 0.337 -0.015 --jitter 0.02 --to pos2"
    )


if __name__ == "__main__":
    main()
