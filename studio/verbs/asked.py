"""What every recording asks, paced or not: where to, who, how many, where the block goes."""

from __future__ import annotations

from dataclasses import dataclass, field

from curation.errors import NotADataset, UnknownChoice, UsageError
from curation.names import POSE
from curation.notes import CLASSIFIER
from curation.video import Encoding
from recorders.operators.named import CORRECT, PEOPLE, POLICY, Who
from recorders.placements import Placing, require_recordable
from recorders.schedule import Schedule, Turns
from recorders.session import Session
from recorders.take import Keep
from recorders.world.gl import require_opengl
from recorders.world.scene import Scene
from recorders.world.tasks.pick_place import TIME_LIMIT_S
from studio.options import Episodes, Where
from studio.paths import dataset_path
from studio.policy_driver import policy_who, require_fitting

EPISODES = 20
RULES = {"judge": Keep.SUCCESS, "success": Keep.SUCCESS, "all": Keep.ALL, "verdict": Keep.VERDICT}
PERSON_LIMIT_S = 60.0
"""Default time limit of a person's take [s], the earlier work's."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What is recorded, and into what."""

    to: str
    """The dataset: a folder, or a bare name under STUDIO_DATA (default ./datasets). Must be new without --resume."""
    operator: str = "expert"
    """Who drives: expert, fumbler (fails on purpose about every other time), a person at the keyboard, with the
    controller of a headset (vr) or with a leader arm (leader), policy:CHECKPOINT as for studio evaluate, or
    correct:CHECKPOINT as studio correct has it."""
    n_action_steps: int | None = None
    """Of a policy: actions carried out of each chunk; by default as it was trained."""
    episodes: Episodes = None
    """Episodes the dataset shall hold at the end, without those in the trash, by default 20; with --resume the total.
    With --targets it follows from --per-position."""
    per_position: int = 1
    """Episodes wanted at each position of --targets."""
    where: Where = field(default_factory=Where)
    keep: str | None = None
    """Which takes become episodes: judge (what it calls a success; also written success), all, a person's verdict, or
    in studio generate classifier:NAME. By default a person's verdict, and of scripted takes the judge's."""
    seed: int = 0
    """Of every random choice; stored per episode. Another recording with the same options needs another seed."""
    limit: float | None = None
    """Time limit of an episode in seconds; by default 10, and 60 for a person."""
    noise: float = 0.0
    """Noise on the body joints' targets in degrees."""
    resume: bool = False
    """Continue an existing dataset recorded with the same settings."""
    privileged: bool = False
    """Also store where the block is, frame by frame, as observation.environment_state: for tests, because a policy that
    is trained on it sees what no camera shows."""
    scene: Scene = field(default_factory=Scene)

    @property
    def who(self) -> Who:
        for prefix in (POLICY, CORRECT):
            if self.operator.startswith(prefix):
                return policy_who(self.operator.removeprefix(prefix), self.n_action_steps, self.noise, prefix)
        if self.n_action_steps is not None:
            raise UsageError(f"--n-action-steps is for --operator {POLICY}CHECKPOINT.")
        return Who(name=self.operator, noise=self.noise)

    @property
    def by_person(self) -> bool:
        """Whether a person sits before it, alone or with a policy."""
        return self.operator in PEOPLE or self.corrects

    @property
    def corrects(self) -> bool:
        """Whether a policy drives until a person takes over."""
        return self.operator.startswith(CORRECT)

    @property
    def rule(self) -> Keep:
        """The judge's or the person's keep rule in force; a classifier decides in their place.

        Raises:
            UnknownChoice: there is none of that name.
        """
        if self.keep is None:
            return Keep.VERDICT if self.by_person else Keep.SUCCESS
        if self.classifier:
            return Keep.ALL
        if self.keep not in RULES:
            raise UnknownChoice("keep rule", self.keep, (*RULES, f"{CLASSIFIER}NAME"))
        return RULES[self.keep]

    @property
    def classifier(self) -> str:
        """The classifier that decides in the judge's place; "" where none does."""
        keep = self.keep or ""
        return keep.removeprefix(CLASSIFIER) if keep.startswith(CLASSIFIER) else ""

    @property
    def limit_s(self) -> float:
        """The time limit in force [s]."""
        return self.limit if self.limit is not None else PERSON_LIMIT_S if self.by_person else TIME_LIMIT_S

    @property
    def limit_frames(self) -> int:
        return round(self.limit_s * self.scene.fps)

    def check(self) -> Placing:
        """Refuse what cannot be recorded, before anything is made.

        Raises:
            UsageError: naming the value and the valid ones.
        """
        require_opengl()
        who = self.who
        if self.episodes is not None and self.episodes < 1:
            raise UsageError(f"--episodes {self.episodes} must be at least 1.")
        if self.per_position < 1:
            raise UsageError(f"--per-position {self.per_position} must be at least 1.")
        if not 0.5 <= self.limit_s <= 600:
            raise UsageError(f"--limit {self.limit} is outside 0.5 to 600 seconds.")
        if self.rule is Keep.VERDICT and not self.by_person:
            raise UsageError(f"--keep verdict needs a person; {who.name} gives none. Valid: judge, all.")
        if self.by_person and self.rule is not Keep.VERDICT:
            raise UsageError(f"--keep {self.keep} is for scripted operators; you decide yourself.")
        if self.by_person and self.noise:
            raise UsageError("--noise is for scripted operators.")
        placing = self.where.placing()
        if placing.targets and self.episodes is not None:
            raise UsageError(
                "With --targets the number of episodes follows from --per-position; leave --episodes away."
            )
        if not placing.targets and self.per_position != 1:
            raise UsageError("--per-position needs --targets.")
        require_recordable(placing, self.scene, self.seed)
        require_fitting(who, self.scene)
        return placing

    def goal(self, placing: Placing, session: Session) -> int:
        """How many unmasked episodes the dataset shall hold; those of other positions do not stand in for a list's."""
        if placing.targets:
            left = Schedule(placing.targets, self.per_position).left(session.by_target())
            return len(session.live) + left
        return EPISODES if self.episodes is None else self.episodes

    def turns(self, placing: Placing, session: Session) -> Turns | None:
        """Whose turn it is among the positions of a list; None without one."""
        if not placing.targets:
            return None
        return Turns(Schedule(placing.targets, self.per_position), session.tried(), session.by_target)

    def open(self, *, resume: bool | None = None) -> Session:
        """The new dataset, or with --resume, unless it is said here, the existing one."""
        going_on = self.resume if resume is None else resume
        return open_session(self.to, self.scene, resume=going_on, privileged=self.privileged)


def open_session(to: str, scene: Scene, *, resume: bool, privileged: bool = False) -> Session:
    """A new dataset, or with `resume` an existing one."""
    root = dataset_path(to)
    if not resume:
        return Session.create(root, scene, Encoding(), privileged=privileged)
    if not root.is_dir():
        raise NotADataset(root, "there is no such folder; leave --resume away to start it")
    session = Session.resume(root, scene)
    if "driven" in session.store.scene:
        session.close()
        raise UsageError(f"{root} was drawn again from another dataset. Record into a new one, and merge the two.")
    if privileged and POSE not in session.store.features:
        session.close()
        raise UsageError(f"{root} was begun without --privileged. Leave it away, or record into a new dataset.")
    return session
