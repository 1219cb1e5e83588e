"""A dataset that is being recorded: its scene, its takes on disk and its log of attempts.

States of a take, by where its files are:
    meta/studio/takes/<id>.jsonl without footer     unfinished: in progress, or interrupted and offered again
    the same with footer, kept                      kept: on disk for good, waiting to be drawn
    an episode of the dataset                       saved
    meta/studio/trash/<id>.jsonl                    finished and not kept, or put away by `recover --discard`
Each finished attempt, kept or not, is one line of meta/studio/attempts.jsonl: what was tried is never hidden by
what was kept.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import mujoco

from curation.atomic import make_folder, place, remove, taken, write_aside
from curation.episodes import EpisodeRow, StagedEpisode
from curation.errors import BrokenJournal, CannotWrite, DataError, Mismatch, UsageError
from curation.layout import ATTEMPTS, SESSION_LOCK, STAGING, TAKES, TRASH
from curation.names import POSE
from curation.notes import Note, add_notes, masked, read_notes
from curation.store import Store
from curation.video import Encoding

from .draw import layout_of
from .journal import Journal, Take, read_journal
from .privileged import columns_of
from .rollout import Start
from .table_card import table_card
from .world import reach
from .world.kinematics import PAN_X
from .world.scene import Scene, compile_scene, fingerprint, scene_from
from .world.sim import ROBOT_TYPE
from .world.tasks.pick_place import instruction

INTERRUPTED = "interrupted"
"""Outcome of a take that stopped before its end; it never counts as a success."""
Terms = dict[str, Any]
"""What was asked of a take, JSON values: the position before jitter, the keep rule, the limit, the session's seed."""


def scene_card(scene: Scene) -> dict[str, Any]:
    """What scene.json holds: the scene, its fingerprint, the physics layout, reach and views."""
    model = compile_scene(scene)
    x_low, x_high, y_low, y_high = reach.view(scene)
    return {
        "scene": asdict(scene),
        "fingerprint": fingerprint(scene),
        "task": instruction(scene),
        "physics": {"layout": layout_of(model), "nq": model.nq, "nv": model.nv, "timestep": model.opt.timestep},
        "reach": {"pan_axis_x": PAN_X, "min_radius": reach.MIN_RADIUS, "grasp_height": reach.GRASP_HEIGHT},
        "overhead_view": {"x": [x_low, x_high], "y": [y_low, y_high]},
        "table": table_card(scene),
        "units": {"body": "degrees", "gripper": "0..100", "position": "metres"},
        "mujoco": mujoco.__version__,
    }


class Session:
    """One dataset open for recording.

    Args:
        root: an existing dataset of the studio.
        scene: the world its episodes come from.

    Raises:
        UsageError: if another process is recording into it.
    """

    def __init__(self, root: Path, scene: Scene) -> None:
        self.root = root
        self.scene = scene
        self._lock = _lock(root)
        # What was staged but not committed is drawn again from its journal, or generated again.
        try:
            # Only now, because a writer clears up what an interrupted commit left.
            self.store = Store.open(root, writing=True)
            self._fingerprint = str(self.store.scene.get("fingerprint", ""))
            self.drop_staged()
            for folder in (TAKES, STAGING):
                make_folder(self.root / folder)
            self.attempts = self._read_attempts()
            self._masked = masked(read_notes(root))
        except BaseException:
            self._lock.close()
            raise

    @classmethod
    def create(cls, root: Path, scene: Scene, encoding: Encoding, *, privileged: bool = False) -> Session:
        """A new dataset at a path where nothing is; if `privileged`, with a column of where the block is.

        Raises:
            TargetExists: something is there.
        """
        Store.create(
            root,
            fps=scene.fps,
            features=columns_of(scene, privileged=privileged),
            robot_type=ROBOT_TYPE,
            scene=scene_card(scene),
            encoding=encoding,
        )
        return cls(root, scene)

    @classmethod
    def resume(cls, root: Path, scene: Scene | None = None) -> Session:
        """An existing dataset, checked against the scene that is to be recorded now.

        Raises:
            Mismatch: naming every difference.
        """
        store = Store.open(root)
        store.require_scene()
        recorded = scene_from(store.scene["scene"])
        _require_same(root, store, recorded, recorded if scene is None else scene)
        return cls(root, recorded)

    def begin(self, start: Start, operator: str, attempt: int, terms: Terms | None = None) -> Journal:
        """Open the journal of a new take."""
        return begin_take(self.root, self.scene, self._fingerprint, start, operator, attempt, terms)

    def adopt(self, journal: Path) -> Take:
        """Take over the finished take of a worker; it is kept, or settled as not kept, from here on."""
        place(journal, self.root / TAKES / journal.name)
        remove(journal)
        return read_journal(self.root / TAKES / journal.name)

    def settle(self, take: Take) -> None:
        """Log a finished take, once, and put it away if it was not kept."""
        if take.footer is None:
            raise ValueError("an unfinished take cannot be settled")
        if take.header["episode_id"] not in {line["episode_id"] for line in self.attempts}:
            self._log(take)
        if not take.footer["kept"]:
            self.put_away(self.journal(take.header["episode_id"]))

    def waiting(self) -> tuple[list[Take], list[Path]]:
        """Settle what a crash left half done; returns takes kept but not saved, and unfinished or damaged journals."""
        kept: list[Take] = []
        unfinished: list[Path] = []
        saved = {row.episode_id for row in self.store.rows()}
        for path in self.journals():
            try:
                take = read_journal(path)
            except BrokenJournal:
                unfinished.append(path)
                continue
            if take.footer is None:
                unfinished.append(path)
                continue
            self.settle(take)
            if path.stem in saved:
                remove(path)
            elif take.footer["kept"]:
                kept.append(take)
        return sorted(kept, key=lambda take: int(take.header["attempt"])), unfinished

    def save(self, staged: StagedEpisode) -> int:
        """Commit a staged episode; only then is its journal removed. Returns the episode index."""
        index = self.store.commit(staged)
        remove(self.journal(staged.row.episode_id))
        staged.drop()
        return index

    def journals(self) -> list[Path]:
        """Every journal that waits in the takes folder."""
        return sorted((self.root / TAKES).glob("*.jsonl"))

    def journal(self, episode_id: str) -> Path:
        return self.root / TAKES / f"{episode_id}.jsonl"

    def stage_folder(self, episode_id: str) -> Path:
        return self.root / STAGING / episode_id

    def drop_staged(self) -> None:
        """Remove everything that is staged but not committed."""
        shutil.rmtree(self.root / STAGING, ignore_errors=True)

    def close(self) -> None:
        """Let go of the dataset."""
        self._lock.close()

    @property
    def live(self) -> list[EpisodeRow]:
        """Saved episodes that are not masked, in order: those that count."""
        return [row for row in self.store.rows() if row.episode_id not in self._masked]

    def by_target(self) -> Counter[str]:
        """Live episodes by the id of the position they were recorded for."""
        return Counter(str(row.extra["target"]) for row in self.live if row.extra.get("target"))

    def tried(self) -> Counter[str]:
        """Finished attempts by the id of their position."""
        return Counter(str(line["target"]) for line in self.attempts if line.get("target"))

    @property
    def next_attempt(self) -> int:
        """One more than the last attempt that was logged or lies on disk."""
        known = [int(line["attempt"]) for line in self.attempts]
        for path in self.journals():
            try:
                known.append(int(read_journal(path, up_to_damage=True).header["attempt"]))
            except BrokenJournal:
                continue  # its header is gone; `waiting` names the file
        return max(known, default=-1) + 1

    def discard(self, journal: Path, take: Take | None) -> None:
        """Put an unfinished take away; if it can be read, the log says that it was tried."""
        if take is not None and take.header["episode_id"] not in {line["episode_id"] for line in self.attempts}:
            self._log(replace(take, footer={"end": "discarded", "outcome": INTERRUPTED, "kept": False}))
        self.put_away(journal)

    def mask(self, episode_ids: Sequence[str], value: bool, by: str) -> None:
        """Put episodes, or takes that become some, to the trash, or bring them back; durably."""
        add_notes(self.root, [Note(episode_id, "mask", value, by) for episode_id in episode_ids])
        self._masked = self._masked.union(episode_ids) if value else self._masked.difference(episode_ids)

    def put_away(self, journal: Path) -> None:
        """Move a journal to the trash; nothing is deleted."""
        make_folder(self.root / TRASH)
        place(journal, self.root / TRASH / journal.name)
        remove(journal)

    def _log(self, take: Take) -> None:
        line = attempt_line(take)
        path = self.root / ATTEMPTS
        try:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CannotWrite(path, error) from error
        self.attempts.append(line)

    def _read_attempts(self) -> list[dict[str, Any]]:
        path = self.root / ATTEMPTS
        if not path.is_file():
            return []
        whole, newline, torn = path.read_bytes().rpartition(b"\n")
        if torn:
            # A full disk tears the last line; the journal it speaks of is still there and will be logged again.
            write_aside(path, whole + newline)
        try:
            return [json.loads(line) for line in whole.split(b"\n") if line]
        except ValueError as error:
            raise DataError(f"The log of attempts {path} is damaged: {error}. Mend or remove that line.") from error


_LOGGED = ("target", "asked", "keep", "ends", "audited", "batch")
"""Terms of an attempt that its line in the log has where they are known."""

_SAID = ("referee", "lookout")
"""Those in the judge's place whose word its line has: who kept it, and who ended it."""


def attempt_line(take: Take) -> dict[str, Any]:
    """What the log of attempts says of a take: what was asked, what the judge and others say, and why it was not
    kept, "" if it was."""
    header, footer = take.header, take.footer or {}
    report = footer.get("report", {})
    return {
        **{name: header[name] for name in ("attempt", "episode_id", "seed", "operator")},
        **header["placement"],
        **{name: header[name] for name in _LOGGED if header.get(name) is not None},
        "status": footer["end"],
        "outcome": footer["outcome"],
        **{name: report[name] for name in _SAID if report.get(name)},
        "kept": footer["kept"],
        "why": "" if footer["kept"] else _why_not(header, footer),
    }


def _why_not(header: dict[str, Any], footer: dict[str, Any]) -> str:
    """Whose word it was that a take is not kept, and what it was."""
    if footer["end"] == "discarded" or footer["outcome"] == INTERRUPTED:
        return str(footer["end"])
    if not footer.get("frames"):
        return "it has no frames"
    if referee := footer.get("report", {}).get("referee"):
        return f"{referee['by']}: {referee['probability']:.2f}, asked {referee['threshold']:g}"
    return f"{'verdict' if header.get('keep') == 'verdict' else 'judge'}: {footer['outcome']}"


def begin_take(
    root: Path,
    scene: Scene,
    scene_fingerprint: str,
    start: Start,
    operator: str,
    attempt: int,
    terms: Terms | None = None,
    folder: Path = TAKES,
) -> Journal:
    """Open the journal of a new take of a dataset; in `STAGING`, it is nobody's until the session adopts it."""
    episode_id = str(uuid.uuid4())
    header = {
        "version": 1,
        "episode_id": episode_id,
        "attempt": attempt,
        "seed": start.seed,
        "placement": asdict(start.placement),
        "redraws": start.redraws,
        **(terms or {}),
        "operator": operator,
        "task": instruction(scene),
        "scene": scene_fingerprint,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return Journal(root / folder / f"{episode_id}.jsonl", header)


def _lock(root: Path) -> IO[bytes]:
    """Hold the dataset for this process; the operating system lets go when it ends, however it ends."""
    path = root / SESSION_LOCK
    try:
        file = path.open("ab")
    except OSError as error:
        raise CannotWrite(path, error) from error
    try:
        # Patiently, because whoever looks whether it is being recorded has the lock for a moment.
        ours = taken(file)
    except OSError as error:
        file.close()
        raise CannotWrite(path, error) from error
    if not ours:
        file.close()
        raise UsageError(f"{root} is being recorded by another process. Wait for it, or use another --to.")
    return file


def _require_same(root: Path, store: Store, recorded: Scene, asked: Scene) -> None:
    have, want = asdict(recorded), asdict(asked)
    differences: list[tuple[str, object, object]] = [(n, have[n], want[n]) for n in have if have[n] != want[n]]
    wanted = columns_of(asked, privileged=POSE in store.features)
    differences += [
        (f"feature {key}", store.features.get(key, "absent"), wanted.get(key, "absent"))
        for key in sorted(store.features.keys() | wanted.keys())
        if store.features.get(key) != wanted.get(key) and not differences
    ]
    if store.robot_type != ROBOT_TYPE:
        differences.append(("robot_type", store.robot_type, ROBOT_TYPE))
    if not differences and store.scene.get("fingerprint") != fingerprint(asked):
        differences.append(("scene fingerprint", store.scene.get("fingerprint"), fingerprint(asked)))
    if not differences and store.scene.get("mujoco") != mujoco.__version__:
        differences.append(("MuJoCo", store.scene.get("mujoco"), mujoco.__version__))
    if differences:
        raise Mismatch(root, differences)
